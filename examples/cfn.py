"""A recurrent unit of one's own: the chaos-free network (Laurent & von Brecht 2017, arXiv 1612.06212).

shakegen train sonnets --cell cfn:CFN           # in this folder
SHAKEGEN_CELLS=cfn:CFN shakegen sample --seed "shall i"
"""

from shakegen.cells import Cell, Weight, activate, split, tanh


class CFN(Cell):
    """f, i = σ(x W + h U + b), h = f ⊙ tanh(h) + i ⊙ tanh(x W): without input, its state only fades."""

    name, gates = "cfn", ("f", "i", "g")

    def weights(self, inputs):
        return {
            "kernel": Weight((inputs, 3 * self.units)),
            "recurrent_kernel": Weight((self.units, 2 * self.units), "orthogonal"),
            "bias": Weight((2 * self.units,), ("ones", "zeros")),
        }

    def step(self, x, s, w):
        gates, g = split(x @ w.kernel, [2 * self.units, self.units])
        f, i = activate(gates + s.h @ w.recurrent_kernel + w.bias, "sigmoid", "sigmoid")
        return {"h": f * tanh(s.h) + i * tanh(g), "f": f, "i": i}
