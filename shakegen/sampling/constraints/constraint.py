"""What a constraint is, and how several hold in several streams at once."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

Symbols = Sequence[str | None]


class DeadEnd(ValueError):
    """Constraints leave no symbol that could come next."""


class Constraint(ABC):
    """What may come next in a text, for any model; `bind` makes a `Rule` of it, for the symbols of one model."""

    @abstractmethod
    def bind(self, symbols: Symbols) -> "Rule":
        """The rule over V symbols.

        Args:
            symbols: the text of each id; None has no text, such as the unknown symbol, and is never written.

        Raises:
            ValueError: no text of these symbols obeys it.
        """


class Rule(ABC):
    """A constraint as a deterministic automaton over ids: it weighs the ids that may come next.

    Drawing from softmax(logits + log weights) renormalises the network's distribution over the symbols that are
    allowed, symbol by symbol. The rule looks at what was written, never ahead, except that it leaves out a symbol after
    which no text could go on, where it can know that.

    Each stream has a state. `advance` may change the state that it is given; `copy` gives another stream the same.

    Attributes:
        lazy: weighing all ids is slow, and asking `allows` for one is fast. Such a rule only forbids.
    """

    lazy = False

    @abstractmethod
    def start(self, text: str) -> Any:
        """The state after a text that was there before; the rule need not hold in it."""

    @abstractmethod
    def advance(self, state: Any, drawn: int) -> Any:
        """The state after one more id."""

    @abstractmethod
    def log_weights(self, state: Any) -> np.ndarray | None:
        """Added to the logits, shape (V,), not to be changed; 0 allows an id, -inf forbids it. None allows all."""

    def allows(self, state: Any, drawn: int) -> bool:
        """Whether an id may come next."""
        weights = self.log_weights(state)
        return weights is None or weights[drawn] > -np.inf

    def copy(self, state: Any) -> Any:
        """A state that may go on by itself; the same where states never change."""
        return state

    @abstractmethod
    def __str__(self) -> str:
        """What it asks for, as it stands in an error."""


def list_all(constraints: Constraint | Iterable[Constraint]) -> list[Constraint]:
    """One constraint, or several, in a list."""
    return [constraints] if isinstance(constraints, Constraint) else [*constraints]


class Rules:
    """Several rules in N streams: a symbol must be allowed by all; their log weights add up.

    Args:
        constraints: one, or several.
        symbols: as for `Constraint.bind`.
        texts: what each of N streams has read before.

    Raises:
        TypeError: one is no constraint.
        ValueError: no text obeys one of them.
    """

    def __init__(self, constraints: Constraint | Iterable[Constraint], symbols: Symbols, texts: Sequence[str] = ("",)):
        constraints = list_all(constraints)
        for one in constraints:
            if not isinstance(one, Constraint):
                raise TypeError(f"a constraint is {one!r}: expected one of shakegen.sampling.constraints")
        self._rules = [one.bind(symbols) for one in constraints]
        self._lazy = [k for k, rule in enumerate(self._rules) if rule.lazy]
        self._eager = [k for k, rule in enumerate(self._rules) if not rule.lazy]
        self._states = [[rule.start(text) for rule in self._rules] for text in texts]
        self._written = 0
        self.finished = np.zeros(len(texts), bool)  # these streams may come to a dead end

    def __bool__(self) -> bool:
        return bool(self._rules)

    @property
    def lazy(self) -> bool:
        """Whether a drawn id must be allowed by `allows`, unless `weigh` weighed all rules."""
        return bool(self._lazy)

    def weigh(self, logits: np.ndarray, out: np.ndarray, every: bool) -> np.ndarray:
        """Logits with the log weights added, shape (N, V).

        Args:
            logits: shape (N, V).
            out: takes the result, shape (N, V).
            every: whether to weigh the lazy rules, too.
        """
        indices = range(len(self._rules)) if every else self._eager
        if out is not logits:
            np.copyto(out, logits)
        for row, states in zip(out, self._states, strict=True):
            for k in indices:
                weights = self._rules[k].log_weights(states[k])
                if weights is not None:
                    np.add(row, weights, row)
        return out

    def allows(self, stream: int, drawn: int) -> bool:
        """Whether the lazy rules allow an id in a stream."""
        states = self._states[stream]
        return all(self._rules[k].allows(states[k], drawn) for k in self._lazy)

    def advance(self, ids: np.ndarray, live: np.ndarray | None = None) -> None:
        """Take one more id in each stream, or in the live ones, both of shape (N,)."""
        self._written += 1
        rows = range(len(ids)) if live is None else np.flatnonzero(live).tolist()
        for row in rows:
            states, drawn = self._states[row], ids.item(row)
            for k, rule in enumerate(self._rules):
                states[k] = rule.advance(states[k], drawn)

    def weights_of_one(self, every: bool) -> np.ndarray | None:
        """The log weights of a single stream, shape (V,), as `weigh` adds them; None if they are all 0."""
        states, rules, total = self._states[0], self._rules, None
        for k in range(len(rules)) if every else self._eager:
            weights = rules[k].log_weights(states[k])
            if weights is not None:
                total = weights if total is None else total + weights
        return total

    def advance_one(self, drawn: int) -> None:
        """Take one more id in a single stream."""
        self._written += 1
        states = self._states[0]
        for k, rule in enumerate(self._rules):
            states[k] = rule.advance(states[k], drawn)

    def reorder(self, parents: np.ndarray) -> None:
        """Let stream n go on from stream parents[n]; shape (M,) for M streams from now on."""
        seen: set[int] = set()
        states = []
        for parent in parents.tolist():
            row = self._states[parent]
            if parent in seen:
                row = [rule.copy(state) for rule, state in zip(self._rules, row, strict=True)]
            seen.add(parent)
            states.append(row)
        self._states, self.finished = states, self.finished[parents]

    def fork(self, parents: Sequence[int]) -> "Rules":
        """Rules of new streams: stream n goes on from stream parents[n] of these, which stay as they are."""
        new = copy.copy(self)
        rows = (self._states[parent] for parent in parents)
        new._states = [[rule.copy(state) for rule, state in zip(self._rules, row, strict=True)] for row in rows]
        new.finished = np.zeros(len(parents), bool)
        return new

    def read_given(self, ids: np.ndarray, text: str, known: int) -> None:
        """Take the ids of a given text in a single stream; those from `known` on have no text.

        Raises:
            ValueError: a rule forbids one of them.
        """
        for drawn in ids.tolist():
            for rule, state in zip(self._rules, self._states[0], strict=True):
                if drawn < known and not rule.allows(state, drawn):
                    raise ValueError(f"{rule} contradicts {text!r}, which must be written: leave one of them out")
            self.advance_one(drawn)

    def refuse_dead_end(self) -> None:
        """Say that nothing can come next.

        Raises:
            DeadEnd: always.
        """
        what = " and ".join(map(str, self._rules))
        raise DeadEnd(
            f"after {self._written} symbols nothing may follow under {what}: expected constraints that leave a choice; "
            "relax one, or try another random state"
        )
