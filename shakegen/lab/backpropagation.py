"""Gradients through time, by the states of the past.

Imports TensorFlow.
"""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from shakegen.cells.graph import trace
from shakegen.cells.program import Program
from shakegen.inference.layers import layers_of
from shakegen.layers.tensorflow_operations import TENSORFLOW


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
