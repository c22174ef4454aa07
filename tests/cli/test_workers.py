"""The command that trains, as one of several workers."""

import contextlib
import os
import signal
import threading
from pathlib import Path

import numpy as np
import workers

from shakegen.model import load
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus
from shakegen.training import train
from shakegen.training.beginning import Beginning
from shakegen.training.recipe import Recipe
from shakegen.training.start import describe_run
from shakegen.training.text_run import share_model
from shakegen.training.workers import Cluster, join
from shakegen.training.workers.cluster import first_difference

FAST = ["--units", 8, "--layers", 1, "--seq-length", 20, "--batch-size", 8, "--sample-length", 0]
WHERE = "expected every worker to be started, with the same addresses; try a longer --worker-wait"


def started(tmp_path, *arguments):
    """Two workers, each in a folder of its own; their addresses and processes."""
    addresses = workers.free_addresses(2)
    for index in (0, 1):
        (tmp_path / str(index)).mkdir()
    command = "-m", "shakegen", "train", *arguments
    return addresses, [workers.start(index, addresses, *command, cwd=tmp_path / str(index)) for index in (0, 1)]


def test_the_chief_shows_and_writes_and_a_signal_to_another_worker_ends_both(tmp_path, poem_file):
    addresses, (chief, other) = started(tmp_path, poem_file, *FAST, "--epochs", 100_000)
    with chief, other:
        assert chief.stderr.readline().startswith("epoch 1/100000: ")
        other.send_signal(signal.SIGTERM)
        assert other.stderr.read() == (
            f"This is worker 1 ({addresses[1]}); worker 0 ({addresses[0]}) shows progress and writes the model.\n"
        )
        assert chief.stderr.read().splitlines()[-4].startswith("Interrupted. Best epoch: ")
    assert (chief.returncode, other.returncode) == (128 + signal.SIGTERM, 128 + signal.SIGTERM)
    assert os.listdir(tmp_path / "1") == []
    model = load(tmp_path / "0" / "models" / "poem-gru.h5", with_training=True)
    assert model.training.state["position"]["step"] > 0


def test_what_is_wrong_with_one_worker_is_said_by_all(tmp_path, poem_file):
    (tmp_path / "1").mkdir()
    addresses = workers.free_addresses(2)
    command = "-m", "shakegen", "train"
    with (
        workers.start(0, addresses, *command, poem_file) as chief,
        workers.start(1, addresses, *command, "poems.txt", cwd=tmp_path / "1") as other,
    ):
        wrong = other.stderr.read()
        assert wrong.startswith("Error: ")
        assert "poems.txt" in wrong
        assert chief.stderr.read() == wrong.replace("Error: ", f"Error: worker 1 ({addresses[1]}) ended: ")
    assert (chief.returncode, other.returncode) == (1, 1)


def test_a_worker_waits_for_the_others_but_not_for_ever(shakegen, poem_file):
    addresses = workers.free_addresses(2)
    options = ["--workers", ",".join(addresses), "--worker-wait", 0.3]
    result = shakegen("train", poem_file, *options, "--worker-index", 0)
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: worker 1 ({addresses[1]}) did not come to worker 0 ({addresses[0]}) within 0.3 s: {WHERE}\n",
    )
    result = shakegen("train", poem_file, *options)
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: --workers is given without --worker-index: expected which of them this is, from 0\n",
    )


def test_only_the_chief_needs_the_model_of_a_run_to_resume(tmp_path, monkeypatch, poem):
    monkeypatch.chdir(tmp_path)
    options = {"epochs": 1, "batch_size": 8, "seq_length": 20, "verbose": False}
    train(Corpus.from_text(poem), Config("rnn", units=4), **options, out="chief.h5")
    addresses, found = tuple(workers.free_addresses(2)), {}

    def begin(index):
        with join(Cluster(addresses, index)) as strategy, contextlib.ExitStack() as held:
            out = Path("chief.h5") if index == 0 else None
            found[index] = share_model(strategy, held, ("poem.txt",), {}, out, True, None)[1]

    threads = [threading.Thread(target=begin, args=[index]) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found[1].training.state == found[0].training.state
    arrays, others = (found[index].weights | found[index].training.arrays for index in (0, 1))
    assert all(np.array_equal(arrays[name], others[name]) for name in arrays)


def test_workers_must_have_the_same_text_network_options_and_first_weights(poem, random_model):
    corpus, config, recipe = Corpus.from_text(poem), Config(), Recipe()
    own = describe_run(Beginning(corpus, config, recipe, None))
    others = {
        None: describe_run(Beginning(Corpus.from_text(poem, name="another"), config, recipe, None)),
        "a text with sha256": describe_run(Beginning(Corpus.from_text(poem + "."), config, recipe, None)),
        "the split": describe_run(Beginning(Corpus.from_text(poem, split=(0.8, 0.1, 0.1)), config, recipe, None)),
        "layers": describe_run(Beginning(corpus, Config(layers=3), recipe, None)),
        "learning rate": describe_run(Beginning(corpus, config, Recipe(learning_rate=1e-3), None)),
        "a model to begin with": describe_run(Beginning(corpus, config, recipe, random_model())),
    }
    for name, other in others.items():
        assert first_difference(own, other) == name
