"""Jaeger's timer, as a problem and as an experiment."""

import json

import numpy as np
import pytest

from shakegen.cells import BUILT_IN
from shakegen.lab import problems
from shakegen.lab.timer import measure, timer


@pytest.mark.parametrize("longest", [10, 25])
def test_the_output_is_on_from_every_trigger_on_for_as_long_as_asked(rng, longest):
    inputs, targets = problems.timer(rng, 60, 150, longest)
    assert inputs.shape == (60, 150, 2)
    assert targets.shape == (60, 150, 1)
    assert set(np.unique(inputs[..., 0])) == {0, 1}
    assert set(np.unique(targets)) == {0, 0.5}
    assert np.allclose(np.unique(inputs[..., 1]), np.arange(1, 11) / 10)
    gaps = set()
    for (triggers, durations), (said,) in zip(inputs.transpose(0, 2, 1), targets.transpose(0, 2, 1)):
        starts = [int(step) for step in np.flatnonzero(triggers)]
        assert not said[: starts[0]].any()
        for start, end in zip(starts, [*starts[1:], 150]):
            steps = int(np.round(np.round(durations[start].astype(float), 1) * longest))
            assert np.all(durations[start:end] == durations[start])
            assert np.all(said[start : start + steps] == 0.5)
            assert not said[start + steps : end].any()
        gaps |= set(np.diff(starts).tolist())
    assert longest < min(gaps)
    assert max(gaps) <= 3 * longest


def test_every_duration_is_as_likely_as_any_other(rng):
    inputs, _ = problems.timer(rng, 500, 60, 10)
    drawn = np.round(10 * inputs[..., 1][inputs[..., 0] == 1]).astype(int)
    counts = np.bincount(drawn, minlength=11)[1:]
    assert np.sum((counts - counts.mean()) ** 2 / counts.mean()) < 27.9  # χ² of 9 degrees of freedom, p = 0.001


def test_what_is_measured_of_a_timer(rng):
    inputs, targets = problems.timer(rng, 30, 100, 10)
    assert measure(inputs, targets, targets, 10) == {"mean_squared_error": 0, "right_steps": 1, "steps_off": 0}
    off = measure(inputs, targets, np.zeros_like(targets), 10)
    assert off["mean_squared_error"] == pytest.approx(0.25 * (1 - off["right_steps"]))
    late = np.roll(targets, 1, axis=1)
    assert measure(inputs, targets, late, 10)["steps_off"] < 0.3  # most end before the next trigger
    longer = np.maximum(targets, late)
    assert measure(inputs, targets, longer, 10)["steps_off"] == pytest.approx(1, abs=0.1)


def test_a_cell_learns_to_keep_time():
    found = timer(["irnn"], longest=10, length=40, updates=120, units=16, repeats=1)
    constant, blind, trained = found.rows
    assert [row["cell"] for row in found.rows] == ["constant", "no memory", "irnn"]
    assert blind["mean_squared_error"] < constant["mean_squared_error"]
    assert trained["mean_squared_error"].mean < 0.4 * blind["mean_squared_error"]
    assert trained["steps_off"].mean < 0.5 * blind["steps_off"]
    assert np.mean((found.outputs["irnn"] - found.target) ** 2) < 0.5 * constant["mean_squared_error"]


def test_repeats_are_the_runs_with_the_next_random_states_on_the_same_sequences():
    settings = {"longest": 10, "length": 30, "updates": 2, "units": 3}
    both = timer(["rnn"], **settings, repeats=2, random_state=5)
    assert [run["random_state"] for run in both.runs] == [5, 6]
    assert both.rows[-1]["mean_squared_error"].values == tuple(run["mean_squared_error"] for run in both.runs)
    (alone,) = timer(["rnn"], **settings, repeats=1, random_state=5).runs
    assert alone == both.runs[0]
    assert np.abs(both.outputs["rnn"][0] - both.outputs["rnn"][1]).max() > 1e-3
    _, panel = both.figure().panels
    np.testing.assert_array_equal(panel.curves[0].band[0], both.outputs["rnn"].min(axis=0))
    assert both.figure().title == "Jaeger's timer (lines: medians of 2 runs; bands: from the lowest to the highest)"


def test_the_command_prints_a_table_or_all_numbers_and_draws(shakegen, tmp_path):
    options = ("--cells", "rnn", "--longest", 10, "--length", 30, "--updates", 2, "--units", 4, "--repeats", 1)
    shown = shakegen("lab", "timer", *options, "--out", "timer.svg")
    assert shown.exit_code == 0
    assert [line.split()[0] for line in shown.stdout.splitlines()] == ["cell", "constant", "no", "rnn"]
    assert (tmp_path / "timer.svg").read_text(encoding="utf-8").startswith("<?xml")
    found = json.loads(shakegen("lab", "timer", *options, "--json").stdout)
    assert found == timer(["rnn"], longest=10, length=30, updates=2, units=4, repeats=1).to_dict()
    assert [len(found["inputs"]), len(found["target"]), len(found["outputs"]["rnn"][0])] == [30, 30, 30]


BAD = {
    f"there is no cell 'rnx': expected one of {', '.join(BUILT_IN)}, or module:Class for one of your own": (
        "--cells",
        "rnx",
    ),
    "the longest duration is 9 steps of 120: expected 10 or more, and longer sequences": ("--longest", "9"),
    "the longest duration is 20 steps of 20: expected 10 or more, and longer sequences": ("--length", "20"),
    "updates is 0: expected 1 or more": ("--updates", "0"),
    "batch size is 0: expected 1 or more": ("--batch-size", "0"),
    "repeats is 0: expected 1 or more": ("--repeats", "0"),
}


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, message, arguments):
    result = shakegen("lab", "timer", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")


@pytest.mark.parametrize("rate", [1e4, 1e30])
def test_an_absurd_learning_rate_gives_figures_or_blanks_and_no_warning(rate):
    """Warnings are errors here; the square of a large output overflowed once."""
    found = timer(["irnn", "lstm"], longest=10, length=30, updates=5, units=4, learning_rate=rate, repeats=1)
    for row in found.runs:
        figures = [row["mean_squared_error"], row["right_steps"], row["steps_off"]]
        assert np.isfinite(figures).all() or np.isnan(figures).all()


def test_where_no_duration_ends_within_a_sequence_there_is_no_error_of_durations():
    inputs = np.zeros((1, 12, 2), np.float32)
    inputs[0, 5, 0] = 1
    outputs = np.zeros((1, 12, 1), np.float32)
    assert np.isnan(measure(inputs, outputs, outputs, 10)["steps_off"])
