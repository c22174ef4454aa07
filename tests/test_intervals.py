"""Intervals of means: against tables, and how often they hold the truth."""

import numpy as np
import pytest
from scipy import stats

from shakegen.intervals import t_interval, t_quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 30, 99, 1000])
def test_the_quantile_is_that_of_student(freedom):
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-6)


@pytest.mark.parametrize("runs", [2, 5])
def test_an_interval_holds_the_true_mean_19_times_of_20(rng, runs):
    samples = rng.normal(3.0, 0.02, (2000, runs))
    held = [abs(one.mean() - 3.0) <= t_interval(one) for one in samples]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def test_one_value_has_no_interval():
    assert t_interval([3.0]) is None


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e300])
def test_equal_values_have_an_interval_of_nothing(value):
    assert t_interval([value] * 3) == 0
