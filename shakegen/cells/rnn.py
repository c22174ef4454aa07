"""The simple recurrent network (Elman 1990, "Finding structure in time")."""

from types import MappingProxyType

from shakegen.cells.cell import Cell, Weight, option
from shakegen.cells.operations import activate


class RNN(Cell):
    """h = a(x W + h U + b), a being tanh, or relu, which starts with U = 1 (the IRNN of Le, Jaitly & Hinton 2015)."""

    name, gates, layer = "rnn", ("h",), "shakegen.layers:SimpleRNN"
    presets = MappingProxyType({"irnn": {"activation": "relu"}})

    activation: str = option("tanh", choices=("tanh", "relu"), help="Activation of the candidate.")

    def weights(self, inputs):
        start = "identity" if self.activation == "relu" else "orthogonal"
        return {**super().weights(inputs), "recurrent_kernel": Weight((self.units, self.units), start)}

    def step(self, x, s, w):
        (h,) = activate(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias, self.activation)
        return {"h": h}
