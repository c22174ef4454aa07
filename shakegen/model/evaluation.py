"""How well a network predicts a text. Only numpy."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from shakegen.checks import check_ids

LN2 = math.log(2)  # nats in a bit
MOST_NATS = 709.0  # exp of them is a float
LOGITS = 1 << 20  # looked at together


class Evaluation(NamedTuple):
    """How well a network predicts each symbol of a text, a character, a subword or a word, from all those before it.

    The unknown symbol hides a word or character. Bits per character and per word add the cost of spelling it, in a code
    that the vocabulary alone defines (`Vocabulary.spelling`), so that figures of characters, of words and of any size
    of vocabulary can be compared. The perplexity leaves this cost out. Foreseeing that a word will be unknown does not
    count as accurate.

    Attributes:
        nats_per_symbol: the mean negative log-likelihood.
        accuracy: the share of symbols that were the likeliest; one of k that are equally likely counts as 1/k.
        symbols: how many were predicted: all but the first.
        characters: how many these stand for.
        level: the kind of the symbols: char, subword or word.
        unknown: how many of them are the unknown symbol; None without that symbol.
        spelling: the cost of spelling the unknown ones, in nats.
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
        """The same to the base of 2: the size of the text, compressed with this network."""
        return self.nats_per_character / LN2

    @property
    def bits_per_symbol(self) -> float:
        """The same by symbols, such as words."""
        return self.bits_per_character * self.characters / self.symbols

    @property
    def spelling_bits_per_character(self) -> float:
        """The part of the bits per character that spells unknown symbols."""
        return self.spelling / self.characters / LN2

    @property
    def perplexity(self) -> float:
        """The number of equally likely symbols that would be as hard to predict; infinite if no float is as large."""
        return math.inf if self.nats_per_symbol > MOST_NATS else math.exp(self.nats_per_symbol)

    def of_text(self, reading, vocabulary) -> "Evaluation":
        """These figures with the length and the spelling of the text; `reading` comes from `vocabulary.read`."""
        spelling = reading.spelling[int(reading.ids[0] == vocabulary.unknown) :]
        unknown = None if vocabulary.unknown is None else len(spelling)
        characters = reading.characters - reading.first
        symbols, cost = len(reading.ids) - 1, float(spelling.sum())  # windows count most symbols several times
        return Evaluation(*self[:2], symbols, characters, vocabulary.level, unknown, cost)

    def to_dict(self) -> dict:
        """All figures, ready for JSON."""
        names = ["bits_per_character", "nats_per_character", "perplexity", "accuracy", "characters"]
        figures = {name: getattr(self, name) for name in names}
        if self.level != "char":
            figures |= {f"bits_per_{self.level}": self.bits_per_symbol, f"{self.level}s": self.symbols}
        if self.unknown is not None:
            figures |= {"unknown": self.unknown, "spelling_bits_per_character": self.spelling_bits_per_character}
        return figures


def evaluate(engine, ids: np.ndarray, unknown: int | None = None) -> Evaluation:
    """Read a text in order, the state carried from its first symbol to its last.

    Args:
        engine: has `start()`, `read(ids, state)` and `vocabulary_size`, as `inference.Engine` has them.
        ids: the text, shape (T,).
        unknown: the id of the unknown symbol, if there is one.

    Raises:
        ValueError: the text has fewer than two symbols, or an id is out of range.
    """
    return summarise(surprisal(engine, ids, unknown))


def estimate(engine, ids: np.ndarray, streams: int, longest: int | None = None) -> Evaluation:
    """Nearly the figures of `evaluate`, sooner: the text is cut in N contiguous parts that are read side by side.

    Args:
        engine: has `start(streams)` and `step(ids, state)`.
        ids: the text, shape (T,), T > 1.
        streams: N; each part begins from the start state, which is all that is not exact.
        longest: how many characters of each part to read; None reads them all.
    """
    apart = -(-(len(ids) - 1) // streams)
    return summarise(read_beside(engine, ids, apart * np.arange(streams), min(apart, longest or apart)))


def read_streams(engine, ids: np.ndarray, streams: int, unknown: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The surprisals and hits of a text that is read as in `estimate`, in its order, shape (T - 1,)."""
    apart = -(-(len(ids) - 1) // streams)
    found = np.full((2, streams, apart), np.nan)
    for t, block in enumerate(read_beside(engine, ids, apart * np.arange(streams), apart, unknown)):
        found[:, : len(block[0]), t] = block
    nats, hits = found.reshape(2, -1)[:, : len(ids) - 1]
    return nats, hits


def read_beside(
    engine, ids: np.ndarray, starts: np.ndarray, steps: int, unknown: int | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Read a text from several places side by side, each from the start state; blocks as those of `surprisal`."""
    state, last = engine.start(len(starts)), len(ids) - 1
    for t in range(steps):
        logits, state = engine.step(ids[np.minimum(starts + t, last)], state)
        live = starts + t < last
        yield score_targets(logits[live], ids[(starts + t + 1)[live]], unknown)


def score_targets(logits: np.ndarray, targets: np.ndarray, unknown: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The surprisal of each target, in nats, and how much of a hit it is: 1 if it is the likeliest, 1/k among k equals.

    The unknown symbol is never a hit.

    Raises:
        ValueError: a target is out of range.
    """
    check_ids(targets, logits.shape[1])
    highest, wanted = logits.max(axis=1), logits[np.arange(len(targets)), targets]
    surprisals = np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest - wanted
    equals = np.count_nonzero(logits == highest[:, None], axis=1)  # none where logits are not numbers
    right = (wanted == highest) / np.maximum(equals, 1)
    return surprisals, right if unknown is None else right * (targets != unknown)


def summarise(blocks: Iterable[tuple[np.ndarray, np.ndarray]]) -> Evaluation:
    """The figures of blocks of surprisals and hits, as `surprisal` gives them."""
    nats, hits, count = 0.0, 0.0, 0
    for surprisals, right in blocks:
        nats += surprisals.sum(dtype=float)
        hits, count = hits + float(right.sum()), count + len(right)
    return Evaluation(float(nats / count), hits / count, count, count)


def surprisal(engine, ids: np.ndarray, unknown: int | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The surprisal of each symbol but the first, in nats, and how much of a hit it was, block by block.

    Arguments and errors as for `evaluate`.
    """
    ids = np.asarray(ids)
    check_length(ids)
    block, state = max(1, LOGITS // engine.vocabulary_size), engine.start()
    for begin in range(0, len(ids) - 1, block):
        inputs, targets = ids[begin:-1][:block], ids[begin + 1 :][:block]
        logits, state = engine.read(inputs[:, None], state)
        yield score_targets(logits[:, 0].astype(float), targets, unknown)


def check_length(ids: np.ndarray) -> None:
    """Refuse a text with nothing to predict."""
    if len(ids) < 2:
        raise ValueError(f"the text has {len(ids)} symbols: expected 2 or more, for each is predicted from the last")
