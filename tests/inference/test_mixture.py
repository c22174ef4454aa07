"""A mixture of step functions: the mean of their probabilities, whatever is done with its states."""

import numpy as np
import pytest

from shakegen.inference import Engine, Mixture
from shakegen.network.config import Config
from shakegen.sampling.ancestral import ancestral
from shakegen.sampling.beam import beam_search, log_softmax
from shakegen.text.ngram import KneserNey

V, SHARES = 4, (0.5, 0.2, 0.3)


@pytest.fixture
def members(random_weights, rng):
    """Two networks of different kinds and an n-gram model."""
    configs = Config("gru", units=5, layers=2), Config("lstm", units=3, layers=1)
    weights = [{k: 3 * w for k, w in random_weights(c, V, number).items()} for number, c in enumerate(configs)]
    engines = [Engine(*pair) for pair in zip(configs, weights, strict=True)]
    return [*engines, KneserNey(rng.integers(V, size=60), V, 3)]


def mean_along(members, texts):
    """The mean probabilities after each symbol of texts, ids (N, T) → (T, N, V), each member by itself."""
    states, shares = [one.start(len(texts)) for one in members], []
    for ids in texts.T:
        shares.append(0)
        for number, one in enumerate(members):
            logits, states[number] = one.step(ids, states[number])
            shares[-1] = shares[-1] + SHARES[number] * np.exp(log_softmax(logits.astype(float)))
    return np.array(shares)


def test_it_is_the_mean_of_the_probabilities(members, rng):
    texts = rng.integers(V, size=(3, 20))
    mixture = Mixture(members, SHARES)
    state, found = mixture.start(3), []
    for ids in texts.T:
        logits, state = mixture.step(ids, state)
        found.append(np.exp(logits))
    np.testing.assert_allclose(found, mean_along(members, texts), atol=1e-5)
    np.testing.assert_allclose(np.sum(found, axis=2), 1, atol=1e-5)
    primed, _ = mixture.prime(texts[0], 2)
    np.testing.assert_allclose(np.exp(primed), found[-1][[0, 0]], atol=1e-5)
    state, parts = mixture.start(3), []
    for ids in (*np.split(texts.T[:12], [1, 1]), texts.T[12:].tolist()):
        logits, state = mixture.read(ids, state)
        parts.append(np.exp(logits))
    np.testing.assert_allclose(np.concatenate(parts), found, atol=1e-5)


def test_rows_of_its_state_may_be_reordered_and_copied(members, rng):
    texts, later = rng.integers(V, size=(3, 9)), rng.integers(V, size=(4, 5))
    mixture, rows = Mixture(members, SHARES), np.array([2, 0, 0, 1])
    state = mixture.start(3)
    for ids in texts.T:
        _, state = mixture.step(ids, state)
    state = state[rows]
    for ids in later.T:
        logits, state = mixture.step(ids, state)
    np.testing.assert_allclose(np.exp(logits), mean_along(members, np.hstack([texts[rows], later]))[-1], atol=1e-5)


def test_its_draws_have_the_mean_distribution(members):
    mixture, count = Mixture(members, SHARES), 6000
    logits, state = mixture.prime(np.array([1, 2]), count)
    pairs = np.array([ids.copy() for ids in ancestral(mixture.step, logits, state, 2, random_state=5)])
    found = np.bincount(pairs[0] * V + pairs[1], minlength=V * V)
    texts = np.array([[1, 2, first] for first in range(V)])
    first, second = mean_along(members, texts)[1:, :, :]
    expected = count * (first[0][:, None] * second).ravel()
    assert ((found - expected) ** 2 / expected).sum() < 37.7  # one of a thousand draws is further off, of 15 degrees


def test_the_widest_beam_finds_the_likeliest_text_of_the_mixture(members):
    mixture = Mixture(members, SHARES)
    best, *_ = beam_search(mixture.step, *mixture.prime(np.array([0]), 1), length=3, width=V**3)
    texts = np.array(list(np.ndindex(V, V, V)))
    along = mean_along(members, np.hstack([np.zeros((V**3, 1), int), texts]))
    shares = np.prod([along[t, np.arange(V**3), texts[:, t]] for t in range(3)], axis=0)
    assert best.ids.tolist() == texts[shares.argmax()].tolist()
    assert best.log_probability == pytest.approx(np.log(shares.max()), abs=1e-4)
