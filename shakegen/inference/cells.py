"""One step of every cell, in numpy, on memory that is laid out once.

A cell is made from its layer's weights and gives the engine what its one matrix product per step needs: `kernel` and
`input_bias`, which make its input x, and `recurrent_kernel` and `recurrent_bias`, which make, from its output h, the
recurrent part of the pre-activations for the next step; h is `output_scale` times what the cell writes. Beside these,
the state has a memory that starts as `initial_memory`. `bind` lays views over all of it and gives the function that
advances the cell by one step, and what may be read between such a step and the product that follows it: by the letters
of the equations, gates, candidates, memories and h, each as an array and the factor that it is to be multiplied by.

A sigmoid is ½ + ½ tanh(x/2) with the inner ½ folded into the weights, so that one tanh covers all gates.
"""

import numpy as np


class Rnn:
    """h = φ(x W + h U + b), φ being tanh, or max(0, ·) (Elman 1990; Le et al. 2015)."""

    output_scale = 1.0

    def __init__(self, weights, config):
        self.kernel, self.recurrent_kernel, self.input_bias = (
            weights[name] for name in ("kernel", "recurrent_kernel", "bias")
        )
        self.recurrent_bias = np.zeros_like(self.input_bias)
        self.rectified, self.initial_memory = config.activation == "relu", self.input_bias[:0]

    def bind(self, recurrent, memory, h):
        add, tanh, maximum, zero = np.add, np.tanh, np.maximum, constant(0, h)

        def advance(x):
            add(recurrent, x, recurrent)
            tanh(recurrent, h)

        def advance_rectified(x):
            add(recurrent, x, recurrent)
            maximum(recurrent, zero, out=h)

        return advance_rectified if self.rectified else advance, {"h": (h, 1)}


class Lstm:
    """c = σ(f) ⊙ c + σ(i) ⊙ tanh(g), h = σ(o) ⊙ tanh(c) (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    The gates stand in the order o i f g, so that g is c's neighbour and (i, f) ⊙ (g, c) is one product.
    """

    output_scale = 0.5

    def __init__(self, weights, config):
        self.kernel, self.recurrent_kernel, self.input_bias = (
            arranged(weights[name]) for name in ("kernel", "recurrent_kernel", "bias")
        )
        self.recurrent_bias = np.zeros_like(self.input_bias)
        self.initial_memory = weights.get(
            "initial_state_1", np.zeros_like(self.input_bias[: len(self.recurrent_kernel)])
        )

    def bind(self, recurrent, memory, h):
        units, one, half = memory.shape[-1], constant(1, h), constant(0.5, h)
        gates, o, i_f = recurrent[..., : 3 * units], recurrent[..., :units], recurrent[..., units : 3 * units]
        g_c = spanning(recurrent[..., 3 * units :], memory)
        products = np.empty_like(i_f)
        new, kept = products[..., :units], products[..., units:]
        add, multiply, tanh = np.add, np.multiply, np.tanh

        def advance(x):
            add(recurrent, x, recurrent)
            tanh(recurrent, recurrent)
            add(gates, one, gates)
            multiply(i_f, g_c, products)
            add(new, kept, memory)
            multiply(memory, half, memory)
            tanh(memory, h)
            multiply(h, o, h)

        i, f, g = (recurrent[..., k * units : (k + 1) * units] for k in (1, 2, 3))
        return advance, {"i": (i, 0.5), "f": (f, 0.5), "o": (o, 0.5), "g": (g, 1), "c": (memory, 1), "h": (h, 0.5)}


class Nlstm:
    """An LSTM whose memory is the output of an LSTM, and so on inwards (Moniz & Krueger 2017).

    Level d receives x̃ and h̃; i, f, o = σ(x̃ W + h̃ U + b), g the same without σ, but tanh inside the outermost level.
    The next level inwards receives x̃ = i ⊙ g and h̃ = f ⊙ c; the innermost adds the two. Going back out, c becomes what
    the inner level gives, and o ⊙ tanh(c) is what this level gives.
    """

    output_scale = 0.5

    def __init__(self, weights, config):
        self.kernel, self.recurrent_kernel, self.input_bias = (
            arranged(weights[name]) for name in ("kernel", "recurrent_kernel", "bias")
        )
        self.recurrent_bias = np.zeros_like(self.input_bias)
        zeros = np.zeros_like(self.input_bias[: len(self.recurrent_kernel)])
        levels = range(config.depth)
        self.initial_memory = np.concatenate([weights.get(f"initial_state_{level + 1}", zeros) for level in levels])
        self.inner = [
            np.vstack(
                [
                    arranged(weights[f"kernel_{level}"]) / 2,
                    arranged(weights[f"recurrent_kernel_{level}"]) / 2,
                    arranged(weights[f"bias_{level}"]),
                ]
            )
            for level in levels[1:]
        ]

    def bind(self, recurrent, memory, h):
        units, one, half = recurrent.shape[-1] // 4, constant(1, h), constant(0.5, h)
        add, multiply, tanh, matmul = np.add, np.multiply, np.tanh, product_of(h)
        memories = [memory[..., d * units : (d + 1) * units] for d in range(len(self.inner) + 1)]
        pre_activations, received, gates, inwards, outwards = [recurrent], [], [], [], [h, *memories[:-1]]
        for c in memories:
            pre = pre_activations[-1]
            parts = np.ones((*c.shape[:-1], 2 * units + 1), h.dtype)
            i, f, g = (pre[..., k * units : (k + 1) * units] for k in (1, 2, 3))
            gates.append((pre[..., : 3 * units], pre[..., :units], g))
            inwards.append(((i, g, parts[..., :units]), (f, c, parts[..., units : 2 * units])))
            received.append(parts)
            pre_activations.append(np.empty_like(pre))
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

        views = {}
        for level, (pre, c) in enumerate(zip(pre_activations, memories)):
            o, i, f, g = (pre[..., k * units : (k + 1) * units] for k in range(4))
            shown = {"i": (i, 0.5), "f": (f, 0.5), "o": (o, 0.5), "g": (g, 1), "c": (c, 1)}
            views |= {f"{name}{level}": view for name, view in shown.items()}
        return advance, {**views, "h": (h, 0.5)}


