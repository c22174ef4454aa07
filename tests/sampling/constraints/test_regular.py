"""Automata of regular expressions, against Python's own `re`."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shakegen.sampling.constraints.regular import Positions, determinize, lift

PATTERNS = [
    "ab", "a|bc", "(a|b)*c", "a.c", "[^a]b", "a{2,3}b?", "(ab?){2}", "a+?c", r"\wb", r"\W", r"\s|\d", "(?i)AB",
    "(?s)a.", "(?:ab|a(?i:B))c", "a{0}b", "(a|)b", "x{,2}c", "[a-b]{3,}", "(?x) a  b # ab", r"[^\W\d]\n",
    "((a|b)(c|))*",
]  # fmt: skip
ALPHABET = "abc1\n -"
TEXTS = ["".join(text) for n in range(4) for text in itertools.product(ALPHABET, repeat=n)] + ["abab", "aabab", "aaabc"]


def automaton_of(*patterns, anywhere=False):
    positions = Positions(ALPHABET)
    return determinize(positions, [positions.add_pattern(one) for one in patterns], anywhere)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_text_matches_where_it_does_for_python(pattern):
    whole, expected = automaton_of(pattern), re.compile(pattern)
    assert [bool(whole.accepting[whole.read(text)]) for text in TEXTS] == [
        expected.fullmatch(text) is not None for text in TEXTS
    ]


@pytest.mark.parametrize("pattern", [one for one in PATTERNS if not re.fullmatch(one, "")])
def test_a_match_anywhere_ends_where_it_does_for_python(pattern):
    found, expected = automaton_of(pattern, anywhere=True), re.compile(pattern)
    for text in TEXTS:
        ends = any(expected.fullmatch(text, begin) for begin in range(len(text)))
        assert bool(found.accepting[found.read(text)]) == ends, text


def test_several_patterns_match_where_one_does():
    several = automaton_of("a+b", "ba*")
    assert [text for text in TEXTS if several.accepting[several.read(text)]] == [
        text for text in TEXTS if re.fullmatch("a+b|ba*", text)
    ]


def test_a_character_outside_the_alphabet_is_one_that_no_pattern_names():
    found = automaton_of("a.c|[^x]b")
    assert found.accepting[found.read("aéc")]
    assert found.accepting[found.read("éb")]
    assert not found.accepting[found.read("é")]


@settings(deadline=None)
@given(st.lists(st.text(ALPHABET, max_size=4), min_size=1, max_size=5), st.sampled_from(["ab|b", "a[^c]*b", "-"]))
def test_symbols_are_read_as_their_characters(symbols, pattern):
    found = automaton_of(pattern, anywhere=True)
    following, matches = lift(found, [*symbols, None])
    for state in range(len(found.following)):
        for k, symbol in enumerate([*symbols, ""]):
            assert following[state, k] == found.read(symbol, state)
            ends = [found.accepting[found.read(symbol[: n + 1], state)] for n in range(len(symbol))]
            assert matches[state, k] == np.sum(ends)


ODD = {
    r"a\b": r"has an anchor, such as ^, $ or \b",
    "^a": r"has an anchor, such as ^, $ or \b",
    "(?=a)b": "has a look-around",
    "(?<!a)b": "has a look-around",
    r"(a)\1": "has a back-reference",
    "(a)(?(1)b|c)": "has a condition",
    "a*+": "has a possessive repetition",
    "(?>a)b": "has an atomic group",
    "(?a)b": "has the flag a",
}


@pytest.mark.parametrize(("pattern", "what"), ODD.items())
def test_what_no_automaton_stands_for_is_refused(pattern, what):
    with pytest.raises(ValueError) as error:
        Positions("abc").add_pattern(pattern)
    assert str(error.value) == (
        f"the pattern {pattern!r} {what}: expected characters, classes, groups, | and repetitions"
    )


def test_a_pattern_that_cannot_be_read():
    with pytest.raises(ValueError) as error:
        Positions("abc").add_pattern("a(b")
    assert str(error.value) == (
        "the pattern 'a(b' cannot be read (missing ), unterminated subpattern at position 1): expected a regular "
        "expression, such as [0-9]+"
    )


def test_patterns_that_are_too_large():
    with pytest.raises(ValueError) as error:
        Positions("abc").add_pattern("(a{200}){200}")
    assert str(error.value) == (
        "the patterns stand for more than 20,000 characters: expected shorter ones, or smaller numbers of repetitions"
    )
    with pytest.raises(ValueError) as error:
        automaton_of("a.{40}b", anywhere=True)
    assert str(error.value) == ("the patterns need more than 50,000 states: expected simpler ones, or fewer at a time")
