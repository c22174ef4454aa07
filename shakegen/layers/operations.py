"""The operations of a cell's equations in Keras, for any backend; `tensorflow_operations` has those of the loop."""

import keras
from keras import ops

from shakegen.cells.operations import VARIANCE

ACTIVATIONS = {"tanh": ops.tanh, "sigmoid": ops.sigmoid, "relu": ops.relu, "linear": lambda z: z}


def activate(z, names):
    """Gates side by side, each by its own activation."""
    blocks = ops.split(z, len(names), axis=-1)
    return ops.concatenate([ACTIVATIONS[name](block) for name, block in zip(names, blocks, strict=True)], axis=-1)


def normalise(z):
    """Mean 0 and variance 1 over the width."""
    mean, variance = ops.moments(z, axes=[-1], keepdims=True)
    return (z - mean) * ops.rsqrt(variance + VARIANCE)


KERAS = {
    **ACTIVATIONS,
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "maximum": ops.maximum,
    "matmul": ops.matmul,
    "exp": ops.exp,
    "log": ops.log,
    "sqrt": ops.sqrt,
    "softplus": keras.activations.softplus,
    "normalise": normalise,
    "part": lambda z, start, stop: z[..., start:stop],
    "row": lambda z, number: z[number],
    "concat": lambda *blocks: ops.concatenate(blocks, axis=-1),
    "activate": activate,
}
