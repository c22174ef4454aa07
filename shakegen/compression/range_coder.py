"""A range coder: whole frequencies and numbers become bytes, and bytes numbers again (Martin 1979).

Encoder and decoder have one method in common, `code`. So one function walks through a text in both directions, and
cannot walk differently.
"""

import bisect
from collections.abc import Sequence

import numpy as np

BYTE, BYTES = 8, 9  # the range has so many bytes at most, and one less at least
BOTTOM, TOP = 1 << BYTE * (BYTES - 1), 1 << BYTE * BYTES


Sums = Sequence[int] | np.ndarray  # of frequencies, from 0 on


class DamageError(ValueError):
    """Compressed bytes are not as the encoder writes them."""


class Encoder:
    """Makes bytes of numbers. Each takes its share of the range of all that were before it."""

    def __init__(self):
        self._bytes, self._low, self._range = bytearray(), 0, TOP - 1

    def code(self, sums: Sums, number) -> int:
        """Write a number.

        Args:
            sums: the frequencies of all numbers, added up: 0, f₀, f₀ + f₁ and so on, below 2⁵³ in all.
            number: the place of one.
        """
        first, end = int(sums[number]), int(sums[number + 1])
        unit = self._range // int(sums[-1])
        self._low += unit * first
        self._range = unit * (end - first)
        if self._low >= TOP:
            self._low -= TOP
            self._carry()
        while self._range < BOTTOM:
            self._bytes.append(self._low >> BYTE * (BYTES - 1))
            self._low = (self._low & (BOTTOM - 1)) << BYTE
            self._range <<= BYTE
        return number

    def _carry(self) -> None:
        place = len(self._bytes) - 1
        while self._bytes[place] == 255:
            self._bytes[place] = 0
            place -= 1
        self._bytes[place] += 1

    def finish(self) -> bytes:
        """All bytes: the fewest that name a place in the range that is left. Those behind them count as zeros."""
        if self._low + self._range > TOP:
            self._carry()
        elif self._low:  # one byte is enough: the range is not below BOTTOM
            self._bytes.append(-(-self._low // BOTTOM))
        return bytes(self._bytes)


class Decoder:
    """Makes numbers of the bytes of an encoder."""

    def __init__(self, content: bytes):
        self._content, self._place, self._range = content, BYTES, TOP - 1
        self._value = int.from_bytes(content[:BYTES].ljust(BYTES, b"\0"), "big")

    def code(self, sums: Sums, number: int | None = None) -> int:
        """Read a number.

        Args:
            sums: as for the encoder.
            number: is not looked at.

        Raises:
            DamageError: no number was written here.
        """
        total = int(sums[-1])
        unit = self._range // total
        target = self._value // unit
        if target >= total:
            raise DamageError
        number = bisect.bisect_right(sums, target) - 1
        first, end = int(sums[number]), int(sums[number + 1])
        self._value -= unit * first
        self._range = unit * (end - first)
        while self._range < BOTTOM:
            self._value = self._value << BYTE | self._next()
            self._range <<= BYTE
        return number

    def _next(self) -> int:
        place, self._place = self._place, self._place + 1
        if place < len(self._content):
            return self._content[place]
        if place >= len(self._content) + BYTES:
            raise DamageError
        return 0

    def finish(self) -> None:
        """Say that all was read.

        Raises:
            DamageError: bytes are left.
        """
        if self._place < len(self._content):
            raise DamageError


Coder = Encoder | Decoder
