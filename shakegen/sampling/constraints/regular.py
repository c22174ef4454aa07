r"""Regular expressions as positions in a text, of which `automata` makes deterministic automata.

Python's own parser reads a pattern, so that its syntax means what it means in `re`: characters, escapes and classes
(`[^a-z]`, `\d`, `\s`, `\w`), `.`, groups, `|`, `* + ? {m,n}`, and the flags `(?i)`, `(?s)` and `(?x)`. Laziness makes
no difference to whether there is a match. Anchors, look-around, back-references, and possessive or atomic parts are
refused.

Each character of a pattern is a position (Glushkov 1961); a state of the automaton is the set of the positions that may
have been read last.
"""

import itertools
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

MOST_POSITIONS = 20_000
CATEGORIES = {
    "DIGIT": str.isdecimal,
    "SPACE": str.isspace,
    "WORD": lambda character: character.isalnum() or character == "_",
}
REFUSED = {
    "AT": r"an anchor, such as ^, $ or \b",
    "ASSERT": "a look-around",
    "ASSERT_NOT": "a look-around",
    "FAILURE": "a look-around",  # (?!) from Python 3.13 on
    "GROUPREF": "a back-reference",
    "GROUPREF_EXISTS": "a condition",
    "POSSESSIVE_REPEAT": "a possessive repetition",
    "ATOMIC_GROUP": "an atomic group",
}


class Part(NamedTuple):
    """A part of a pattern: whether it may be empty, and the positions that may begin and end it."""

    empty: bool
    first: frozenset[int]
    last: frozenset[int]


EMPTY = Part(True, frozenset(), frozenset())
OTHER = "\ufffd"  # stands for the characters outside the alphabet


class Positions:
    """The positions of several patterns: the characters of each, and the positions that may follow it.

    Args:
        alphabet: the characters that there are.
    """

    def __init__(self, alphabet: Iterable[str]):
        self.alphabet = sorted({*alphabet, OTHER})
        self.characters: list[frozenset[str]] = []
        self.follow: dict[int, set[int]] = {}
        self._sets: dict[Any, frozenset[str]] = {}

    def add_text(self, text: str) -> Part:
        """The part that is one text."""
        return self._join(self._add(frozenset({character})) for character in text)

    def add_pattern(self, pattern: str) -> Part:
        """The part that is a regular expression.

        Raises:
            ValueError: it cannot be read, is not supported, or is too large.
        """
        try:
            parsed = re._parser.parse(pattern)  # type: ignore[attr-defined]
            return self._add_items(parsed, parsed.state.flags)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(
                f"the pattern {pattern!r} cannot be read ({error}): expected a regular expression, such as [0-9]+"
            ) from None
        except Unsupported as error:
            raise ValueError(
                f"the pattern {pattern!r} has {error}: expected characters, classes, groups, | and repetitions"
            ) from None

    def _add(self, characters: frozenset[str]) -> Part:
        position = len(self.characters)
        if position == MOST_POSITIONS:
            raise ValueError(
                f"the patterns stand for more than {MOST_POSITIONS:,} characters: expected shorter ones, or smaller "
                "numbers of repetitions"
            )
        self.characters.append(characters)
        self.follow[position] = set()
        return Part(False, frozenset({position}), frozenset({position}))

    def _add_items(self, items, flags: int) -> Part:
        return self._join(self._add_item(str(kind), value, flags) for kind, value in items)

    def _add_item(self, kind: str, value, flags: int) -> Part:
        if kind == "SUBPATTERN":
            _, added, removed, items = value
            return self._add_items(items, flags & ~removed | added)
        if kind == "BRANCH":
            parts = [self._add_items(items, flags) for items in value[1]]
            first, last = (frozenset().union(*sets) for sets in list(zip(*parts, strict=True))[1:])
            return Part(any(part.empty for part in parts), first, last)
        if kind in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, items = value
            return self._repeat(least, most, items, flags)
        if kind in REFUSED:
            raise Unsupported(REFUSED[kind])
        if flags & re.ASCII:
            raise Unsupported("the flag a")
        return self._add(self._characters_of(kind, value, flags))

    def _repeat(self, least: int, most: int, items, flags: int) -> Part:
        """`most` copies in a row, of which a text has at least the first `least`; the last may loop."""
        if not most:
            return EMPTY
        endless = str(most) == "MAXREPEAT"
        parts = []
        for _ in range(max(least, 1) if endless else most):
            parts.append(self._add_items(items, flags))
            if not parts[-1].first:  # empty, however often
                return EMPTY
        for before, after in itertools.pairwise(parts):  # no link leads past a copy: that one would do as well
            self._link(before, after)
        if endless:
            self._link(parts[-1], parts[-1])
        needed = 0 if parts[0].empty else least
        last = frozenset().union(*(part.last for part in parts[max(needed, 1) - 1 :]))
        return Part(not needed, parts[0].first, last)

    def _join(self, parts: Iterable[Part]) -> Part:
        whole = EMPTY
        for part in parts:
            self._link(whole, part)
            whole = Part(
                whole.empty and part.empty,
                whole.first | part.first if whole.empty else whole.first,
                whole.last | part.last if part.empty else part.last,
            )
        return whole

    def _link(self, before: Part, after: Part) -> None:
        for position in before.last:
            self.follow[position] |= after.first

    def _characters_of(self, kind: str, value, flags: int) -> frozenset[str]:
        key = kind, str(value), flags & (re.IGNORECASE | re.DOTALL)
        if key not in self._sets:
            matches = matcher_of(kind, value, flags)
            self._sets[key] = frozenset(filter(matches, self.alphabet))
        return self._sets[key]


class Unsupported(ValueError):
    """A part of a pattern that no automaton stands for."""


def matcher_of(kind: str, value, flags: int):
    """A test whether one character matches an item of a parsed pattern."""
    if kind == "ANY":
        return lambda character: bool(flags & re.DOTALL) or character != "\n"
    if kind == "NOT_LITERAL":
        kind, value = "IN", [("NEGATE", None), ("LITERAL", value)]
    items = value if kind == "IN" else [(kind, value)]
    negated = str(items[0][0]) == "NEGATE"

    tests = [item_test(str(one), of, flags) for one, of in items[negated:]]
    return lambda character: negated != any(test(character) for test in tests)


def item_test(kind: str, value, flags: int):
    """A test whether one character is in a category, in a range, or a literal, in any case if `flags` say so."""
    if kind == "CATEGORY":
        name = str(value).removeprefix("CATEGORY_")
        negated, category = name.startswith("NOT_"), CATEGORIES[name.removeprefix("NOT_")]
        return lambda character: negated != category(character)
    low, high = value if kind == "RANGE" else (value, value)
    if not flags & re.IGNORECASE:
        return lambda character: low <= ord(character) <= high
    letters = re.compile(f"[{re.escape(chr(low))}-{re.escape(chr(high))}]", re.IGNORECASE)
    return lambda character: letters.match(character) is not None
