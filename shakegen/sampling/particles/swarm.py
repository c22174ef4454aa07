"""The particles: texts that grow side by side, with weights that say how well each fits."""

from typing import NamedTuple

import numpy as np

from shakegen.sampling.beam import log_softmax
from shakegen.sampling.particles.contexts import draw
from shakegen.sampling.particles.lookahead import Lookahead
from shakegen.sampling.particles.resampling import resample
from shakegen.sampling.particles.slot import Slot

LIKELY = 0.05  # slow rules are asked before a draw about symbols with this share, and after it about what was drawn


class Filled(NamedTuple):
    """One text of a run of particles.

    Attributes:
        places: the ids in each slot.
        log_weight: an estimate of the probability that the network's own text has this form, in nats; its exponential
            is unbiased, and a text with this weight is properly weighted, for any number of particles.
        log_probability: of all its ids after the seed, in nats.
    """

    places: list[np.ndarray]
    log_weight: float
    log_probability: float


class Swarm:
    """The particles of several runs, one row each, K rows for each run."""

    def __init__(self, step, logits, state, particles, numbers, temperature, random_state, rules, contexts, known):
        rows = particles * len(numbers)
        same = np.zeros(rows, np.intp)
        self._step, self._particles, self._temperature = step, particles, temperature
        self._logits, self._state, self._contexts = logits[same], state[same], contexts
        self._random = [np.random.default_rng((random_state, number)) for number in numbers]
        self._slots: list[Slot] = []
        self._known = logits.shape[1] if known is None else known
        self._runs, self._rules = np.repeat(np.arange(len(numbers)), particles), rules
        self._trail: list[tuple[np.ndarray, np.ndarray]] = []  # parents, and ids
        # All that belongs to a particle, besides the state of the network.
        self._rows = {
            "weight": np.zeros(rows),  # a logarithm, with ψ in it
            "expected": np.zeros(rows),  # log ψ
            "log_probability": np.zeros(rows),
            "context": same.copy(),
            "written": same.copy(),
            "starts": np.zeros((rows, 0), np.intp),  # of each slot
        }

    def fill(self, lookahead: Lookahead) -> None:
        """Let every particle fill a slot and write the given text after it."""
        rows, slot, zeros = self._rows, lookahead.table.slot, np.zeros(len(self._state), np.intp)
        self._slots.append(slot)
        rows["clock"] = np.minimum(rows["written"], slot.most + 1) if slot.absolute else zeros.copy()
        rows["pattern"], rows["node"] = zeros.copy(), zeros.copy()
        rows["place"] = zeros.copy()  # symbols of the given text that are written
        rows["starts"] = np.column_stack([rows["starts"], rows["written"]])
        self._expect(lookahead.of_place(rows["clock"], zeros, rows["context"]))
        while (live := self._find_live(slot)).any():
            self._write(lookahead, live)
        rows = self._rows
        self._expect(lookahead.later[np.minimum(rows["clock"] + len(slot.given), len(lookahead.later) - 1)])
        if (parents := self._resample(zeros, self._draw_uniform(1)[:, 0])) is not None:
            self._trail.append((parents, zeros - 1))

    def _find_live(self, slot: Slot) -> np.ndarray:
        """The particles that have not come to the end of the slot and may still do so."""
        before = self._rows["place"] < len(slot.given) if len(slot.given) else self._rows["clock"] < slot.most
        return before & (self._rows["weight"] > -np.inf)

    def _expect(self, expected) -> None:
        """Replace what was expected; rows without weight stay without."""
        weight, before = self._rows["weight"], self._rows["expected"]
        gains = np.subtract(expected, before, out=np.zeros_like(weight), where=weight > -np.inf)
        self._rows["weight"] = weight + gains
        self._rows["expected"] = np.broadcast_to(expected, weight.shape).copy()

    def _write(self, lookahead: Lookahead, live: np.ndarray) -> None:
        """Let the live particles write one symbol each."""
        given = lookahead.next_given[self._rows["place"]]
        own, allowed, totals = self._weigh(lookahead, given, live)
        weights, gains = exponentiate(totals)
        self._rows["weight"][live] += gains[live] - self._rows["expected"][live]
        # What is drawn next has no part in the weights, so they are known, and resampled, before.
        uniform = self._draw_uniform(self._particles + 1, live)
        parents = self._resample(np.where(live, self._rows["place"], -1), uniform[:, 0])
        if parents is not None:
            own, allowed, totals, weights = (values[parents] for values in (own, allowed, totals, weights))
            given, live = given[parents], live[parents]
        rows, table, each = self._rows, lookahead.table, np.arange(len(live))
        drawn = draw(weights, uniform[:, 1:].ravel())
        writes = drawn == own.shape[1]
        ids = np.where(writes, given, drawn)
        live = self._keep_allowed(ids, live & (rows["weight"] > -np.inf))
        np.subtract(totals[each, drawn], allowed[each, drawn], where=live, out=rows["expected"])
        rows["log_probability"] += np.where(live & (ids < self._known), own[each, ids], 0)
        free = live & ~writes
        rows["pattern"] = np.where(free, table.states[rows["pattern"], ids], rows["pattern"])
        rows["node"] = np.where(free, table.nodes[rows["node"], ids], rows["node"])
        rows["clock"] += free
        rows["place"] += live & writes
        rows["written"] += live
        rows["context"] = np.where(live, self._contexts.following[rows["context"], ids], rows["context"])
        self._trail.append((each if parents is None else parents, np.where(live, ids, -1)))
        self._read(ids, live)

    def _weigh(self, lookahead: Lookahead, given: np.ndarray, live: np.ndarray) -> tuple[np.ndarray, ...]:
        """Log-probabilities of the network, shape (N, V); with the rules; and with ψ, both of shape (N, V + 1).

        The last column is for the next symbol of the given text.
        """
        own = log_softmax(self._logits, self._temperature)
        ruled = self._rules.weigh(own, own.copy(), every=False) if self._rules else own
        costs = np.where(given >= self._known, 0, ruled[np.arange(len(given)), given])
        allowed = np.column_stack([ruled, costs])
        totals = allowed + lookahead.expect(given, self._rows, live)
        if self._rules and self._rules.lazy:
            least = exponentiate(totals)[1] + np.log(LIKELY)
            for row, column in np.argwhere(totals > least[:, None]).tolist():
                if not self._rules.allows(row, given.item(row) if column == own.shape[1] else column):
                    totals[row, column] = -np.inf
        return own, allowed, totals

    def _keep_allowed(self, ids: np.ndarray, live: np.ndarray) -> np.ndarray:
        """The live rows whose ids the slow rules allow. The others lose all their weight."""
        if self._rules and self._rules.lazy:
            forbidden = [row for row in np.flatnonzero(live) if not self._rules.allows(row, ids.item(row))]
            self._rows["weight"][forbidden] = -np.inf
            live[forbidden] = False
        return live

    def _read(self, ids: np.ndarray, live: np.ndarray) -> None:
        """Let the network read one symbol in each live row."""
        if self._rules:
            self._rules.advance(ids, live)
        if live.all():
            self._logits, self._state = self._step(ids, self._state)
        elif live.any():
            # The others wait: their state must stay.
            self._logits = self._logits.copy()  # a step may reuse their memory
            logits, state = self._step(ids[live], self._state[live])
            self._logits[live], self._state[live] = logits, state

    def _draw_uniform(self, count: int, live: np.ndarray | None = None) -> np.ndarray:
        """Random numbers for each run, shape (runs, count); runs without a live row need none and draw none."""
        runs = range(len(self._random)) if live is None else set(self._runs[live].tolist())
        nothing = np.zeros(count)
        return np.stack([own.random(count) if run in runs else nothing for run, own in enumerate(self._random)])

    def _resample(self, stages: np.ndarray, uniform: np.ndarray) -> np.ndarray | None:
        """Resample particles of one run and stage among themselves, where their weights are uneven; -1 stays.

        Args:
            stages: shape (N,).
            uniform: a random number for each run.

        Returns:
            The row from which each row goes on, or None if all stay.
        """
        groups = np.where(stages < 0, -1, self._runs * (stages.max() + 1) + stages)
        parents, weights = resample(self._rows["weight"], groups, uniform[self._runs])
        if parents is None:
            return None
        self._rows = {name: values[parents] for name, values in self._rows.items()}
        self._rows["weight"] = weights
        self._logits = self._logits[parents]  # first: they may be a part of the state
        self._state[...] = self._state[parents]
        if self._rules:
            self._rules.reorder(parents)
        return parents

    def finish(self) -> list[Filled | None]:
        """One text of each run."""
        self._expect(0.0)
        uniform = self._draw_uniform(1)[:, 0]
        filled: list[Filled | None] = []
        for run, u in enumerate(uniform):
            members = slice(run * self._particles, (run + 1) * self._particles)
            logs = self._rows["weight"][members]
            if not (highest := logs.max()) > -np.inf:
                filled.append(None)
                continue
            weights = np.exp(logs - highest)
            row = members.start + int(draw(weights[None], np.array([u]))[0])
            log_weight = float(highest + np.log(weights.mean()))
            filled.append(Filled(self._trace(row), log_weight, float(self._rows["log_probability"][row])))
        return filled

    def _trace(self, row: int) -> list[np.ndarray]:
        """The ids in each slot of one row."""
        starts, written, ids = self._rows["starts"][row], self._rows["written"][row], []
        for parents, drawn in reversed(self._trail):
            ids.append(drawn[row])
            row = parents[row]
        text = np.array([one for one in reversed(ids) if one >= 0], np.intp)
        ends = [*starts[1:], written]
        return [text[start : end - len(slot.given)] for start, end, slot in zip(starts, ends, self._slots, strict=True)]


def exponentiate(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """exp(logs) up to a factor for each row, and the logarithm of the sum of each row of exp(logs)."""
    highest = logs.max(axis=1, keepdims=True)
    weights = np.exp(logs - np.where(highest > -np.inf, highest, 0))
    with np.errstate(divide="ignore"):
        return weights, np.log(weights.sum(axis=1)) + highest[:, 0]
