"""A recurrent Keras model and a loss as an objective of `shakegen.lab.hessian_free`: its Gauss-Newton products."""

import functools
import itertools
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf


def squared_curvature(outputs, change):
    return 2 / outputs.shape[-1] * change


def softmax_curvature(outputs, change):
    p = tf.nn.softmax(outputs)
    return p * (change - tf.reduce_sum(p * change, axis=-1, keepdims=True))


# Options of layers that compute something else in training.
OTHERWISE = ("zoneout", "dropout", "recurrent_dropout", "rate", "stddev", "moving_mean_initializer")
# Of the losses of one prediction, convex in it: the second derivatives by the outputs, times a change of them.
CURVATURES = {
    keras.losses.MeanSquaredError: squared_curvature,
    keras.losses.SparseCategoricalCrossentropy: softmax_curvature,
}


class KerasObjective:
    """The loss of a model on one batch, as a function of all its trainable weights, one after another.

    With outputs z(θ), the Gauss-Newton matrix is G = Jᵀ H J (Schraudolph 2002): J = dz/dθ, H the second derivatives of
    the loss by z. A product Gv is taken from the right: Jv in forward mode, carried along the steps beside the states
    (Pearlmutter 1994); then H; then Jᵀ in reverse mode, as in any gradient. The matrix S of structural damping is
    dh/dθᵀ dh/dθ as a mean over steps and sequences, summed over the layers, with h their outputs.

    The products need one function of θ, the same for J and for Jᵀ. So a network with dropout, zoneout or batch
    normalisation is taken as it is outside of training.

    Args:
        model: of one or more recurrent layers, each on top of the other, forward and with `return_sequences`; before
            and after them anything without a memory or a mask. It has one input, and outputs z of shape (N, …, K).
        loss: of Keras, `MeanSquaredError` or `SparseCategoricalCrossentropy(from_logits=True)`, as a mean.
        inputs, targets: the batch.

    Raises:
        ValueError: the model or the loss is of another kind.

    Example:

        objective = KerasObjective(model, keras.losses.MeanSquaredError(), inputs, targets)
        theta, update = HessianFree().step(objective.theta, objective)
        objective.theta = theta
    """

    def __init__(self, model: keras.Model, loss: keras.losses.Loss, inputs, targets):
        self._recurrent, self._loss = chain(model), loss
        is_mean = getattr(loss, "reduction", None) in ("sum_over_batch_size", "mean", "mean_with_sample_weight")
        is_plain = getattr(loss, "from_logits", True) and getattr(loss, "ignore_class", None) is None
        if type(loss) not in CURVATURES or not (is_mean and is_plain):
            raise ValueError(
                f"the loss is {type(loss).__name__}: expected MeanSquaredError, or SparseCategoricalCrossentropy "
                "with from_logits=True, as a mean over all predictions"
            )
        hidden = [layer.output for layer in self._recurrent]
        self._model = keras.Model(model.input, [model.output, *hidden])
        self._before = keras.Model(model.input, self._recurrent[0].input)
        self._after = keras.Model(hidden[-1], model.output)
        self._variables = self._model.trainable_variables
        self._training = not any(map(differs_in_training, model._flatten_layers(include_self=False)))
        self._compiled_value, self._compiled_gradient = tf.function(self._value), tf.function(self._gradient)
        self._compiled_tangents = tf.function(self._tangents, jit_compile=True)
        self._compiled_pull = tf.function(self._pull)
        self.batch(inputs, targets)

    def batch(self, inputs, targets) -> None:
        """Go on with another batch; one of the same shape as the last needs no new compilation."""
        self._inputs, self._targets = tf.convert_to_tensor(inputs), tf.convert_to_tensor(targets)

    @property
    def theta(self) -> np.ndarray:
        """The trainable weights that the model has, as one vector of float64."""
        return flat(variable.value for variable in self._variables)

    @theta.setter
    def theta(self, theta: np.ndarray) -> None:
        for variable, part in zip(self._variables, self._parts(theta)):
            variable.assign(part)

    def loss(self, theta: np.ndarray) -> float:
        return float(self._compiled_value(self._parts(theta), self._inputs, self._targets))

    def gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self._compiled_gradient(self._parts(theta), self._inputs, self._targets)
        return float(value), flat(gradient)

    def curvature(self, theta: np.ndarray, structural: float) -> Callable[[np.ndarray], np.ndarray]:
        weights, inputs = self._parts(theta), self._inputs
        structural = tf.constant(structural, weights[0].dtype)

        def product(v):
            tangents = self._compiled_tangents(weights, self._parts(v), inputs)
            return flat(self._compiled_pull(weights, inputs, tangents, structural))

        return product

    def _parts(self, vector):
        """A vector in the shapes of the weights."""
        ends = np.cumsum([np.prod(variable.shape, dtype=int) for variable in self._variables])
        parts = zip(self._variables, np.split(vector, ends[:-1]))
        return [tf.constant(part.reshape(variable.shape), variable.dtype) for variable, part in parts]

    def _with(self, weights):
        """Inside, the model has these tensors for weights."""
        return keras.StatelessScope(state_mapping=list(zip(self._variables, weights)))

    def _value(self, weights, inputs, targets):
        with self._with(weights):
            return self._loss(targets, self._model(inputs, training=self._training)[0])

    def _gradient(self, weights, inputs, targets):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = self._value(weights, inputs, targets)
        return value, tape.gradient(value, weights, unconnected_gradients="zero")

    def _pull(self, weights, inputs, tangents, structural):
        """(Jᵀ H + structural · dh/dθᵀ) times the change of the outputs and of the hidden states."""
        with tf.GradientTape() as tape, self._with(weights):
            tape.watch(weights)
            outputs, *hidden = self._model(inputs, training=self._training)
        bent = CURVATURES[type(self._loss)](outputs, tangents[0])
        damped = [structural / vectors(h) * change for h, change in zip(hidden, tangents[1:])]
        pulled = [bent / vectors(outputs), *damped]
        return tape.gradient([outputs, *hidden], weights, output_gradients=pulled, unconnected_gradients="zero")

    def _tangents(self, weights, change, inputs):
        """How outputs and hidden states change with the weights: J and dh/dθ times a change of them."""
        push = functools.partial(self._push, weights, change)
        (h,), (dh,) = push(lambda: [self._before(inputs)])
        d_hidden = []
        for layer in self._recurrent:
            h, dh = push_through(layer, push, h, dh)
            d_hidden.append(dh)
        _, (dz,) = push(lambda h: [self._after(h)], [h], [dh])
        return [dz, *d_hidden]

    def _push(self, weights, change, function, tensors=(), changes=()):
        """The results of a function of tensors, and their changes with the weights and the tensors."""
        weights, change = ([*map(tf.identity, one)] for one in (weights, change))  # in a loop, tensors of its own
        with (
            tf.autodiff.ForwardAccumulator([*weights, *tensors], [*change, *changes]) as forward,
            self._with(weights),
        ):
            results = function(*tensors)
        return results, [forward.jvp(result, unconnected_gradients="zero") for result in results]


