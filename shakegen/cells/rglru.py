"""The real-gated linear recurrent unit of Griffin (De, Smith, Fernando et al. 2024, arXiv 2402.19427, section 2.4)."""

import math

from shakegen.cells.cell import Cell, Weight
from shakegen.cells.operations import exp, maximum, sigmoid, softplus, split, sqrt, tanh

SHARPNESS = 8  # c of the paper
LONGEST, SHORTEST = 0.999, 0.01  # shares of h that a step keeps at first, with an open gate r
LEAST = 1e-8  # under the root, whose slope has no bound at 0


class RGLRU(Cell):
    """r, i = σ(x W + b), a = exp(-8 softplus(Λ) ⊙ r), h = a ⊙ h + √(1 - a²) ⊙ (i ⊙ (x W)).

    The paper's block has a projection, a convolution over four steps and a gated branch around the recurrence, and
    gates whose weights are diagonal in blocks. The cell is the recurrence with the projection x W, and its gates read
    all of x. Λ starts so that exp(-8 softplus(Λ)) is spread evenly between 0.01 and 0.999. In the paper it is between
    0.9 and 0.999; without the convolution, such units cannot tell the last steps apart and hardly learn a text.
    `cells.block` has a block with a convolution, without the gated branch.
    """

    name, gates, layer = "rglru", ("r", "i", "x"), "shakegen.layers:RGLRU"

    def weights(self, inputs):
        return {
            "kernel": Weight((inputs, 3 * self.units)),
            "bias": Weight((2 * self.units,), "zeros"),
            "decay": Weight((self.units,), draw_decay),
        }

    def step(self, x, s, w):
        gates, u = split(x @ w.kernel, [2 * self.units, self.units])
        r, i = split(sigmoid(gates + w.bias), 2)
        log_a = -SHARPNESS * softplus(w.decay) * r
        a = exp(log_a)
        rest = -tanh(log_a) * (1 + a * a)  # 1 - a², without the loss of digits where a is nearly 1
        return {"h": a * s.h + sqrt(maximum(rest, LEAST)) * (i * u), "r": r, "i": i, "a": a}


def draw_decay(random, shape):
    """Λ with exp(-8 softplus(Λ)) uniform between 0.01 and 0.999."""
    kept = random.uniform(SHORTEST, LONGEST, shape)
    return [math.log(math.expm1(-math.log(one) / SHARPNESS)) for one in kept]
