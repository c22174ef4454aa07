"""Beam search against brute force: all V^L texts, on step functions whose every prefix has its own logits."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from ngrams import repeats

from shakegen.sampling import StopTexts, beam_search
from shakegen.sampling.beam import log_softmax
from shakegen.sampling.constraints import Constraint, NoRepeat, Rule, Rules

V, L = 3, 5


class Tree:
    """A step function that gives every prefix logits of its own; the state is the prefix's number."""

    def __init__(self, random_state, size=V, extremes=()):
        self.size, self.random_state, self.extremes = size, random_state, extremes

    def logits(self, node):
        random = np.random.default_rng((self.random_state, int(node)))
        logits = random.normal(0, 2, self.size)
        if self.extremes:
            chosen = random.random(self.size) < 0.4
            logits[chosen] = random.choice(self.extremes, chosen.sum())
        return logits

    def step(self, ids, state):
        state[:, 0] = state[:, 0] * self.size + ids + 1
        return np.array([self.logits(node) for node in state[:, 0]]), state

    def root(self):
        return self.logits(0)[None], np.zeros((1, 1), np.int64)

    def log_probability(self, ids):
        node, total = 0, 0.0
        for k in ids:
            total += log_softmax(self.logits(node)[None])[0, k]
            node = node * self.size + k + 1
        return total


def search(tree, length, width, no_repeat_ngram=0, **options):
    rules = Rules([NoRepeat(no_repeat_ngram)], [None] * V) if no_repeat_ngram else None
    return beam_search(tree.step, *tree.root(), length, width, rules=rules, **options)


def cut(ids, stop, min_length=0):
    """A text up to its first stop, ids of one character, if it has one."""
    for end in range(len(stop), len(ids) + 1):
        if end >= min_length and ids[end - len(stop) : end] == stop:
            return ids[:end]
    return ids


@pytest.mark.parametrize("random_state", range(5))
@pytest.mark.parametrize(
    ("stop", "min_length", "penalty", "ngram"),
    [(None, 0, 0, 0), ((1, 0), 0, 0, 0), ((1, 0), 0, 1.0, 0), ((2,), 3, 0.7, 0), (None, 0, 0, 2), ((0,), 0, 0.5, 2)],
)
def test_a_beam_as_wide_as_all_texts_finds_the_very_best(random_state, stop, min_length, penalty, ngram):
    tree = Tree(random_state)
    texts = {cut(ids, stop, min_length) if stop else ids for ids in itertools.product(range(V), repeat=L)}
    texts = [ids for ids in texts if not (ngram and repeats(ids, ngram))]
    scores = {ids: tree.log_probability(ids) / len(ids) ** penalty for ids in texts}
    stops = StopTexts(["".join("abc"[k] for k in stop)], "abc") if stop else None
    found = search(
        tree, L, V**L, best=4, stops=stops, min_length=min_length, length_penalty=penalty, no_repeat_ngram=ngram
    )
    expected = sorted(scores, key=scores.get, reverse=True)[:4]
    assert [tuple(h.ids.tolist()) for h in found] == expected
    assert np.allclose([h.score for h in found], [scores[ids] for ids in expected])
    assert np.allclose([h.log_probability for h in found], [tree.log_probability(ids) for ids in expected])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([0, 1.0]), st.sampled_from([0, 2, 3]), st.booleans())
def test_the_best_is_never_worse_than_greedy(random_state, width, penalty, ngram, stopping):
    tree, stops = Tree(random_state), StopTexts(["ab"], "abc") if stopping else None
    options = {"stops": stops, "length_penalty": penalty, "no_repeat_ngram": ngram}
    greedy, wide = (search(tree, 6, w, **options)[0] for w in (1, width))
    assert len(greedy.ids) < len(wide.ids) or wide.score >= greedy.score - 1e-12


def test_greedy_wins_where_a_plain_beam_would_lose_it():
    def logits_after(prefix):
        if prefix == ():
            return np.log([0.4, 0.3, 0.3])
        return np.log([0.9, 0.05, 0.05]) if prefix in ((0, 2), (0, 2, 0)) else np.log([0.31, 0.31, 0.38])

    def step(ids, state):
        texts = [(*text, int(k)) for text, k in zip(state[:, 0], ids, strict=True)]
        new = np.empty((len(texts), 1), object)
        new[:, 0] = texts
        return np.array([logits_after(text) for text in texts]), new

    start = np.empty((1, 1), object)
    start[0, 0] = ()
    best = beam_search(step, logits_after(())[None], start, 4, 2)[0]
    assert best.ids.tolist() == [0, 2, 0, 0]


