"""The problems of memory, and the experiment that tries cells on them."""

import inspect
import json

import numpy as np
import pytest

from shakegen.cells import BUILT_IN
from shakegen.cli.lab import draw_below
from shakegen.lab import problems
from shakegen.lab.memory import Memory, memory
from shakegen.lab.problems import PROBLEMS, SYMBOLS


def test_the_sum_is_that_of_one_marked_number_in_either_half(rng):
    inputs, sums = problems.adding(rng, 200, 9)
    numbers, marks = inputs[..., 0], inputs[..., 1]
    assert inputs.shape == (200, 9, 2)
    assert np.all((numbers >= 0) & (numbers < 1))
    assert np.all(marks[:, :4].sum(axis=1) == 1)
    assert np.all(marks[:, 4:].sum(axis=1) == 1)
    assert set(np.argwhere(marks)[:, 1]) == set(range(9))
    assert np.allclose((numbers * marks).sum(axis=1), sums[:, 0, 0], atol=1e-6)


@pytest.mark.parametrize(("lag", "symbols"), [(1, 1), (1, 4), (6, 3)])
def test_what_is_to_be_copied_was_read_the_same_while_ago(rng, lag, symbols):
    inputs, targets = problems.copying(rng, 50, lag, symbols, alphabet=4)
    read = inputs.argmax(axis=2)
    assert np.all(inputs.sum(axis=2) == 1)
    assert read.shape[1] == 2 * symbols + lag - 1
    assert np.array_equal(read[:, :symbols], targets)
    mark = symbols + lag - 1
    assert np.all(read[:, mark] == 5)
    assert np.all(np.delete(read, mark, axis=1)[:, symbols:] == 4)
    assert np.array_equal(read[:, np.arange(read.shape[1] - symbols, read.shape[1]) - mark], targets)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_least_error_without_a_memory(rng, name):
    problem = PROBLEMS[name]
    inputs, targets = problem.draw(rng, 4000, 12)
    outputs = answer_from_the_last_step(rng, name, inputs, targets)
    assert inputs.shape[2] == problem.inputs
    assert problem.error(outputs, targets) == pytest.approx(problem.guess(12), rel=0.05)
    assert not problem.is_mastered(problem.guess(12))


def answer_from_the_last_step(rng, name, inputs, targets):
    """The best outputs that need no memory."""
    if name == "copying":
        return rng.random((*targets.shape, PROBLEMS[name].outputs))
    steps, last = inputs.shape[1], inputs[:, -targets.shape[1] :]
    if name == "adding":
        return np.where(last[..., 1:], 0.5 + last[..., :1], 1)
    kinds = np.unique(last.reshape(-1, 2), axis=0)
    groups = [np.all(last == kind, axis=2) for kind in kinds]
    assert steps == targets.shape[1]
    return sum(group[..., None] * targets[group].mean() for group in groups)


def test_a_short_lag_is_mastered_and_the_climb_ends_at_the_first_that_is_not():
    found = memory(["rnn"], ["copying"], lags=(1, 30, 40), updates=60, symbols=3, repeats=1)
    assert [(a["lag"], a["mastered"]) for a in found.attempts] == [(1, True), (30, False)]
    assert found.rows == [{"problem": "copying", "cell": "rnn", "longest_lag": 1, "lag_tried": 30, "updates_there": 60}]


def test_a_row_lists_the_climbs_of_all_repeats_where_they_differ():
    settings = {"lags": (1,), "updates": 30, "units": 4}
    found = memory(["rnn"], ["copying"], **settings, repeats=2)
    (second,) = memory(["rnn"], ["copying"], **settings, repeats=1, random_state=1).attempts
    assert found.attempts[1] == second
    longest = [a["mastered"] * a["lag"] for a in found.attempts]
    assert found.rows[0]["longest_lag"] == (longest if longest[0] != longest[1] else longest[0])
    (panel,) = found.figure().panels
    errors = [a["error"] for a in found.attempts]
    assert (panel.curves[0].band[0][0], panel.curves[0].band[1][0]) == (min(errors), max(errors))
    assert errors[0] != errors[1]


