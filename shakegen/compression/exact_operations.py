"""The operations of equations, with the same bits on every machine.

IEEE 754 defines every bit of + - * / √ and of rounding, element by element, in any order in which a machine takes the
elements. It leaves two things open, which are settled here. Sums: the terms are first rounded to whole multiples of a
common unit, so coarse that every partial sum is below 2⁵³ units. Then any order, any number of threads and any fused
product gives the same. Functions such as exp: they are polynomials in these operations, not those of a library.
"""

import functools
import math
from collections.abc import Callable, Mapping

import numpy as np

from shakegen.cells.operations import NUMPY, VARIANCE

EXACT = 53  # bits of a whole number that a double holds
LEFT = 22  # bits of the left factors of products; the weights get the rest
LEAST, LARGEST = 1e-100, 1e100  # beyond them a number counts as if it were one of them; products stay in range
LOG2E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.693145751953125, 1.4286068203094173e-06  # the former has 16 bits: its multiples are exact
LARGEST_EXPONENT = 700.0
INVERSE_FACTORIALS = [1 / math.factorial(n) for n in range(9, -1, -1)]
ODD_RECIPROCALS = [1 / n for n in range(15, 0, -2)]
CONSTANT = 32  # bits of a constant in equations, which a machine's library may have computed


class Inexact(ValueError):
    """The arithmetic of this machine is not that of IEEE 754."""


def check_arithmetic() -> None:
    """Refuse a machine, or a process, that rounds otherwise or takes tiny numbers for zero.

    Raises:
        Inexact: it does.
    """
    numbers = np.array([1.0, 3.0])
    roots, tiny = np.sqrt(numbers + 1) / 3, numbers * 1e-300 * 1e-20 * 1e20  # by way of numbers below the normal ones
    if roots.tolist() != [0.47140452079103173, 0.6666666666666666] or not tiny.all():
        raise Inexact(
            "this machine, or a library in this process, does not compute as IEEE 754 asks for: "
            "compressed files need that; try another machine"
        )


def round_to_units(z: np.ndarray, bits: int, axis: int = -1) -> np.ndarray:
    """Numbers rounded so that all along an axis are whole multiples, up to 2^bits, of one unit.

    The unit is that of the doubles near a number which is added and taken away again.
    """
    largest = np.maximum(np.abs(z).max(axis=axis, keepdims=True), LEAST)
    far = largest * (3.0 * 2.0 ** (EXACT - bits))
    return (z + far) - far


def sum_exactly(z: np.ndarray) -> np.ndarray:
    """The sums of the last axis, which stays."""
    return round_to_units(z, EXACT - count_bits(z.shape[-1])).sum(axis=-1, keepdims=True)


def count_bits(terms: int) -> int:
    """By how many bits a sum of so many terms may be longer than each."""
    return (terms - 1).bit_length()


def limit(z):
    """Numbers in the range that everything here is exact in; what is no number becomes the least."""
    return np.fmin(np.fmax(z, -LARGEST), LARGEST)


def exp(z):
    """e to the power of z, which is taken from -700 to 700; to ten digits.

    z = k ln 2 + r with |r| ≤ ½ ln 2, and then a polynomial in r, and k in the exponent.
    """
    z = np.fmin(np.fmax(z, -LARGEST_EXPONENT), LARGEST_EXPONENT)
    k = np.rint(z * LOG2E)
    r = (z - k * LN2_HIGH) - k * LN2_LOW
    return np.ldexp(evaluate_polynomial(INVERSE_FACTORIALS, r), k.astype(np.int32))


def evaluate_polynomial(coefficients, z):
    """A polynomial by Horner's rule, the highest power first."""
    total = z * coefficients[0]
    for coefficient in coefficients[1:-1]:
        total += coefficient
        total *= z
    total += coefficients[-1]
    return total


def log(z):
    """The natural logarithm of z, which is taken from 1e-100 to 1e100: that of the mantissa by the series of artanh."""
    mantissa, exponent = np.frexp(np.fmin(np.fmax(z, LEAST), LARGEST))
    low = mantissa < 0.75
    mantissa, exponent = np.where(low, 2 * mantissa, mantissa), exponent - low.astype(exponent.dtype)
    f = (mantissa - 1) / (mantissa + 1)
    return exponent * LN2_HIGH + (exponent * LN2_LOW + 2 * f * evaluate_polynomial(ODD_RECIPROCALS, f * f))


def sigmoid(z):
    return 1 / (1 + exp(-z))


def tanh(z):
    return 2 / (1 + exp(-2 * z)) - 1


def softplus(z):
    """log(1 + exp(z)), which overflows nowhere."""
    return np.fmax(z, 0.0) + log(1 + exp(-np.abs(z)))


def normalise(z):
    """The last axis with mean 0 and variance 1."""
    width = z.shape[-1]
    z = z - sum_exactly(z) / width
    return z / np.sqrt(sum_exactly(z * z) / width + VARIANCE)


def activate(z, names):
    """Blocks side by side, each by its own activation. One exponential serves all that are made of it."""
    if set(names) <= set(LOGISTIC):
        slope = slopes_of(names, z.shape[-1])
        return slope / (1 + exp(-slope * z)) - (slope - 1)
    blocks = np.split(z, len(names), axis=-1)
    return np.concatenate([FUNCTIONS[name](block) for name, block in zip(names, blocks, strict=True)], axis=-1)


LOGISTIC = {"sigmoid": 1.0, "tanh": 2.0}  # tanh(z) = 2 σ(2 z) - 1


@functools.cache
def slopes_of(names: tuple[str, ...], width: int) -> np.ndarray:
    return np.repeat([LOGISTIC[name] for name in names], width // len(names))


DEFINED = ("add", "subtract", "multiply", "sqrt", "linear", "zeros", "part", "row", "concat")  # to the last bit
FUNCTIONS: Mapping[str, Callable] = {
    **{name: NUMPY[name] for name in DEFINED},
    "divide": lambda a, b: a / (b + 0.0),  # of zeros, whose signs machines choose differently, no sign counts
    "maximum": np.fmax,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "relu": lambda z: np.fmax(z, 0.0),
    "exp": exp,
    "log": log,
    "softplus": softplus,
    "normalise": normalise,
    "activate": activate,
}


def round_constant(value: float) -> float:
    """A constant of equations with so few bits that the last one of a machine's library does not matter."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * 2**CONSTANT), exponent - CONSTANT)


class Products:
    """Products with weights. A weight is rounded once, when it is met first."""

    def __init__(self):
        self._rounded: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # with the weight, so that no id comes again

    def __call__(self, left: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(N, a) @ (a, b)."""
        if id(weight) not in self._rounded:
            bits = EXACT - LEFT - count_bits(len(weight))
            self._rounded[id(weight)] = weight, np.ascontiguousarray(round_to_units(limit(weight), bits, axis=0))
        return round_to_units(limit(left), LEFT) @ self._rounded[id(weight)][1]
