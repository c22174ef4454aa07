"""Temperatures that change along a text."""

import math

import numpy as np
import pytest

from shakegen.sampling import ancestral
from shakegen.sampling.temperatures import GAIN, HIGHEST, LOWEST, Ramp, Steered

LOGITS = np.array([[2.0, 1.0, 0.0, -1.0]], np.float32)


def draw(length, streams=1, **options):
    logits = np.repeat(LOGITS, streams, axis=0)
    draws = ancestral(lambda ids, state: (logits, state), logits, logits[:, :0], length, random_state=3, **options)
    return np.array([ids.copy() for ids in draws])


def test_a_ramp_goes_evenly_from_one_end_to_the_other():
    ramp, seen = Ramp((0.5, 2.0), 4), []
    for _ in range(4):
        seen.append(ramp.now)
        ramp.observe(LOGITS, np.zeros(1, int))
    assert np.allclose(seen, [0.5, 1.0, 1.5, 2.0])


def test_each_symbol_is_drawn_at_its_own_temperature():
    drawn = draw(2, 4000, temperature=(0.3, 3.0))
    for ids, temperature in zip(drawn, (0.3, 3.0), strict=True):
        expected = np.exp(LOGITS[0].astype(float) / temperature)
        expected *= len(ids) / expected.sum()
        counts = np.bincount(ids, minlength=4)
        assert ((counts - expected) ** 2 / expected).sum() < 21.1  # chi-square, 3 degrees of freedom, p = 0.0001


def test_two_equal_temperatures_are_one():
    assert np.array_equal(draw(200, temperature=(0.7, 0.7)), draw(200, temperature=0.7))


@pytest.mark.parametrize(("perplexity", "truncation"), [(1.7, {}), (2.4, {}), (4.5, {}), (1.8, {"top_p": 0.95})])
def test_the_mean_surprise_comes_to_the_wanted_one(perplexity, truncation):
    drawn = draw(2000, 2, perplexity=perplexity, **truncation)
    surprises = np.log(np.exp(LOGITS).sum()) - LOGITS[0][drawn]
    # The logarithm of the temperature, which stays within bounds, sums the differences.
    bound = math.log(HIGHEST / LOWEST) / GAIN / len(drawn)
    assert (abs(surprises.mean(axis=0) - math.log(perplexity)) < bound).all()
    assert np.array_equal(draw(2000, perplexity=perplexity, **truncation)[:, 0], drawn[:, 0])


@pytest.mark.parametrize("perplexity", [1, 0.5, math.nan, "two"])
def test_perplexities_out_of_range(perplexity):
    with pytest.raises(ValueError) as error:
        Steered(perplexity, 1)
    assert str(error.value) == (
        f"the perplexity is {perplexity!r}: expected a number above 1; 2 is careful, 8 is free for characters"
    )


@pytest.mark.parametrize("ends", [(1e9, 1e-9), (1e7, 1e-9), (1e-9, 1e9), (0.3, 0.1)])
@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_a_ramp_is_above_zero_and_ends_at_its_end(ends, length):
    ramp, seen = Ramp(ends, length), []
    for _ in range(length):
        seen.append(ramp.now)
        ramp.observe(LOGITS, np.zeros(1, int))
    assert min(seen) > 0
    assert (seen[0], seen[-1]) == (ends[0], ends[min(1, length - 1)])


def test_a_steered_temperature_cannot_be_given():
    for temperature in (0.8, 0, (0.4, 1.2)):
        with pytest.raises(ValueError) as error:
            draw(4, temperature=temperature, perplexity=2)
        assert str(error.value) == (
            f"the temperature is {temperature!r}, but the perplexity steers it: leave one of them out"
        )


def test_two_temperatures_may_stand_in_a_list():
    assert np.array_equal(draw(9, temperature=[0.4, 1.2]), draw(9, temperature=(0.4, 1.2)))
