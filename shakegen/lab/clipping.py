"""The effect of clipping on the gradient of the weights (Pascanu, Mikolov & Bengio 2013).

Imports TensorFlow.
"""

import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from shakegen.model.evaluation import LN2

CLIPPINGS = ("none", "value", "norm")


def clip(network: keras.Model, settings, ids: np.ndarray, kept: str | None = None) -> dict[str, dict]:
    """The effect of each clipping on the gradients of the batches of a text.

    Args:
        network: from ids to logits.
        settings: `gradients.GradientSettings`.
        ids: the text.
        kept: the clipping that the network learns with; None: it does not learn.

    Returns:
        A row of the table for each of CLIPPINGS.
    """
    build_optimizer = {"adam": keras.optimizers.Adam, "sgd": lambda rate: keras.optimizers.SGD(rate, momentum=0.9)}
    optimizer = build_optimizer[settings.optimizer](settings.learning_rate) if kept else None
    step, effects = clipping_step(network, settings.clip_value, settings.clip_norm, optimizer, kept or "none"), []
    for number in range(settings.updates):
        effects.append(step(keras.ops.convert_to_tensor(settings.draw_windows(ids, number))).numpy().astype(float))
        if not math.isfinite(effects[-1][0, 0]):  # the loss
            break
    return {kind: clipping_row(kind, *numbers.T) for kind, numbers in zip(CLIPPINGS, np.stack(effects, axis=1))}


def clipping_row(kind: str, losses, before, after, cosines) -> dict:
    """The losses, norms before and after, and cosines of all updates in a few numbers."""
    return {
        "clipping": kind,
        "bits_per_character": float(np.mean(losses[-20:]) / LN2),
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
