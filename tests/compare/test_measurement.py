"""Errors of figures, and how often their intervals hold the truth."""

import math

import numpy as np
import pytest

from shakegen.compare.measurement import Measurement

TEXTS = 300


def count_covered(found, truth):
    """The share of intervals, pairs of a mean and its error, that hold the truth."""
    return np.mean([abs(mean - truth) <= error for mean, error in found])


def write_losses(rng, count):
    """Losses of texts whose near symbols depend on each other, with the mean 2, shape (TEXTS, count)."""
    losses, topic = rng.gamma(0.5, 2.0, (TEXTS, count)) + 1.0, np.zeros(TEXTS)
    for t in range(count):
        topic = 0.95 * topic + rng.normal(0, 0.2, TEXTS)
        losses[:, t] += topic
    return losses


def test_an_interval_over_blocks_of_a_text_holds_the_truth_19_times_of_20_and_one_over_symbols_does_not(rng):
    losses = write_losses(rng, 4000)

    def cover(size):
        texts = [Measurement({0: one.mean()}, {0: one}) for one in losses.reshape(TEXTS, -1, size).mean(2)]
        return count_covered([(text.mean, text.text_error) for text in texts], 2.0)

    assert cover(200) == pytest.approx(0.95, abs=0.03)
    assert cover(20) < 0.85


def test_the_error_of_a_text_is_that_of_texts_put_together_from_its_blocks(rng):
    blocks = rng.gamma(2, 1, 40)
    drawn = rng.choice(blocks, (20_000, 40)).mean(1)
    found = Measurement({0: blocks.mean()}, {0: blocks}).text_error
    assert found == pytest.approx(2.023 * drawn.std() * math.sqrt(40 / 39), rel=0.03)  # 2.023: Student's t of 39


def draw_network(rng, text, quality, states=range(5)):
    """A network's figures: over a text, and over random states that move all of it."""
    blocks = {state: text + quality + rng.normal(0, 0.03) + rng.normal(0, 0.05, len(text)) for state in states}
    return Measurement({state: float(one.mean()) for state, one in blocks.items()}, blocks)


def test_the_interval_of_a_difference_holds_the_truth_for_other_random_states_and_another_text(rng):
    found = []
    for _ in range(TEXTS):
        text, suits = rng.normal(2, 0.3, 25), rng.normal(0, 0.1, 25)  # some passages suit one of them
        difference = draw_network(rng, text + suits, 0.1).minus(draw_network(rng, text, 0.0))
        found.append((difference.mean, difference.error))
        assert difference.error == pytest.approx(math.hypot(difference.runs_error, difference.text_error))
    assert count_covered(found, 0.1) >= 0.93


def test_pairs_say_more_than_two_figures_apart(rng):
    text = rng.normal(2, 0.5, 30)
    ours, other = draw_network(rng, text, 0.1), draw_network(rng, text, 0.0)
    assert ours.minus(other).text_error < 0.2 * ours.text_error


def test_a_difference_turns_its_sign_with_the_pair_and_keeps_its_errors(rng):
    text = rng.normal(2, 0.5, 12)
    ours, other = draw_network(rng, text, 0.1), draw_network(rng, text, 0.0, range(1, 7))
    one, turned = ours.minus(other), other.minus(ours)
    assert list(one.values) == [1, 2, 3, 4]  # the random states that both have
    assert turned.values == {state: -value for state, value in one.values.items()}
    assert (turned.mean, turned.runs_error) == (pytest.approx(-one.mean), pytest.approx(one.runs_error))
    assert turned.text_error == pytest.approx(one.text_error)
    assert one.values[3] == ours.values[3] - other.values[3]


def test_a_model_without_random_states_is_beside_every_run():
    network, other = Measurement({7: 2.0, 8: 2.5}, {7: [1.0, 3.0], 8: [2.0, 3.0]}), Measurement({None: 3.0})
    assert other.minus(network).values == {7: 1.0, 8: 0.5}
    assert other.minus(network).text_error is None
    assert other.minus(network).error == other.minus(network).runs_error > 0
    assert (other.error, other.spread, other.mean) == (None, None, 3.0)
    assert other.minus(Measurement({None: 1.0}, {None: [1.0, 1.0]})).values == {None: 2.0}
    assert Measurement({}).minus(network).mean is None


@pytest.mark.parametrize("blocks", [{}, {0: [1.0, 2.0, 0.0]}, {0: [1.0, 2.0, 0.0], 1: [1.0, 3.0]}])
def test_blocks_that_some_runs_lack_give_no_error_of_the_text(blocks):
    runs, whole = Measurement({0: 1.0, 1: 2.0}, blocks), {0: [1.0, 0.0, 2.0], 1: [2.0, 3.0, 1.0]}
    assert runs.text_error is None
    difference = runs.minus(Measurement({0: 1.0, 1: 2.0}, whole))
    assert (difference.values, difference.text_error) == ({0: 0.0, 1: 0.0}, None)
