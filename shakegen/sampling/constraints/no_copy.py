"""Passages of a corpus are kept out."""

from collections.abc import Sequence

import numpy as np

from shakegen.sampling.constraints.constraint import Constraint, Rule, Symbols
from shakegen.sampling.constraints.copy_index import FACTOR, MASK, CopyIndex


class NoCopy(Constraint):
    """No n characters in a row stand in a corpus, counted from where they end in the new text.

    Args:
        corpus: has `ids` (shape (C,)) and a `vocabulary` of characters, like a `Corpus`.
        n: the length of a passage that counts as copied, in characters, at the word level too.
        index: of the corpus, for this n; by default it is made.

    Raises:
        ValueError: n is out of range, or the index has another; or the corpus has other symbols than characters, or an
            unknown symbol.
    """

    def __init__(self, corpus, n: int, index: CopyIndex | None = None):
        if corpus.vocabulary.level != "char":
            raise ValueError(
                f"the corpus has {corpus.vocabulary.symbol}s as symbols: expected one of characters, `load_corpus(…)` "
                "gives it"
            )
        if corpus.vocabulary.unknown is not None:
            raise ValueError(
                "the corpus has an unknown symbol: expected all of its characters, without a vocabulary size"
            )
        if index is not None and index.n != n:
            raise ValueError(f"the index is of {index.n} characters, but n is {n!r}: expected the same")
        self.index = index or CopyIndex(corpus.ids, n)
        self.ids = {character: k for k, character in enumerate(corpus.vocabulary.symbols)}
        self.dtype = corpus.ids.dtype

    def bind(self, symbols):
        return NoCopyRule(self, symbols)

    def __str__(self):
        return f"no copy of {self.index.n} characters"


class NoCopyRule(Rule):
    """The state is the last n - 1 characters as bytes of the corpus's ids, and their hash.

    A character that the corpus lacks, or that is not known, breaks every passage; after it, the state begins anew.
    """

    lazy = True

    def __init__(self, constraint: NoCopy, symbols: Symbols):
        self._constraint, self._index = constraint, constraint.index
        self._texts: list[Sequence[str | None]] = [(None,) if text is None else text for text in symbols]
        n, self._width = constraint.index.n, constraint.dtype.itemsize
        self._lengths = np.array([*map(len, self._texts)])
        self._numbers = np.zeros((len(symbols), max(self._lengths)), np.int64)  # id + 1; 0 where there is none
        for row, text in zip(self._numbers, self._texts, strict=True):
            row[: len(text)] = [constraint.ids.get(character, -1) + 1 for character in text]
        self._dropped = np.uint64(pow(FACTOR, n, 1 << 64))
        self._whole, self._leading = n * self._width, pow(FACTOR, n - 1, 1 << 64)
        self._characters = {c: (k + 1, constraint.dtype.type(k).tobytes()) for c, k in constraint.ids.items()}

    def start(self, text):
        state = b"", 0
        for character in text[-self._index.n :]:
            state = self._read(state, character)
        return state

    def advance(self, state, drawn):
        for character in self._texts[drawn]:
            state = self._read(state, character)
        return state

    def _read(self, state, character):
        known = self._characters.get(character)
        if known is None:
            return b"", 0
        (recent, digest), (number, code) = state, known
        recent, digest = recent + code, (digest * FACTOR + number) & MASK
        if len(recent) < self._whole:
            return recent, digest
        oldest = int.from_bytes(recent[: self._width], "little") + 1
        return recent[self._width :], (digest - oldest * self._leading) & MASK

    def allows(self, state, drawn):
        for character in self._texts[drawn]:
            known = self._characters.get(character)
            if known and len(state[0]) + self._width == self._whole:
                digest = (state[1] * FACTOR + known[0]) & MASK
                if self._index.has(digest, state[0] + known[1]):
                    return False
            state = self._read(state, character)
        return True

    def log_weights(self, state):
        """All symbols at once: each is put after the last characters, and read place by place."""
        recent, n = np.frombuffer(state[0], self._constraint.dtype), self._index.n
        rows = np.hstack([np.tile(recent.astype(np.int64) + 1, (len(self._numbers), 1)), self._numbers])
        run, digests = np.full(len(rows), len(recent)), np.full(len(rows), state[1], np.uint64)
        allowed = np.ones(len(rows), bool)
        for place in range(len(recent), rows.shape[1]):
            numbers = rows[:, place].astype(np.uint64)
            digests = digests * np.uint64(FACTOR) + numbers
            if place >= n:
                digests -= rows[:, place - n].astype(np.uint64) * self._dropped
            run = np.where(numbers == 0, 0, run + 1)
            tested = np.flatnonzero((run >= n) & (self._lengths > place - len(recent)))
            allowed[tested] &= ~self._index.find(digests[tested], rows[tested, place - n + 1 : place + 1] - 1)
        return None if allowed.all() else np.where(allowed, np.float32(0), np.float32(-np.inf))

    def __str__(self):
        return str(self._constraint)
