"""Draws among many symbols: the same distribution as with noise, and nothing that may not be drawn."""

import numpy as np
import pytest
from scipy.stats import chisquare

from shakegen.sampling import Rules, Truncation, ancestral
from shakegen.sampling.constraints import Constraint, DeadEnd, Rule
from shakegen.sampling.many_symbols import MANY, Urn, find_share

SIZE = MANY + 3


@pytest.mark.parametrize("size", [1, 2, 7, 64, 65])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_an_urn_draws_in_proportion_to_its_weights(size, temperature):
    logits = np.random.default_rng(size).normal(0, 1, size).astype(np.float32)
    urn = Urn(size, np.float32, 1)
    urn.fill(logits, temperature)
    p = np.exp(logits / temperature, dtype=float)
    counts = np.bincount([urn.draw() for _ in range(5_000)], minlength=size)
    assert counts.sum() == counts[:size].sum()
    if size > 1:
        assert chisquare(counts, counts.sum() * p / p.sum()).pvalue > 0.001


@pytest.mark.parametrize("share", [0.0, 0.5, 1 - 2**-53])
def test_a_place_without_weight_is_never_found(share):
    for weights in ([0, 1, 0], [0, 0, 1e-300], [1, 0, 0], [0, 1, 0, 1, 0]):
        assert weights[find_share(np.cumsum(weights, dtype=float), share)] > 0


@pytest.mark.parametrize("streams", [1, 2])
@pytest.mark.parametrize(
    "options", [{}, {"top_k": 3}, {"top_p": 0.5, "temperature": 2.0}, {"top_k": 5, "typical": 0.6}], ids=str
)
def test_frequencies_are_the_renormalised_probabilities(options, streams):
    places = np.arange(7) * (SIZE // 7)
    logits = np.full((streams, SIZE), -np.inf, np.float32)
    logits[:, places] = [1.2, -0.3, 0.0, 1.9, -3.0, 0.7, 1.0]
    start = logits, np.zeros((streams, 0))
    draws = ancestral(lambda ids, state: (logits, state), *start, 4000, random_state=3, **options)
    assert draws.__name__ == "draw_among_many"
    counts = np.bincount(np.ravel([ids.copy() for ids in draws]), minlength=SIZE)
    temperature = options.pop("temperature", 1.0)
    kept = Truncation(**options).keep(logits[:1], temperature)[0] & (logits[0] > -np.inf)
    p = np.where(kept, np.exp(logits[0] / temperature, dtype=float), 0)
    assert counts[~kept].sum() == 0
    assert chisquare(counts[kept], counts.sum() * p[kept] / p.sum()).pvalue > 0.001


class Odd(Constraint):
    """After an even id of 7 places an odd one, and the other way round."""

    def __init__(self, lazy):
        self.lazy = lazy

    def bind(self, symbols):
        return OddRule(self.lazy)


class OddRule(Rule):
    def __init__(self, lazy):
        self.lazy = lazy

    def start(self, text):
        return 0

    def advance(self, state, drawn):
        return 1 + drawn // (SIZE // 7) % 2

    def log_weights(self, state):
        weights = np.zeros(SIZE, np.float32)
        if state:
            weights[np.arange(SIZE) // (SIZE // 7) % 2 == state - 1] = -np.inf
        return weights

    def __str__(self):
        return "odd after even"


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("options", [{}, {"top_k": 2}], ids=str)
def test_rules_leave_out_what_they_forbid_and_renormalise_the_rest(lazy, options):
    places = np.arange(7) * (SIZE // 7)
    logits = np.full((2, SIZE), -np.inf, np.float32)
    logits[:, places] = [1.2, -0.3, 0.0, 1.9, -3.0, 0.7, 1.0]
    start, rules = (logits, np.zeros((2, 0))), Rules([Odd(lazy)], [None] * SIZE, ["", ""])
    draws = ancestral(lambda ids, state: (logits, state), *start, 3000, random_state=3, rules=rules, **options)
    assert draws.__name__ == "draw_among_many"
    drawn = np.array([ids // (SIZE // 7) for ids in draws])
    assert (drawn[1:] % 2 != drawn[:-1] % 2).all()
    for first in range(2):
        own = np.arange(1 - first, 7, 2)
        kept = own[Truncation(**options).keep(logits[:1, places[own]])[0]]
        counts = np.bincount(drawn[1:][drawn[:-1] % 2 == first], minlength=7)
        p = np.exp(logits[0, places[kept]], dtype=float)
        assert counts.sum() == counts[kept].sum()
        assert chisquare(counts[kept], counts.sum() * p / p.sum()).pvalue > 0.001


class Nothing(OddRule):
    def log_weights(self, state):
        return np.full(SIZE, -np.inf, np.float32)


@pytest.mark.parametrize("lazy", [False, True])
def test_where_rules_leave_nothing_only_a_finished_stream_goes_on(lazy, monkeypatch):
    monkeypatch.setattr(Odd, "bind", lambda self, symbols: Nothing(self.lazy))
    logits, rules = np.zeros((1, SIZE), np.float32), Rules([Odd(lazy)], [None] * SIZE)
    logits[0, 3:] = -np.inf
    draws = ancestral(lambda ids, state: (logits, state), logits, np.zeros((1, 0)), 2, rules=rules)
    with pytest.raises(DeadEnd, match="after 0 symbols nothing may follow under odd after even: expected"):
        next(draws)
    rules.finished[:] = True
    draws = ancestral(lambda ids, state: (logits, state), logits, np.zeros((1, 0)), 2, rules=rules)
    assert len([ids.item() for ids in draws]) == 2


def test_a_truncation_that_leaves_little_still_ends():
    logits = np.zeros((1, SIZE), np.float32)
    logits[0, 5] = 1e-3  # by far too little to be drawn soon
    draws = ancestral(lambda ids, state: (logits, state), logits, np.zeros((1, 0)), 5, top_k=1)
    assert [ids.item() for ids in draws] == [5] * 5


def test_even_where_all_is_impossible_ids_are_in_the_vocabulary():
    logits = np.full((1, SIZE), -np.inf, np.float32)
    for truncations in ({}, {"top_k": 2}, {"top_p": 0.5}, {"top_k": 2, "typical": 0.5}):
        draws = ancestral(lambda ids, state: (logits, state), logits, np.zeros((1, 0)), 3, **truncations)
        assert all(0 <= ids.item() < SIZE for ids in draws)


def test_a_stream_does_not_depend_on_the_others():
    logits = np.random.default_rng(0).normal(size=(3, SIZE))

    def draw(streams):
        start = logits[:streams], np.zeros((streams, 0))
        draws = ancestral(lambda ids, state: (logits[:streams], state), *start, 5, random_state=1)
        return [ids.tolist() for ids in draws]

    assert [ids[:1] for ids in draw(3)] == draw(1)
