"""The Nested LSTM (Moniz & Krueger 2017, "Nested LSTMs", https://arxiv.org/abs/1801.10308)."""

from types import MappingProxyType

import numpy as np

from shakegen.cells.cell import Cell, Weight, option
from shakegen.cells.numpy_step import arrange_gates, constant, pad_product, product_of
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

    @property
    def levels(self):
        return self.depth

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

    def numpy_step(self, weights, inputs):
        return NLSTMStep(self, weights)


class NLSTMStep:
    """An LSTM whose memory is the output of an LSTM, and so on inwards (Moniz & Krueger 2017).

    Level d receives x̃ and h̃; i, f, o = σ(x̃ W + h̃ U + b), g the same without σ, but tanh inside the outermost level.
    The next level inwards receives x̃ = i ⊙ g and h̃ = f ⊙ c; the innermost adds the two. On the way out, c becomes the
    output of the inner level, and o ⊙ tanh(c) is the output of this level.
    """

    output_scale = 0.5

    def __init__(self, cell, weights):
        self.kernel, self.recurrent_kernel, self.input_bias = (
            arrange_gates(weights[name]) for name in ("kernel", "recurrent_kernel", "bias")
        )
        self.recurrent_bias = np.zeros_like(self.input_bias)
        zeros = np.zeros_like(self.input_bias[: len(self.recurrent_kernel)])
        levels = range(cell.depth)
        self.initial_memory = np.concatenate([weights.get(f"initial_state_{level + 1}", zeros) for level in levels])
        self.inner = [
            pad_product(
                np.vstack(
                    [
                        arrange_gates(weights[f"kernel_{level}"]) / 2,
                        arrange_gates(weights[f"recurrent_kernel_{level}"]) / 2,
                        arrange_gates(weights[f"bias_{level}"]),
                    ]
                )
            )
            for level in levels[1:]
        ]

    def bind(self, recurrent, memory, h):
        units, one, half = recurrent.shape[-1] // 4, constant(1, h), constant(0.5, h)
        add, multiply, tanh, matmul = np.add, np.multiply, np.tanh, product_of(h)
        memories = [memory[..., d * units : (d + 1) * units] for d in range(len(self.inner) + 1)]
        pre_activations, received, gates, inwards, outwards = [recurrent], [], [], [], [h, *memories[:-1]]
        for c, inner in zip(memories, [*self.inner, np.empty((2 * units, 0))], strict=True):
            pre = pre_activations[-1]
            parts, inner_pre = (np.ones((*c.shape[:-1], width), h.dtype) for width in inner.shape)
            i, f, g = (pre[..., k * units : (k + 1) * units] for k in (1, 2, 3))
            gates.append((pre[..., : 3 * units], pre[..., :units], g))
            inwards.append(((i, g, parts[..., :units]), (f, c, parts[..., units : 2 * units])))
            received.append(parts)
            pre_activations.append(inner_pre)
        innermost = memories[-1]
        (_, _, new), (_, _, kept) = inwards[-1]

        def advance(x):
            add(recurrent, x, recurrent)
            for level, (sigmoids, _, g) in enumerate(gates):
                if level:
                    matmul(received[level - 1], self.inner[level - 1], pre_activations[level])
                    tanh(g, g)
                tanh(sigmoids, sigmoids)
                add(sigmoids, one, sigmoids)
                for factors in inwards[level]:
                    multiply(*factors)
            add(new, kept, innermost)
            multiply(innermost, half, innermost)
            for level in reversed(range(len(gates))):
                tanh(memories[level], outwards[level])
                multiply(outwards[level], gates[level][1], outwards[level])
                if level:
                    multiply(outwards[level], half, outwards[level])

        views: dict[str, tuple[np.ndarray, float]] = {}
        for level, (pre, c) in enumerate(zip(pre_activations, memories)):
            o, i, f, g = (pre[..., k * units : (k + 1) * units] for k in range(4))
            shown = {"i": (i, 0.5), "f": (f, 0.5), "o": (o, 0.5), "g": (g, 1), "c": (c, 1)}
            views |= {f"{name}{level}": view for name, view in shown.items()}
        return advance, {**views, "h": (h, 0.5)}
