"""Drawing in the page, in a real browser: the probabilities of shakegen's samplers, and their frequencies."""

import itertools

import numpy as np
import pytest
from scipy import stats

from shakegen.sampling.truncation import Truncation

DRAWS = 4000
SETTINGS = [
    {"temperature": temperature, "topK": k, "topP": p, "minP": m}
    for temperature, k, p, m in itertools.product((0.5, 1, 2), (0, 3, 40), (1, 0.7), (0, 0.1))
]


@pytest.fixture
def logits(rng):
    """Logits, some of which tie."""
    return np.round(rng.normal(0, 2, 12), 1)


def shares_of(page, logits, settings):
    script = "return arguments[1].map(one => [...probabilities(Float32Array.from(arguments[0]), one)])"
    return np.array(page.execute_script(script, logits.tolist(), settings))


def expected(logits, temperature, topK, topP, minP):
    """The distribution of a draw by shakegen's own truncations."""
    kept = Truncation(top_k=topK or None, top_p=topP, min_p=minP or None).keep(logits[None], temperature)[0]
    weights = np.where(kept, np.exp((logits - logits.max()) / temperature), 0)
    return weights / weights.sum()


def test_temperature_and_truncations_are_those_of_shakegen(page, logits):
    for setting, shares in zip(SETTINGS, shares_of(page, logits, SETTINGS), strict=True):
        np.testing.assert_allclose(shares, expected(logits, **setting), atol=1e-6, err_msg=str(setting))


def test_temperature_0_takes_the_first_of_the_likeliest(page, logits):
    logits[[4, 9]] = logits.max() + 1
    (shares,) = shares_of(page, logits, [{"temperature": 0, "topP": 0.5}])
    assert shares.tolist() == [float(number == 4) for number in range(len(logits))]


def test_tiny_and_huge_temperatures_give_probabilities(page, logits):
    for temperature in (1e-300, 1e300):
        (shares,) = shares_of(page, logits, [{"temperature": temperature}])
        assert shares.sum() == pytest.approx(1)


def test_an_output_without_text_is_never_drawn(page, logits):
    outputs = [None, *"abcdefghij", None]
    script = "return [...probabilities(Float32Array.from(arguments[0]), { outputs: arguments[1], topK: 5 })]"
    shares = np.array(page.execute_script(script, logits.tolist(), outputs))
    assert shares[[0, -1]].tolist() == [0, 0]
    np.testing.assert_allclose(shares[1:-1], expected(logits[1:-1], 1, 5, 1, 0), atol=1e-6)


@pytest.mark.parametrize("setting", [{"temperature": 0.7}, {"temperature": 1.5, "topK": 6, "topP": 0.9}], ids=str)
def test_frequencies_are_the_probabilities(page, logits, setting):
    script = """
      const shares = probabilities(Float32Array.from(arguments[0]), arguments[1]), next = random(7);
      return Array.from({ length: arguments[2] }, () => draw(shares, next));
    """
    drawn = np.bincount(page.execute_script(script, logits.tolist(), setting, DRAWS), minlength=len(logits))
    shares = expected(logits, **{"topK": 0, "topP": 1, "minP": 0, **setting})
    assert not drawn[shares == 0].any()
    likely = shares * DRAWS >= 5
    counts, wanted = drawn[likely], shares[likely]
    assert stats.chisquare(counts, wanted / wanted.sum() * counts.sum()).pvalue > 0.001


def test_equal_seeds_give_equal_numbers_and_others_others(page):
    script = "return arguments[0].map(seed => { const next = random(seed); return Array.from({ length: 500 }, next); })"
    numbers = np.array(page.execute_script(script, [0, 1, 1, 2, 2**32, 2**40 + 1, 2**53 - 1]))
    assert np.array_equal(numbers[1], numbers[2])
    assert len({tuple(row) for row in numbers.tolist()}) == 6
    assert 0 <= numbers.min() <= numbers.max() < 1
    for row in numbers:
        assert stats.kstest(row, "uniform").pvalue > 0.001


def test_surprise_is_in_bits_and_the_likeliest_come_first(page, logits):
    script = """
      const logits = Float32Array.from(arguments[0]);
      return [[...logits.keys()].map(id => surprise(logits, id)), likeliest(probabilities(logits, { topK: 4 }), 9)];
    """
    bits, best = page.execute_script(script, logits.tolist())
    shares = expected(logits, 1, 0, 1, 0)
    np.testing.assert_allclose(bits, -np.log2(shares), rtol=1e-5)
    kept = expected(logits, 1, 4, 1, 0)
    assert best == [int(k) for k in np.argsort(-shares, kind="stable") if kept[k]]
