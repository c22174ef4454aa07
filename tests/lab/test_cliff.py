"""The error surface of one recurrent unit, and the descents on it."""

import json
import math

import numpy as np
import pytest

from shakegen.lab.cliff import AREA, GOOD, Descent, Unit, cliff, descend, draw_path


def by_hand(weight, bias, length, target):
    x = 0.5
    for _ in range(length):
        x = weight / (1 + math.exp(-x)) + bias
    return (1 / (1 + math.exp(-x)) - target) ** 2


def test_the_error_is_that_of_the_unit_stepped_by_hand(rng):
    weights, biases = rng.uniform(*np.array(AREA).T, (20, 2)).T
    errors = Unit(7, 0.4).error(weights, biases)
    assert np.allclose(errors, [by_hand(w, b, 7, 0.4) for w, b in zip(weights, biases)], rtol=1e-12)


def test_gradients_are_those_of_finite_differences(rng):
    weights, biases = rng.uniform(*np.array(AREA).T, (50, 2)).T
    unit, h = Unit(12), 1e-6
    _, by_weight, by_bias = unit.gradient(weights, biases)
    differences = unit.error(weights + h, biases) - unit.error(weights - h, biases)
    assert np.allclose(by_weight, differences / (2 * h), rtol=1e-5, atol=1e-9)
    differences = unit.error(weights, biases + h) - unit.error(weights, biases - h)
    assert np.allclose(by_bias, differences / (2 * h), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("clip_norm", [None, 0.05])
def test_a_step_goes_against_the_gradient_and_no_farther_than_the_clipped_norm(clip_norm):
    unit = Unit()
    found = descend(unit, [5.0, 6.0], [-2.5, -2.0], 0.3, 20, clip_norm)
    gradient = np.stack(unit.gradient(found.weight, found.bias)[1:])
    moved = np.diff(np.stack([found.weight, found.bias]), axis=1)
    long = np.hypot(*gradient)
    assert np.allclose(found.norm, long)
    assert np.allclose(moved, -0.3 * (gradient * np.minimum(1, (clip_norm or math.inf) / long))[:, :-1], atol=1e-15)
    assert np.any(long > 0.05)


def test_descents_side_by_side_are_those_alone():
    both = descend(Unit(), [5.0, 6.0], [-2.5, -2.0], 0.3, 30, 0.5)
    alone = descend(Unit(), [6.0], [-2.0], 0.3, 30, 0.5)
    assert np.array_equal(both.select(1).weight, alone.select(0).weight)


def test_the_plain_descent_is_thrown_away_and_the_clipped_one_arrives():
    found = cliff()
    fall = int(np.argmax(found.plain.norm))
    assert found.plain.norm[fall] > 100 * np.median(found.plain.norm[:fall])
    assert found.plain.error[-1] > found.plain.error[:fall].min()
    assert found.clipped.error[-1] < GOOD < found.plain.error[-1]
    assert found.solved["clipped"] > found.solved["unclipped"]
    assert {0, fall - 1, fall, fall + 1, 100} <= {row["step"] for row in found.rows}


def test_only_the_random_starts_depend_on_random_state():
    first, other = (cliff(starts=40, steps=30, random_state=state) for state in (0, 1))
    assert first.rows == other.rows
    assert first.to_dict() == cliff(starts=40, steps=30, random_state=0).to_dict()
    assert first.solved != other.solved


def test_a_path_ends_on_the_border_of_the_surface():
    still = np.zeros(3)
    inside = draw_path("plain", Descent(np.array([5.0, 5.0, 6.0]), np.array([-3.0, -2.0, -2.0]), still, still))
    assert (list(inside.x), list(inside.y)) == ([5, 5, 6], [-3, -2, -2])
    out = draw_path("plain", Descent(np.array([5.0, 6.0, 10.0]), np.array([-3.0, -2.0, 2.0]), still, still))
    assert np.allclose([out.x, out.y], [[5, 6, 7], [-3, -2, -1]])
    steep = draw_path("plain", Descent(np.array([5.0, 6.0, 6.0]), np.array([-3.0, -2.0, -8.0]), still, still))
    assert np.allclose([steep.x, steep.y], [[5, 6, 6], [-3, -2, -4]])


def test_the_command_prints_a_table_or_all_numbers_and_draws(shakegen, tmp_path):
    shown = shakegen("lab", "cliff", "--steps", 50, "--starts", 20, "--out", "cliff.svg")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0].split()[:4] == ["step", "weight", "bias", "error"]
    assert (tmp_path / "cliff.svg").read_text(encoding="utf-8").startswith("<?xml")
    found = json.loads(shakegen("lab", "cliff", "--steps", 50, "--starts", 20, "--json").stdout)
    assert found == cliff(steps=50, starts=20).to_dict()
    assert len(found["plain"]["weight"]) == 51


BAD = {
    "the weight to start from is 9.0: expected 3.5 to 7, where the cliff is": ("--weight", "9"),
    "the bias to start from is 0.0: expected -4 to -1, where the cliff is": ("--bias", "0"),
    "steps is 0: expected 1 or more": ("--steps", "0"),
    "starts is 0: expected 1 or more": ("--starts", "0"),
    "length is 0: expected 1 or more": ("--length", "0"),
    "target is 1.5: expected a number between 0 and 1, as the unit gives": ("--target", "1.5"),
    "learning rate is nan: expected a number above 0": ("--learning-rate", "nan"),
    "clip norm is 0.0: expected a number above 0": ("--clip-norm", "0"),
    "the gradient is no number any more at step 1: expected a smaller learning rate": ("--learning-rate", "1e308"),
}


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, message, arguments):
    result = shakegen("lab", "cliff", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")
