import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from shakegen.sampling import Rules, ancestral
from shakegen.sampling.ancestral import draw_gumbel_noise
from shakegen.sampling.constraints import NoRepeat

LOGITS = np.array([1.2, -0.3, 0.0, 2.0, -3.0])
CHI_SQUARE_4_DF_P001 = 18.47


def memoryless(logits):
    """A step function that always gives the same logits."""

    def step(ids, state):
        return np.tile(logits, (len(ids), 1)).astype(np.float32), state

    return step


def draw(logits, length, streams=1, **options):
    first = np.tile(logits, (streams, 1)).astype(np.float32)
    return np.array(
        [ids.copy() for ids in ancestral(memoryless(logits), first, np.zeros((streams, 0)), length, **options)]
    )


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_are_those_of_the_softmax(temperature):
    drawn = draw(LOGITS, 20_000, temperature=temperature, random_state=7)
    expected = np.exp(LOGITS / temperature)
    expected *= drawn.size / expected.sum()
    counts = np.bincount(drawn.ravel(), minlength=5)
    assert ((counts - expected) ** 2 / expected).sum() < CHI_SQUARE_4_DF_P001


@pytest.mark.parametrize("streams", [1, 2])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64], ids=lambda kind: kind.__name__)
def test_a_temperature_may_be_any_number(kind, streams):
    """Under rules and without; numpy's numbers of 32 bits are no floats of Python."""

    def draw_at(temperature, ruled):
        rules = Rules([NoRepeat(3)], "abcde", [""] * streams) if ruled else None
        return draw(LOGITS, 5, streams, temperature=temperature, rules=rules)

    for ruled in (False, True):
        assert np.array_equal(draw_at(kind(2), ruled), draw_at(2.0, ruled))


def test_streams_are_independent_of_each_other():
    drawn = draw(LOGITS, 20_000, streams=2, random_state=8)
    p = np.exp(LOGITS) / np.exp(LOGITS).sum()
    same = np.mean(drawn[:, 0] == drawn[:, 1])
    expected = (p**2).sum()
    assert abs(same - expected) < 4 * np.sqrt(expected * (1 - expected) / len(drawn))


@pytest.mark.parametrize("truncation", [{}, {"top_k": 2}, {"top_p": 0.3}, {"min_p": 0.5}, {"typical": 0.2}])
@pytest.mark.parametrize("temperature", [0, 1e-300, 1e-9, 1e-4])
def test_zero_temperature_is_greedy_and_so_is_its_limit(temperature, truncation):
    assert set(draw(LOGITS, 50, temperature=temperature, **truncation).ravel()) == {3}


def test_a_stream_depends_on_random_state_and_its_own_number_alone():
    assert np.array_equal(
        draw(LOGITS, 300, streams=1, random_state=5)[:, 0], draw(LOGITS, 300, 4, random_state=5)[:, 0]
    )
    assert np.array_equal(
        draw(LOGITS, 300, streams=3, random_state=5)[:, 2], draw(LOGITS, 300, 4, random_state=5)[:, 2]
    )
    assert not np.array_equal(draw(LOGITS, 300, random_state=5), draw(LOGITS, 300, random_state=6))


@pytest.mark.parametrize("truncation", [{}, {"top_p": 0.9}])
def test_a_shorter_draw_is_the_beginning_of_a_longer_one(truncation):
    long = draw(LOGITS, 7000, streams=2, random_state=5, **truncation)
    for length in (1, 50, 4000):
        assert np.array_equal(draw(LOGITS, length, 2, random_state=5, **truncation), long[:length])


def test_each_draw_is_given_to_the_next_step():
    def alphabet(ids, state):
        assert np.array_equal(state, ids)
        return np.eye(5, dtype=np.float32)[(ids + 1) % 5] * 100, (ids + 1) % 5

    first = np.eye(5, dtype=np.float32)[[0, 3]] * 100
    drawn = np.array([ids.copy() for ids in ancestral(alphabet, first, np.array([0, 3]), 7)])
    assert drawn.T.tolist() == [[0, 1, 2, 3, 4, 0, 1], [3, 4, 0, 1, 2, 3, 4]]


