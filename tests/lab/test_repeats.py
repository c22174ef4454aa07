"""Estimates and bands from several runs."""

import math

import numpy as np

from shakegen.lab.repeats import estimate, middle, summarise


def test_one_run_has_no_interval_and_a_diverged_run_is_counted_and_left_out():
    assert str(estimate([0.12345])) == "0.1235"
    assert str(estimate([2.0, 2.0])) == "2"
    assert str(estimate([0.9990, 0.9991, 0.9992])) == "0.99910 ± 0.00025"
    assert str(estimate([1.0, 3.0, math.nan])) == "2 ± 13 (1 diverged)"
    assert str(estimate([math.nan, math.inf])) == "(2 diverged)"
    assert str(estimate([math.nan])) == ""


def test_a_row_has_estimates_of_numbers_that_all_runs_share_and_lists_of_others():
    runs = [
        {"cell": cell, "random_state": state, "weights": 9, "lag": 10 * state, "error": float(state)}
        for cell in "ab"
        for state in (1, 2)
    ]
    first, second = summarise(runs, "cell")
    assert first == {"cell": "a", "weights": 9, "lag": [10, 20], "error": estimate([1, 2])}
    assert second["cell"] == "b"


def test_a_band_goes_from_the_lowest_to_the_highest_finite_value():
    median, (low, high) = middle([[1, 5, math.nan], [2, math.inf, math.nan], [9, 4, math.nan]])
    np.testing.assert_array_equal([median, low, high], [[2, 4.5, np.nan], [1, 4, np.nan], [9, 5, np.nan]])
    assert middle([[1, 2]])[1] is None
