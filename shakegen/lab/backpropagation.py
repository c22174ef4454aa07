"""Gradients through time: by the states of the past, and by the weights with and without clipping.

Imports TensorFlow.
"""

from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from shakegen.cells.graph import trace
from shakegen.cells.program import Program
from shakegen.inference.engine import layers_of
from shakegen.layers.tensorflow_operations import TENSORFLOW

CLIPPINGS = ("none", "value", "norm")


def state_gradients(config, weights: Mapping[str, np.ndarray], ids: np.ndarray) -> list[dict[str, np.ndarray]]:
    """The gradients of the loss at the last step by every state of that step and of every step before.

    A gradient counts every way from a state to the loss, through the layers above and through later steps; by a memory,
    those through the output of its own step too.

    Args:
        config: the architecture, with or without blocks around its cells.
        weights: of the network, by the names of `Config.weight_shapes`.
        ids: (N, T + 1); the loss is the sum of the cross entropies of the last ones in nats, so that the gradients of
            each sequence are its own.

    Returns:
        For each layer, by the name of each state of its cell, an array (T, N, H): at [k] the gradient by the state k
        steps before the last.
    """
    weights = {name: tf.convert_to_tensor(weight) for name, weight in weights.items()}
    layers = [Layer(*layer, len(ids)) for layer in layers_of(config, weights)]
    table = weights.get("embedding/embeddings")
    past: list[list[dict]] = []
    with tf.GradientTape() as tape:
        tape.watch([state for layer in layers for state in layer.states.values()])
        for read in ids[:, :-1].T:
            hidden = tf.one_hot(read, layers[0].inputs) if table is None else tf.gather(table, read)
            hidden = tf.cast(hidden, weights["dense/bias"].dtype)
            for number, layer in enumerate(layers):
                output = layer.step(hidden)
                hidden = output + hidden if config.adds_layers and number else output
            past.append([{name: layer.states[name] for name in config.make_cell().state_names} for layer in layers])
        logits = hidden @ weights["dense/kernel"] + weights["dense/bias"]
        loss = tf.reduce_sum(keras.ops.sparse_categorical_crossentropy(ids[:, -1], logits, from_logits=True))
    steps = tape.gradient(loss, past[::-1], unconnected_gradients="zero")
    return [
        {name: np.stack([np.asarray(step[k][name]) for step in steps]) for name in one} for k, one in enumerate(past[0])
    ]


class Layer:
    """A recurrent layer, stepped through its equations; `states` has what it holds, (N, H) each, by name."""

    def __init__(self, cell, weights: dict, inputs: int, sequences: int):
        graph = trace(cell, inputs)
        constants = {symbol: weights[name] for name, symbol in graph.weights.items()}
        self.inputs, self._graph = inputs, graph
        self._program = Program(graph.after.values(), [graph.x, *graph.states.values()], constants, TENSORFLOW)
        start = tf.zeros(cell.units, next(iter(weights.values())).dtype)
        starts = [weights.get(f"initial_state_{k}", start) for k in range(len(graph.states))]
        self.states = {name: tf.tile(one[None], [sequences, 1]) for name, one in zip(graph.states, starts)}

    def step(self, x):
        """Read inputs (N, ·); the output, (N, H)."""
        states = {symbol: self.states[name] for name, symbol in self._graph.states.items()}
        after = self._program({self._graph.x: x} | states)
        self.states = dict(zip(self._graph.after, after, strict=True))
        return after[0]


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