@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(np.float32, 6, elements=st.sampled_from([-1e4, -5.0, 0.0, 0.1, 3.0, 1e4, -np.inf])),
    st.sampled_from([0, 1e-300, 1e-3, 1.0, 50.0, 1e300]),
    st.sampled_from([1, 3]),
    st.fixed_dictionaries(
        {},
        optional={
            "top_k": st.integers(1, 8),
            "top_p": st.sampled_from([1e-9, 0.5, 0.999, 1.0]),
            "min_p": st.sampled_from([1e-9, 0.5, 1.0]),
            "typical": st.sampled_from([1e-9, 0.5, 0.999, 1.0]),
        },
    ),
)
def test_impossible_characters_are_never_drawn(logits, temperature, streams, truncations):
    logits[2] = 0.0
    drawn = draw(logits, 20, streams, temperature=temperature, **truncations)
    assert np.isfinite(logits[drawn]).all()


def test_even_where_all_is_impossible_ids_are_in_the_vocabulary():
    for truncations in ({}, {"top_k": 2}, {"top_p": 0.5}, {"typical": 0.5}, {"top_k": 2, "min_p": 0.5}):
        drawn = draw(np.full(5, -np.inf), 10, **truncations)
        assert ((drawn >= 0) & (drawn < 5)).all()


@pytest.mark.parametrize("truncations", [{"top_k": 2}, {"top_p": 0.6}, {"typical": 0.5}, {"top_k": 3, "top_p": 0.6}])
def test_one_stream_and_several_draw_the_same_with_truncations(truncations):
    several = draw(LOGITS, 2000, 3, random_state=4, **truncations)
    assert np.array_equal(draw(LOGITS, 2000, 1, random_state=4, **truncations)[:, 0], several[:, 0])


def test_memory_does_not_grow_with_the_length():
    logits = LOGITS[None].astype(np.float32)
    draws = ancestral(lambda ids, state: (logits, state), logits, np.zeros((1, 0)), 100_000)
    tracemalloc.start()
    for count, _ in enumerate(draws, 1):
        if count == 10_000:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert count == 100_000
    assert grown < 3_000_000, "two blocks of noise at most"


BAD = {
    "the length is -1: expected a number of characters, 0 or more": {"length": -1},
    "the temperature is -0.5: expected 0 (greedy) or more; 0.5 is careful, 1 is free": {"temperature": -0.5},
    "the temperature is nan: expected 0 (greedy) or more; 0.5 is careful, 1 is free": {"temperature": float("nan")},
    "top-k is 0: expected a number of characters, 1 or more; 10 is usual": {"top_k": 0},
    "top-p is 0: expected a share above 0 and up to 1; 0.9 is usual": {"top_p": 0},
    "top-p is 1.5: expected a share above 0 and up to 1; 0.9 is usual": {"top_p": 1.5},
    "min-p is nan: expected a share above 0 and up to 1; 0.05 is usual": {"min_p": float("nan")},
    "typical is -0.1: expected a share above 0 and up to 1; 0.95 is usual": {"typical": -0.1},
    "the random state is -3: expected a whole number, 0 or more": {"random_state": -3},
}


@pytest.mark.parametrize(("message", "options"), BAD.items())
def test_arguments_out_of_range(message, options):
    with pytest.raises(ValueError) as error:
        draw(LOGITS, **{"length": 3, **options})
    assert str(error.value) == message


def test_the_memory_of_the_noise_has_a_bound_and_changes_no_draw(monkeypatch):
    def draw():
        noise = draw_gumbel_noise((3, 5), 1.0, 0, np.float32, 9)
        rows = [(one.copy(), one.base.size) for one, _ in zip(noise, range(9))]
        return np.array([row for row, _ in rows]), max(size for _, size in rows)

    usual, _ = draw()
    monkeypatch.setattr(sys.modules[ancestral.__module__], "MOST_NOISE", 30)
    bounded, size = draw()
    assert np.array_equal(bounded, usual)
    assert size == 30
