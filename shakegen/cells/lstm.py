"""The LSTM (Hochreiter & Schmidhuber 1997), with a forget gate (Gers, Schmidhuber & Cummins 2000)."""

import numpy as np

from shakegen.cells.cell import Cell, Weight, option
from shakegen.cells.numpy_step import arrange_gates, constant, join_neighbours
from shakegen.cells.operations import activate, normalise


class LSTM(Cell):
    """i, f, o = σ(x W + h U + b), g = tanh(x W + h U + b), c = f ⊙ c + i ⊙ g, h = o ⊙ tanh(c).

    With `layer_norm`, x W, h U and the c in tanh(c) are normalised over their width and scaled, and this c is shifted
    (Ba, Kiros & Hinton 2016, "Layer Normalization", arXiv 1607.06450, supplementary material).
    """

    name, gates, layer = "lstm", ("i", "f", "g", "o"), "shakegen.layers:LSTM"

    layer_norm: bool = option(False, help="Normalise pre-activations over the units.")
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"

    @property
    def state_names(self):
        return ("h", "c")

    def weights(self, inputs):
        starts = ("zeros", "ones", "zeros", "zeros")  # an open forget gate (Jozefowicz et al. 2015)
        weights = {**super().weights(inputs), "bias": Weight((4 * self.units,), starts)}
        if self.layer_norm:
            scales = dict.fromkeys(("kernel_scale", "recurrent_scale"), Weight((4 * self.units,), "ones"))
            memory = {"memory_scale": Weight((self.units,), "ones"), "memory_shift": Weight((self.units,), "zeros")}
            weights |= {**scales, **memory}
        return weights

    def step(self, x, s, w):
        sigma = self.recurrent_activation
        z_x, z_h = x @ w.kernel, s.h @ w.recurrent_kernel
        if self.layer_norm:
            z_x, z_h = normalise(z_x) * w.kernel_scale, normalise(z_h) * w.recurrent_scale
        i, f, g, o = activate(z_x + w.bias + z_h, sigma, sigma, self.activation, sigma)
        c = f * s.c + i * g
        (a,) = activate(normalise(c) * w.memory_scale + w.memory_shift if self.layer_norm else c, self.activation)
        return {"h": o * a, "c": c, "i": i, "f": f, "g": g, "o": o}

    def numpy_step(self, weights, inputs):
        return super().numpy_step(weights, inputs) if self.layer_norm else LSTMStep(self, weights)


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

    def bind(self, recurrent, memory, h):
        units, one, half = memory.shape[-1], constant(1, h), constant(0.5, h)
        gates, o, i_f = recurrent[..., : 3 * units], recurrent[..., :units], recurrent[..., units : 3 * units]
        g_c = join_neighbours(recurrent[..., 3 * units :], memory)
        products = np.empty_like(i_f)
        new, kept = products[..., :units], products[..., units:]
        add, multiply, tanh = np.add, np.multiply, np.tanh

        def advance(x):
            add(recurrent, x, recurrent)
            tanh(recurrent, recurrent)
            add(gates, one, gates)
            multiply(i_f, g_c, products)
            add(new, kept, memory)
            multiply(memory, half, memory)
            tanh(memory, h)
            multiply(h, o, h)

        i, f, g = (recurrent[..., k * units : (k + 1) * units] for k in (1, 2, 3))
        return advance, {"i": (i, 0.5), "f": (f, 0.5), "o": (o, 0.5), "g": (g, 1), "c": (memory, 1), "h": (h, 0.5)}
