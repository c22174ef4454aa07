"""The minimal GRU (Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, "Were RNNs All We Needed?", arXiv 2410.01201)."""

from shakegen.cells.cell import Cell, Weight, option
from shakegen.cells.operations import relu, sigmoid, split


class MinGRU(Cell):
    """z = σ(x W + b), h̃ = x W + b, h = (1 - z) ⊙ h + z ⊙ h̃: a GRU whose gates do not read h.

    With `positive` the candidate passes through g(h̃) = h̃ + ½ where h̃ ≥ 0, σ(h̃) elsewhere, as in the paper's form in
    log space. The paper's networks have a convolution before the recurrence and a perceptron after it. The cell is the
    recurrence alone; `cells.block` has such a block.
    """

    name, gates, layer = "mingru", ("z", "h"), "shakegen.layers:MinGRU"

    positive: bool = option(False, help="A positive candidate, as in log space.")

    def weights(self, inputs):
        return {"kernel": Weight((inputs, 2 * self.units)), "bias": Weight((2 * self.units,), "zeros")}

    def step(self, x, s, w):
        z, g = split(x @ w.kernel + w.bias, 2)
        z, g = sigmoid(z), make_positive(g) if self.positive else g
        return {"h": (1 - z) * s.h + z * g, "z": z, "g": g}


def make_positive(z):
    """g(z) = z + ½ where z ≥ 0, σ(z) elsewhere: positive, steady and increasing (appendix B of the paper)."""
    above = relu(z)
    return above + sigmoid(z - above)
