"""The simple recurrent network (Elman 1990, "Finding structure in time")."""

from types import MappingProxyType

import numpy as np

from shakegen.cells.cell import Cell, Weight, option
from shakegen.cells.numpy_step import constant
from shakegen.cells.operations import activate


class RNN(Cell):
    """h = a(x W + h U + b), a being tanh, or relu, which starts with U = 1 (the IRNN of Le, Jaitly & Hinton 2015)."""

    name, gates, layer = "rnn", ("h",), "shakegen.layers:SimpleRNN"
    presets = MappingProxyType({"irnn": {"activation": "relu"}})

    activation: str = option("tanh", choices=("tanh", "relu"), help="Activation.")

    def weights(self, inputs):
        start = "identity" if self.activation == "relu" else "orthogonal"
        return {**super().weights(inputs), "recurrent_kernel": Weight((self.units, self.units), start)}

    def step(self, x, s, w):
        (h,) = activate(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias, self.activation)
        return {"h": h}

    def numpy_step(self, weights, inputs):
        return RNNStep(self, weights)


class RNNStep:
    """h = φ(x W + h U + b), φ being tanh, or max(0, ·) (Elman 1990; Le et al. 2015)."""

    output_scale = 1.0

    def __init__(self, cell, weights):
        self.kernel, self.recurrent_kernel, self.input_bias = (
            weights[name] for name in ("kernel", "recurrent_kernel", "bias")
        )
        self.recurrent_bias = np.zeros_like(self.input_bias)
        self.rectified, self.initial_memory = cell.activation == "relu", self.input_bias[:0]

    def bind(self, x, row, h, watched=False):
        split = len(self.recurrent_bias)
        recurrent, memory = row[..., :split], row[..., split:]
        add, tanh, maximum, zero = np.add, np.tanh, np.maximum, constant(0, h)

        def advance():
            add(recurrent, x, recurrent)
            tanh(recurrent, h)

        def advance_rectified():
            add(recurrent, x, recurrent)
            maximum(recurrent, zero, out=h)

        return [(advance_rectified if self.rectified else advance, ())], {"h": (h, 1)}
