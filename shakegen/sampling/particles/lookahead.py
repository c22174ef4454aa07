"""How probable the given text of a slot still is, by a small Markov chain."""

import numpy as np

from shakegen.sampling.particles.contexts import Contexts
from shakegen.sampling.particles.slot import Table

HORIZON = 64  # symbols; farther ahead, the chain has forgotten where it was
DEFENCE = 0.02  # the share of the average in each expectation: the chain may be wrong
FLOOR = 1e-8  # the least expectation of what is possible, relative to the highest


class Lookahead:
    """The chain's probability of meeting a slot, from any place in it: ψ in the literature on twisted particles.

    Args:
        table: of the slot.
        contexts: the chain, S contexts.
        later: log ψ of the next slot by the number of symbols in the whole text, where that makes a difference.

    Attributes:
        next_given: the next symbol of the given text, by the number of its symbols that are written, shape (M + 1,); 0
            where there is none.
        rest: log-probability of the rest of the given text, after its first symbols, in each context, shape (M + 1, S).
        later: log ψ of what comes after the slot, by the number of symbols at its end.
    """

    def __init__(self, table: Table, contexts: Contexts, later: np.ndarray | None = None):
        self.table, self.contexts = table, contexts
        given, slot = table.given, table.slot
        self.rest = np.zeros((len(given) + 1, len(contexts.following)))
        for place in range(len(given) - 1, -1, -1):
            one = given[place]
            after = self.rest[place + 1][contexts.following[:, one]]
            self.rest[place] = np.log(contexts.probabilities[:, one]) + after
        self.later = np.zeros(slot.most + len(given) + 2) if later is None else later
        self.next_given = np.append(given, 0)
        self._index = np.zeros(slot.most + 2, np.intp)
        self._rows = self._expect()

    def _expect(self) -> np.ndarray:
        """log ψ of what is possible, by `_index`, the state of the pattern and the context."""
        slot, rows, scales = self.table.slot, [np.zeros((len(self.table.accepting), self.rest.shape[1]))], [0.0]
        probabilities = self.contexts.probabilities.astype(float)
        going_on = probabilities.copy()
        if len(self.table.given) == 1:
            going_on[:, self.table.given] = 0  # it would end the place
        for clock in range(slot.most, -1, -1):
            border = slot.most if clock >= slot.least else slot.least
            if rows[1:] and border - clock > HORIZON:
                self._index[clock] = len(rows) - 1
                continue
            shares = going_on if clock >= self.table.since else probabilities
            possible, scale, row = self.table.possible[clock], scales[-1], np.zeros_like(rows[-1])
            for state in np.flatnonzero(possible):
                row[state] = np.einsum("sv,sv->s", shares, rows[-1][self.table.states[state], self.contexts.following])
            ends = self.rest[0] + self.later[clock + len(self.table.given)]
            if clock >= slot.least and ends.max() > -np.inf:
                highest = max(scale, ends.max()) if row.any() else ends.max()
                row = row * np.exp(scale - highest) if row.any() else row
                row[self.table.accepting] += np.exp(ends - highest)
                scale = highest
            row[possible] += DEFENCE * row[possible].mean(axis=1, keepdims=True)
            row[~possible] = 0
            highest = row.max() or 1.0
            self._index[clock] = len(rows)
            rows.append(row / highest)
            scales.append(scale + np.log(highest))
        return np.log(np.maximum(np.stack(rows), FLOOR)) + np.array(scales)[:, None, None]

    def of_place(self, clock, states: np.ndarray, contexts: np.ndarray) -> np.ndarray:
        """log ψ in the free place, by the symbols in it, the state of the pattern and the context; they broadcast."""
        values = self._rows[self._index[clock], states, contexts]
        return np.where(self.table.possible[clock, states], values, -np.inf)

    def at_start(self, context: int, size: int) -> np.ndarray:
        """log ψ at the beginning of the place, by the number of symbols before it, shape (size,)."""
        clocks = np.minimum(np.arange(size), self.table.slot.most + 1)
        return self.of_place(clocks, np.zeros_like(clocks), np.full_like(clocks, context))

    def expect(self, given: np.ndarray, rows: dict[str, np.ndarray], live: np.ndarray) -> np.ndarray:
        """log ψ after each symbol that may come next in each row, and last, after the next symbol of the given text.

        Args:
            given: the next symbol of the given text, shape (N,).
            rows: `clock`, `pattern`, `node`, `place` and `context` of each row.
            live: other rows get -inf throughout.

        Returns:
            Shape (N, V + 1); -inf is for what may not come next.
        """
        table, following = self.table, self.contexts.following
        expected = np.full((len(given), following.shape[1] + 1), -np.inf)
        clock, pattern, node, place = (rows[name] for name in ("clock", "pattern", "node", "place"))
        free = np.flatnonzero(live & (place == 0))
        if len(free):
            after = following[rows["context"][free]]
            values = self.of_place(clock[free, None] + 1, table.states[pattern[free]], after)
            values[table.may_not_follow(clock[free], node[free])] = -np.inf
            expected[free, :-1] = values
        if len(table.given):
            writes = np.flatnonzero(live & (table.may_end(clock, node, pattern) | (place > 0)))
            after = following[rows["context"][writes], given[writes]]
            expected[writes, -1] = self.rest[place[writes] + 1, after] + self.later[clock[writes] + len(table.given)]
        return expected
