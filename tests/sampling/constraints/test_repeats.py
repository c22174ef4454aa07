"""Rules on repetition, against their definitions."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from ngrams import repeats

from shakegen.sampling.constraints import NoRepeat, RepetitionPenalty

IDS = st.lists(st.sampled_from([0, 1]), max_size=12)


def follow(rule, ids):
    state = rule.start("")
    for drawn in ids:
        state = rule.advance(state, drawn)
    return state


@given(IDS, st.sampled_from([1, 2, 3, 4, 1 << 40]))
def test_repeating_ids_are_those_that_make_an_ngram_stand_twice(ids, n):
    ids = tuple(ids)
    if not repeats(ids, n):
        rule = NoRepeat(n).bind("ab")
        state = follow(rule, ids)
        assert [not rule.allows(state, k) for k in range(2)] == [repeats((*ids, k), n) for k in range(2)]


@given(IDS, st.integers(1, 5))
def test_the_penalty_divides_the_probability_of_each_of_the_last_ids(ids, window):
    rule = RepetitionPenalty(3, window).bind("abc")
    expected = [1 / 3 if k in ids[-window:] else 1 for k in range(3)]
    assert np.allclose(np.exp(rule.log_weights(follow(rule, ids))), expected)


@given(IDS, IDS, IDS, st.sampled_from([NoRepeat(2), RepetitionPenalty(3, 4)]))
def test_a_copied_state_goes_on_by_itself(ids, one, other, constraint):
    rule = constraint.bind("abc")
    state = follow(rule, ids)
    copy = rule.copy(state)
    for drawn in one:
        state = rule.advance(state, drawn)
    for drawn in other:
        copy = rule.advance(copy, drawn)
    for reached, written in ((state, ids + one), (copy, ids + other)):
        whole = follow(rule, written)
        assert [rule.allows(reached, k) for k in range(3)] == [rule.allows(whole, k) for k in range(3)]
        if isinstance(constraint, RepetitionPenalty):
            assert np.array_equal(rule.log_weights(reached), rule.log_weights(whole))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NoRepeat(0), "the n-gram that may not repeat is 0: expected 1 symbol or more; 8 is usual"),
        (
            lambda: RepetitionPenalty(0),
            "the repetition penalty is 0: expected a number above 0; 1 has no effect, 1.5 is mild",
        ),
        (
            lambda: RepetitionPenalty(2, 0),
            "the repetition window is 0: expected a number of symbols, 1 or more",
        ),
    ],
)
def test_numbers_out_of_range(make, message):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message
