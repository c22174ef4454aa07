"""The operations that give the same bits everywhere: near to those of numpy, and exact where machines differ."""

import contextlib
import ctypes
import functools
import platform
import struct
from fractions import Fraction

import numpy as np
import pytest

from shakegen.cells.operations import NUMPY
from shakegen.compression import exact_operations
from shakegen.compression.exact_operations import FUNCTIONS, Inexact, Products, round_constant, round_to_units

BACKWARDS = {"matmul_transposed", "normalise_gradient", "positive"}
WIDE = np.concatenate([np.linspace(-40, 40, 4001), -np.logspace(-30, 2.8, 100), np.logspace(-30, 2.8, 100)])


def test_every_operation_of_a_step_is_there():
    assert {*FUNCTIONS, "matmul"} == set(NUMPY) - BACKWARDS


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "exp", "log", "sqrt", "normalise", "relu", "linear"])
def test_functions_are_near_to_numpys(name):
    z = np.exp(np.clip(WIDE, -200, 200)) if name in ("log", "sqrt") else WIDE
    expected = NUMPY[name](z)
    assert np.all(np.abs(FUNCTIONS[name](z) - expected) <= 1e-9 * np.maximum(1, np.abs(expected)))


@pytest.mark.parametrize("names", [("sigmoid", "tanh"), ("relu", "tanh", "linear"), ("tanh",)])
def test_blocks_are_activated_each_by_its_own(names, rng):
    z = rng.normal(0, 3, (4, 5 * len(names)))
    parts = np.split(z, len(names), axis=1)
    apart = np.hstack([FUNCTIONS[name](part) for name, part in zip(names, parts, strict=True)])
    assert np.array_equal(FUNCTIONS["activate"](z, names), apart)


@pytest.mark.parametrize("scale", [1e-190, 1e-3, 1.0, 1e30])
def test_products_are_sums_of_whole_multiples_without_any_rounding(rng, scale):
    left, weight = rng.normal(0, scale, (3, 50)), rng.normal(0, 0.3 * scale, (50, 7))
    left[:, 10] = np.max(np.abs(left)) * 2.0 ** rng.integers(0, 3, 3)  # at the border of two binades, too
    product = Products()(left, weight)
    assert np.abs(product - left @ weight).max() <= scale**2 * 3e-5
    rounded = round_to_units(left, exact_operations.LEFT), round_to_units(weight, 53 - 22 - 6, axis=0)
    for row in range(3):
        for column in range(7):
            terms = [Fraction(a) * Fraction(b) for a, b in zip(rounded[0][row], rounded[1][:, column], strict=True)]
            assert sum(terms) == Fraction(product[row, column])


def test_the_order_of_terms_changes_no_bit(rng):
    left, weight, order = rng.normal(size=(5, 300)), rng.normal(size=(300, 40)), rng.permutation(300)
    assert np.array_equal(Products()(left, weight), Products()(left[:, order], weight[order]))
    assert np.array_equal(Products()(left, weight)[2:3], Products()(left[2:3], weight))
    assert np.array_equal(FUNCTIONS["normalise"](left)[:, order], FUNCTIONS["normalise"](left[:, order]))


def test_what_is_no_number_becomes_one():
    odd = np.array([np.nan, np.inf, -np.inf])
    for name in ("exp", "log"):
        assert np.isfinite(FUNCTIONS[name](odd)).all()
    assert exact_operations.limit(odd).tolist() == [-1e100, 1e100, -1e100]
    assert Products()(odd[None], np.zeros((3, 2))).tolist() == [[0.0, 0.0]]
    assert Products()(np.zeros((2, 3)), odd[:, None]).tolist() == [[0.0], [0.0]]


def test_no_sign_of_a_zero_counts():
    with np.errstate(divide="ignore"):
        assert FUNCTIONS["divide"](np.ones(2), np.array([0.0, -0.0])).tolist() == [np.inf, np.inf]


def test_constants_do_not_hang_on_the_last_bits_of_a_library():
    for value in (1e-20, 0.1, -2.718281828459045, 1e300):
        near = [round_constant(one) for one in (value, np.nextafter(value, 0.0), np.nextafter(value, 2 * value))]
        assert len(set(near)) == 1
        assert near[0] == pytest.approx(value, rel=1e-9)
    assert [round_constant(value) for value in (0.0, 1.0, -0.5)] == [0.0, 1.0, -0.5]


@contextlib.contextmanager
def in_single_precision():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "sqrt", lambda z: np.float32(z) ** 0.5)
        yield


@contextlib.contextmanager
def with_control_bits(bits: int):
    """Other arithmetic of an x86-64, by bits of its control word (MXCSR), as glibc reads and sets it."""
    libm, environment, place = ctypes.CDLL("libm.so.6"), ctypes.create_string_buffer(32), 28
    libm.fegetenv(environment)
    (word,) = struct.unpack_from("<I", environment, place)
    try:
        struct.pack_into("<I", environment, place, word | bits)
        libm.fesetenv(environment)
        yield
    finally:
        struct.pack_into("<I", environment, place, word)
        libm.fesetenv(environment)


ARITHMETICS = {"single precision": in_single_precision}
BITS = {"no tiny results": 0x8000, "no tiny factors": 0x40, "neither": 0x8040, "rounded up": 0x4000}
if (platform.machine(), platform.libc_ver()[0]) == ("x86_64", "glibc"):
    ARITHMETICS |= {name: functools.partial(with_control_bits, bits) for name, bits in BITS.items()}


@pytest.mark.parametrize("arithmetic", ARITHMETICS.values(), ids=ARITHMETICS)
def test_arithmetic_of_another_kind_is_refused(arithmetic):
    exact_operations.check_arithmetic()
    with arithmetic(), pytest.raises(Inexact) as error:
        exact_operations.check_arithmetic()
    exact_operations.check_arithmetic()
    assert str(error.value) == (
        "this machine, or a library in this process, does not compute as IEEE 754 asks for: compressed files need "
        "that; try another machine"
    )
