"""The command that compares, with real processes: it is stopped, goes on, and says what came of it."""

import csv
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import page_runner
import pytest
from comparisons import finish, records
from mistakes import fails

from shakegen.cells import BUILT_IN
from shakegen.cli.compare import estimate_time, progress
from shakegen.compare import runs
from shakegen.compare.record import Record, identify
from shakegen.model import load
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus
from shakegen.text.splits import EXPECTED
from shakegen.training import train
from shakegen.training.recipe import Recipe

SMALL = ["--units", "6", "--layers", "1", "--repeats", "1", "--epochs", "20", "--seq-length", "20", "--batch-size", "8"]
CELLS = "rnn,rnn:learning-rate=1e38"


def interrupted(folder, *words):
    """Start the command, press Ctrl-C once its first run has a checkpoint; gives its exit code and standard error."""
    command = [sys.executable, "-m", "shakegen", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    model = folder / "rnn-0.h5"
    while not model.exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_a_comparison_that_was_stopped_goes_on_and_one_that_diverges_does_not_stop_the_others(
    shakegen, poem_file, poem, tmp_path, monkeypatch
):
    folder, words = tmp_path / "models" / "compare-poem", ["compare", "poem.txt", "--cells", CELLS, *SMALL]
    code, errors = interrupted(folder, *words)
    assert code == 130
    assert errors.splitlines()[0].startswith("Run 1 of 2: rnn, 6 units, ")
    assert errors.endswith("\nInterrupted. The same command goes on from here.\n")
    assert "Traceback" not in errors
    assert not (folder / "rnn-learning_rate1e+38-0.json").exists()

    monkeypatch.setattr(runs, "run_worker", page_runner.work_here)  # where TensorFlow is loaded already
    done = shakegen(*words, "--json", "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
    rnn, wild = json.loads(done.stdout)["rows"]
    assert [run["state"] for row in (rnn, wild) for run in row["runs"]] == ["finished", "diverged"]
    reason = "training diverged, the loss is not a number: try a lower --learning-rate or a lower --clip-norm"
    assert wild["failures"] == [f"1 of 1 diverged: {reason}"]
    options = {"epochs": 20, "seq_length": 20, "batch_size": 8, "verbose": False}
    unbroken = train(Corpus.from_text(poem), Config("rnn", 6, 1), **options)
    kept = load(folder / "rnn-0.h5")
    assert all(np.array_equal(unbroken.weights[name], weight) for name, weight in kept.weights.items())
    assert [entry["loss"] for entry in unbroken.history] == [entry["loss"] for entry in kept.history]

    before = {path: path.read_bytes() for path in folder.iterdir()}
    shown = shakegen(*words, "--out", "report.html", "--csv", "table.csv")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    lines = shown.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines[:3]] == ["cell", "rnn", "rnn:learning_rate=1e+38"]
    assert [line.split()[0] for line in lines[3:]] == [lines[3].split()[0], "xz"]
    assert lines[3].split()[0].endswith("-gram")
    assert f"{rnn['figures']['test_bits_per_character']['mean']:.3f}" in lines[1]
    assert "0 of 1, diverged" in lines[2]
    assert shown.stderr.startswith(
        "\nOne run of each network cannot tell them apart: repeat them with other random\nstates.\n\n"
        "Text: poem, 2,430 characters, split 0.9, 0.05, 0.05. The networks have equally\nmany units"
    )
    assert shown.stderr.endswith("\nRuns: models/compare-poem\nSaved: table.csv\nSaved: report.html\n")
    assert "<h3>rnn</h3>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with open(tmp_path / "table.csv", newline="", encoding="utf-8") as file:
        assert [row["finished"] for row in csv.DictReader(file)] == ["1", "0", "", ""]  # and two baselines

    assert fails(
        shakegen(*words, "--batch-size", "9", "--runs", "models/compare-poem"),
        "models/compare-poem/rnn-0.json is of a run with batch size 8, not 9: name another folder with --runs, or "
        "remove this one",
    )


def test_the_time_of_the_first_run_tells_that_of_the_others():
    assert estimate_time(65, 3) == "That took 1 min 5 s. If the 3 other runs take as long, they end in 3 min 15 s."
    assert estimate_time(4.2, 1) == "That took 4 s. If the other run takes as long, it ends in 4 s."


def test_the_estimate_comes_once_after_the_first_run_that_finished(capfd):
    (gru,) = records("gru")
    described = SimpleNamespace(runs=4), {gru.name: "gru"}, lambda record: record.name
    comparison = SimpleNamespace(**dict(zip(("plan", "names", "describe"), described)))
    show = progress(comparison)
    diverged = replace(gru, state="diverged", reason="too fast")
    for number, ended in enumerate([diverged, *[finish(gru)] * 3]):
        show(number, gru, 3 - number)
        show(number, ended, 3 - number)
    lines = capfd.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["Run", "gru", "Run", "That", "Run", "Run"]
    assert lines[1] == "gru diverged: too fast"
    assert lines[3].startswith("That took 0 s. If the 2 other runs ")


def test_where_no_run_finished_it_fails_and_shows_why(shakegen, poem_file, tmp_path):
    path = tmp_path / "models" / "compare-poem" / "gru-0.json"
    words = ["compare", "poem.txt", "--cells", "gru", *SMALL, "--quiet"]
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    assert fails(
        shakegen(*words),
        "models/compare-poem/gru-0.json is not a run of a comparison: remove it, or name another folder with --runs",
    )
    what = {"corpus": json.loads(json.dumps(identify(Corpus.from_file(poem_file))))}
    recipe = {"epochs": 20, "seq_length": 20, "batch_size": 8}
    what |= {"config": Config(units=6, layers=1).to_dict(), "recipe": Recipe(**recipe).to_dict()}
    Record("gru-0", what, {}, {}, "diverged", "too fast").write(path.parent)
    failed = shakegen(*words)
    assert failed.exit_code == 1
    row = failed.stdout.splitlines()[1].split()
    assert row == ["gru", "0", "of", "1,", "diverged", "6", "744", *["-"] * (len(row) - 7)]
    assert failed.stderr.endswith("\nError: no run finished: 1 of 1 diverged: too fast\n")
    drawn = shakegen(*words, "--out", "curves.svg")
    assert drawn.stdout == failed.stdout, "the table comes first, whether or not there are curves to draw"
    assert drawn.stderr.splitlines()[-1].startswith("Error: there are no curves for curves.svg")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--csv", "poem.txt"], "poem.txt is read, it would be overwritten: name another file with --csv"),
        (["--out", "a.html", "--csv", "a.html"], "a.html is to be written twice: give --out and --csv names of their "
         "own"),
        (["--task", "autocomplete", "--sample-length", "60", "--cells", "cnn"], "there is no cell 'cnn': expected one "
         f"of {', '.join(BUILT_IN)}, or module:Class for one of your own"),
        (["--cells", "gru,cnn"], f"there is no cell 'cnn': expected one of {', '.join(BUILT_IN)}, or module:Class for "
         "one of your own"),
        (["--match", "time"], "to match time is to hold the minutes equal: expected --minutes, not --epochs"),
        (["--epochs", "2", "--minutes", "2"], "--epochs and --minutes are both given: expected one of them"),
        (["--repeats", "0"], "the number of repeats is 0: expected a whole number from 1 to 4294967296"),
        (["--tune", "units=3,4"], "cannot tune 'units=3,4': expected learning-rate or dropout, =, and two numbers or "
         "more with commas between them, such as learning-rate=3e-3,6e-3,1e-2"),
        (["--tune", "dropout=0,0.1", "--split", "0.9,0,0.1"], "to tune is to choose by the validation text: expected a "
         "split that has some"),
        (["--out", "x.doc"], "cannot draw x.doc: expected a name that ends in .png, .svg, .pdf or .html"),
        (["--csv", "."], "cannot write . (Is a directory): expected a file in a folder that has room and may be "
         "written to; try another place with --csv"),
        (["--sample-length", "-1"], "the length of the samples is -1: expected 0 or more"),
        (["--split", "a"], f"the split a is not usable: {EXPECTED}"),
        (["--task", "autocomplete", "--level", "word"], "level is 'word', but the task is autocomplete: it reads "
         "characters, and predicts words"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_nothing_is_begun(shakegen, poem_file, tmp_path, words, message):
    assert fails(shakegen("compare", poem_file, *words), message)
    assert [path.name for path in tmp_path.iterdir()] == ["poem.txt"]
