"""The steps of the recurrent cells, forward and backward, for `shakegen.layers.recurrence`.

A cell is what its class holds: hashable, so that equal cells share one compiled loop. What enters a step from the
inputs comes in groups z of gates side by side, (n, gates · H). A step forward gives h, the other states, and the slopes
that the step backward multiplies by; a step backward takes dh, the gradient of the step's output, and gives δ, those of
the pre-activations, the groups' first. A matrix may be given as the list of the blocks it is made of, side by side.
"""

from dataclasses import dataclass

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
    """The columns of gates halved where the gate is a σ, for `gates` to find σ(z) = ½ + ½ tanh(z/2)."""
    halves = tf.constant([0.5 if name == "sigmoid" else 1.0 for name in names], matrix.dtype)
    return matrix * tf.repeat(halves, matrix.shape[-1] // len(names))


def gates(z, names):
    """The activations of gates side by side, `halved`: one tanh for them all where it serves."""
    if set(names) <= {"tanh", "sigmoid"}:
        z = tf.tanh(z)
    blocks = zip(tf.split(z, len(names), axis=1), names)
    if set(names) <= {"tanh", "sigmoid"}:
        return [0.5 + 0.5 * a if name == "sigmoid" else a for a, name in blocks]
    return [ACTIVATIONS[name](2 * block if name == "sigmoid" else block) for block, name in blocks]


def product_of_all(stack, delta):
    """Σ over all steps of (what a weight multiplied)ᵀ δ: stacks (N, T, a) and (N, T, b) give (a, b)."""
    return tf.matmul(_flat(stack), _flat(delta), transpose_a=True)


def _flat(stack):
    return tf.reshape(stack, (-1, stack.shape[-1]))


@dataclass(frozen=True)
class Simple:
    """h = a(z + h U) (Elman 1990). Weights: U (H, H)."""

    units: int
    activation: str = "tanh"

    groups = property(lambda self: ((self.activation,),))
    deltas = property(lambda self: (self.units,))
    kept = property(lambda self: {"slope": self.units})

    def prepare(self, weights):
        return [halved(weights[0], self.groups[0])]

    def forward(self, inputs, h, memories, weights):
        (h,) = gates(inputs[0] + tf.matmul(h, weights[0]), self.groups[0])
        return h, memories, {"slope": [SLOPES[self.activation](h)]}

    def backward(self, dh, d_memories, kept, weights):
        return tf.zeros_like(dh), d_memories, [[dh * kept["slope"]]]

    def pull(self, delta, weights):
        return tf.matmul(delta, weights[0])

    def weight_gradients(self, hs, kept, deltas):
        return [product_of_all(hs, deltas[0])]


@dataclass(frozen=True)
class Nested:
    """The Nested LSTM (Moniz & Krueger 2017); of one level, the LSTM (Hochreiter & Schmidhuber 1997). Gates i f g o.

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
        widths = {"gates": 4, "memory": 1, "forget": 1}
        levels = {f"{name}{level}": w * self.units for level in range(self.depth) for name, w in widths.items()}
        return {**levels, **{f"inputs{level}": 2 * self.units for level in range(1, self.depth)}}

    def names(self, level):
        candidate = self.activation if level else self.candidate
        return (self.recurrent_activation, self.recurrent_activation, candidate, self.recurrent_activation)

    def prepare(self, weights):
        return [halved(weights[0], self.names(0)), *(halved(weight, self.names(1)) for weight in weights[1:])]

    def forward(self, inputs, h, memories, weights):
        slope, kept, outs, z = SLOPES[self.recurrent_activation], {}, [], inputs[0] + tf.matmul(h, weights[0])
        for level in range(self.depth):
            names = self.names(level)
            i, f, g, o = gates(z, names)
            x, h = i * g, f * memories[level]
            kept[f"gates{level}"] = [g * slope(i), memories[level] * slope(f), i * SLOPES[names[2]](g)]
            kept[f"forget{level}"] = [f]
            outs.append(o)
            if level + 1 < self.depth:
                kept[f"inputs{level + 1}"] = [x, h]
                z = tf.matmul(tf.concat([x, h], axis=1), weights[2 * level + 1]) + weights[2 * level + 2]
        c, memories = x + h, [None] * self.depth
        for level in reversed(range(self.depth)):
            memories[level] = c
            a, o = ACTIVATIONS[self.activation](c), outs[level]
            kept[f"gates{level}"].append(a * slope(o))
            kept[f"memory{level}"] = [o * SLOPES[self.activation](a)]
            c = o * a
        return c, memories, kept

    def backward(self, dh, d_memories, kept, weights):
        zero, d_memories, d_outs = tf.zeros_like(dh), list(d_memories), []
        for level in range(self.depth):
            d_outs.append(dh)
            dh = d_memories[level] + dh * kept[f"memory{level}"]
        deltas, dx = [None] * self.depth, dh
        for level in reversed(range(self.depth)):
            d_memories[level] = dh * kept[f"forget{level}"]
            i, f, g, o = tf.split(kept[f"gates{level}"], 4, axis=1)
            deltas[level] = [dx * i, dh * f, dx * g, d_outs[level] * o]
            if level:
                dx, dh = tf.split(tf.matmul(tf.concat(deltas[level], axis=1), weights[2 * level - 1]), 2, axis=1)
        return zero, d_memories, deltas

    def pull(self, delta, weights):
        return tf.matmul(delta, weights[0])

    def weight_gradients(self, hs, kept, deltas):
        gradients = [product_of_all(hs, deltas[0])]
        for level in range(1, self.depth):
            delta = deltas[level][:, :-1]
            gradients += [product_of_all(kept[f"inputs{level}"], delta), tf.reduce_sum(delta, axis=(0, 1))]
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

    @property
    def kept(self):
        return {"gates": 2 * self.units, "candidate": self.units, "reset": self.units, "update": self.units}

    def prepare(self, weights):
        U, b = weights
        return [halved(U, (*self.groups[0], *self.groups[1])), halved(b, self.groups[1])]

    def forward(self, inputs, h, memories, weights):
        z_r, q = tf.split(tf.matmul(h, weights[0]), [2 * self.units, self.units], axis=1)
        z, r = gates(inputs[0] + z_r, self.groups[0])
        q = q + weights[1]
        (g,) = gates(inputs[1] + r * q, self.groups[1])
        slope = SLOPES[self.recurrent_activation]
        dg = (1 - z) * SLOPES[self.activation](g)
        if self.activation == "sigmoid":
            q = 2 * q
        slopes = {
            "gates": [(h - g) * slope(z), dg * q * slope(r)],
            "candidate": [dg],
            "reset": [r],
            "update": [z],
        }
        return g + z * (h - g), memories, slopes

    def backward(self, dh, d_memories, kept, weights):
        dg = dh * kept["candidate"]
        z, r = tf.split(kept["gates"], 2, axis=1)
        return dh * kept["update"], d_memories, [[dh * z, dh * r, dg * kept["reset"]], [dg]]

    def pull(self, delta, weights):
        return tf.matmul(delta, weights[0])

    def weight_gradients(self, hs, kept, deltas):
        return [product_of_all(hs, deltas[0]), tf.reduce_sum(deltas[0][..., 2 * self.units :], axis=(0, 1))]


@dataclass(frozen=True)
class GatedBefore(Gated):
    """The GRU as first published, which resets before the product: g = a(· + (r ⊙ h) U).

    Weights: U of z r, (H, 2H), and U of g, (H, H).
    """

    deltas = property(lambda self: (2 * self.units, self.units))

    @property
    def kept(self):
        return {**super().kept, "inputs": self.units}

    def prepare(self, weights):
        return [halved(weight, names) for weight, names in zip(weights, self.groups)]

    def forward(self, inputs, h, memories, weights):
        z, r = gates(inputs[0] + tf.matmul(h, weights[0]), self.groups[0])
        x = r * h
        (g,) = gates(inputs[1] + tf.matmul(x, weights[1]), self.groups[1])
        slope = SLOPES[self.recurrent_activation]
        kept = {
            "gates": [(h - g) * slope(z), h * slope(r)],
            "candidate": [(1 - z) * SLOPES[self.activation](g)],
            "reset": [r],
            "update": [z],
            "inputs": [x],
        }
        return g + z * (h - g), memories, kept

    def backward(self, dh, d_memories, kept, weights):
        dg = dh * kept["candidate"]
        dx = tf.matmul(dg, weights[1])
        z, r = tf.split(kept["gates"], 2, axis=1)
        return dh * kept["update"] + dx * kept["reset"], d_memories, [[dh * z, dx * r], [dg]]

    def weight_gradients(self, hs, kept, deltas):
        return [product_of_all(hs, deltas[0]), product_of_all(kept["inputs"], deltas[1][:, :-1])]
