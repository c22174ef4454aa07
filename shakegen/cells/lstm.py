"""The LSTM (Hochreiter & Schmidhuber 1997), with a forget gate (Gers, Schmidhuber & Cummins 2000)."""

from shakegen.cells.cell import Cell, Weight
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
