"""How well a network predicts a text. Only numpy."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

LN2 = math.log(2)  # nats in a bit
LOGITS = 1 << 20  # looked at together


class Evaluation(NamedTuple):
    """How well a network predicts each symbol of a text, a character or a word, from all those before it.

    An unknown symbol tells that some other word, or character, stands there, not which. What it takes to spell it, in a
    code that the vocabulary alone defines (`Vocabulary.spelling`), is therefore part of the bits per character and per
    word, so that figures of characters, of words and of vocabularies of any size can be compared. The perplexity is
    that of the symbols, without it, and to foresee that a word will be unknown is not counted as accurate.

    Attributes:
        nats_per_symbol: the mean negative log-likelihood.
        accuracy: the share of symbols that were the likeliest.
        symbols: how many were predicted: all but the first.
        characters: how many these stand for.
        level: what the symbols are: char or word.
        unknown: how many of them are the unknown symbol; None where there is no such symbol.
        spelling: what it takes to spell those, in nats.
    """

    nats_per_symbol: float
    accuracy: float
    symbols: int
    characters: int
    level: str = "char"
    unknown: int | None = None
    spelling: float = 0.0

    @property
    def nats_per_character(self) -> float:
        """The negative log-likelihood of the text by its characters."""
        return (self.nats_per_symbol * self.symbols + self.spelling) / self.characters

    @property
    def bits_per_character(self) -> float:
        """The same to the base of 2: what a compressor by this network would need."""
        return self.nats_per_character / LN2

    @property
    def bits_per_word(self) -> float:
        """The same by symbols; of a model of words."""
        return self.bits_per_character * self.characters / self.symbols

    @property
    def spelling_bits_per_character(self) -> float:
        """What of the bits per character goes into spelling unknown symbols."""
        return self.spelling / self.characters / LN2

    @property
    def perplexity(self) -> float:
        """Among how many symbols, equally likely, the network in effect had to choose."""
        return math.exp(self.nats_per_symbol)

    @property
    def words(self) -> int:
        """How many symbols were predicted; of a model of words."""
        return self.symbols

    def of_text(self, reading, vocabulary) -> "Evaluation":
        """The same figures, of a text of known length and spelling: `reading` is what `vocabulary.read` gave."""
        spelling = reading.spelling[int(reading.ids[0] == vocabulary.unknown) :]
        unknown = None if vocabulary.unknown is None else len(spelling)
        characters = reading.characters - reading.first
        return Evaluation(*self[:3], characters, vocabulary.level, unknown, float(spelling.sum()))

    def to_dict(self) -> dict:
        """All figures, ready for JSON."""
        names = ["bits_per_character", "nats_per_character", "perplexity", "accuracy", "characters"]
        names += ["bits_per_word", "words"] if self.level == "word" else []
        names += ["unknown", "spelling_bits_per_character"] if self.unknown is not None else []
        return {name: getattr(self, name) for name in names}


def evaluate(engine, ids: np.ndarray, unknown: int | None = None) -> Evaluation:
    """Read a text in order, the state carried from its first symbol to its last.

    Args:
        engine: has `start()`, `step(ids, state)` and `vocabulary_size`, as `inference.Engine` has them.
        ids: the text, shape (T,).
        unknown: the id of the unknown symbol, if there is one.

    Raises:
        ValueError: the text has fewer than two symbols.
    """
    return summarise(surprisal(engine, ids, unknown))


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
        hits += int(np.count_nonzero(right[live]))
        count += int(np.count_nonzero(live))
    return Evaluation(float(nats / count), hits / count, count, count)


def predicted(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The surprisal of each target, in nats, and whether it was the likeliest."""
    highest, wanted = logits.max(axis=1), logits[np.arange(len(targets)), targets]
    return np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest - wanted, wanted == highest


def summarise(blocks: Iterable[tuple[np.ndarray, np.ndarray]]) -> Evaluation:
    """The figures of what `surprisal` gives."""
    nats, hits, count = 0.0, 0, 0
    for surprisals, right in blocks:
        nats, hits, count = nats + surprisals.sum(), hits + int(np.count_nonzero(right)), count + len(right)
    return Evaluation(float(nats / count), hits / count, count, count)


def surprisal(engine, ids: np.ndarray, unknown: int | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The surprisal of each symbol but the first, in nats, and whether it was foreseen, block by block.

    Arguments and errors as for `evaluate`.
    """
    if len(ids) < 2:
        raise ValueError(f"the text has {len(ids)} symbols: expected 2 or more, for each is predicted from the last")
    return blocks(engine, np.asarray(ids), unknown)


def blocks(engine, ids: np.ndarray, unknown: int | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    block, state, step = max(1, LOGITS // engine.vocabulary_size), engine.start(), engine.step
    kept = np.empty((min(block, len(ids) - 1), engine.vocabulary_size))
    for begin in range(0, len(ids) - 1, block):
        inputs, targets = ids[begin:-1][:block], ids[begin + 1 :][:block]
        for row, one in enumerate(inputs[:, None]):
            logits, state = step(one, state)
            kept[row] = logits[0]
        surprisals, right = predicted(kept[: len(targets)], targets)
        yield surprisals, right if unknown is None else right & (targets != unknown)
