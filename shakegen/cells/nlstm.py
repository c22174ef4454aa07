"""The Nested LSTM (Moniz & Krueger 2017, "Nested LSTMs", https://arxiv.org/abs/1801.10308)."""

from types import MappingProxyType

from shakegen.cells.cell import Cell, Weight, option
from shakegen.cells.operations import activate


class NLSTM(Cell):
    """An LSTM whose memory is the output of an LSTM, and so on inwards; level 0 is the outermost of D.

    A level receives x̃ and h̃: i, f, o = σ(x̃ W + h̃ U + b), and g = x̃ W + h̃ U + b, linear at level 0, its tanh inside. The
    next level inwards receives x̃ = i ⊙ g and h̃ = f ⊙ c and gives c; the innermost has c = i ⊙ g + f ⊙ c. Every level
    gives o ⊙ tanh(c).
    """

    name, gates, layer = "nlstm", ("i", "f", "g", "o"), "shakegen.layers:NLSTM"
    study = MappingProxyType({"layers": 1})

    depth: int = option(2, least=1, help="Nested memories.")
    cell_activation: str = "linear"
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"

    @property
    def state_names(self):
        return ("h", *(f"c{level}" for level in range(self.depth)))

    def weights(self, inputs):
        levels = [super(NLSTM, self).weights(self.units if level else inputs) for level in range(self.depth)]
        starts = ("zeros", "ones", "zeros", "zeros")  # an open forget gate (Jozefowicz et al. 2015)
        for weights in levels:
            weights["bias"] = Weight(weights["bias"].shape, starts)
        return {f"{name}_{k}" if k else name: w for k, level in enumerate(levels) for name, w in level.items()}

    def step(self, x, s, w):
        h, sigma = s.h, self.recurrent_activation
        shown: dict = {}
        for level in range(self.depth):
            W, U, b = (w[f"{name}_{level}" if level else name] for name in ("kernel", "recurrent_kernel", "bias"))
            candidate = self.activation if level else self.cell_activation
            i, f, g, o = activate(x @ W + h @ U + b, sigma, sigma, candidate, sigma)
            x, h = i * g, f * s[f"c{level}"]
            shown |= {f"i{level}": i, f"f{level}": f, f"g{level}": g, f"o{level}": o}
        output, memories = x + h, {}
        for level in reversed(range(self.depth)):
            memories[f"c{level}"] = output
            (a,) = activate(output, self.activation)
            output = shown[f"o{level}"] * a
        return {"h": output, **memories, **shown}
