"""`shakegen plot`."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import run_without

HISTORY = [
    {"epoch": 1, "loss": 3.0, "val_loss": 2.9, "seconds": 30.0},
    {"epoch": 2, "loss": 2.0, "val_loss": 2.2, "seconds": 66.0},
    {"epoch": 3, "loss": 1.5, "val_loss": 2.3, "seconds": 90.0},
]


@pytest.fixture
def saved(random_model, tmp_path):
    """Model files with histories: a.h5, old.h5 without times, blind.h5 without validation, empty.h5 with none."""
    histories = {
        "a": HISTORY,
        "old": [{name: entry[name] for name in ("epoch", "loss", "val_loss")} for entry in HISTORY],
        "blind": [{"epoch": 1, "loss": 3.0}, {"epoch": 2, "loss": 2.5}],
        "empty": [],
    }
    for name, history in histories.items():
        model = random_model()
        model.history = history
        model.save(tmp_path / f"{name}.h5")
    return tmp_path


def curves(result):
    assert (result.exit_code, result.stderr) == (0, "")
    (panel,) = json.loads(result.stdout)["panels"]
    return panel, {(curve["series"], curve["label"]): curve for curve in panel["curves"]}


def test_the_numbers_are_those_of_the_history_in_bits(shakegen, saved):
    panel, found = curves(shakegen("plot", "a.h5", "blind.h5", "--json"))
    assert (panel["x_label"], panel["y_label"]) == ("epoch", "bits/char")
    assert list(found) == [("a", "validation"), ("a", "training"), ("blind", "training")]
    for label, loss in (("validation", "val_loss"), ("training", "loss")):
        assert found["a", label]["x"] == [1, 2, 3]
        assert np.allclose(found["a", label]["y"], [entry[loss] / math.log(2) for entry in HISTORY])
    assert found["a", "validation"]["mark"] == {"x": 2, "y": 2.2 / math.log(2)}
    assert "mark" not in found["a", "training"]
    assert found["blind", "training"]["mark"]["x"] == 2


def test_against_minutes(shakegen, saved):
    panel, found = curves(shakegen("plot", "a.h5", "--against", "minutes", "--loss", "validation", "--json"))
    assert panel["x_label"] == "minutes"
    assert list(found) == [("a", "validation")]
    assert found["a", "validation"]["x"] == [0.5, 1.1, 1.5]


def test_an_evaluation_may_be_in_the_encoding_of_powershell(shakegen, evaluation):
    Path("e.json").write_text(evaluation, encoding="utf-16")
    assert shakegen("plot", "e.json", "--json").exit_code == 0


def test_early_epochs_can_be_left_out(shakegen, saved):
    _, found = curves(shakegen("plot", "a.h5", "--from-epoch", 3, "--json"))
    assert found["a", "validation"]["x"] == [3]
    assert "mark" not in found["a", "validation"]


def test_in_the_terminal(shakegen, saved):
    result = shakegen("plot", "a.h5", "old.h5")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    best = f"● best {2.2 / math.log(2):.3f} at epoch 2"
    assert lines[-4:] == [f"A a validation  {best}", f"B old validation  {best}", "a a training", "b old training"]
    assert "\x1b" not in result.stdout


def test_in_a_terminal_of_few_signs(saved):
    command = [sys.executable, "-m", "shakegen", "plot", "a.h5"]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, cwd=saved, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "?" not in done.stdout
    assert "* best" in done.stdout


@pytest.mark.parametrize("kind", ["png", "svg", "pdf", "html"])
def test_to_a_file(shakegen, saved, kind):
    result = shakegen("plot", "a.h5", "old.h5", "--out", f"new/curves.{kind}")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"Saved: new/curves.{kind}\n")
    content = (saved / "new" / f"curves.{kind}").read_bytes()
    assert len(content) > 5000
    if kind == "html":
        assert "<td>old</td><td>gru</td><td>12</td><td>2</td>" in content.decode()


def test_models_of_one_name_are_told_apart_by_their_folders(shakegen, saved):
    (saved / "b").mkdir()
    (saved / "a.h5").rename(saved / "b" / "old.h5")
    _, found = curves(shakegen("plot", "b/old.h5", "old.h5", "blind.h5", "old.h5", "--loss", "training", "--json"))
    assert [series for series, _ in found] == ["b/old.h5", "old.h5", "blind"]


BAD = {
    "old has no times for its epochs, an older shakegen trained it: try --against epochs": (
        "a.h5", "old.h5", "--against", "minutes"
    ),
    "empty has no history of its training: expected a model that `shakegen train` wrote": ("empty.h5",),
    "a has no epoch from 4 on: its last is 3": ("a.h5", "--from-epoch", "4"),
    "blind has no validation loss: it was trained without that text, try the other loss": (
        "a.h5", "blind.h5", "--loss", "validation"
    ),
    "cannot draw a.gif: expected a name that ends in .png, .svg, .pdf or .html": ("none.h5", "--out", "a.gif"),
    "no model none.h5: expected a file that `shakegen train` wrote (see `shakegen models`)": ("none.h5",),
    "cannot write a.h5/b.svg (File exists): expected a file in a folder that has room and may be written to; "
    "try another place with --out": ("a.h5", "--out", "a.h5/b.svg"),
}  # fmt: skip


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, saved, message, arguments):
    result = shakegen("plot", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")


def test_neither_tensorflow_nor_matplotlib_is_loaded_for_the_terminal(saved):
    done = run_without("tensorflow keras matplotlib.figure", saved, "plot a.h5")
    assert (done.returncode, done.stderr) == (0, "")
