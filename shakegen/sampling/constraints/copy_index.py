"""Where each n characters of a corpus stand: an index that tells whether some n characters are in it. Only numpy.

An entry is one number of 64 bits: the upper bits are those of a hash of the n characters, the lower ones their place.
The entries are sorted. A search compares the characters at the places of its hash, so the answer is exact.
"""

import bisect

import numpy as np

from shakegen.checks import is_whole

FACTOR = 0x9E3779B97F4A7C15  # of the polynomial hash, modulo 2^64; odd
MASK = (1 << 64) - 1
BLOCK = 1 << 18
LEAST, MOST = 2, 1000


class CopyIndex:
    """All n characters in a row of a corpus.

    Args:
        ids: the corpus, shape (C,), unsigned.
        n: the length of the passages.
        entries: as `build_entries` made them; by default they are made.

    Raises:
        ValueError: n is out of range.
    """

    def __init__(self, ids: np.ndarray, n: int, entries: np.ndarray | None = None):
        check_length(n)
        self.n, self._ids = n, ids
        self._entries = build_entries(ids, n) if entries is None else entries
        self._numbers = memoryview(self._entries)  # type: ignore[arg-type]  # quick to look one up in
        self._shift = place_bits(len(ids))
        self._width = ids.dtype.itemsize
        self._bytes = memoryview(np.ascontiguousarray(ids)).cast("B")  # type: ignore[arg-type]

    def has(self, digest: int, passage: bytes) -> bool:
        """Whether n ids, given as bytes of the corpus's type and by their hash, stand in the corpus."""
        key, width, shift = digest >> self._shift, self._width, self._shift
        numbers, at = self._numbers, bisect.bisect_left(self._numbers, key << shift)
        while at < len(numbers) and (entry := numbers[at]) >> shift == key:
            begin = (entry - (key << shift)) * width
            if self._bytes[begin : begin + len(passage)] == passage:
                return True
            at += 1
        return False

    def find(self, digests: np.ndarray, passages: np.ndarray) -> np.ndarray:
        """Whether each row of n ids, shape (K, n), stands in the corpus, given their hashes, shape (K,)."""
        keys = digests >> np.uint64(self._shift)
        at = np.searchsorted(self._entries, keys << np.uint64(self._shift))
        found, open_rows = np.zeros(len(keys), bool), np.arange(len(keys))
        while len(open_rows):
            open_rows = open_rows[at[open_rows] < len(self._entries)]
            entries = self._entries[at[open_rows]]
            same = entries >> np.uint64(self._shift) == keys[open_rows]
            open_rows, entries = open_rows[same], entries[same]
            places = (entries & np.uint64((1 << self._shift) - 1)).astype(np.intp)
            equal = (self._ids[places[:, None] + np.arange(self.n)] == passages[open_rows]).all(axis=1)
            found[open_rows[equal]] = True
            open_rows = open_rows[~equal]
            at[open_rows] += 1
        return found


def check_length(n: int) -> None:
    """Check the length of a passage that is not to be copied.

    Raises:
        ValueError: it is out of range.
    """
    if not is_whole(n, LEAST, MOST):
        raise ValueError(
            f"the length of a copy is {n!r}: expected {LEAST} to {MOST:,} characters; 20 keeps passages out"
        )


def place_bits(length: int) -> int:
    return max(1, int(length).bit_length())


def build_entries(ids: np.ndarray, n: int) -> np.ndarray:
    """The entries of an index of all n ids in a row, sorted, shape (C - n + 1,), of 64 bits; none if C < n."""
    shift = np.uint64(place_bits(len(ids)))
    entries = np.empty(max(0, len(ids) - n + 1), np.uint64)
    for begin in range(0, len(entries), BLOCK):
        digests = hash_windows(ids[begin : begin + BLOCK + n - 1], n)
        places = np.arange(begin, begin + len(digests), dtype=np.uint64)
        entries[begin : begin + len(digests)] = digests >> shift << shift | places
    entries.sort()
    return entries


def hash_windows(ids: np.ndarray, n: int) -> np.ndarray:
    """The hash of each n ids in a row, the sum of (id + 1) · FACTOR^(n - 1 - k), shape (T - n + 1,).

    It is a difference of two sums of (id + 1) · FACTOR^-k, times a power. FACTOR is odd, so it has an inverse.
    """
    powers, inverses = (np.full(len(ids), one, np.uint64) for one in (FACTOR, pow(FACTOR, -1, 1 << 64)))
    powers[:1] = inverses[:1] = 1
    sums = np.zeros(len(ids) + 1, np.uint64)
    np.cumsum((ids.astype(np.uint64) + np.uint64(1)) * np.cumprod(inverses), out=sums[1:])
    return (sums[n:] - sums[:-n]) * np.cumprod(powers)[n - 1 :]
