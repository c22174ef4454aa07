"""Automata over characters, and over symbols of several characters."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shakegen.sampling.constraints.automata import determinize, lift
from shakegen.sampling.constraints.regular import Positions

ALPHABET = "abc1\n -"


def find_anywhere(pattern):
    positions = Positions(ALPHABET)
    return determinize(positions, [positions.add_pattern(pattern)], anywhere=True)


@settings(deadline=None)
@given(st.lists(st.text(ALPHABET, max_size=4), min_size=1, max_size=5), st.sampled_from(["ab|b", "a[^c]*b", "-"]))
def test_symbols_are_read_as_their_characters(symbols, pattern):
    found = find_anywhere(pattern)
    following, matches = lift(found, [*symbols, None])
    for state in range(len(found.following)):
        for k, symbol in enumerate([*symbols, ""]):
            assert following[state, k] == found.read(symbol, state)
            ends = [found.accepting[found.read(symbol[: n + 1], state)] for n in range(len(symbol))]
            assert matches[state, k] == np.sum(ends)


def test_patterns_that_need_many_states():
    with pytest.raises(ValueError) as error:
        find_anywhere("a.{40}b")
    assert str(error.value) == "the patterns need more than 50,000 states: expected simpler ones, or fewer at a time"
