"""The sLSTM (Beck, Pöppel, Spanring et al. 2024, "xLSTM: Extended Long Short-Term Memory", arXiv 2405.04517)."""

from shakegen.cells.cell import Cell, Weight, option
from shakegen.cells.operations import exp, maximum, sigmoid, softplus, split, tanh

LEAST = 1e-20  # of the normaliser, where exp(i) underflows


class SLSTM(Cell):
    """An LSTM with an exponential input gate, a normaliser n and a stabiliser m (equations 8 to 17 of the paper).

    z = tanh(x W + h U + b) and o = σ(x W + h U + b). log i is x W + h U + b as well, and f is σ or exp of it.
    m = max(log f + m₋, log i), i′ = exp(log i - m), f′ = exp(log f + m₋ - m), c = f′ ⊙ c + i′ ⊙ z, n = f′ ⊙ n + i′,
    h = o ⊙ c / n. The value of m changes nothing but rounding. In the paper the recurrent weights are diagonal in
    blocks (heads), and a convolution, norms and projections stand around the cell. Here the weights are full, and the
    cell is the recurrence alone; `cells.block` has such a block.
    """

    name, gates, layer = "slstm", ("i", "f", "z", "o"), "shakegen.layers:SLSTM"
    zoned = ("h",)  # c and n mean nothing without their m

    forget: str = option("sigmoid", choices=("sigmoid", "exp"), help="Activation of the forget gate.")

    @property
    def state_names(self):
        return ("h", "c", "n", "m")

    def weights(self, inputs):
        starts = ("zeros", "ones", "zeros", "zeros")  # an open forget gate, as in the LSTM
        return {**super().weights(inputs), "bias": Weight((4 * self.units,), starts)}

    def step(self, x, s, w):
        log_i, f, z, o = split(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias, 4)
        log_f = -softplus(-f) if self.forget == "sigmoid" else f
        z, o = tanh(z), sigmoid(o)
        m = maximum(log_f + s.m, log_i)
        i, f = exp(log_i - m), exp(log_f + s.m - m)
        c, n = f * s.c + i * z, f * maximum(s.n, 0.0) + i  # a start that is learned could be negative
        return {"h": o * c / maximum(n, LEAST), "c": c, "n": n, "m": m, "i": i, "f": f, "z": z, "o": o}
