"""A shuffle that is computed and not stored: where any index goes, from a key alone. Only numpy."""

import math

import numpy as np

ROUNDS = 16  # fewer are not uniform over the orders of five or six things


class Permutation:
    """A pseudorandom permutation of the whole numbers below `size`; memory only for the indices that are asked for.

    A Feistel network with cycle walking (Black & Rogaway 2002, "Ciphers with arbitrary finite domains"): an index is
    two digits, below a and b, with a · b just large enough; each round adds to one digit a hash of the other, which
    can be undone; what lands outside goes through the rounds again until it lands inside.

    Args:
        size: of the set, 1 or more.
        key: whole numbers from 0; another key gives another permutation.

    Raises:
        ValueError: the size is below 1.
    """

    def __init__(self, size: int, *key: int):
        if size < 1:
            raise ValueError(f"the size of a permutation is {size}: expected 1 or more")
        self._size = size
        self._a = math.isqrt(size - 1) + 1
        self._b = -(-size // self._a)
        self._keys = np.random.SeedSequence(key).generate_state(ROUNDS, np.uint64)

    def __call__(self, indices: np.ndarray) -> np.ndarray:
        """Where indices go: shape (n,), whole numbers below `size`, to the same, int64."""
        places = self._encrypt(np.asarray(indices).astype(np.uint64))
        while (outside := places >= self._size).any():
            places[outside] = self._encrypt(places[outside])
        return places.astype(np.int64)

    def _encrypt(self, indices):
        high, low = np.divmod(indices, self._b)
        for key in self._keys.reshape(-1, 2):
            high = (high + mixed(low + key[0]) % self._a) % self._a
            low = (low + mixed(high + key[1]) % self._b) % self._b
        return high * self._b + low


def mixed(words: np.ndarray) -> np.ndarray:
    """A hash of 64-bit words, the finaliser of SplitMix64 (Steele, Lea & Flood 2014); arithmetic is modulo 2⁶⁴."""
    words = (words ^ (words >> 30)) * 0xBF58476D1CE4E5B9
    words = (words ^ (words >> 27)) * 0x94D049BB133111EB
    return words ^ (words >> 31)
