"""Texts, patterns and characters that are kept out."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from shakegen.sampling.constraints.automata import check_size, determinize, lift
from shakegen.sampling.constraints.constraint import Constraint, Rule, Symbols
from shakegen.sampling.constraints.regular import OTHER, Positions


@dataclass(frozen=True)
class Forbid(Constraint):
    """No text holds for these texts, matches of these patterns, or characters outside an alphabet.

    They are found across the borders of symbols, and where they begin in the seed. What the seed has already is no
    concern. A symbol is left out too if every way to go on after it would end in something forbidden, even where the
    text ends with it.

    Args:
        texts: one text, or several.
        patterns: one regular expression, or several, as `regular` supports them.
        alphabet: the characters that may be written; all by default.

    Raises:
        ValueError: there is nothing to forbid, a text is empty, or a pattern is unreadable or matches the empty text.
    """

    texts: str | Iterable[str] = ()
    patterns: str | Iterable[str] = ()
    alphabet: str | None = None

    def __post_init__(self):
        for name, what in (("texts", "text"), ("patterns", "pattern")):
            given = getattr(self, name)
            given = (given,) if isinstance(given, str) else tuple(given)
            if not all(isinstance(one, str) for one in given):
                raise TypeError(f"the forbidden {name} are {given!r}: expected strings")
            if "" in given:
                raise ValueError(f"a forbidden {what} is empty: expected one character or more")
            object.__setattr__(self, name, given)
        if not self.texts and not self.patterns and self.alphabet is None:
            raise ValueError("nothing is forbidden: expected texts, patterns or an alphabet")
        self._parts(Positions(""))

    def bind(self, symbols):
        return ForbidRule(self, symbols)

    def _parts(self, positions: Positions) -> list:
        parts = [positions.add_text(text) for text in self.texts]
        for pattern in self.patterns:
            parts.append(part := positions.add_pattern(pattern))
            if part.empty:
                raise ValueError(
                    f"the pattern {pattern!r} matches the empty text, which every text has: expected one that needs a "
                    "character"
                )
        return parts

    def __str__(self):
        shown = [*map(repr, self.texts), *(f"the pattern {pattern!r}" for pattern in self.patterns)]
        named = ", ".join(shown[:4]) + (f" and {len(shown) - 4} more" if len(shown) > 4 else "")
        within = f"the alphabet {self.alphabet!r}" if self.alphabet is not None else ""
        return " and ".join(filter(None, [f"forbidding {named}" if named else "", within]))


class ForbidRule(Rule):
    """The state is that of the automaton that looks for all texts and patterns at once."""

    def __init__(self, constraint: Forbid, symbols: Symbols):
        self._constraint = constraint
        # A seed may have characters that no symbol has. Those that are written here are known; others, of escapes,
        # ranges, categories and other cases, are read as one that no pattern names.
        positions = Positions(set("".join([*filter(None, symbols), *constraint.texts, *constraint.patterns])))
        self._automaton = determinize(positions, constraint._parts(positions), anywhere=True)
        check_size(str(constraint), self._automaton, len(symbols))
        self._following, matches = lift(self._automaton, [OTHER if text is None else text for text in symbols])
        known = [text is not None and self._is_spelled(text) for text in symbols]
        self._allowed = (matches == 0) & np.array(known)
        self._live = prune(self._following, self._allowed)
        self._log_weights = functools.cache(self._weigh)
        self._after = self._following.item

    def _is_spelled(self, text: str) -> bool:
        return self._constraint.alphabet is None or set(text) <= set(self._constraint.alphabet)

    def start(self, text):
        state = self._automaton.read(text)
        if not self._live[state]:
            raise ValueError(
                f"{self._constraint} leaves nothing to write: every text would soon come to something forbidden"
            )
        return state

    def advance(self, state, drawn):
        return self._after(state, drawn)

    def log_weights(self, state):
        return self._log_weights(state)

    def _weigh(self, state):
        allowed = self._allowed[state]
        return None if allowed.all() else np.where(allowed, np.float32(0), np.float32(-np.inf))

    def __str__(self):
        return str(self._constraint)


def prune(following: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Forbid, in place, what leads to where nothing is allowed.

    Args:
        following: the state after each symbol, shape (S, V).
        allowed: whether the symbol may be written, shape (S, V), bool.

    Returns:
        Whether a text can go on for ever from each state, shape (S,).
    """
    while True:
        live = np.logical_or.reduce(allowed, axis=1)
        dead_ends = allowed & ~live[following]
        if not dead_ends.any():
            return live
        allowed &= ~dead_ends
