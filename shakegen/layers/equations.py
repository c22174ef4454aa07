"""The steps of the recurrent cells, forward and backward, for `shakegen.layers.recurrence`.

A cell is what its class holds: hashable, so that equal cells share their compiled loops. What enters a step from the
inputs comes in groups z of gates side by side, (n, gates · H). A step forward gives the states, h first, and what the
step backward needs of the gates. A step backward takes the gradients of the states and gives those of the states before
the step, but for what h did through the weights, and δ, those of the pre-activations, the groups' first.

σ(z) = ½ + ½ tanh(z/2): one tanh serves all gates, when the columns that lead to a σ are `halved` beforehand, in the
inputs and in the weights (`prepare`). Every gradient here is that of the halved numbers.

What is kept, and δ, may be given as a list of the blocks that a matrix is made of, side by side.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

SLOPES = {
    "tanh": lambda a: 1 - a * a,
    "sigmoid": lambda a: a * (1 - a),
    "relu": lambda a: tf.cast(a > 0, a.dtype),
    "linear": tf.ones_like,
}
ACTIVATIONS = {
    "tanh": tf.tanh,
    "sigmoid": lambda z: 0.5 + 0.5 * tf.tanh(0.5 * z),
    "relu": tf.nn.relu,
    "linear": tf.identity,
}


def halved(matrix, names):
    """The columns of gates side by side, halved where a gate is a σ."""
    return matrix * _columns(matrix, names, sigmoid=0.5, others=1.0)


def gates(z, names):
    """The activations of gates side by side, whose pre-activations are `halved`."""
    a = z
    if {"tanh", "sigmoid"} & set(names):
        a = tf.tanh(z) * _columns(z, names, sigmoid=0.5, others=1.0) + _columns(z, names, sigmoid=0.5, others=0.0)
    for name in set(names) - {"tanh", "sigmoid"}:
        chosen = np.repeat([own == name for own in names], z.shape[-1] // len(names))
        a = tf.where(chosen, ACTIVATIONS[name](z), a)
    return a


def _columns(matrix, names, sigmoid, others):
    values = [sigmoid if name == "sigmoid" else others for name in names]
    return tf.constant(np.repeat(values, matrix.shape[-1] // len(names)), matrix.dtype)


def slope(a, name):
    """The derivative of a gate by its halved pre-activation, from its activation."""
    return SLOPES[name](a) * (2 if name == "sigmoid" else 1)


def product_of_all(stack, delta):
    """Σ over all steps of (what a weight multiplied)ᵀ δ: stacks (N, T, a) and (N, T, b) give (a, b)."""
    return tf.matmul(_flat(stack), _flat(delta), transpose_a=True)


def sum_of_all(delta):
    """Σ over all steps of δ, (b,)."""
    return tf.reduce_sum(delta, axis=(0, 1))


def _flat(stack):
    return tf.reshape(stack, (-1, stack.shape[-1]))


@dataclass(frozen=True)
class Simple:
    """h = a(z + h U) (Elman 1990). Weights: U (H, H)."""

    units: int
    activation: str = "tanh"

    groups = property(lambda self: ((self.activation,),))
    deltas = property(lambda self: (self.units,))
    kept = property(lambda self: {})

    def prepare(self, weights):
        return [halved(weights[0], self.groups[0])]

    def forward(self, inputs, states, weights):
        return [gates(inputs[0] + tf.matmul(states[0], weights[0]), self.groups[0])], {}

    def backward(self, d_states, before, after, kept, weights, store):
        (dh,) = d_states
        store(0, [dh * slope(after[0], self.activation)])
        return [tf.zeros_like(dh)]

    def weight_gradients(self, stacks, kept, deltas):
        return [product_of_all(stacks[0], deltas[0])]


@dataclass(frozen=True)
class Nested:
    """The Nested LSTM (Moniz & Krueger 2017); of one level, the LSTM (Hochreiter & Schmidhuber 1997). Gates i f g o.

    States: h, and every level's memory, the outermost first.
    Weights: U of level 0, (H, 4H); then for each level inside, W and U as one matrix (2H, 4H), and b, (4H,).
    """

    units: int
    depth: int = 1
    candidate: str = "tanh"
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"

    groups = property(lambda self: (self.names(0),))
    deltas = property(lambda self: (4 * self.units,) * self.depth)

    @property
    def kept(self):
        levels = {f"gates{level}": 4 * self.units for level in range(self.depth)}
        return {**levels, **{f"inputs{level}": 2 * self.units for level in range(1, self.depth)}}

    def names(self, level):
        candidate = self.activation if level else self.candidate
        return (self.recurrent_activation, self.recurrent_activation, candidate, self.recurrent_activation)

    def prepare(self, weights):
        return [halved(weights[0], self.names(0)), *(halved(weight, self.names(1)) for weight in weights[1:])]

    def forward(self, inputs, states, weights):
        h, *memories = states
        kept, outs, z = {}, [], inputs[0] + tf.matmul(h, weights[0])
        for level in range(self.depth):
            kept[f"gates{level}"] = gates(z, self.names(level))
            i, f, g, o = tf.split(kept[f"gates{level}"], 4, axis=1)
            x, h = i * g, f * memories[level]
            outs.append(o)
            if level + 1 < self.depth:
                kept[f"inputs{level + 1}"] = [x, h]
                z = tf.matmul(tf.concat([x, h], axis=1), weights[2 * level + 1]) + weights[2 * level + 2]
        c = x + h
        for level in reversed(range(self.depth)):
            memories[level] = c
            c = outs[level] * ACTIVATIONS[self.activation](c)
        return [c, *memories], kept

    def backward(self, d_states, before, after, kept, weights, store):
        dh, *d_memories = d_states
        zero, d_outs, levels = tf.zeros_like(dh), [], [kept[f"gates{level}"] for level in range(self.depth)]
        for level, (*_, o) in enumerate(levels):
            a = ACTIVATIONS[self.activation](after[1 + level])
            d_outs.append(dh * a)
            dh = d_memories[level] + dh * o * SLOPES[self.activation](a)
        dx = dh
        for level in reversed(range(self.depth)):
            names, (i, f, g, o) = self.names(level), levels[level]
            terms = dx * g, dh * before[1 + level], dx * i, d_outs[level]
            delta = store(level, [term * slope(a, name) for term, a, name in zip(terms, levels[level], names)])
            d_memories[level] = dh * f
            if level:
                dx, dh = tf.split(tf.matmul(delta(), weights[2 * level - 1]), 2, axis=1)
        return [zero, *d_memories]

    def weight_gradients(self, stacks, kept, deltas):
        gradients = [product_of_all(stacks[0], deltas[0])]
        for level in range(1, self.depth):
            gradients += [product_of_all(kept[f"inputs{level}"], deltas[level]), sum_of_all(deltas[level])]
        return gradients


@dataclass(frozen=True)
class Gated:
    """The GRU (Cho et al. 2014). Groups: z r, and g. With reset_after, as cuDNN has it:

        z, r = σ(· + h U)        q = h U + b        g = a(· + r ⊙ q)        h = z ⊙ h + (1 - z) ⊙ g

    Weights: U of z r q, (H, 3H), and b, (H,).
    """

    units: int
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"

    groups = property(lambda self: ((self.recurrent_activation,) * 2, (self.activation,)))
    deltas = property(lambda self: (3 * self.units, self.units))
    kept = property(lambda self: {"gates": 2 * self.units, "product": self.units, "candidate": self.units})

    def prepare(self, weights):
        U, b = weights
        return [halved(U, (*self.groups[0], *self.groups[1])), halved(b, self.groups[1])]

    def forward(self, inputs, states, weights):
        (h,) = states
        z_r, q = tf.split(tf.matmul(h, weights[0]), [2 * self.units, self.units], axis=1)
        z_r, q = gates(inputs[0] + z_r, self.groups[0]), q + weights[1]
        z, r = tf.split(z_r, 2, axis=1)
        g = gates(inputs[1] + r * q, self.groups[1])
        return [g + z * (h - g)], {"gates": z_r, "product": q, "candidate": g}

    def backward(self, d_states, before, after, kept, weights, store):
        (dh,), (h,), (g,), (z, r) = d_states, before, kept["candidate"], kept["gates"]
        dg = dh * (1 - z) * slope(g, self.activation)
        dz = dh * (h - g) * slope(z, self.recurrent_activation)
        dr = dg * kept["product"][0] * slope(r, self.recurrent_activation)
        store(0, [dz, dr, dg * r])
        store(1, [dg])
        return [dh * z]

    def weight_gradients(self, stacks, kept, deltas):
        return [product_of_all(stacks[0], deltas[0]), sum_of_all(deltas[0])[2 * self.units :]]


@dataclass(frozen=True)
class GatedBefore(Gated):
    """The GRU as first published, which resets before the product: g = a(· + (r ⊙ h) U).

    Weights: U of z r, (H, 2H), and U of g, (H, H).
    """

    deltas = property(lambda self: (2 * self.units, self.units))
    kept = property(lambda self: {"gates": 2 * self.units, "candidate": self.units, "inputs": self.units})

    def prepare(self, weights):
        return [halved(weight, names) for weight, names in zip(weights, self.groups)]

    def forward(self, inputs, states, weights):
        (h,) = states
        z_r = gates(inputs[0] + tf.matmul(h, weights[0]), self.groups[0])
        z, r = tf.split(z_r, 2, axis=1)
        x = r * h
        g = gates(inputs[1] + tf.matmul(x, weights[1]), self.groups[1])
        return [g + z * (h - g)], {"gates": z_r, "candidate": g, "inputs": x}

    def backward(self, d_states, before, after, kept, weights, store):
        (dh,), (h,), (g,), (z, r) = d_states, before, kept["candidate"], kept["gates"]
        dg = dh * (1 - z) * slope(g, self.activation)
        dx = tf.matmul(dg, weights[1])
        dz = dh * (h - g) * slope(z, self.recurrent_activation)
        dr = dx * h * slope(r, self.recurrent_activation)
        store(0, [dz, dr])
        store(1, [dg])
        return [dh * z + dx * r]

    def weight_gradients(self, stacks, kept, deltas):
        return [product_of_all(stacks[0], deltas[0]), product_of_all(kept["inputs"], deltas[1])]
