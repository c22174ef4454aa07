"""Automata of regular expressions, against Python's own `re`."""

import itertools
import re

import pytest

from shakegen.sampling.constraints.automata import determinize
from shakegen.sampling.constraints.regular import Positions

PATTERNS = [
    "ab", "a|bc", "(a|b)*c", "a.c", "[^a]b", "a{2,3}b?", "(ab?){2}", "a+?c", r"\wb", r"\W", r"\s|\d", "(?i)AB",
    "(?s)a.", "(?:ab|a(?i:B))c", "a{0}b", "(a|)b", "x{,2}c", "[a-b]{3,}", "(?x) a  b # ab", r"[^\W\d]\n",
    "((a|b)(c|))*", "(?i)[^a]", "(?i)[^ab]c", "(?i)[^a-b1]", "(a{0}|){9}c",
]  # fmt: skip
ALPHABET = "abcA1\n -"
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


def test_repeating_nothing_takes_no_time():
    found = automaton_of("(){200000000}b", "(){3,}c")
    assert [text for text in TEXTS if found.accepting[found.read(text)]] == ["b", "c"]


def test_a_letter_whose_upper_case_is_longer():
    positions = Positions("ßs")
    found = determinize(positions, [positions.add_pattern("(?i)[^a-s]")])
    assert [bool(found.accepting[found.read(one)]) for one in "ßs"] == [True, False]


def test_a_character_outside_the_alphabet_is_one_that_no_pattern_names():
    found = automaton_of("a.c|[^x]b")
    assert found.accepting[found.read("aéc")]
    assert found.accepting[found.read("éb")]
    assert not found.accepting[found.read("é")]


ODD = {
    r"a\b": r"has an anchor, such as ^, $ or \b",
    "^a": r"has an anchor, such as ^, $ or \b",
    "(?=a)b": "has a look-around",
    "(?<!a)b": "has a look-around",
    "a(?!)": "has a look-around",
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


def test_a_pattern_nested_too_deeply_is_refused():
    with pytest.raises(ValueError, match="cannot be read"):
        Positions(ALPHABET).add_pattern("(" * 240 + "a" + ")" * 240)


def test_optional_copies_are_linked_in_a_chain():
    positions = Positions(ALPHABET)
    positions.add_pattern("a{0,2000}b")
    assert sum(map(len, positions.follow.values())) == 1999 + 2000


def test_a_letter_with_two_small_forms_is_found_by_both():
    positions = Positions("ſsS")
    positions.add_pattern("(?i)s")
    assert positions.characters[0] == {"ſ", "s", "S"}


@pytest.mark.parametrize("pattern", ["(?i)ς", "(?i)ſ", "(?i)µ", "(?i)[^ς]", "(?i)[^ſ]"])
def test_ignored_case_is_that_of_re(pattern):
    letters = "sSſσςΣµμΜ"
    positions = Positions(letters)
    found = determinize(positions, [positions.add_pattern(pattern)])
    assert [bool(found.accepting[found.read(c)]) for c in letters] == [bool(re.fullmatch(pattern, c)) for c in letters]
