"""Several networks, or other step functions, that predict together. Only numpy."""

from collections.abc import Sequence

import numpy as np


class Mixture:
    """The weighted mean of the probabilities of several step functions, as one step function.

    Each reads the same text with a state of its own; the states stand side by side in the rows of one array. So all
    that writes or measures with an `Engine` does so with a mixture.

    Args:
        engines: step functions of one vocabulary; none is used elsewhere.
        weights: of each, above 0; they add up to 1.

    Attributes:
        vocabulary_size: V, the number of ids.
        outputs: the number of logits, V.
    """

    def __init__(self, engines: Sequence, weights: Sequence[float]):
        self._engines, self._logs = list(engines), np.log(np.asarray(weights, np.float32))[:, None, None]
        self.vocabulary_size = self.outputs = engines[0].vocabulary_size
        starts = [engine.start() for engine in self._engines]
        self._ends = np.cumsum([start.shape[1] for start in starts])
        self._start = np.concatenate(starts, axis=1)
        self._bound: np.ndarray | None = None  # the state that the parts below belong to
        self._parts: list[np.ndarray] = []

    def start(self, streams: int = 1) -> np.ndarray:
        """The state of N streams that have read nothing, shape (N, S)."""
        return np.tile(self._start, (streams, 1))

    def step(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read an id in every stream, (N,): the logits, here log-probabilities, (N, V), and the state, (N, S)."""
        if state is not self._bound:  # an engine is quick with a state that it knows
            self._bound, self._parts = state, np.split(state, self._ends[:-1], axis=1)
        logits = []
        for engine, part in zip(self._engines, self._parts, strict=True):
            own, after = engine.step(ids, part)
            if after is not part:
                part[...] = after
            logits.append(own)
        return self._mix(logits), state

    def read(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read ids in every stream, (T, N): the logits after each, (T, N, V), and the state; see `step`."""
        ids, logits, parts = np.asarray(ids), [], []
        for engine, part in zip(self._engines, np.split(state, self._ends[:-1], axis=1), strict=True):
            own, after = engine.read(ids, part.copy())
            logits.append(own.reshape(-1, self.vocabulary_size))
            parts.append(after)
        np.concatenate(parts, axis=1, out=state)
        return self._mix(logits).reshape(*ids.shape, self.vocabulary_size), state

    def prime(self, ids: np.ndarray, streams: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Read a text, shape (T,), once, and give the logits and states from which N streams go on; see `step`."""
        logits, states = zip(*(engine.prime(ids, streams) for engine in self._engines), strict=True)
        return self._mix(logits), np.concatenate(states, axis=1)

    def _mix(self, logits: Sequence[np.ndarray]) -> np.ndarray:
        """The logarithm of the mean, from the logits of each."""
        each = np.array(logits, np.float32)
        each -= each.max(axis=2, keepdims=True)
        each -= np.log(np.exp(each).sum(axis=2, keepdims=True))
        each += self._logs
        return np.logaddexp.reduce(each)
