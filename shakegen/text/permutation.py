"""A shuffle that is computed, not stored: a key alone tells where any index goes. Only numpy."""

import math

import numpy as np

ROUNDS = 16  # with fewer, the orders of five or six items are not equally likely


class Permutation:
    """A pseudorandom permutation of the whole numbers below `size`. It stores no table.

    A Feistel network with cycle walking (Black & Rogaway 2002, "Ciphers with arbitrary finite domains"). An index is
    two digits, below a and b, with a · b just large enough. Each round adds a hash of one digit to the other, which
    can be undone. A result outside goes through the rounds again until it lands inside.

    Args:
        size: of the set, 1 or more.
        key: whole numbers from 0; each key gives another permutation.
    """

    def __init__(self, size: int, *key: int):
        self._size = size
        self._a = math.isqrt(size - 1) + 1
        self._b = -(-size // self._a)
        self._keys = np.random.SeedSequence(key).generate_state(ROUNDS, np.uint64)

    def __call__(self, indices: np.ndarray) -> np.ndarray:
        """The new places of indices below `size`: shape (n,), to the same shape, int64."""
        places = self._encrypt(np.asarray(indices).astype(np.uint64))
        while (outside := places >= self._size).any():
            places[outside] = self._encrypt(places[outside])
        return places.astype(np.int64)

    def _encrypt(self, indices):
        high, low = np.divmod(indices, self._b)
        for key in self._keys.reshape(-1, 2):
            high = (high + mix(low + key[0]) % self._a) % self._a
            low = (low + mix(high + key[1]) % self._b) % self._b
        return high * self._b + low


def mix(words: np.ndarray) -> np.ndarray:
    """A hash of 64-bit words, the finaliser of SplitMix64 (Steele, Lea & Flood 2014); arithmetic is modulo 2⁶⁴."""
    words = (words ^ (words >> 30)) * 0xBF58476D1CE4E5B9
    words = (words ^ (words >> 27)) * 0x94D049BB133111EB
    return words ^ (words >> 31)
