"""The array operations that a cell's equations are made of: on symbols they are written down, on arrays computed.

Beside these functions the operators `+ - * /` and `@` serve, and constants. Shapes, for N sequences: inputs, states and
all that comes of them are (N, width), matrices (a, b), vectors (b,).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np


class CellError(ValueError):
    """A cell's equations are wrong; the message names the cell and the line to mend."""


def sigmoid_of(z):
    """The logistic function of an array: ½ + ½ tanh(z/2), which overflows nowhere."""
    return 0.5 + 0.5 * np.tanh(0.5 * z)


def activate_array(z, names):
    """Blocks side by side, each by its own activation."""
    blocks = np.split(z, len(names), axis=-1)
    return np.concatenate([NUMPY[name](block) for name, block in zip(names, blocks, strict=True)], axis=-1)


def normalise_array(z):
    """An array whose last axis has mean 0 and variance 1."""
    z = z - z.mean(axis=-1, keepdims=True)
    return z / np.sqrt((z * z).mean(axis=-1, keepdims=True) + VARIANCE)


def differentiate_normalised(z, d):
    """The gradient by an array z, from the gradient d by `normalise_array(z)`."""
    z = z - z.mean(axis=-1, keepdims=True)
    scale = 1 / np.sqrt((z * z).mean(axis=-1, keepdims=True) + VARIANCE)
    y = z * scale
    return scale * (d - d.mean(axis=-1, keepdims=True) - y * (d * y).mean(axis=-1, keepdims=True))


VARIANCE = 1e-5  # is added to variances, which may be 0
ACTIVATIONS = ("tanh", "sigmoid", "relu", "linear")
NUMPY: Mapping[str, Callable] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "maximum": np.maximum,
    "matmul": np.matmul,
    "matmul_transposed": lambda a, b: a @ b.T,
    "tanh": np.tanh,
    "sigmoid": sigmoid_of,
    "relu": lambda z: np.maximum(z, 0),
    "linear": lambda z: z,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "softplus": lambda z: np.logaddexp(z, 0).astype(getattr(z, "dtype", float)),
    "normalise": normalise_array,
    "normalise_gradient": differentiate_normalised,
    "positive": lambda z: (z > 0).astype(z.dtype),
    "zeros": lambda z, width: np.zeros((*z.shape[:-1], width), z.dtype),
    "part": lambda z, start, stop: z[..., start:stop],
    "row": lambda z, number: z[number],
    "concat": lambda *blocks: np.concatenate(blocks, axis=-1),
    "activate": activate_array,
}


def apply(operation: str, *arguments, **attributes):
    """An operation on symbols, which gives a symbol, or on numpy arrays, which gives an array."""
    for argument in arguments:
        if hasattr(argument, "apply"):
            return argument.apply(operation, *arguments, **attributes)
    return NUMPY[operation](*arguments, **attributes)


def tanh(z):
    """The hyperbolic tangent."""
    return apply("tanh", z)


def sigmoid(z):
    """The logistic function σ(z) = 1 / (1 + exp(-z))."""
    return apply("sigmoid", z)


def relu(z):
    """The larger of z and 0."""
    return apply("relu", z)


def exp(z):
    """e to the power of z."""
    return apply("exp", z)


def log(z):
    """The natural logarithm."""
    return apply("log", z)


def sqrt(z):
    """The square root."""
    return apply("sqrt", z)


def softplus(z):
    """log(1 + exp(z))."""
    return apply("softplus", z)


def maximum(a, b):
    """The larger of two numbers, elementwise."""
    return apply("maximum", a, b)


def normalise(z):
    """z with mean 0 and variance 1 over its width (Ba, Kiros & Hinton 2016, arXiv 1607.06450)."""
    return apply("normalise", z)


def concat(*blocks):
    """Blocks side by side: widths a, b … give one of width a + b + …"""
    return apply("concat", *blocks)


def rows(matrix):
    """The rows of a matrix (a, b), as vectors (b,)."""
    return [apply("row", matrix, number=number) for number in range(matrix.shape[0])]


def split(z, parts: int | Sequence[int]):
    """Blocks of the last axis, side by side: so many of one width, or some of these widths.

    Raises:
        CellError: they do not add up to the width of z.
    """
    width, parts = z.shape[-1], int(parts) if isinstance(parts, np.integer) else parts
    if isinstance(parts, int) and parts < 1:
        raise CellError(f"{parts} parts are none: expected 1 or more")
    widths = [width // parts] * parts if isinstance(parts, int) else list(parts)
    if sum(widths) != width or min(widths) < 0:
        wanted = f"{parts} equal parts" if isinstance(parts, int) else f"parts of {', '.join(map(str, widths))}"
        raise CellError(f"a width of {width} does not split into {wanted}")
    if len(widths) == 1:
        return [z]
    ends = np.cumsum(widths).tolist()
    return [apply("part", z, start=end - width, stop=end) for end, width in zip(ends, widths, strict=True)]


def activate(z, *names: str):
    """Gates side by side, each by its own activation (tanh, sigmoid, relu or linear), as one block each.

    It is `split` and then an activation for each block, in one operation: a tanh serves all of them.

    Raises:
        CellError: an activation is unknown, or the gates do not split z equally.
    """
    for name in names:
        if name not in ACTIVATIONS:
            raise CellError(f"there is no activation {name!r}: expected one of {', '.join(ACTIVATIONS)}")
    if z.shape[-1] % len(names):
        raise CellError(f"a width of {z.shape[-1]} does not split into {len(names)} equal parts")
    return split(apply("activate", z, names=tuple(names)), len(names))
