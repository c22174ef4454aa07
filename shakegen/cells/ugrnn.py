"""The update gate RNN (Collins, Sohl-Dickstein & Sussillo 2017, arXiv 1611.09913)."""

from shakegen.cells.cell import Cell, Weight
from shakegen.cells.operations import activate


class UGRNN(Cell):
    """g = σ(x W + h U + b), c = tanh(x W + h U + b), h = g ⊙ h + (1 - g) ⊙ c.

    The bias of g starts at 1, so that the unit begins by remembering: the constant that the paper adds there.
    """

    name, gates, layer = "ugrnn", ("g", "c"), "shakegen.layers:UGRNN"

    def weights(self, inputs):
        return {**super().weights(inputs), "bias": Weight((2 * self.units,), ("ones", "zeros"))}

    def step(self, x, s, w):
        g, c = activate(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias, "sigmoid", "tanh")
        return {"h": g * s.h + (1 - g) * c, "g": g, "c": c}
