"""The operations of a cell's equations in TensorFlow, for the compiled loop."""

import tensorflow as tf

from shakegen.cells.operations import VARIANCE
from shakegen.layers.operations import KERAS
from shakegen.layers.sizes import shape_of


def sigmoid(z):
    return 0.5 + 0.5 * tf.tanh(0.5 * z)


ACTIVATIONS = {"tanh": tf.tanh, "sigmoid": sigmoid, "relu": tf.nn.relu, "linear": tf.identity}


def activate(z, names):
    """Gates side by side: one tanh serves all that are σ or tanh."""
    width = z.shape[-1] // len(names)

    def columns(sigmoid, others):
        values = [sigmoid if name == "sigmoid" else others for name in names]
        return (
            tf.repeat(tf.constant(values, z.dtype), width) if len(set(values)) > 1 else tf.constant(values[0], z.dtype)
        )

    if set(names) <= {"tanh", "sigmoid"}:
        scale = columns(0.5, 1.0)
        return tf.tanh(z * scale) * scale + columns(0.5, 0.0)
    blocks = tf.split(z, len(names), axis=-1)
    return tf.concat([ACTIVATIONS[name](block) for name, block in zip(names, blocks)], axis=-1)


def maximum(a, b):
    """The larger one; a number has the type of the tensor beside it."""
    dtype = (a if tf.is_tensor(a) else b).dtype
    return tf.maximum(tf.convert_to_tensor(a, dtype), tf.convert_to_tensor(b, dtype))


def widen(z):
    """z in 32 bits at least."""
    return z if z.dtype == tf.float64 else tf.cast(z, tf.float32)


def matmul(a, b):
    """The product with a matrix: one for all sequences and steps, and so is each of its gradients."""
    if a.shape.rank == 2:
        return tf.matmul(a, b)
    return tf.reshape(tf.matmul(tf.reshape(a, (-1, a.shape[-1])), b), (*shape_of(a)[:-1], b.shape[-1]))


def centre(z):
    """z with mean 0 over its width, and one divided by its standard deviation; in 32 bits at least."""
    z = widen(z)
    z -= tf.reduce_mean(z, axis=-1, keepdims=True)
    return z, tf.math.rsqrt(tf.reduce_mean(z * z, axis=-1, keepdims=True) + VARIANCE)


def normalise(z):
    """Mean 0 and variance 1 over the width."""
    centred, scale = centre(z)
    return tf.cast(centred * scale, z.dtype)


def differentiate_normalised(z, d):
    """The gradient by z, from the gradient d by `normalise(z)`."""
    centred, scale = centre(z)
    y, d = centred * scale, tf.cast(d, centred.dtype)
    d -= tf.reduce_mean(d, axis=-1, keepdims=True)
    return tf.cast(scale * (d - y * tf.reduce_mean(d * y, axis=-1, keepdims=True)), z.dtype)


TENSORFLOW = {
    **KERAS,
    **ACTIVATIONS,
    "maximum": maximum,
    "matmul": matmul,
    "exp": tf.exp,
    "log": tf.math.log,
    "sqrt": tf.sqrt,
    "softplus": tf.math.softplus,
    "normalise": normalise,
    "normalise_gradient": differentiate_normalised,
    "positive": lambda z: tf.cast(z > 0, z.dtype),
    "zeros": lambda z, width: tf.zeros((*tf.unstack(tf.shape(z))[:-1], width), z.dtype),
    "concat": lambda *blocks: tf.concat(blocks, axis=-1),
    "activate": activate,
}
IN_LOOP = {**TENSORFLOW, "matmul_transposed": tf.matmul}  # on the way back weights are given transposed
