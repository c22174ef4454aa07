"""The minimal LSTM (Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, "Were RNNs All We Needed?", arXiv 2410.01201)."""

from shakegen.cells.cell import Cell, Weight, option
from shakegen.cells.mingru import make_positive
from shakegen.cells.operations import sigmoid, softplus, split


class MinLSTM(Cell):
    """f, i = σ(x W + b), f′ = f / (f + i), i′ = i / (f + i), h = f′ ⊙ h + i′ ⊙ (x W + b): gates that sum to one.

    With z_f and z_i before σ, f′ = σ(log f - log i) = σ(softplus(-z_i) - softplus(-z_f)), which never divides by zero.
    The paper's networks have a convolution before the recurrence and a perceptron after it. The cell is the recurrence
    alone; `cells.block` has such a block.
    """

    name, gates, layer = "minlstm", ("f", "i", "h"), "shakegen.layers:MinLSTM"

    positive: bool = option(False, help="A positive candidate, as in log space.")

    def weights(self, inputs):
        return {"kernel": Weight((inputs, 3 * self.units)), "bias": Weight((3 * self.units,), "zeros")}

    def step(self, x, s, w):
        f, i, g = split(x @ w.kernel + w.bias, 3)
        f, g = sigmoid(softplus(-i) - softplus(-f)), make_positive(g) if self.positive else g
        i = 1 - f
        return {"h": f * s.h + i * g, "f": f, "i": i, "g": g}
