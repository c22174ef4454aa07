"""Gradients through time: by the states of the past, and by the weights with and without clipping.

Imports TensorFlow.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

CLIPPINGS = ("none", "value", "norm")


def state_gradients(layers: Sequence, read_out: Callable, inputs, targets, residual: bool = False) -> list[list]:
    """The gradients of the loss at the last step by every state of every step before, and of that step.

    The gradient by h counts every way from it to the loss, through the layers above and through later steps. The
    gradient by a memory c counts the ways that do not lead through h of its own step.

    Args:
        layers: recurrent layers of Keras, each with a `cell`, the lowest first.
        read_out: from the outputs of the last layer at the last step, (N, H), to logits (N, V).
        inputs: tensor (N, T, ·).
        targets: ids to predict after the last step, (N,). The loss is the sum of their cross entropies, in nats, so
            that the gradients of each sequence are its own.
        residual: whether every layer above the first adds its input to its output.

    Returns:
        For each layer, for each of its states, an array (T, N, H): at [k] the gradient by the state k steps before the
        last.
    """
    states = [layer.get_initial_state(inputs.shape[0]) for layer in layers]
    past = []
    with tf.GradientTape() as tape:
        for x in tf.unstack(inputs, axis=1):
            hidden = x
            for number, layer in enumerate(layers):
                below = hidden
                _, new_states = layer.cell(hidden, states[number])
                states[number] = [tf.identity(state) for state in new_states]  # apart, though h was made from c
                hidden = states[number][0]
                if residual and number:
                    hidden = hidden + below
            past.append(list(states))
        losses = keras.ops.sparse_categorical_crossentropy(targets, read_out(hidden), from_logits=True)
        loss = tf.reduce_sum(losses)
    gradients = tape.gradient(loss, past[::-1], unconnected_gradients="zero")
    return [
        [np.stack([np.asarray(step[number][k]) for step in gradients]) for k in range(len(states[number]))]
        for number in range(len(layers))
    ]


def network_state_gradients(network: keras.Model, config, ids: np.ndarray) -> list[list]:
    """`state_gradients` of a network of `network.build.build` for ids (N, T + 1); the last ids are the targets."""
    vocabulary_size = network.output_shape[-1]
    if config.embedding:
        inputs = network.get_layer("embedding")(ids[:, :-1])
    else:
        inputs = tf.one_hot(ids[:, :-1], vocabulary_size)
    layers = [network.get_layer(f"layer{number}") for number in range(1, config.layers + 1)]
    return state_gradients(layers, network.get_layer("dense"), inputs, ids[:, -1], config.residual)


def clip_gradients(gradients: list, clipping: str, value: float, norm: float) -> list:
    """Clip gradients, as one of CLIPPINGS: every element to ±value, or all together to a norm, or not at all."""
    if clipping == "value":
        return [tf.clip_by_value(gradient, -value, value) for gradient in gradients]
    return tf.clip_by_global_norm(gradients, norm)[0] if clipping == "norm" else gradients


def clipping_step(network: keras.Model, value: float, norm: float, optimizer=None, kept: str = "none") -> Callable:
    """A function that measures the effect of every clipping on the gradient of a batch of windows.

    Args:
        network: from ids to logits.
        value, norm: the largest element, and the largest norm, after clipping.
        optimizer: trains the network with the gradients; None leaves it as it is.
        kept: the clipping of the gradients for the optimizer, one of CLIPPINGS.

    Returns:
        A compiled function of windows (N, T + 1), int32, that gives a tensor (3, 4), a row for each of CLIPPINGS: the
        mean cross entropy in nats, the norm of the gradient, its norm once clipped, the cosine of the angle between.
    """
    weights = network.trainable_variables
    if optimizer is not None:
        optimizer.build(weights)

    @tf.function(reduce_retracing=True)
    def step(windows):
        with tf.GradientTape() as tape:
            logits = network(windows[:, :-1])
            losses = keras.ops.sparse_categorical_crossentropy(windows[:, 1:], logits, from_logits=True)
            loss = tf.reduce_mean(losses)
        raw = [tf.convert_to_tensor(g) for g in tape.gradient(loss, [w.value for w in weights])]
        ways = {clipping: clip_gradients(raw, clipping, value, norm) for clipping in CLIPPINGS}
        if optimizer is not None:
            optimizer.apply(ways[kept], weights)
        return tf.stack([tf.stack([loss, *compare_gradients(raw, way)]) for way in ways.values()])

    return step


def compare_gradients(before: list, after: list) -> tuple:
    """The norms of two gradients, and the cosine of the angle between them."""
    norms = tf.linalg.global_norm(before), tf.linalg.global_norm(after)
    product = tf.add_n([tf.reduce_sum(a * b) for a, b in zip(before, after)])
    return *norms, tf.math.divide_no_nan(product, norms[0] * norms[1])
