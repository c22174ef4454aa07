"""A cell of one's own, in one file: the example `examples/cfn.py` does all that a cell of this package does."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small

import shakegen as library
from shakegen.cells.numpy_step import NumpyStep
from shakegen.cells.registry import CELLS, load_cell, register
from shakegen.export.keras_file import make_keras

ROOT = Path(__file__).parents[2]
SLOW = """from shakegen.cells import Cell, option, tanh

class Slow(Cell):
    name, gates = "test-slow", ("h",)
    alpha: float = option(0.5, help="Share that is new.")

    def step(self, x, s, w):
        new = tanh(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias)
        return {"h": (1 - self.alpha) * s.h + self.alpha * new}
"""
SMALL = {"epochs": 2, **small.SMALL}


def import_cfn(patch):
    """The cell of the example, which is known from now on."""
    patch.syspath_prepend(ROOT / "examples")
    cell = load_cell("cfn:CFN")
    register(cell)  # again, where another test has imported it
    return cell


@pytest.fixture
def cfn(monkeypatch):
    """The cell of the example, known for the time of a test."""
    return import_cfn(monkeypatch)


@pytest.fixture(scope="module")
def trained_once(poem, tmp_path_factory):
    """A model of it, of a short run, and its file."""
    path, config = tmp_path_factory.mktemp("cfn") / "cfn.h5", {"units": 12, "dropout": 0.0}
    with pytest.MonkeyPatch.context() as patch:
        import_cfn(patch)
        model = library.train(
            library.Corpus.from_text(poem), library.Config("cfn", **config), out=path, random_state=3, **SMALL
        )
        del CELLS["cfn"]  # a test that needs it says so
    return model, path


@pytest.fixture
def trained(cfn, trained_once):
    """The same, where the cell is known."""
    return trained_once


def run_without_it(*arguments, cells=None, places=()):
    """The command line in a process that has not heard of the cell, but by the environment."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [ROOT, ROOT / "examples", *places]))}
    environment |= {"SHAKEGEN_CELLS": cells} if cells else {}
    command = [sys.executable, "-m", "shakegen", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_it_takes_thirty_lines(cfn):
    assert len(inspect.getsource(cfn).splitlines()) <= 30


def test_it_trains_in_the_compiled_loop(cfn, poem, compiled_runs):
    model = library.train(library.Corpus.from_text(poem), library.Config("cfn", units=32), learning_rate=0.02, **SMALL)
    assert set(compiled_runs) == {"cfn"}
    assert model.history[-1]["loss"] < model.history[0]["loss"]


def test_it_resumes_bit_for_bit(cfn, poem):
    corpus, config = library.Corpus.from_text(poem), library.Config("cfn", units=12, dropout=0.0)
    once = library.train(corpus, config, random_state=3, schedule="constant", **SMALL | {"epochs": 2})
    first = library.train(corpus, config, random_state=3, schedule="constant", **SMALL | {"epochs": 1})
    again = library.train(corpus, resume=first, epochs=2, verbose=False)
    for name, weight in once.weights.items():
        np.testing.assert_array_equal(weight, again.weights[name])


def test_it_is_saved_loaded_and_writes_without_tensorflow(trained):
    model, path = trained
    expected = model.sample("Shall", length=30, random_state=1)
    assert library.load(path).sample("Shall", length=30, random_state=1) == expected
    options = ["--seed", "Shall", "--length", "30", "--temperature", "1", "--random-state", "1"]
    finished = run_without_it("sample", "--model", path, *options, cells="cfn:CFN")
    assert finished.stdout == f"Shall{expected}\n"
    assert "tensorflow" not in finished.stderr


def test_a_plugin_has_it(trained, tmp_path, monkeypatch):
    """An installed package with an entry point of the group `shakegen.cells`."""
    _, path = trained
    plugin = tmp_path / "site" / "cfn-1.0.dist-info"
    plugin.mkdir(parents=True)
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: cfn\nVersion: 1.0\n", encoding="utf-8")
    (plugin / "entry_points.txt").write_text("[shakegen.cells]\ncfn = cfn:CFN\n", encoding="utf-8")
    finished = run_without_it("sample", "--model", path, "--length", "5", places=[plugin.parent])
    assert (finished.returncode, len(finished.stdout)) == (0, 5 + 1), finished.stderr


def test_gates_are_shown_along_a_text(trained, cfn, shakegen):
    outcome = shakegen("lab", "gates", trained[1], "Shall I compare thee", "--signal", "f", "--json")
    assert outcome.exit_code == 0, outcome.output
    shown = json.loads(outcome.stdout)
    assert shown["traces"][0]["kinds"] == {"h": "value", "f": "gate", "i": "gate"}
    assert {row["gate"] for row in shown["gates"]} == {"f", "i"}


def test_a_file_does_not_import_its_cell(trained):
    finished = run_without_it("info", trained[1])
    error = [line for line in finished.stderr.splitlines() if not line.startswith("import time")]
    assert finished.returncode == 1
    assert error == [
        f"Error: {trained[1]} is not a usable model: its cell 'cfn' is not here: install the package that has it, or "
        "name the class in the environment, SHAKEGEN_CELLS=module:Class"
    ]


def test_it_is_scored_and_shown(trained, poem, shakegen, monkeypatch):
    model, path = trained
    evaluation = model.evaluate(poem)
    logits = model.keras_model()(np.array([model.vocabulary.encode(poem[:400])])).numpy()[0]
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_shares = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    ids = model.vocabulary.encode(poem[:400])
    nats = -log_shares[np.arange(399), ids[1:]].mean()
    assert abs(model.evaluate(poem[:400]).nats_per_symbol - nats) < 1e-4
    assert evaluation.nats_per_symbol > 0
    shown = json.loads(shakegen("info", path, "--json").stdout)
    assert (shown["cell"], shown["units"]) == ("cfn", 12)
    traces = model.engine.activations(model.vocabulary.encode("Shall I"))
    assert set(traces[0]) == {"h", "f", "i"}


def test_predictions_are_traced_back(trained):
    model, _ = trained
    norms = library.connections(model, "Shall I compare").norms
    assert norms.shape == (15, 15)
    assert (norms[np.tril_indices(15)] > 0).all()


def test_the_commands_take_it(cfn, shakegen, poem_file):
    tiny = ["--epochs", "1", "--units", "6", "--layers", "1", "--batch-size", "8", "--seq-length", "20"]
    outcome = shakegen("train", poem_file, "--cell", "cfn:CFN", *tiny, "--sample-length", "0")
    assert outcome.exit_code == 0, outcome.output
    assert library.load("models/poem-cfn.h5").config.cell == "cfn"
    assert "Now try: SHAKEGEN_CELLS=cfn:CFN shakegen sample --model models/poem-cfn.h5" in outcome.stderr
    outcome = shakegen(
        "lab", "timer", "--cells", "cfn", "--updates", "2", "--longest", "10", "--units", "4", "--length", "30"
    )
    assert outcome.exit_code == 0, outcome.output
    assert "cfn" in outcome.stdout


def test_options_of_a_cell_of_one_s_own_follow_it(shakegen, poem_file):
    Path("slow_cells.py").write_text(SLOW, encoding="utf-8")
    tiny = ["--epochs", "1", "--units", "6", "--layers", "1", "--batch-size", "8", "--seq-length", "20"]
    tiny += ["--sample-length", "0"]
    outcome = shakegen("train", poem_file, "--cell", "slow_cells:Slow:alpha=0.25", "--out", "a.h5", *tiny)
    assert outcome.exit_code == 0, outcome.output
    assert library.load("a.h5").config.alpha == 0.25
    assert shakegen("train", poem_file, "--cell", "nlstm:depth=3", "--out", "b.h5", *tiny).exit_code == 0
    assert library.load("b.h5").config.depth == 3
    outcome = shakegen("train", poem_file, "--cell", "slow_cells:Slow:beta=1", *tiny)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith(
        "Error: a cell cannot have 'beta=1' of its own: expected NAME=VALUE, the name one of "
    )
    sys.modules.pop("slow_cells")


def test_it_is_compared(poem_file, tmp_path, monkeypatch):
    """In processes of their own, which are told of the cell."""
    monkeypatch.chdir(tmp_path)
    tiny = ["--epochs", "1", "--units", "6", "--layers", "1", "--batch-size", "8", "--seq-length", "20"]
    tiny += ["--repeats", "1", "--quiet", "--json"]
    finished = run_without_it("compare", "poem.txt", "--cells", "cfn:CFN", *tiny)
    assert finished.returncode == 0, finished.stderr
    assert [(row["name"], row["failures"]) for row in json.loads(finished.stdout)["rows"]] == [("cfn", [])]


def test_every_function_of_equations_takes_a_number_too():
    class Steady(library.cells.Cell):
        name, gates = "test-steady", ("h",)
        start: float = library.cells.option(0.5)

        def weights(self, inputs):
            return {name: one for name, one in super().weights(inputs).items() if name != "recurrent_kernel"}

        def step(self, x, s, w):
            return {"h": library.cells.softplus(self.start) * library.cells.tanh(x @ w.kernel + w.bias)}

    with pytest.raises(ValueError, match=r"^start is 100000: expected a number from -65536 to 65536$"):
        Steady.check_option("start", 100_000)
    values = dict(zip(("x", "w"), (np.ones((1, 2)), np.ones((2, 3))), strict=True))
    found = NumpyStep(Steady(3), {"kernel": values["w"], "bias": np.zeros(3)}, 2)
    assert found.output_scale == pytest.approx(np.log1p(np.exp(0.5)))


def test_an_exported_model_comes_back(trained, tmp_path):
    model, _ = trained
    make_keras(model).save(tmp_path / "a.keras")
    (tmp_path / "s.json").write_text(json.dumps(model.vocabulary.to_json()), encoding="utf-8")
    places = ("import", tmp_path / "a.keras", "--symbols", tmp_path / "s.json", "--out", tmp_path / "b.h5")
    finished = run_without_it(*places, cells="cfn:CFN")
    assert finished.returncode == 0, finished.stderr
    assert library.load(tmp_path / "b.h5").sample("Sh", 30) == model.sample("Sh", 30)