def test_the_symbols_to_copy_are_as_many_everywhere_by_default():
    assert inspect.signature(memory).parameters["symbols"].default == SYMBOLS
    assert PROBLEMS["copying"].last == SYMBOLS


def test_the_command_prints_a_table_or_all_numbers_and_draws(shakegen, tmp_path):
    options = ("--cells", "rnn", "--problem", "copying", "--lags", "2", "--updates", "3", "--units", "4")
    options += ("--repeats", "1")
    shown = shakegen("lab", "memory", *options, "--out", "memory.svg")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0].split()[:3] == ["problem", "cell", "longest"]
    assert "Saved: memory.svg" in shown.stderr
    assert (tmp_path / "memory.svg").read_text(encoding="utf-8").startswith("<?xml")
    found = json.loads(shakegen("lab", "memory", *options, "--json").stdout)
    quiet = shakegen("lab", "memory", *options, "--quiet", "--out", "quiet.svg")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, shown.stdout, "")
    assert found["attempts"][0] | {"error": 0} == {
        "problem": "copying", "cell": "rnn", "random_state": 0, "lag": 2, "updates": 3, "error": 0, "mastered": False,
    }  # fmt: skip


def test_a_figure_in_the_terminal(capsys):
    attempts = [
        {"problem": "adding", "cell": "gru", "random_state": 0, "lag": lag, "error": 0.2 / lag} for lag in (10, 20)
    ]
    draw_below(Memory([], attempts))
    shown = capsys.readouterr().out
    assert "mean squared error" in shown
    assert "no memory" in shown


BAD = {
    "updates is 0: expected 1 or more": ("--updates", "0"),
    "repeats is 0: expected 1 or more": ("--repeats", "0"),
    "learning rate is nan: expected a number above 0": ("--learning-rate", "nan"),
    f"there is no cell 'rnx': expected one of {', '.join(BUILT_IN)}, or module:Class for one of your own": (
        "--cells", "gru,rnx"
    ),
    "the lags given are '10;20': expected whole numbers such as 10,20,40": ("--lags", "10;20"),
    "the length is 1: expected 2 steps or more, for two numbers to add": ("--problem", "adding", "--lags", "1"),
    "the lag is 0, the symbols to copy are 1, the alphabet has 8: expected 1 or more, 1 or more, and 2 or more": (
        "--problem", "copying", "--lags", "0"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, message, arguments):
    result = shakegen("lab", "memory", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")


def test_a_network_that_diverged_has_no_share_of_wrong_symbols():
    outputs = np.full((2, 1, 8), np.nan)
    assert not np.isfinite(PROBLEMS["copying"].error(outputs, np.zeros((2, 1), int)))


def test_a_line_ends_at_the_last_lag_that_all_climbs_tried():
    """The climbs that came farther are the better ones: their median is not that of all."""
    tried = {0: {10: 0.001, 20: 0.1}, 1: {10: 0.002, 20: 0.003, 40: 0.004}}
    attempts = [
        {"problem": "adding", "cell": "rnn", "random_state": state, "lag": lag, "error": error}
        for state, errors in tried.items()
        for lag, error in errors.items()
    ]
    (curve, _) = Memory([], attempts).figure().panels[0].curves
    assert list(curve.x) == [10, 20]
    assert np.allclose(curve.y, [0.0015, 0.0515])


def test_what_cannot_be_tried_is_refused_before_anything_is():
    told = []
    for message, lags in ("the length is 1: expected 2 steps", [10, 1]), ("there are no lags: expected one", []):
        with pytest.raises(ValueError, match=message):
            memory(["rnn"], ["adding"], lags, updates=1, progress=told.append)
    assert told == []
