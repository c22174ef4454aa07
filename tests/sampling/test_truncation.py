"""Truncations against their definitions, written like the papers' sentences; frequencies against probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import chisquare

from shakegen.sampling import Truncation, ancestral


def softmax(logits):
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def fewest_that_hold(order, p, share):
    """The beginning of an order of ids that is as short as it may be and has the share of the probability."""
    kept = []
    for k in order:
        kept.append(k)
        if p[kept].sum() >= share * p.sum():
            break
    return kept


def top_k(p, k):
    return np.argsort(-p)[:k]


def top_p(p, share):
    return fewest_that_hold(np.argsort(-p), p, share)


def min_p(p, share):
    return np.flatnonzero(p >= share * p.max())


def typical(p, share):
    with np.errstate(divide="ignore", invalid="ignore"):
        surprisal = -np.log(p / p.sum())
        entropy = np.nansum(np.where(p > 0, p / p.sum() * surprisal, 0))
    return fewest_that_hold(np.argsort(np.abs(surprisal - entropy)), p, share)


NAIVE = {"top_k": top_k, "top_p": top_p, "min_p": min_p, "typical": typical}


def draw_truncated(logits, temperature, truncations):
    """The distribution that is left, by the definitions: temperature first, then each truncation in turn."""
    p = softmax(np.asarray(logits, float) / temperature)
    for name, naive in NAIVE.items():
        if name in truncations:
            kept = naive(p, truncations[name])
            p = np.where(np.isin(np.arange(len(p)), kept), p, 0)
    return p / p.sum()


@st.composite
def distinct_logits(draw):
    """Logits with no ties and no sums of probabilities that hit a round share."""
    size = draw(st.integers(2, 12))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    return random.normal(0, draw(st.sampled_from([0.1, 1, 5])), size)


TRUNCATIONS = st.fixed_dictionaries(
    {},
    optional={
        "top_k": st.integers(1, 14),
        "top_p": st.floats(0.05, 0.99),
        "min_p": st.floats(0.01, 1),
        "typical": st.floats(0.05, 0.99),
    },
)


@settings(max_examples=300, deadline=None)
@given(distinct_logits(), st.sampled_from([0.5, 1.0, 2.0]), TRUNCATIONS)
def test_what_is_kept_is_what_the_definitions_keep(logits, temperature, truncations):
    kept = Truncation(**truncations).keep(logits[None], temperature)[0]
    assert np.array_equal(kept, draw_truncated(logits, temperature, truncations) > 0)


@settings(max_examples=300, deadline=None)
@given(
    hnp.arrays(float, 7, elements=st.sampled_from([-1e4, -2.0, -1.0, 0.0, 0.1, 3.0, 1e4, -np.inf])),
    st.sampled_from([1e-9, 0.5, 1.0, 2.0]),
    st.fixed_dictionaries(
        {},
        optional={
            "top_k": st.sampled_from([2, 5]),
            "top_p": st.sampled_from([0.7, 0.05]),
            "min_p": st.just(0.2),
            "typical": st.sampled_from([0.6, 0.1]),
        },
    ).filter(bool),
)
def test_the_quick_test_of_one_id_agrees_with_the_whole_truncation(logits, temperature, options):
    truncation = Truncation(**options)
    kept = truncation.keep(logits[None], temperature)[0]
    allows = truncation.single(temperature, 7, logits.dtype)
    if np.isfinite(logits).any():
        possible = np.flatnonzero(np.exp((logits - logits.max()) / temperature) > 0)
        assert [bool(allows(logits, k)) for k in possible] == kept[possible].tolist()


@pytest.mark.parametrize("streams", [1, 2])
@pytest.mark.parametrize(
    "options",
    [
        {"top_k": 3},
        {"top_p": 0.8},
        {"top_p": 0.3},
        {"min_p": 0.2},
        {"typical": 0.6},
        {"typical": 0.9, "temperature": 2},
        {"top_k": 4, "temperature": 0.5},
        {"top_p": 0.8, "temperature": 2},
        {"min_p": 0.1, "temperature": 1.5},
        {"top_k": 5, "top_p": 0.9, "min_p": 0.1, "typical": 0.9, "temperature": 1.5},
    ],
    ids=str,
)
def test_frequencies_are_the_renormalised_probabilities(options, streams):
    logits = np.array([[1.2, -0.3, 0.0, 1.9, -3.0, 0.7, 1.0]] * streams, np.float32)
    draws = ancestral(
        lambda ids, state: (logits, state), logits, np.zeros((streams, 0)), 5_000, random_state=3, **options
    )
    counts = np.bincount(np.ravel([ids.copy() for ids in draws]), minlength=7)
    expected = draw_truncated(logits[0], options.pop("temperature", 1), options) * counts.sum()
    kept = expected > 0
    assert counts[~kept].sum() == 0
    if kept.sum() > 1:
        assert chisquare(counts[kept], expected[kept]).pvalue > 0.001


def test_temperature_comes_before_truncation():
    logits = np.log([[0.5, 0.3, 0.2]])
    assert Truncation(top_p=0.7).keep(logits, 1.0).tolist() == [[True, True, False]]
    assert Truncation(top_p=0.7).keep(logits, 5.0).tolist() == [[True, True, True]]
    assert Truncation(top_p=0.7).keep(logits, 0.2).tolist() == [[True, False, False]]


def test_ties_at_the_border_stay_together():
    logits = np.log([[0.3, 0.3, 0.2, 0.2]])
    assert Truncation(top_k=1).keep(logits).tolist() == [[True, True, False, False]]
    assert Truncation(top_p=0.65).keep(logits).tolist() == [[True] * 4]


def test_shares_of_one_and_all_ids_leave_all():
    logits = np.log([[0.5, 0.3, 0.2]])
    assert Truncation(top_k=3).keep(logits).all()
    assert not Truncation(top_p=1, typical=1)
    assert not Truncation()
    assert Truncation(min_p=1).keep(logits).tolist() == [[True, False, False]]


def test_a_number_of_numpy_keeps_as_many_as_one_of_python(rng):
    logits = rng.normal(size=(2, 300))
    kept = [Truncation(top_k=k).keep(logits, 1.0) for k in (5, np.uint8(5))]
    assert np.array_equal(*kept)
    assert kept[0].sum() == 2 * 5
