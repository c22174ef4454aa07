"""A model as a TensorFlow SavedModel, which needs neither shakegen nor Keras where it is loaded."""

import json

import numpy as np
import tensorflow as tf

from shakegen.cells.graph import trace
from shakegen.cells.program import evaluate
from shakegen.export.texts import texts_of_outputs
from shakegen.inference.layers import layers_of
from shakegen.layers.tensorflow_operations import TENSORFLOW


class Network(tf.Module):
    """The network of a model in TensorFlow, with the functions `serve` and `sample`.

    Attributes:
        symbols, outputs: JSON, the text of each id and of each logit, null where there is none.
    """

    def __init__(self, model):
        super().__init__()
        config, weights = model.config, {name: tf.Variable(w, name=name) for name, w in model.weights.items()}
        self._weights, self._size, known = weights, len(model.vocabulary), len(model.vocabulary.symbols)
        outputs = np.arange(weights["dense/bias"].shape[0])
        self._without_text = np.where(outputs < known, 0, -np.inf).astype(np.float32)
        self._config, layers, starts = config, [], []
        self.symbols = tf.Variable(json.dumps(model.vocabulary.to_json()))
        self.outputs = tf.Variable(json.dumps(texts_of_outputs(model)))
        for equations, own, size in layers_of(config, weights):
            graph = trace(equations, size)
            layers.append((graph, {symbol: own[name] for name, symbol in graph.weights.items()}))
            starts += [own.get(f"initial_state_{k}", tf.zeros(config.units)) for k in range(len(graph.states))]
        self._layers, self._starts = (lambda: layers), (lambda: starts)  # TensorFlow would track lists, and their keys

    def start(self, streams):
        """The states from which N streams start."""
        return [tf.tile(start[None], [streams, 1]) for start in self._starts()]

    def step(self, ids, states):
        """Read a symbol in each stream: ids (N,) and states → logits (N, outputs) and states."""
        states, after, x = iter(states), [], self._embed(ids)
        for number, (graph, weights) in enumerate(self._layers()):
            before = {symbol: next(states) for symbol in graph.states.values()}
            given = evaluate(graph.after.values(), {graph.x: x, **before, **weights}, TENSORFLOW)
            x = given[0] + x if self._config.adds_layers and number else given[0]
            after += given
        return x @ self._weights["dense/kernel"] + self._weights["dense/bias"], after

    def _embed(self, ids):
        if self._config.embedding:
            return tf.gather(self._weights["embedding/embeddings"], ids)
        return tf.one_hot(ids, self._size)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int64, "ids")], autograph=False)
    def serve(self, ids):
        """The logits after each symbol: ids (N, T) → (N, T, outputs)."""
        logits, _ = self._read(ids)
        return {"logits": logits}

    def _read(self, ids):
        steps, count = tf.transpose(ids), tf.shape(ids)[1]
        logits = tf.TensorArray(tf.float32, size=count)

        def read(t, states, logits):
            results, states = self.step(steps[t], states)
            return t + 1, states, logits.write(t, results)

        _, states, logits = tf.while_loop(
            lambda t, *_: t < count, read, (tf.constant(0), self.start(tf.shape(ids)[0]), logits)
        )
        return tf.transpose(logits.stack(), [1, 0, 2]), states

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int64, "ids"),
            tf.TensorSpec([], tf.int32, "length"),
            tf.TensorSpec([], tf.float32, "temperature"),
            tf.TensorSpec([], tf.int32, "random_state"),
        ],
        autograph=False,
    )
    def sample(self, ids, length, temperature, random_state):
        """Go on with texts: ids (N, T), T ≥ 1 → ids (N, length); a temperature of 0 gives the likeliest."""
        logits, states = self._read(ids)
        drawn = tf.TensorArray(tf.int64, size=length)

        def write(t, logits, states, drawn):
            logits = logits + tf.constant(self._without_text)  # which is never written
            scaled = logits / tf.maximum(temperature, 1e-6)
            chosen = tf.random.stateless_categorical(scaled, 1, [random_state, t])[:, 0]
            chosen = tf.where(temperature > 0, chosen, tf.argmax(logits, axis=-1))
            logits, states = self.step(chosen, states)
            return t + 1, logits, states, drawn.write(t, chosen)

        loop = (tf.constant(0), logits[:, -1], states, drawn)
        *_, drawn = tf.while_loop(lambda t, *_: t < length, write, loop)
        return {"ids": tf.transpose(drawn.stack())}


def write_saved_model(model, folder) -> None:
    """Write the SavedModel of a model, with the signatures `serving_default` and, if it can write, `sample`."""
    network = Network(model)
    signatures = {"serving_default": network.serve}
    if model.output_vocabulary is model.vocabulary:
        signatures["sample"] = network.sample
    tf.saved_model.save(network, str(folder), signatures)