def test_width_one_is_greedy():
    tree = Tree(11)
    node, ids = 0, []
    for _ in range(8):
        ids.append(int(tree.logits(node).argmax()))
        node = node * V + ids[-1] + 1
    assert search(tree, 8, 1)[0].ids.tolist() == ids


def test_a_plain_beam_is_that_of_the_textbook():
    tree, beams = Tree(12), [((), 0.0)]
    for _ in range(6):
        longer = [((*ids, k), tree.log_probability((*ids, k))) for ids, _ in beams for k in range(V)]
        beams = sorted(longer, key=lambda beam: -beam[1])[:4]
    found = search(tree, 6, 4, best=4)
    texts = [tuple(h.ids.tolist()) for h in found]
    assert [ids for ids, _ in beams if ids in texts] == [ids for ids in texts if ids in dict(beams)]
    assert set(texts) - set(dict(beams)) <= {tuple(search(tree, 6, 1)[0].ids.tolist())}


def test_texts_are_distinct_and_in_order():
    found = search(Tree(13), 6, 20, best=20)
    assert len({h.ids.tobytes() for h in found}) == len(found) == 20
    scores = [h.score for h in found]
    assert scores == sorted(scores, reverse=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.sampled_from([0, 1, 2]), st.sampled_from([0.0, 1.0]))
def test_extreme_logits_give_no_nan_and_no_impossible_id(random_state, width, ngram, penalty):
    tree = Tree(random_state, extremes=(1e4, -1e4, -np.inf))
    for hypothesis in search(tree, 4, width, best=width, no_repeat_ngram=ngram, length_penalty=penalty):
        assert np.isfinite(hypothesis.score)
        assert ((hypothesis.ids >= 0) & (hypothesis.ids < V)).all()
        assert np.isclose(tree.log_probability(hypothesis.ids.tolist()), hypothesis.log_probability)


def test_where_nothing_may_follow_the_search_ends_there():
    found = search(Tree(14), 9, 4, no_repeat_ngram=1)
    assert sorted(found[0].ids.tolist()) == [0, 1, 2]


def test_nothing_to_write_is_one_empty_text():
    assert [h.ids.tolist() for h in search(Tree(15), 0, 1)] == [[]]


BAD = {
    "the beam width is 0: expected 1 (greedy) or more; 10 is usual": {"width": 0},
    "the beam width is 10: expected at most 9, the number of texts of length 2 over 3 symbols": {"width": 10},
    "the length is -1: expected a number of characters, 0 or more": {"length": -1},
    "the count is 0: expected 1 to as many texts as the beam is wide, 4": {"best": 0},
    "the count is 5: expected 1 to as many texts as the beam is wide, 4": {"best": 5},
    "the length penalty is -1: expected 0 (none) to 100; 1 ranks by the mean": {"length_penalty": -1},
}


@pytest.mark.parametrize(("message", "options"), BAD.items())
def test_arguments_out_of_range(message, options):
    with pytest.raises(ValueError) as error:
        search(Tree(0), **{"length": 2, "width": 4, **options})
    assert str(error.value) == message


class Ends(Constraint):
    """After b there is one more symbol, not a, and then nothing."""

    def bind(self, symbols):
        return EndsRule()


class EndsRule(Rule):
    def start(self, text):
        return 0

    def advance(self, state, drawn):
        return state + 1 if state or drawn == 1 else 0

    def log_weights(self, state):
        return [None, np.array([-np.inf, 0, 0]), np.full(V, -np.inf)][state]

    def __str__(self):
        return "ends"


def test_the_greedy_text_goes_on_where_all_beams_have_come_to_an_end():
    """It begins with a, after which all symbols are alike, so the two likelier texts of b take both beams."""
    logits = np.log([[1 / 3] * V, [1e-9, 0.5, 0.5], [1 / 3] * V])
    rules = Rules([Ends()], ["a", "b", "c"])

    def step(ids, state):
        return logits[ids], state

    (found,) = beam_search(step, np.log([[0.36, 0.34, 0.3]]), np.zeros((1, 0)), 6, 2, rules=rules)
    assert found.ids.tolist() == [0] * 6