def push_through(layer, push, sequences, changes):
    """The outputs (N, T, H) of a recurrent layer and how they change, where its inputs change."""

    def step(carried, now):
        (_, *states), (_, *d_states) = carried
        x, dx = now
        return push(lambda x, *states: one_step(layer.cell, x, states), [x, *states], [dx, *d_states])

    states, d_states = push(lambda: layer.get_initial_state(sequences.shape[0]))
    start = [states[0], *states], [d_states[0], *d_states]
    (h, *_), (dh, *_) = tf.scan(step, (swap_axes(sequences), swap_axes(changes)), start)
    return swap_axes(h), swap_axes(dh)


def one_step(cell, x, states):
    h, states = cell(x, list(states))
    return [h, *states]


def swap_axes(sequences):
    """From (N, T, ·) to (T, N, ·), or back."""
    return tf.transpose(sequences, (1, 0, 2))


def chain(model: keras.Model) -> list[keras.layers.RNN]:
    """The recurrent layers of a model, from the first to the last.

    Raises:
        ValueError: there is none, or they are no chain of layers that return whole sequences, read forward.
    """
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.RNN)]
    fit = all(layer.return_sequences and not layer.go_backwards for layer in layers)
    if not layers or not fit or any(below.output is not above.input for below, above in itertools.pairwise(layers)):
        raise ValueError(
            "the model is no chain of recurrent layers: expected one or more, each right after the other, that read "
            "forward and return sequences"
        )
    return layers


def differs_in_training(layer: keras.layers.Layer) -> bool:
    """Whether a layer may compute something else in training; one that cannot say counts."""
    try:
        config = layer.get_config()
    except NotImplementedError:
        return True
    return any(config.get(name) for name in OTHERWISE)


def flat(tensors) -> np.ndarray:
    return np.concatenate([np.ravel(tensor.numpy()) for tensor in tensors]).astype(float)


def vectors(tensor):
    """How many vectors there are along the last axis."""
    return tf.cast(tf.size(tensor) // tensor.shape[-1], tensor.dtype)
