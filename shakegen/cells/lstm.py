"""The LSTM (Hochreiter & Schmidhuber 1997), with a forget gate (Gers, Schmidhuber & Cummins 2000)."""

import numpy as np

from shakegen.cells.cell import Cell, Weight
from shakegen.cells.numpy_step import arrange_gates, constant
from shakegen.cells.operations import activate


class LSTM(Cell):
    """i, f, o = σ(x W + h U + b), g = tanh(x W + h U + b), c = f ⊙ c + i ⊙ g, h = o ⊙ tanh(c)."""

    name, gates, layer = "lstm", ("i", "f", "g", "o"), "shakegen.layers:LSTM"

    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"

    @property
    def state_names(self):
        return ("h", "c")

    def weights(self, inputs):
        starts = ("zeros", "ones", "zeros", "zeros")  # an open forget gate (Jozefowicz et al. 2015)
        return {**super().weights(inputs), "bias": Weight((4 * self.units,), starts)}

    def step(self, x, s, w):
        sigma = self.recurrent_activation
        i, f, g, o = activate(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias, sigma, sigma, self.activation, sigma)
        c = f * s.c + i * g
        (a,) = activate(c, self.activation)
        return {"h": o * a, "c": c, "i": i, "f": f, "g": g, "o": o}

    def numpy_step(self, weights, inputs):
        return LSTMStep(self, weights)


class LSTMStep:
    """c = σ(f) ⊙ c + σ(i) ⊙ tanh(g), h = σ(o) ⊙ tanh(c) (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    The gates stand in the order o i f g, so that g is c's neighbour and (i, f) ⊙ (g, c) is one product.
    """

    output_scale = 0.5

    def __init__(self, cell, weights):
        self.kernel, self.recurrent_kernel, self.input_bias = (
            arrange_gates(weights[name]) for name in ("kernel", "recurrent_kernel", "bias")
        )
        self.recurrent_bias = np.zeros_like(self.input_bias)
        self.initial_memory = weights.get(
            "initial_state_1", np.zeros_like(self.input_bias[: len(self.recurrent_kernel)])
        )

    def bind(self, x, row, h, watched=False):
        split = len(self.recurrent_bias)
        recurrent, memory = row[..., :split], row[..., split:]
        units, one, half = memory.shape[-1], constant(1, h), constant(0.5, h)
        gates, o, i_f = recurrent[..., : 3 * units], recurrent[..., :units], recurrent[..., units : 3 * units]
        g_c = row[..., 3 * units :]
        products = np.empty_like(i_f)
        new, kept = products[..., :units], products[..., units:]
        add, multiply, tanh = np.add, np.multiply, np.tanh

        def advance():
            add(recurrent, x, recurrent)
            tanh(recurrent, recurrent)
            add(gates, one, gates)
            multiply(i_f, g_c, products)
            add(new, kept, memory)
            multiply(memory, half, memory)
            tanh(memory, h)
            multiply(h, o, h)

        i, f, g = (recurrent[..., k * units : (k + 1) * units] for k in (1, 2, 3))
        return [(advance, ())], {"i": (i, 0.5), "f": (f, 0.5), "o": (o, 0.5), "g": (g, 1), "c": (memory, 1), "h": (h, 0.5)}
