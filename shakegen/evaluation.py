"""How well a network predicts a text. Only numpy."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

LOGITS = 1 << 20  # looked at together


class Evaluation(NamedTuple):
    """How well a network predicts each character of a text from all those before it.

    Attributes:
        nats_per_character: the mean negative log-likelihood.
        accuracy: the share of characters that were the likeliest.
        characters: how many were predicted: all but the first.
    """

    nats_per_character: float
    accuracy: float
    characters: int

    @property
    def bits_per_character(self) -> float:
        """The mean negative log-likelihood to the base of 2: what a compressor by this network would need."""
        return self.nats_per_character / math.log(2)

    @property
    def perplexity(self) -> float:
        """Among how many characters, equally likely, the network in effect had to choose."""
        return math.exp(self.nats_per_character)

    def to_dict(self) -> dict:
        """All figures, ready for JSON."""
        names = ("bits_per_character", "nats_per_character", "perplexity", "accuracy", "characters")
        return {name: getattr(self, name) for name in names}


def evaluate(engine, ids: np.ndarray) -> Evaluation:
    """Read a text in order, the state carried from its first character to its last.

    Args:
        engine: has `start()`, `step(ids, state)` and `vocabulary_size`, as `inference.Engine` has them.
        ids: the text, shape (T,).

    Raises:
        ValueError: the text has fewer than two characters.
    """
    return summarise(surprisal(engine, ids))


def estimate(engine, ids: np.ndarray, streams: int, longest: int | None = None) -> Evaluation:
    """What `evaluate` finds, nearly, and sooner: the text is cut in N contiguous parts that are read side by side.

    Args:
        engine: has `start(streams)` and `step(ids, state)`.
        ids: the text, shape (T,), T > 1.
        streams: N; each part begins from the start state, which is all that is not exact.
        longest: how many characters of each part to read; None reads them all.
    """
    last, every = len(ids) - 1, np.arange(streams)
    apart, count = -(-last // streams), 0
    state, nats, hits = engine.start(streams), 0.0, 0
    for t in range(min(apart, longest or apart)):
        positions = every * apart + t
        live = positions < last
        logits, state = engine.step(ids[np.minimum(positions, last)], state)
        surprisals, right = predicted(logits, ids[np.minimum(positions + 1, last)])
        nats += surprisals[live].sum(dtype=float)
        hits += np.count_nonzero(right[live])
        count += np.count_nonzero(live)
    return Evaluation(float(nats / count), hits / count, count)


def predicted(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The surprisal of each target, in nats, and whether it was the likeliest."""
    highest, wanted = logits.max(axis=1), logits[np.arange(len(targets)), targets]
    return np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest - wanted, wanted == highest


def summarise(blocks: Iterable[tuple[np.ndarray, np.ndarray]]) -> Evaluation:
    """The figures of what `surprisal` gives."""
    nats, hits, count = 0.0, 0, 0
    for surprisals, right in blocks:
        nats, hits, count = nats + surprisals.sum(), hits + np.count_nonzero(right), count + len(right)
    return Evaluation(float(nats / count), hits / count, count)


def surprisal(engine, ids: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The surprisal of each character but the first, in nats, and whether it was the likeliest, block by block.

    Raises:
        ValueError: the text has fewer than two characters.
    """
    if len(ids) < 2:
        raise ValueError(f"the text has {len(ids)} characters: expected 2 or more, for each is predicted from the last")
    return blocks(engine, np.asarray(ids))


def blocks(engine, ids: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    block, state, step = max(1, LOGITS // engine.vocabulary_size), engine.start(), engine.step
    kept = np.empty((min(block, len(ids) - 1), engine.vocabulary_size))
    for begin in range(0, len(ids) - 1, block):
        inputs, targets = ids[begin:-1][:block], ids[begin + 1 :][:block]
        for row, one in enumerate(inputs[:, None]):
            logits, state = step(one, state)
            kept[row] = logits[0]
        yield predicted(kept[: len(targets)], targets)
