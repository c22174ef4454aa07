"""A Keras model and a loss as a problem of `shakegen.lab.hessian_free`: products with its Gauss-Newton matrix."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Loss:
    """A loss that is convex in the network's outputs, so that its Gauss-Newton matrix is positive semidefinite.

    Attributes:
        value: (targets, outputs) ↦ the loss of every single prediction, without the last axis.
        curvature: (outputs, change) ↦ the second derivatives of that by the outputs, times a change of them.
    """

    value: Callable
    curvature: Callable


def softmax_curvature(outputs, change):
    p = tf.nn.softmax(outputs)
    return p * (change - tf.reduce_sum(p * change, axis=-1, keepdims=True))


SQUARED = Loss(lambda y, z: tf.reduce_mean((z - y) ** 2, -1), lambda z, change: 2 * change / z.shape[-1])
CROSS_ENTROPY = Loss(lambda y, z: tf.nn.sparse_softmax_cross_entropy_with_logits(y, z), softmax_curvature)


class KerasProblem:
    """The mean loss of a model on one batch, as a function of all its trainable weights, one after another.

    With outputs z(θ), the Gauss-Newton matrix is G = Jᵀ H J (Schraudolph 2002): J = dz/dθ, H the second derivatives of
    the loss by z. A product Gv is taken from the right: Jv by forward-mode differentiation, carried along with the
    forward pass, then H, then Jᵀ by the backward pass (Pearlmutter 1994).

    Args:
        model: whose outputs z have the shape (N, …, K). The compiled loops of its recurrent layers are put off, for
            they cannot be differentiated in forward mode.
        loss: of them.
        inputs, targets: the batch.
        hidden: the layers whose outputs are the hidden states h of structural damping, S = dh/dθᵀ dh/dθ as a mean over
            steps and sequences; by default the recurrent ones.

    Example:

        problem = KerasProblem(model, SQUARED, inputs, targets)
        theta, update = HessianFree().step(problem.theta, problem)
        problem.theta = theta
    """

    def __init__(self, model: keras.Model, loss: Loss, inputs, targets, hidden: list[keras.layers.Layer] | None = None):
        recurrent = [layer for layer in model.layers if isinstance(layer, keras.layers.RNN)]
        for layer in recurrent:
            layer.compiled_loop = False
        hidden = [layer.output for layer in (recurrent if hidden is None else hidden)]
        self._model, self._loss = keras.Model(model.inputs, [model.output, hidden]), loss
        self._weights = self._model.trainable_variables
        self._compiled_value = tf.function(self._value, autograph=False)
        self._compiled_gradient = tf.function(self._gradient, autograph=False)
        self._compiled_product = tf.function(self._product, autograph=False)
        self.batch(inputs, targets)

    def batch(self, inputs, targets) -> None:
        """Go on with another batch; one of the same shape as the last needs no new compilation."""
        self._inputs, self._targets = tf.convert_to_tensor(inputs), tf.convert_to_tensor(targets)

    @property
    def theta(self) -> np.ndarray:
        """The trainable weights that the model has, as one vector of float64."""
        return flat(weight.value for weight in self._weights)

    @theta.setter
    def theta(self, theta: np.ndarray) -> None:
        for weight, part in zip(self._weights, self._parts(theta)):
            weight.assign(part)

    def loss(self, theta: np.ndarray) -> float:
        return float(self._compiled_value(self._parts(theta), self._inputs, self._targets))

    def gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self._compiled_gradient(self._parts(theta), self._inputs, self._targets)
        return float(value), flat(gradient)

    def curvature(self, theta: np.ndarray, structural: float) -> Callable[[np.ndarray], np.ndarray]:
        weights, inputs = self._parts(theta), self._inputs
        structural = tf.constant(structural, weights[0].dtype)
        return lambda v: flat(self._compiled_product(weights, self._parts(v), inputs, structural))

    def _parts(self, vector):
        """A vector in the shapes of the weights."""
        ends = np.cumsum([np.prod(weight.shape, dtype=int) for weight in self._weights])
        parts = zip(self._weights, np.split(vector, ends[:-1]))
        return [tf.constant(part.reshape(weight.shape), weight.dtype) for weight, part in parts]

    def _forward(self, weights, inputs):
        """The outputs and hidden states with these tensors for weights.

        Loops over time read them as they read any tensor: of variables, TensorFlow loses the derivatives there.
        """
        held = [weight.value for weight in self._model.non_trainable_variables]
        outputs, _ = self._model.stateless_call(weights, held, inputs, training=False)
        return outputs

    def _value(self, weights, inputs, targets):
        outputs, _ = self._forward(weights, inputs)
        return tf.reduce_mean(self._loss.value(targets, outputs))

    def _gradient(self, weights, inputs, targets):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = self._value(weights, inputs, targets)
        return value, tape.gradient(value, weights, unconnected_gradients="zero")

    def _product(self, weights, change, inputs, structural):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            with tf.autodiff.ForwardAccumulator(weights, change) as forward:
                outputs, hidden = self._forward(weights, inputs)
            bent = self._loss.curvature(outputs, forward.jvp(outputs)) / vectors(outputs)
            pulled = tf.reduce_sum(outputs * tf.stop_gradient(bent))
            for h in hidden:
                pulled += structural / vectors(h) * tf.reduce_sum(h * tf.stop_gradient(forward.jvp(h)))
        return tape.gradient(pulled, weights, unconnected_gradients="zero")


def flat(tensors) -> np.ndarray:
    return np.concatenate([np.ravel(tensor.numpy()) for tensor in tensors]).astype(float)


def vectors(tensor):
    """How many vectors there are along the last axis."""
    return tf.cast(tf.size(tensor) // tensor.shape[-1], tensor.dtype)
