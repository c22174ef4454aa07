"""Stochastic beams against exact enumeration of sampling without replacement."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import chisquare, kstest

from shakegen.sampling import StopTexts, stochastic_beam_search
from shakegen.sampling.beam import log_softmax
from shakegen.sampling.constraints import NoRepeat, Rules

V, SYMBOLS = 3, "abc"


class Tree:
    """A step function over three prefixes' worth of logits, looked up in a table: the state is the prefix's number."""

    def __init__(self, random_state, depth=4, temperature=1.0):
        self.table = np.random.default_rng(random_state).normal(0, 1.5, (V**depth, V))
        self.log_p = log_softmax(self.table / temperature)

    def step(self, ids, state):
        state[:, 0] = state[:, 0] * V + ids + 1
        return self.table[state[:, 0]], state

    def draw(self, length, width, random_state, **options):
        start = self.table[:1], np.zeros((1, 1), np.int64)
        return stochastic_beam_search(self.step, *start, length, width, random_state=random_state, **options)

    def log_probability(self, ids):
        node, total = 0, 0.0
        for k in ids:
            total += self.log_p[node, k]
            node = node * V + k + 1
        return total


def ordered_samples(p, width):
    """The probability of every ordered sample without replacement."""
    for chosen in itertools.permutations(range(len(p)), width):
        left, probability = 1.0, 1.0
        for k in chosen:
            probability *= p[k] / left
            left -= p[k]
        yield chosen, probability


@pytest.mark.parametrize(("width", "temperature", "stop"), [(2, 1.0, None), (3, 2.0, None), (2, 1.0, "b")])
def test_inclusion_probabilities_are_those_of_sampling_without_replacement(width, temperature, stop):
    tree, runs, length = Tree(1, temperature=temperature), 3000, 2
    texts = sorted(
        {ids[: ids.index(1) + 1] if stop and 1 in ids else ids for ids in itertools.product(range(V), repeat=length)}
    )
    p = np.exp([tree.log_probability(ids) for ids in texts])
    assert np.isclose(p.sum(), 1)
    inclusion, first = np.zeros(len(p)), np.zeros(len(p))
    for chosen, probability in ordered_samples(p, width):
        inclusion[list(chosen)] += probability
    stops = StopTexts([stop], SYMBOLS) if stop else None
    counts = np.zeros(len(p))
    for run in range(runs):
        found = tree.draw(length, width, run, temperature=temperature, stops=stops)
        drawn = [texts.index(tuple(h.ids.tolist())) for h in found]
        assert len(set(drawn)) == width
        assert np.allclose([h.log_probability for h in found], np.log(p[drawn]))
        counts[drawn] += 1
        first[drawn[0]] += 1
    z = (counts - runs * inclusion) / np.sqrt(runs * inclusion * (1 - inclusion))
    assert np.abs(z).max() < 3.5
    assert chisquare(first, runs * p).pvalue > 0.001


def test_scores_are_log_probabilities_with_gumbel_noise():
    # The highest score of all is the maximum over all texts: a Gumbel variable of location log 1.
    tree = Tree(2)
    highest = [tree.draw(3, 2, run)[0].score for run in range(1000)]
    assert kstest(highest, "gumbel_r").pvalue > 0.001


def test_as_many_beams_as_texts_draw_them_all():
    found = Tree(3).draw(3, 27, 0)
    assert len({h.ids.tobytes() for h in found}) == 27
    assert np.isclose(np.exp([h.log_probability for h in found]).sum(), 1)


def test_the_same_random_state_draws_the_same_texts():
    tree = Tree(4)
    draws = [[h.ids.tolist() for h in tree.draw(4, 3, state)] for state in (5, 5, 6)]
    assert draws[0] == draws[1] != draws[2]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.sampled_from([1e-300, 1e-3, 1.0, 50.0, 1e300]))
def test_extreme_logits_give_no_nan_and_no_impossible_text(random_state, width, temperature):
    tree, random = Tree(random_state, depth=3), np.random.default_rng(random_state)
    extreme = random.random(tree.table.shape) < 0.4
    tree.table[extreme] = random.choice([1e4, -1e4, -np.inf], extreme.sum())
    for hypothesis in tree.draw(3, width, 0, temperature=temperature):
        assert np.isfinite(hypothesis.score)
        assert np.isfinite(hypothesis.log_probability)
        assert ((hypothesis.ids >= 0) & (hypothesis.ids < V)).all()


BAD = {
    "the temperature is 0: expected a number above 0, for there is but one greedy text": {"temperature": 0},
    "the temperature is -1: expected 0 (greedy) or more; 0.5 is careful, 1 is free": {"temperature": -1},
    "the beam width is 28: expected at most 27, the number of texts of length 3 over 3 symbols": {"width": 28},
}


@pytest.mark.parametrize(("message", "options"), BAD.items())
def test_arguments_out_of_range(message, options):
    with pytest.raises(ValueError) as error:
        Tree(0).draw(**{"length": 3, "width": 2, "random_state": 0, **options})
    assert str(error.value) == message


def test_the_logits_of_a_step_stay_as_they_are():
    """A step may give the rows of a table that it keeps."""
    tree = Tree(0)
    tree.table.flags.writeable = False
    rules = Rules([NoRepeat(1)], list(SYMBOLS), [""])
    assert len(tree.draw(3, 4, 0, rules=rules)) == 4
