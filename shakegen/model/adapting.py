"""A network that learns from a text while it reads it. Imports TensorFlow."""

import contextlib
import dataclasses
import weakref
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from shakegen.layers.carried import carrying, make_states
from shakegen.network.build import build
from shakegen.sampling.ancestral import ancestral

STREAMS, SEGMENTS = 32, 40  # of its own writing, for the usual size of gradients
DAMPING = 0.1  # of the mean size, added to that of each weight
LARGEST = 1.0  # share of the way back to the trained weights
MOST = 30.0  # rates by which a weight changes in a step: that of a rare word has a gradient far beyond its usual size
KEPT: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # networks by settings, by models


class Reader:
    """The network of a model, without dropout, which reads several texts on and on.

    Args:
        model: a `LanguageModel`.
        texts: their number, N.
    """

    def __init__(self, model, texts: int):
        self.network = build(dataclasses.replace(model.config, dropout=0.0), len(model.vocabulary))
        self.network.set_weights(list(model.weights.values()))
        self._states, self._begins = make_states(self.network, texts), tf.Variable(tf.ones(texts, tf.bool))
        # In training the compiled loop runs; but zoneout would draw there.
        self._training = not model.config.make_cell().zoneout

    def begin(self) -> None:
        """Let all texts begin."""
        self._begins.assign(tf.ones_like(self._begins))

    def read(self, inputs, training: bool = False) -> tf.Tensor:
        """The logits after each symbol of the next part of every text, ids (N, T) → (N, T, V)."""
        with carrying(self.network, self._states, self._begins):
            logits = self.network(inputs, training=training)
        self._begins.assign(tf.zeros_like(self._begins))
        return logits

    def differentiate(self, inputs, targets) -> tuple:
        """As `read`, with the gradients of the mean surprisal of the targets by the weights."""
        with tf.GradientTape() as tape:
            logits = self.read(inputs, self._training)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
        gradients = tape.gradient(loss, self.network.trainable_variables)
        return logits, [tf.convert_to_tensor(gradient) for gradient in gradients]  # an embedding's are slices


class AdaptingNetwork:
    """A network that takes a step of gradient descent after every segment of a text.

    Args:
        model: a `LanguageModel`; it stays as it is.
        settings: a `Dynamic`.
    """

    def __init__(self, model, settings):
        self._reader = Reader(model, 1)
        self._variables = self._reader.network.trainable_variables
        self._trained = [tf.constant(variable) for variable in self._variables]
        sizes = measure_gradients(model, settings.segment)
        mean = sum(size.sum() for size in sizes) / sum(size.size for size in sizes) or 1.0  # of one symbol, 0
        self._scales = [tf.constant(settings.rate / (size + DAMPING * mean)) for size in sizes]
        self._returns = [tf.constant(np.minimum(settings.decay * size / mean, LARGEST)) for size in sizes]
        self._most = MOST * settings.rate
        self._step = tf.function(self._learn, autograph=False)

    def begin(self) -> None:
        """Become the trained network again, before a text."""
        self._reader.begin()
        for variable, trained in zip(self._variables, self._trained):
            variable.assign(trained)

    def read(self, inputs: np.ndarray) -> np.ndarray:
        """The logits after each symbol of the next segment, ids (T,) → (T, V)."""
        return self._reader.read(inputs[None].astype(np.int32))[0].numpy()

    def learn(self, inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """As `read`; then it learns to predict the targets, the ids that followed, shape (T,)."""
        return self._step(*(tf.constant(ids[None], tf.int32) for ids in (inputs, targets))).numpy()

    def _learn(self, inputs, targets):
        logits, gradients = self._reader.differentiate(inputs, targets)
        for variable, gradient, scale, back, trained in zip(
            self._variables, gradients, self._scales, self._returns, self._trained
        ):
            step = tf.clip_by_value(scale * gradient, -self._most, self._most)
            variable.assign(variable - step + back * (trained - variable))
        return logits[0]


@contextlib.contextmanager
def borrow_network(model, settings) -> Iterator[AdaptingNetwork]:
    """The adapting network of a model, as it is before a text; kept for the next one, for it takes seconds to make."""
    kept = KEPT.setdefault(model, {})
    network = kept.pop(settings, None) or AdaptingNetwork(model, settings)
    network.begin()
    try:
        yield network
    finally:
        kept.clear()  # of other settings: each has several times the weights
        kept[settings] = network


def measure_gradients(model, segment: int) -> list[np.ndarray]:
    """The root mean square of each weight's gradient over segments of text that the network itself writes.

    Where a network predicts its own text, the mean gradient is zero. So the variance over batches is that of single
    segments, divided by their number.
    """
    reader, engine = Reader(model, STREAMS), model.engine
    logits, state = engine.prime(np.empty(0, int), STREAMS)
    texts = np.array([ids.copy() for ids in ancestral(engine.step, logits, state, SEGMENTS * segment + 1)], np.int32).T
    sums = [tf.Variable(tf.zeros_like(variable)) for variable in reader.network.trainable_variables]

    @tf.function(autograph=False)
    def add_squares(inputs, targets):
        for total, gradient in zip(sums, reader.differentiate(inputs, targets)[1]):
            total.assign_add(gradient * gradient)

    for begin in range(0, texts.shape[1] - 1, segment):
        part = texts[:, begin : begin + segment + 1]
        add_squares(tf.constant(part[:, :-1]), tf.constant(part[:, 1:]))
    return [np.sqrt(total.numpy() * STREAMS / SEGMENTS) for total in sums]
