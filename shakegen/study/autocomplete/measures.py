"""How well a network predicts the word at every character, and how that grows with each character typed. Only numpy."""

from dataclasses import dataclass

import numpy as np

from shakegen.study.autocomplete.observations import Observations
from shakegen.study.autocomplete.outputs import SPACE, SPECIAL

TOP = 3  # suggestions that count as found
SHORT_CONTEXT = 3  # characters typed from which on a word's own beginning tells most of it
LOGITS = 1 << 23  # looked at together
STREAMS = 64


@dataclass(frozen=True)
class AutocompleteEvaluation:
    """How well a network predicts, at every character of observations, the word that it is part of.

    Only positions whose word the network can predict count, unless a figure says otherwise.

    Attributes:
        nats: the sum of the negative log-likelihoods of the words.
        counts: how many positions, by how many characters of the word are typed, shape (typed + 1,).
        hits: at how many of them the word was among the likeliest k + 1, shape (TOP, typed + 1). Among equally likely
            words it is a hit by chance: of n, for m places that are left, it counts as m/n.
        positions: how many there are with padding and unknown words.
    """

    nats: float
    counts: np.ndarray
    hits: np.ndarray
    positions: int

    @property
    def cross_entropy(self) -> float | None:
        """The mean negative log-likelihood, in nats."""
        return share(self.nats, self.counts.sum())

    @property
    def masked_accuracy(self) -> float | None:
        """The share of positions whose word was the likeliest."""
        return share(self.hits[0].sum(), self.counts.sum())

    @property
    def study_accuracy(self) -> float | None:
        """The same over all positions; padding and unknown words count as errors, as in the study of memory."""
        return share(self.hits[0].sum(), self.positions)

    @property
    def long_context_accuracy(self) -> float | None:
        """The share of words that were the likeliest at the space before them, from the earlier text alone."""
        return share(self.hits[0, 0], self.counts[0])

    @property
    def short_context_accuracy(self) -> float | None:
        """The share of positions whose word was the likeliest once three or more of its characters were typed."""
        return share(self.hits[0, SHORT_CONTEXT:].sum(), self.counts[SHORT_CONTEXT:].sum())

    def by_typed(self) -> list[dict]:
        """For each number of characters typed, 0 at the space before the word: positions, top_1, top_2 and top_3.

        top_k is the share of positions whose word was among the k likeliest.
        """
        return [
            {"typed": typed, "positions": int(count)}
            | {f"top_{k}": share(hits[typed], count) for k, hits in enumerate(self.hits, 1)}
            for typed, count in enumerate(self.counts)
            if count
        ]

    def to_dict(self) -> dict:
        """All figures, ready for JSON; None where there was nothing to count."""
        accuracies = (f"{kind}_accuracy" for kind in ("masked", "study", "long_context", "short_context"))
        names = ["cross_entropy", *accuracies]
        sizes = {"positions": self.positions, "masked_positions": int(self.counts.sum())}
        return {name: getattr(self, name) for name in names} | sizes | {"by_characters_typed": self.by_typed()}


def share(part, whole) -> float | None:
    return float(part / whole) if whole else None


def evaluate(engine, observations: Observations, rows: np.ndarray, streams: int = STREAMS) -> AutocompleteEvaluation:
    """Read observations, each from the start state.

    Args:
        engine: an `inference.Engine` with its read-out deferred.
        observations: of the text.
        rows: which of them, shape (N,).
        streams: how many to read side by side.
    """
    nats, counts, hits = 0.0, np.zeros(observations.length, np.int64), np.zeros((TOP, observations.length))
    for first in range(0, len(rows), streams):
        inputs, targets = observations.take(rows[first : first + streams])
        known, typed = targets >= SPECIAL, count_typed(inputs)
        surprisals, likelier, equal = rank_targets(engine, read(engine, inputs)[known], targets[known])
        nats += surprisals.sum(dtype=float)
        for k in range(TOP):
            hits[k] += np.bincount(typed[known], share_places(k + 1, likelier, equal), minlength=len(counts))
        counts += np.bincount(typed[known], minlength=len(counts))
    return AutocompleteEvaluation(nats, counts, hits, len(rows) * observations.length)


def share_places(top: int, likelier: np.ndarray, equal: np.ndarray) -> np.ndarray:
    """The chances of targets to be among the `top` likeliest outputs, if equally likely ones are put in random order.

    Args:
        top: the number of places.
        likelier: how many outputs are likelier than each target, shape (N,).
        equal: how many are as likely, with the target itself, shape (N,).
    """
    return np.clip((top - likelier) / equal, 0, 1)


def count_typed(inputs: np.ndarray) -> np.ndarray:
    """The number of characters of the word so far at every position, 0 at the space before it, (N, T) → (N, T)."""
    positions = np.arange(inputs.shape[1])
    return positions - np.maximum.accumulate(np.where(inputs == SPACE, positions, 0), axis=1)


def read(engine, inputs: np.ndarray) -> np.ndarray:
    """The inputs of the read-out at every position, shape (N, T) → (N, T, F)."""
    return engine.read(inputs.T, engine.start(len(inputs)))[0].swapaxes(0, 1)


def rank_targets(engine, results: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The surprisal of each target, in nats, and how many outputs were likelier, and as likely, with itself."""
    surprisals, likelier, equal = np.empty(len(targets)), *np.empty((2, len(targets)), np.int64)
    block = max(1, LOGITS // engine.outputs)
    for first in range(0, len(targets), block):
        some = slice(first, first + block)
        logits = engine.read_out(results[some])
        wanted = np.take_along_axis(logits, targets[some, None].astype(np.intp), axis=1)
        likelier[some] = np.count_nonzero(logits > wanted, axis=1)
        equal[some] = np.maximum(1, np.count_nonzero(logits == wanted, axis=1))
        likelier[some][np.isnan(wanted[:, 0])] = engine.outputs  # NaN is never a hit
        logits -= wanted
        highest = logits.max(axis=1, keepdims=True)
        surprisals[some] = np.log(np.exp(logits - highest).sum(axis=1)) + highest[:, 0]
    return surprisals, likelier, equal