class Gru:
    """h = z ⊙ h + (1 - z) ⊙ tanh(x W + r ⊙ (h U + b)) (Cho et al. 2014; the reset gate after the product)."""

    output_scale = 1.0

    def __init__(self, weights, config):
        halves = np.repeat(np.array([0.5, 0.5, 1], weights["kernel"].dtype), len(weights["recurrent_kernel"]))
        self.kernel, self.input_bias = weights["kernel"] * halves, weights["bias"][0] * halves
        self.recurrent_kernel, self.recurrent_bias = weights["recurrent_kernel"] / 2, weights["bias"][1] / 2
        self.initial_memory = weights.get("initial_state_0", np.zeros_like(self.recurrent_kernel[:, 0]))

    def bind(self, recurrent, memory, h):
        units, one, half = memory.shape[-1], constant(1, h), constant(0.5, h)
        gates, inner = recurrent[..., : 2 * units], recurrent[..., 2 * units :]
        z, r = gates[..., :units], gates[..., units:]
        add, multiply, subtract, tanh, copyto = np.add, np.multiply, np.subtract, np.tanh, np.copyto

        def advance(x):
            add(gates, x[..., : 2 * units], gates)
            tanh(gates, gates)
            add(gates, one, gates)
            multiply(r, inner, inner)
            add(inner, x[..., 2 * units :], inner)
            tanh(inner, inner)
            subtract(memory, inner, memory)
            multiply(memory, z, memory)
            multiply(memory, half, memory)
            add(memory, inner, memory)
            copyto(h, memory)

        return advance, {"z": (z, 0.5), "r": (r, 0.5), "g": (inner, 1), "h": (h, 1)}


class GruResetBefore:
    """h = z ⊙ h + (1 - z) ⊙ tanh(x W + (r ⊙ h) U + b) (Cho et al. 2014; the reset gate before the product)."""

    output_scale = 1.0

    def __init__(self, weights, config):
        units = len(weights["recurrent_kernel"])
        halves = np.repeat(np.array([0.5, 0.5, 1], weights["kernel"].dtype), units)
        self.kernel, self.input_bias = weights["kernel"] * halves, weights["bias"] * halves
        self.recurrent_kernel = weights["recurrent_kernel"][:, : 2 * units] / 2
        self.recurrent_bias = np.zeros_like(self.recurrent_kernel[0])
        self.candidate_kernel = np.ascontiguousarray(weights["recurrent_kernel"][:, 2 * units :]) / 2
        self.initial_memory = weights.get("initial_state_0", np.zeros_like(self.candidate_kernel[0]))

    def bind(self, recurrent, memory, h):
        units, one, half = memory.shape[-1], constant(1, h), constant(0.5, h)
        z, r = recurrent[..., :units], recurrent[..., units:]
        kept, candidate = np.empty((2, *memory.shape), h.dtype)
        add, multiply, subtract, tanh, copyto = np.add, np.multiply, np.subtract, np.tanh, np.copyto
        matmul, candidate_kernel = product_of(h), self.candidate_kernel

        def advance(x):
            add(recurrent, x[..., : 2 * units], recurrent)
            tanh(recurrent, recurrent)
            add(recurrent, one, recurrent)
            multiply(r, memory, kept)
            matmul(kept, candidate_kernel, candidate)
            add(candidate, x[..., 2 * units :], candidate)
            tanh(candidate, candidate)
            subtract(memory, candidate, memory)
            multiply(memory, z, memory)
            multiply(memory, half, memory)
            add(memory, candidate, memory)
            copyto(h, memory)

        return advance, {"z": (z, 0.5), "r": (r, 0.5), "g": (candidate, 1), "h": (h, 1)}


def cell_of(config, weights):
    """The cell of a layer: `config` has the fields of `Config`, `weights` those of the layer, by name."""
    before = config.cell == "gru" and not config.reset_after
    kind = GruResetBefore if before else {"rnn": Rnn, "lstm": Lstm, "gru": Gru, "nlstm": Nlstm}[config.cell]
    return kind(weights, config)


def arranged(weights: np.ndarray) -> np.ndarray:
    """Keras's gates i f g o in the order o i f g, halved but for g."""
    i, f, g, o = np.split(weights, 4, axis=-1)
    return np.concatenate([o / 2, i / 2, f / 2, g], axis=-1)


def product_of(like: np.ndarray):
    """The quickest matrix product for one stream or for several."""
    return np.dot if like.ndim == 1 else np.matmul


def constant(value: float, like: np.ndarray) -> np.ndarray:
    """A scalar as an array: numpy converts a Python number anew in every call."""
    return np.array(value, like.dtype)


def spanning(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """One view over two views that are neighbours in the last axis of one array."""
    width = left.shape[-1] + right.shape[-1]
    return np.lib.stride_tricks.as_strided(left, (*left.shape[:-1], width), left.strides)
