"""A free place in a text, with the given text after it: what is possible there."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Slot:
    """A free place in a text, and the given text after it.

    The place ends where the given text first stands: the given text begins nowhere earlier in it. If no text is given
    after it, the place takes `most` symbols.

    Args:
        least, most: the number of symbols in it; or, with `absolute`, in the whole text up to its end.
        given: the ids of the text after it, shape (M,).
        following: the state of a pattern's automaton after each id, shape (D, V); it starts in state 0. None has no
            pattern.
        accepting: whether the place may end in a state, shape (D,).
        absolute: see `least`.
        early: the given text may begin earlier, before `least` symbols; that does not end the place.
    """

    least: int
    most: int
    given: np.ndarray
    following: np.ndarray | None = None
    accepting: np.ndarray | None = None
    absolute: bool = False
    early: bool = False

    @cached_property
    def possible(self) -> np.ndarray:
        """Whether the pattern can still be met, by the number of symbols and its state, shape (most + 2, D)."""
        following = np.zeros((1, 1), np.intp) if self.following is None else self.following
        accepting = True if self.accepting is None else self.accepting
        count = len(following)
        steps = np.zeros((count, count), bool)
        steps[np.repeat(np.arange(count), following.shape[1]), following.ravel()] = True
        before, after = np.nonzero(steps)
        begins = np.searchsorted(before, np.arange(count))
        possible = np.zeros((self.most + 2, count), bool)
        for clock in range(self.most, -1, -1):
            possible[clock] = np.logical_or.reduceat(possible[clock + 1, after], begins)
            if clock >= self.least:
                possible[clock] |= accepting
        return possible


class Table:
    """What is possible in a slot.

    Attributes:
        states: the state of the pattern after each id, shape (D, V).
        accepting: whether the place may end in a state, shape (D,).
        possible: as the slot has it, shape (most + 2, D).
        nodes: how many symbols of the given text stand at the end, after each id, shape (M + 1, V).
    """

    def __init__(self, slot: Slot, size: int):
        self.slot, self.given = slot, slot.given
        self.states = np.zeros((1, size), np.int32) if slot.following is None else slot.following
        self.accepting = np.ones(1, bool) if slot.accepting is None else slot.accepting
        self.possible = slot.possible
        self.nodes = match_first(slot.given, size)
        self._completes = (self.nodes == len(slot.given)) & (len(slot.given) > 0)
        self._nearest = find_nearest(slot.given, self.nodes)

    def may_not_follow(self, clock: np.ndarray, node: np.ndarray) -> np.ndarray:
        """The ids that would complete the given text within the place, shape (N, V)."""
        counts = clock + 1 - len(self.given) >= self.since
        return self._completes[node] & counts[:, None]

    def may_end(self, clock: np.ndarray, node: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Whether the place may end, shape (N,)."""
        is_first = clock - self._nearest[node] < self.since
        return (clock >= self.slot.least) & self.accepting[state] & is_first

    @property
    def since(self) -> int:
        """The number of symbols from which on the given text may not begin without ending the place."""
        return self.slot.least if self.slot.early else 0


def match_first(given: np.ndarray, size: int) -> np.ndarray:
    """How many symbols of a text stand at the end, before and after each id, shape (M + 1, V).

    Knuth, Morris & Pratt (1977).
    """
    nodes, fallback = np.zeros((len(given) + 1, size), np.int32), 0
    for node, one in enumerate(given.tolist()):
        if node:
            nodes[node] = nodes[fallback]
            fallback = nodes[fallback, one]
        nodes[node, one] = node + 1
    nodes[-1] = nodes[fallback] if len(given) else 0
    return nodes


def find_nearest(given: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """The distance back to the nearest place where a text that is given next begins as well; infinity without one.

    Args:
        given: the ids of the text, shape (M,).
        nodes: of `match_first`.

    Returns:
        A number for each node, shape (M + 1,).
    """
    borders = [0, 0][: len(nodes)]  # of the beginnings of the text: the longest that is its end as well
    for one in given[1:].tolist():
        borders.append(int(nodes[borders[-1], one]))
    periods, border = set(), borders[-1]  # shifts by which the text fits itself
    while border:
        periods.add(len(given) - border)
        border = borders[border]
    nearest = np.full(len(nodes), np.inf)
    for node in range(1, len(nodes)):
        shorter = nearest[borders[node]]
        nearest[node] = node if shorter == np.inf and node in periods else shorter
    return nearest
