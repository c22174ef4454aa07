"""Every cell forward along one text and backward for many outputs at once, in numpy.

Forward keeps, for every step, the slopes that the way back multiplies by, shape (T, ·). All outputs share them: going
back, a row of every array belongs to one output, and a step takes all rows at once. Gates stand in Keras's order.
"""

import numpy as np


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * z)


class Cell:
    """One recurrent layer. A subclass has `states`, `advance` and `retreat`.

    Args:
        weights: of the layer, by name: kernel, recurrent_kernel, bias and so on.
        config: has the fields of `Config`.

    Attributes:
        states: how many vectors (H,) are carried from step to step, h first.
    """

    states = 1

    def __init__(self, weights: dict[str, np.ndarray], config):
        self.weights, self.config, self.units = weights, config, config.units
        self.U, self.slopes = weights["recurrent_kernel"], []

    @property
    def input_bias(self) -> np.ndarray:
        """What is added to the input's product with the kernel."""
        return self.weights["bias"]

    def read(self, inputs: np.ndarray) -> np.ndarray:
        """Go along a text: its products with the kernel, biases added, (T, gates) → outputs, (T, H)."""
        zeros = np.zeros(self.units, inputs.dtype)
        states = [self.weights.get(f"initial_state_{k}", zeros) for k in range(self.states)]
        outputs, self.slopes = np.empty((len(inputs), self.units), inputs.dtype), []
        for step, z in enumerate(inputs):
            states, slopes = self.advance(z, *states)
            outputs[step] = states[0]
            self.slopes.append(slopes)
        return outputs

    def advance(self, z, h, *memories):
        """A step: its input (gates,) and states give the next states and the step's slopes."""
        raise NotImplementedError

    def retreat(self, step: int, dh, *d_memories):
        """A step back: gradients by its states, (rows, H), give that by its input, (rows, gates), and those before."""
        raise NotImplementedError


class Rnn(Cell):
    """h = φ(z + h U), φ being tanh or max(0, ·)."""

    def advance(self, z, h):
        z = z + h @ self.U
        if self.config.activation == "relu":
            return [np.maximum(z, 0)], (z > 0).astype(z.dtype)
        h = np.tanh(z)
        return [h], 1 - h * h

    def retreat(self, step, dh):
        delta = dh * self.slopes[step]
        return delta, [delta @ self.U.T]


class Nlstm(Cell):
    """Level d: i, f, o = σ(z), g = z or tanh(z); inwards x = i ⊙ g, h = f ⊙ c; c comes back; out goes o ⊙ tanh(c).

    The innermost c is x + h. The LSTM is the one of a single level, with tanh.
    """

    def __init__(self, weights, config):
        super().__init__(weights, config)
        self.depth = max(1, config.depth)
        self.states = 1 + self.depth
        self.inner = [
            (np.vstack([weights[f"kernel_{d}"], weights[f"recurrent_kernel_{d}"]]), weights[f"bias_{d}"])
            for d in range(1, self.depth)
        ]

    def advance(self, z, h, *memories):
        slopes, outs, z = [], [], z + h @ self.U
        for level, c in enumerate(memories):
            i, f, g, o = np.split(z, 4)
            i, f, o = sigmoid(i), sigmoid(f), sigmoid(o)
            linear = self.config.cell == "nlstm" and level == 0
            g = g if linear else np.tanh(g)
            x, h = i * g, f * c
            slopes.append([g * i * (1 - i), c * f * (1 - f), i if linear else i * (1 - g * g), f])
            outs.append(o)
            if level + 1 < self.depth:
                kernel, bias = self.inner[level]
                z = np.concatenate([x, h]) @ kernel + bias
        c, memories = x + h, [None] * self.depth
        for level in reversed(range(self.depth)):
            a, o, memories[level] = np.tanh(c), outs[level], c
            slopes[level] += [a * o * (1 - o), o * (1 - a * a)]
            c = o * a
        return [c, *memories], slopes

    def retreat(self, step, dh, *d_memories):
        slopes, d_outs, d_before = self.slopes[step], [], [None] * self.depth
        for level, dc in enumerate(d_memories):
            d_outs.append(dh)
            dh = dc + dh * slopes[level][5]
        dx = dh
        for level in reversed(range(self.depth)):
            i, f, g, forget, o, _ = slopes[level]
            d_before[level] = dh * forget
            delta = np.concatenate([dx * i, dh * f, dx * g, d_outs[level] * o], axis=1)
            if level:
                dx, dh = np.split(delta @ self.inner[level - 1][0].T, 2, axis=1)
        return delta, [delta @ self.U.T, *d_before]


class Gru(Cell):
    """z, r = σ(·), h = z ⊙ h + (1 - z) ⊙ tanh(· + r ⊙ (h U + b)), or, resetting before, tanh(· + (r ⊙ h) U)."""

    def __init__(self, weights, config):
        super().__init__(weights, config)
        self.after = config.reset_after
        split = 2 * self.units
        self.U_gates, self.U_candidate = np.split(self.U, [split], axis=1)
        recurrent_bias = weights["bias"][1] if self.after else np.zeros_like(weights["bias"])
        self.b_gates, self.b_candidate = np.split(recurrent_bias, [split])

    @property
    def input_bias(self):
        return self.weights["bias"][0] if self.after else self.weights["bias"]

    def advance(self, z, h):
        gates, candidate = z[: 2 * self.units], z[2 * self.units :]
        z, r = np.split(sigmoid(gates + h @ self.U_gates + self.b_gates), 2)
        if self.after:
            reset = h @ self.U_candidate + self.b_candidate
            g = np.tanh(candidate + r * reset)
        else:
            reset = h
            g = np.tanh(candidate + (r * h) @ self.U_candidate)
        slopes = ((h - g) * z * (1 - z), reset * r * (1 - r), (1 - z) * (1 - g * g), z, r)
        return [z * h + (1 - z) * g], slopes

    def retreat(self, step, dh):
        by_z, by_r, by_g, z, r = self.slopes[step]
        dg = dh * by_g
        if self.after:
            gates = np.concatenate([dh * by_z, dg * by_r], axis=1)
            before = (dg * r) @ self.U_candidate.T
        else:
            d_reset = dg @ self.U_candidate.T
            gates = np.concatenate([dh * by_z, d_reset * by_r], axis=1)
            before = d_reset * r
        return np.concatenate([gates, dg], axis=1), [dh * z + before + gates @ self.U_gates.T]


CELLS = {"rnn": Rnn, "lstm": Nlstm, "gru": Gru, "nlstm": Nlstm}
