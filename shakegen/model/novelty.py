"""Copies of a corpus in a text: the share of new n-grams, and the longest passage that is not new. Only numpy.

All n-grams of the text get a number, equal ones the same; those of the corpus the number of the equal one of the text,
or none. The number of an n-gram follows from those of its first and its last m ids, m < n ≤ 2m: so lengths double
(Karp, Miller & Rosenberg 1972), exactly, without hashing, in time n log n for all lengths together.
"""

from dataclasses import dataclass

import numpy as np

LENGTHS = (4, 8, 16, 32, 64)
BLOCK = 1 << 20  # n-grams of the corpus that are looked up at a time
TABLE = 1 << 22  # the largest table of all pairs of numbers


@dataclass(frozen=True)
class Novelty:
    """How a text relates to a corpus.

    Attributes:
        length: of the text, T.
        longest: the length of the longest passage of the text that stands in the corpus.
        position: where in the text it begins; the first, of several.
        corpus_position: where in the corpus it begins.
        new: for each n ≤ T, the share of the text's n-grams, repetitions counted, that are nowhere in the corpus.
    """

    length: int
    longest: int
    position: int
    corpus_position: int
    new: dict[int, float]


def compare(text: np.ndarray, corpus: np.ndarray, lengths=LENGTHS) -> Novelty:
    """Find the passages of a text that are copied from a corpus.

    Args:
        text: ids, shape (T,), whole numbers of any size.
        corpus: ids of the same numbering, shape (C,).
        lengths: the n of the n-grams.

    Raises:
        ValueError: the text is empty.
    """
    if not len(text):
        raise ValueError("the text is empty: expected one character or more")
    numbers: Numbers | None = Numbers.of_ids(np.asarray(text), np.asarray(corpus))
    new: dict[int, float] = {}
    best: Numbers | None = None
    while numbers is not None:
        reach = 2 * numbers.length
        for n in lengths:
            if numbers.length <= n < reach and n <= len(text):
                new[n] = 1.0 - numbers.extend(n).share
        best = numbers if numbers.share else best
        numbers = numbers.extend(reach) if reach <= len(text) and numbers.share else None
    new |= {n: 1.0 for n in lengths if n <= len(text) and n not in new}
    if best is None:
        return Novelty(len(text), 0, 0, 0, dict(sorted(new.items())))
    # Somewhere from the last length with a copy up to twice that, not included, is the longest copy.
    low, high, longest = best.length, min(2 * best.length, len(text) + 1), best
    while high - low > 1:
        middle = (low + high) // 2
        tried = best.extend(middle)
        if tried.share:
            low, longest = middle, tried
        else:
            high = middle
    position = int(longest.copied.argmax())
    corpus_position = int((longest.corpus == longest.text[position]).argmax())
    return Novelty(len(text), longest.length, position, corpus_position, dict(sorted(new.items())))


class Numbers:
    """The numbers of all n-grams of a text, and of a corpus, by where they begin; -1 for those not in the text."""

    def __init__(self, length: int, text: np.ndarray, corpus: np.ndarray, kinds: int):
        self.length, self.text, self.corpus, self._kinds = length, text, corpus, kinds
        in_corpus = np.zeros(kinds + 1, bool)  # the last one is for -1
        in_corpus[corpus] = True
        self.copied = in_corpus[text]
        self.share = float(self.copied.mean())

    @classmethod
    def of_ids(cls, text: np.ndarray, corpus: np.ndarray) -> "Numbers":
        known, numbers = np.unique(text, return_inverse=True)
        return cls(1, numbers.astype(np.int32), look_up(corpus, known), len(known))

    def extend(self, length: int) -> "Numbers":
        """The numbers of longer n-grams, up to twice as long."""
        if length == self.length:
            return self
        apart = length - self.length
        text = self.text.astype(np.int64)
        known, numbers = np.unique(text[:-apart] * self._kinds + text[apart:], return_inverse=True)
        corpus = np.full(max(0, len(self.corpus) - apart), -1, np.int32)
        table = None
        if self._kinds**2 <= TABLE:
            table = np.full(self._kinds**2, -1, np.int32)
            table[known] = np.arange(len(known), dtype=np.int32)
        for begin in range(0, len(corpus), BLOCK):
            part = self.corpus[begin : begin + BLOCK + apart]
            both = np.flatnonzero((part[: len(part) - apart] >= 0) & (part[apart:] >= 0))
            pairs = part[both].astype(np.int64) * self._kinds + part[both + apart]
            corpus[begin + both] = look_up(pairs, known) if table is None else table[pairs]
        return Numbers(length, numbers.astype(np.int32), corpus, len(known))


def look_up(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The place of each value in a sorted array, or -1 where it is not in it."""
    places = np.empty(len(values), np.int32)
    for begin in range(0, len(values), BLOCK):
        part = values[begin : begin + BLOCK]
        at = np.searchsorted(known, part).clip(max=len(known) - 1)
        places[begin : begin + BLOCK] = np.where(known[at] == part, at, -1)
    return places
