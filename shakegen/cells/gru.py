"""The gated recurrent unit (Cho et al. 2014, https://arxiv.org/abs/1406.1078)."""

from types import MappingProxyType

from shakegen.cells.cell import Cell, Weight, option
from shakegen.cells.operations import activate, rows, split


class GRU(Cell):
    """z, r = σ(x W + h U + b), g = tanh(x W + r ⊙ (h U + b)), h = z ⊙ h + (1 - z) ⊙ g, with a bias for x and one for h.

    As first published, with reset_after=False, g = tanh(x W + (r ⊙ h) U + b), with one bias.
    """

    name, gates, layer = "gru", ("z", "r", "g"), "shakegen.layers:GRU"
    study = MappingProxyType({"reset_after": False})

    reset_after: bool = option(
        True, flag="--reset-after/--reset-before", help="Reset after the recurrent product, as cuDNN has it, or before."
    )
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"

    def weights(self, inputs):
        gates = 3 * self.units
        return {**super().weights(inputs), "bias": Weight((2, gates) if self.reset_after else (gates,), "zeros")}

    def step(self, x, s, w):
        widths = [2 * self.units, self.units]
        b_x, b_h = rows(w.bias) if self.reset_after else (w.bias, None)
        x_gates, x_candidate = split(x @ w.kernel + b_x, widths)
        if self.reset_after:
            h_gates, h_candidate = split(s.h @ w.recurrent_kernel + b_h, widths)
        else:
            U_gates, U_candidate = split(w.recurrent_kernel, widths)
            h_gates = s.h @ U_gates
        z, r = activate(x_gates + h_gates, self.recurrent_activation, self.recurrent_activation)
        reset = r * h_candidate if self.reset_after else (r * s.h) @ U_candidate
        (g,) = activate(x_candidate + reset, self.activation)
        return {"h": g + z * (s.h - g), "z": z, "r": r, "g": g}
