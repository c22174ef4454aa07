"""Fixtures shared by the tests."""

import itertools
import math
import os
import signal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a core for each process: threads would wait for each other

import hypothesis
import numpy as np
import pytest
from click.testing import CliRunner

from shakegen.cells.registry import CELLS
from shakegen.cli import main
from shakegen.model import AutocompleteModel, LanguageModel
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.text.corpus import Corpus
from shakegen.text.vocabulary import Vocabulary

signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it, and tests' processes inherit this
hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no error
hypothesis.settings.load_profile("untimed")

LONGEST = [
    "test_engine.py",
    "test_together.py",
    "test_tutorials.py",
    "test_training.py",
    "test_nlstm_keras.py",
    "test_resume.py",
    "test_streams.py",
    "test_windows.py",
    "test_package.py",
]
CACHES = itertools.count()
POEM = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n" * 30


def pytest_collection_modifyitems(items):
    """Begin with the longest files: a file runs in one process, and no core should wait for another at the end."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory, monkeypatch):
    """A cache folder of its own for each test, made when something is kept in it: no test sees files of another."""
    folder = tmp_path_factory.getbasetemp() / "caches" / str(next(CACHES))  # `mktemp` reads the names of all
    monkeypatch.setenv("SHAKEGEN_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def cells_as_they_were():
    """Forget the cells that a test defines when it ends."""
    before = dict(CELLS)
    yield
    CELLS.clear()
    CELLS.update(before)


@pytest.fixture
def rng():
    """Random numbers that are the same in every run."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def poem():
    """A text that is long enough for a short training run."""
    return POEM


@pytest.fixture
def poem_file(tmp_path, poem):
    """The path of that text, poem.txt in the test's folder."""
    path = tmp_path / "poem.txt"
    path.write_text(poem, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def random_weights():
    """Weights for a configuration: large enough for every gate to act, small enough for no recurrence to explode."""

    def draw(config: Config, vocabulary_size: int, random_state: int = 0, outputs: int | None = None):
        random, scale = np.random.default_rng(random_state), 0.8 / math.sqrt(config.units)
        shapes = config.weight_shapes(vocabulary_size, outputs)
        return {name: random.normal(0, scale, shape).astype(np.float32) for name, shape in shapes.items()}

    return draw


@pytest.fixture
def random_model(random_weights):
    """An untrained model of a configuration over the characters a to z and space."""

    def make(config: Config | None = None, random_state: int = 0) -> LanguageModel:
        config = config or Config(units=12)
        vocabulary = Vocabulary("abcdefghijklmnopqrstuvwxyz ")
        weights = random_weights(config, len(vocabulary), random_state)
        history = [{"epoch": 1, "loss": 2.0, "val_loss": 2.1}]
        return LanguageModel(config, vocabulary, weights, {"name": "abc", "sha256": "0", "length": 27}, history)

    return make


@pytest.fixture
def word_model(random_weights, poem):
    """An untrained model of the words of the poem, with a symbol for unknown words."""
    corpus = Corpus.from_text(poem, "poem", level="word", split=(0.8, 0.1, 0.1))
    config = Config(units=12, level="word", embedding=6)
    weights = random_weights(config, len(corpus.vocabulary))
    history = [{"epoch": 1, "loss": 2.0, "val_loss": 2.1}]
    return LanguageModel(config, corpus.vocabulary, weights, corpus.origin(), history)


@pytest.fixture
def completer(random_weights):
    """An untrained model of the autocomplete task."""
    words, config = Outputs(["thee", "to", "a"]), Config.study("lstm", units=6)
    return AutocompleteModel(config, SYMBOLS, random_weights(config, len(SYMBOLS), outputs=len(words)), words=words)


@pytest.fixture
def compiled_runs(monkeypatch):
    """A list of names: each run of the compiled loop appends the name of its cell."""
    from shakegen.layers import recurrence

    names, run = [], recurrence.run
    monkeypatch.setattr(recurrence, "run", lambda *args, **options: names.append(args[0].name) or run(*args, **options))
    return names


@pytest.fixture
def in_the_compiled_loop(compiled_runs):
    """Fail a test of the compiled loop in which Keras's loop ran instead. Other backends have no compiled loop."""
    import keras

    yield
    assert compiled_runs or keras.backend.backend() != "tensorflow", "the compiled loop did not run"


@pytest.fixture
def shakegen(tmp_path, monkeypatch):
    """The command line, run in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **options):
        return CliRunner().invoke(main, [str(a) for a in arguments], **options)

    return run


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A web browser, driven by Selenium."""
    from browser import open_browser

    with open_browser(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


@pytest.fixture
def clock(monkeypatch):
    """The time as runs see it, in a list; a batch takes a second."""
    from shakegen.training.learner import Learner

    learn, now = Learner.__call__, [1000.0]

    def learn_for_a_second(*arguments):
        now[0] += 1
        return learn(*arguments)

    monkeypatch.setattr(Learner, "__call__", learn_for_a_second)
    monkeypatch.setattr("shakegen.training.run.time.monotonic", lambda: now[0])
    return now
