"""Constraints on repetition within the new text."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from shakegen.checks import is_number, is_whole
from shakegen.sampling.constraints.constraint import Constraint, Rule


@dataclass(frozen=True)
class NoRepeat(Constraint):
    """No n symbols in a row occur twice in a new text (Paulus et al. 2018).

    Args:
        n: 1 or more.

    Raises:
        ValueError: it is no such number.
    """

    n: int

    def __post_init__(self):
        if not is_whole(self.n, 1):
            raise ValueError(f"the n-gram that may not repeat is {self.n!r}: expected 1 symbol or more; 8 is usual")

    @classmethod
    def unless_zero(cls, n: int) -> list["NoRepeat"]:
        """The constraint in a list; no constraint if n is 0."""
        return [] if is_whole(n, 0, 0) else [cls(n)]

    def bind(self, symbols):
        return NoRepeatRule(self.n, len(symbols))


class NoRepeatRule(Rule):
    """The state is the last n - 1 ids, and the ids that followed each n - 1 ids before; it grows with the text.

    The last ids stand as the characters of a string, which Python cuts and looks up faster than a tuple.
    """

    def __init__(self, n: int, size: int):
        self._n, self._size = n, size

    def start(self, text):
        return "", {}

    def advance(self, state, drawn):
        recent, followers = state
        if len(recent) == self._n - 1:
            followers[recent] = (*followers.get(recent, ()), drawn)
            recent = recent[1:]
        return (recent + chr(drawn) if self._n > 1 else ""), followers

    def log_weights(self, state):
        recent, followers = state
        if recent not in followers:
            return None
        weights = np.zeros(self._size, np.float32)
        weights[[*followers[recent]]] = -np.inf
        return weights

    def copy(self, state):
        recent, followers = state
        return recent, dict(followers)

    def __str__(self):
        return f"no {self._n} symbols in a row twice"


@dataclass(frozen=True)
class RepetitionPenalty(Constraint):
    """The probability of symbols that were just written is divided by the penalty, before renormalising.

    Keskar et al. (2019) divide the logits, which depends on their arbitrary offset; dividing the probability does not.

    Args:
        penalty: above 0; 1 has no effect.
        window: the number of last symbols, all in the new text, that count as just written.

    Raises:
        ValueError: a number is out of range.
    """

    penalty: float
    window: int = 64

    def __post_init__(self):
        if not (is_number(self.penalty, 1e-30, 1e30)):
            raise ValueError(
                f"the repetition penalty is {self.penalty!r}: expected a number above 0; 1 has no effect, 1.5 is mild"
            )
        if not is_whole(self.window, 1):
            raise ValueError(f"the repetition window is {self.window!r}: expected a number of symbols, 1 or more")

    def bind(self, symbols):
        return RepetitionRule(self, len(symbols))


class RepetitionRule(Rule):
    """The state is the last ids, and their log weights."""

    def __init__(self, constraint: RepetitionPenalty, size: int):
        self._constraint, self._size, self._weight = constraint, size, -math.log(constraint.penalty)

    def start(self, text):
        return deque(), np.zeros(self._size, np.float32)

    def advance(self, state, drawn):
        recent, weights = state
        if len(recent) == self._constraint.window:
            oldest = recent.popleft()
            if oldest not in recent:
                weights[oldest] = 0
        recent.append(drawn)
        weights[drawn] = self._weight
        return state

    def log_weights(self, state):
        return state[1]

    def copy(self, state):
        return state[0].copy(), state[1].copy()

    def __str__(self):
        return f"a repetition penalty of {self._constraint.penalty:g}"
