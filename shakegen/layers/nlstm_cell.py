"""One step of the Nested LSTM: an LSTM whose memory cell is itself an LSTM, to any depth."""

from numbers import Integral

import keras
from keras import ops

from shakegen.layers.initializers import draws


@keras.saving.register_keras_serializable(package="shakegen")
class NLSTMCell(keras.layers.LSTMCell):
    """One step of the Nested LSTM (Moniz & Krueger 2017, "Nested LSTMs", https://arxiv.org/abs/1801.10308).

    Level 0 is the outermost of D. A level receives x̃ and h̃ (level 0: the inputs x and the last output h); W, U, b are
    its own weights. Level d computes

        i, f, o = σ(x̃ W + h̃ U + b)        g = a(x̃ W + h̃ U + b)        a: cell_activation at level 0, activation inside
        d < D-1:  c_d = the output of level d+1, which receives x̃ = i ⊙ g and h̃ = f ⊙ c_d
        d = D-1:  c_d = f ⊙ c_d + i ⊙ g
        output = o ⊙ activation(c_d)

    and the output of level 0 is h. The states are [h, c_0, …, c_{D-1}]. The weights are, level by level from the
    outermost, `kernels[d]` of shape (inputs or units, 4·units), `recurrent_kernels[d]` (units, 4·units) and `biases[d]`
    (4·units,), gates in Keras's order i f g o. With depth 1 and cell_activation="tanh" it is `keras.layers.LSTMCell`,
    weight for weight.

    Args:
        units: size H of the output and of every memory, at least 1.
        depth: number D of nested levels, at least 1.
        cell_activation: activation of the outermost candidate g. Linear by default, as in the paper.
        **kwargs: the other arguments of `keras.layers.LSTMCell`, which hold for every level; `dropout` and
            `recurrent_dropout` act on x and h, at level 0. A seeded initializer draws the same for levels of one shape.

    Call arguments:
        inputs: tensor (batch, inputs).
        states: list of D + 1 tensors (batch, units).
        training: whether dropout acts.

    Returns:
        The output, (batch, units), and the list of new states.

    Raises:
        ValueError: units or depth is not an integer of at least 1, or there are not D + 1 states.

    Example:

        layer = keras.layers.RNN(NLSTMCell(128, depth=3), return_sequences=True)
    """

    def __init__(self, units, depth=2, *, cell_activation="linear", **kwargs):
        super().__init__(at_least_1("units", units), **kwargs)
        self.depth = at_least_1("depth", depth)
        self.cell_activation = keras.activations.get(cell_activation)
        self.state_size = [self.units] * (self.depth + 1)

    def build(self, input_shape):
        self.kernels, self.recurrent_kernels, self.biases, self.bias = [], [], [], None
        for level in range(self.depth):
            received = self.units if level else input_shape[-1]
            self.kernels.append(self._add_weight("kernel", "kernel", level, (received, 4 * self.units)))
            self.recurrent_kernels.append(
                self._add_weight("recurrent_kernel", "recurrent", level, (self.units, 4 * self.units))
            )
            if self.use_bias:
                self.biases.append(self._add_weight("bias", "bias", level, (4 * self.units,)))

    def _add_weight(self, name, kind, level, shape):
        initializer = getattr(self, f"{kind}_initializer")
        if draws(initializer):
            initializer = initializer.clone()  # one instance would draw the same numbers on every level
        if kind == "bias" and self.unit_forget_bias:
            initializer = _open_forget_gate(initializer, self.units)
        weight = self.add_weight(
            name=f"{name}_{level}" if level else name,
            shape=shape,
            initializer=initializer,
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )
        setattr(self, weight.name, weight)  # checkpoints of TensorFlow find weights by attributes
        return weight

    def call(self, inputs, states, training=False):
        if len(states) != self.depth + 1:
            names = ", ".join(["h"] + [f"c{level}" for level in range(self.depth)])
            raise ValueError(
                f"An NLSTM of depth {self.depth} has {self.depth + 1} states ({names}). Received: {len(states)} states"
            )
        h, *c = states
        x_mask = self.get_dropout_mask(inputs) if training and 0 < self.dropout < 1 else None
        h_mask = self.get_recurrent_dropout_mask(h) if training and 0 < self.recurrent_dropout < 1 else None

        x, output_gates = inputs, []
        for level in range(self.depth):
            z = _product(x, self.kernels[level], x_mask) + _product(h, self.recurrent_kernels[level], h_mask)
            if self.use_bias:
                z = ops.add(z, self.biases[level])
            i, f, g, o = ops.split(z, 4, axis=1)
            g = self.activation(g) if level else self.cell_activation(g)
            output_gates.append(self.recurrent_activation(o))
            # The inputs of the next level inwards, without dropout; at the innermost level their sum is the memory.
            x, h = self.recurrent_activation(i) * g, self.recurrent_activation(f) * c[level]
            x_mask = h_mask = None

        memory = x + h
        for level in reversed(range(self.depth)):
            c[level] = memory
            memory = output_gates[level] * self.activation(memory)
        return memory, [memory, *c]

    def get_config(self):
        return {
            **super().get_config(),
            "depth": self.depth,
            "cell_activation": keras.activations.serialize(self.cell_activation),
            "implementation": self.implementation,
        }


def _product(x, kernel, mask):
    """x times the kernel of four gates, where x is dropped by one mask, by a list of one a gate, or by None."""
    if isinstance(mask, list):
        return ops.concatenate([ops.matmul(x * m, w) for m, w in zip(mask, ops.split(kernel, 4, axis=1))], axis=1)
    return ops.matmul(x if mask is None else x * mask, kernel)


def _open_forget_gate(initializer, units):
    """An initializer of biases i f g o: ones for f, the rest from `initializer`."""

    def initialize(shape, dtype=None):
        i, g_and_o = initializer((units,), dtype=dtype), initializer((2 * units,), dtype=dtype)
        return ops.concatenate([i, ops.ones_like(i), g_and_o])

    return initialize


def at_least_1(name, value):
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"`{name}` must be an integer of at least 1. Received: {value!r}")
    return int(value)
