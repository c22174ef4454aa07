"""The effect of clipping on the gradient of the weights (Pascanu, Mikolov & Bengio 2013).

Imports TensorFlow.
"""

import math

import keras
import numpy as np
import tensorflow as tf

from shakegen.model.evaluation import LN2

CLIPPINGS = ("none", "value", "norm")


class Trials:
    """Runs of one network along texts, which measure what each clipping does to the gradients of its weights.

    The step is compiled once, for all runs.

    Args:
        network: from ids to logits; each run begins with the weights that it has then.
        settings: `gradients.GradientSettings`.
        learns: whether a run trains the network, each with an optimizer of its own.
        symbol: what the network predicts: a character, a subword or a word.
    """

    def __init__(self, network: keras.Model, settings, learns: bool, symbol: str):
        build_optimizer = {"adam": keras.optimizers.Adam, "sgd": lambda rate: keras.optimizers.SGD(rate, momentum=0.9)}
        self._network, self._weights, self._settings = network, network.trainable_variables, settings
        self._column = f"bits_per_{symbol}"
        self._optimizer = build_optimizer[settings.optimizer](settings.learning_rate) if learns else None
        if self._optimizer:
            self._optimizer.build(self._weights)
            # The random states of zoneout and dropout begin anew, too.
            changing = *self._optimizer.variables, *network.non_trainable_variables
            self._start = [(variable, variable.numpy()) for variable in changing]
        self._step = tf.function(self._measure, reduce_retracing=True)

    def run(self, settings, ids: np.ndarray, kept: str = "none") -> dict[str, dict]:
        """A row of the table for each of CLIPPINGS, along the batches of a text.

        Args:
            settings: those of the run, which say what batches it has.
            ids: the text.
            kept: the clipping that the network learns with.
        """
        if self._optimizer:
            for variable, value in self._start:
                variable.assign(value)
        effects, kept = [], tf.constant(CLIPPINGS.index(kept))
        for number in range(settings.updates):
            windows = tf.constant(settings.draw_windows(ids, number))
            effects.append(self._step(windows, kept).numpy().astype(float))
            if not math.isfinite(effects[-1][0, 0]):  # the loss
                break
        by_kind = zip(CLIPPINGS, np.stack(effects, axis=1))
        return {kind: clipping_row(kind, self._column, *numbers.T) for kind, numbers in by_kind}

    def _measure(self, windows, kept):
        """A row for each clipping on windows (N, T + 1), int32, shape (3, 4); learn from them by one of this number.

        A row has the mean cross entropy in nats, the norm of the gradient, its norm once clipped, and the cosine of the
        angle between.
        """
        with tf.GradientTape() as tape:
            logits = self._network(windows[:, :-1], training=self._optimizer is not None)
            losses = keras.ops.sparse_categorical_crossentropy(windows[:, 1:], logits, from_logits=True)
            loss = tf.reduce_mean(losses)
        raw = [tf.convert_to_tensor(g) for g in tape.gradient(loss, [weight.value for weight in self._weights])]
        limits = self._settings.clip_value, self._settings.clip_norm
        ways = [clip_gradients(raw, clipping, *limits) for clipping in CLIPPINGS]
        if self._optimizer:
            self._optimizer.apply([tf.stack(gradients)[kept] for gradients in zip(*ways)], self._weights)
        return tf.stack([tf.stack([loss, *compare_gradients(raw, way)]) for way in ways])


def clipping_row(kind: str, column: str, losses, before, after, cosines) -> dict:
    """The losses, norms before and after, and cosines of all updates in a few numbers."""
    return {
        "clipping": kind,
        column: float(np.mean(losses[-20:]) / LN2),
        "median_norm": float(np.median(before)),
        "largest_norm": float(np.max(before)),
        "updates_clipped": float(np.mean(after < before * (1 - 1e-5))),
        "largest_norm_left": float(np.max(after)),
        "smallest_cosine": float(np.min(cosines)),
    }


def clip_gradients(gradients: list, clipping: str, value: float, norm: float) -> list:
    """Clip gradients, as one of CLIPPINGS: every element to ±value, or all together to a norm, or not at all."""
    if clipping == "value":
        return [tf.clip_by_value(gradient, -value, value) for gradient in gradients]
    return tf.clip_by_global_norm(gradients, norm)[0] if clipping == "norm" else gradients


def compare_gradients(before: list, after: list) -> tuple:
    """The norms of two gradients, and the cosine of the angle between them."""
    norms = tf.linalg.global_norm(before), tf.linalg.global_norm(after)
    product = tf.add_n([tf.reduce_sum(a * b) for a, b in zip(before, after)])
    return *norms, tf.math.divide_no_nan(product, norms[0] * norms[1])
