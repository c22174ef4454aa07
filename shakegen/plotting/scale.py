"""From numbers to places on an axis, and the round numbers beside it."""

import math
import sys
from collections.abc import Sequence

import numpy as np


class Scale:
    """From numbers to their places on an axis, 0 to 1.

    Args:
        low, high: the numbers at 0 and at 1; if they are equal, the axis extends to both sides of them.
        logarithmic: equal ratios have equal lengths; low and high must be above 0.
        whole: write only whole numbers beside the axis.
        names: written beside 0, 1, 2 … instead of numbers.
    """

    def __init__(self, low: float, high: float, logarithmic=False, whole=False, names: Sequence[str] = ()):
        if abs(high - low) <= 1e-9 * abs(high):
            room = abs(high) / 2 or 0.5
            low, high = (low / 2, high * 2) if logarithmic else (low - room, high + room)
        self.low, self.high, self.logarithmic, self.whole, self.names = low, high, logarithmic, whole, names

    @classmethod
    def around(cls, values, **options) -> "Scale":
        """A scale with room for all values of some arrays but NaN."""
        values = np.concatenate([np.asarray(v, float).ravel() for v in values])
        values = values[np.isfinite(values)]
        return cls(float(values.min()), float(values.max()), **options) if len(values) else cls(1.0, 2.0, **options)

    def place(self, values) -> np.ndarray:
        """Where numbers are: 0 at `low`, 1 at `high`."""
        low, high, values = self.low, self.high, np.asarray(values, float)
        if self.logarithmic:
            low, high, values = math.log10(low), math.log10(high), np.log10(values)
        return (values - low) / (high - low)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """About `most` numbers or fewer to write beside the axis, with their texts."""
        if len(self.names):
            every = -(-len(self.names) // most)
            return [(float(k), self.names[k]) for k in range(0, len(self.names), every)]
        low, high = sorted((self.low, self.high))
        values = powers_of_ten(low, high, most) if self.logarithmic else round_numbers(low, high, most)
        return [(value, format_number(value)) for value in values if not self.whole or value == round(value)]


def round_numbers(low: float, high: float, most: int) -> list[float]:
    """The multiples of 1, 2 or 5 times a power of ten from low to high, about `most` or fewer."""
    power = 10.0 ** math.floor(math.log10(max((high - low) / most, sys.float_info.min)))
    step = next(power * m for m in (1, 2, 5, 10, 20) if (high - low) / (power * m) <= most)
    return [step * k for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def powers_of_ten(low: float, high: float, most: int) -> list[float]:
    """Powers of ten from low to high; where there are fewer than two, round numbers."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last <= first:
        return round_numbers(low, high, most)
    return [10.0**k for k in range(first, last + 1, max(1, -(-(last - first + 1) // most)))]


def format_number(value: float, digits: int = 6) -> str:
    """A number in few characters, with so many significant digits at most."""
    mantissa, exponent, power = f"{value:.{digits}g}".partition("e")
    return mantissa + exponent + (str(int(power)) if power else "")


def format_error(value: float, error: float | None, digits: int = 3, sign: str = "") -> str:
    """A number with its error, in as many digits as the error allows; without one, `digits` after the point.

    The error has two digits where the first is 1 or 2, for there a rounded one would say little; else one.
    """
    if not error:  # unknown, or of equal values
        return f"{value:{sign}.{digits}f}"
    if not 1e-6 < error < 1e6:
        short = error > 1 or abs(value) < 10**-digits
        plus = sign if value >= 0 else ""
        shown = plus + format_number(value, 2) if short else f"{value:{sign}.{digits}f}"
        return f"{shown} ± {format_number(error, 2)}"
    places = count_places(error)
    return f"{value:{sign}.{places}f} ± {error:.{places}f}"


def count_places(error: float) -> int:
    """The digits after the point that an error allows."""
    exponent = math.floor(math.log10(float(f"{error:.1e}"))) if error else 0
    return max(0, -exponent + (error / 10**exponent < 2.95))
