"""Fixtures of the commands' tests."""

import shutil

import pytest
from click.testing import CliRunner

from shakegen.cli import main
from shakegen.model import AutocompleteModel, LanguageModel
from shakegen.model.precision import round_weights
from shakegen.network.config import Config
from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.study.autocomplete.outputs import SYMBOLS
from shakegen.text import reading
from shakegen.text.corpus import Corpus

HISTORY = [
    {"epoch": epoch, "loss": 3.0 / epoch, "val_loss": 2.9 / epoch, "seconds": 30.0 * epoch} for epoch in (1, 2, 3)
]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, poem, random_weights):
    """The folder of which `all_kinds` is a copy."""
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "poem.txt").write_text(poem, encoding="utf-8")
    for level, embedding in {"char": 0, "subword": 5, "word": 5}.items():
        corpus = Corpus.from_text(poem, "poem", level=level)
        config = Config("lstm", units=6, level=level, embedding=embedding)
        weights = {name: weight * 2 for name, weight in random_weights(config, len(corpus.vocabulary)).items()}
        weights = weights if level == "char" else round_weights(weights)
        model = LanguageModel(config, corpus.vocabulary, weights, corpus.origin(), HISTORY)
        model.save(folder / f"{level}.h5")
    words = AutocompleteCorpus.from_source(reading.from_file(folder / "poem.txt"), length=40)
    config = Config.study("gru", units=6)
    weights = random_weights(config, len(SYMBOLS), outputs=len(words.words))
    weights["dense/kernel"] *= 9
    model = AutocompleteModel(config, SYMBOLS, round_weights(weights), words.origin(), HISTORY, words=words.words)
    model.save(folder / "autocomplete.h5")
    return folder


@pytest.fixture
def all_kinds(tmp_path, made_once):
    """poem.txt, and a random model of each kind for it: char.h5; subword.h5, word.h5, autocomplete.h5, of 16 bits."""
    return shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def evaluation(made_once):
    """What `evaluate --json` says of autocomplete.h5 and the poem."""
    words = "evaluate", made_once / "autocomplete.h5", made_once / "poem.txt", "--json"
    return CliRunner().invoke(main, [str(word) for word in words]).stdout


@pytest.fixture
def write(shakegen, random_model, tmp_path):
    """`shakegen sample`: 12 characters of a small random model over a to z and space."""
    random_model().save(tmp_path / "models" / "small.h5")

    def run(*arguments, **options):
        return shakegen("sample", "--length", 12, "--random-state", 1, *arguments, **options)

    return run
