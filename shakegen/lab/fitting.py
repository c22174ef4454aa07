"""Small networks over sequences of numbers, and the short runs that train them. Imports Keras."""

import itertools
import math
from collections.abc import Callable, Iterator

import keras

from shakegen.network.build import recurrent_layer
from shakegen.network.config import Config


def sequence_network(config: Config, inputs: int, outputs: int, last: int | None = None, random_state: int = 0):
    """Recurrent layers and a linear read-out, over sequences of vectors.

    Args:
        config: the layers; neither embedding nor residual connections are used.
        inputs: numbers in a step of the input.
        outputs: numbers in a step of the output.
        last: reads out only the last so many steps; None reads out all.
        random_state: of the initial weights.

    Returns:
        A `keras.Model`, (N, T, inputs) → (N, T or last, outputs), not compiled.
    """
    seeds = itertools.count(1000 * random_state)
    sequences = hidden = keras.Input((None, inputs))
    for number in range(1, config.layers + 1):
        hidden = recurrent_layer(config, f"layer{number}", seeds)(hidden)
    hidden = hidden if last is None else hidden[:, -last:]
    read_out = keras.layers.Dense(outputs, kernel_initializer=keras.initializers.GlorotUniform(next(seeds)))
    return keras.Model(sequences, read_out(hidden))


def fit(
    network: keras.Model,
    loss,
    batches: Iterator,
    updates: int,
    learning_rate: float = 3e-3,
    clip_norm: float | None = 1.0,
    optimizer: keras.optimizers.Optimizer | None = None,
    check: Callable[[], bool] | None = None,
    every: int = 50,
) -> list[float]:
    """Train for so many updates, or until a check is passed.

    Args:
        network: not compiled yet.
        loss: of Keras.
        batches: pairs (inputs, targets), as many as are needed.
        updates: at most so many.
        learning_rate, clip_norm: of Adam, unless
        optimizer: is given.
        check: called after every so many updates; True ends the run.
        every: updates between two checks.

    Returns:
        The loss before each update; the last one is not finite where the run diverged, and ended there.
    """
    optimizer = optimizer or keras.optimizers.Adam(learning_rate, global_clipnorm=clip_norm)
    network.compile(optimizer, loss, jit_compile=False)
    losses = []
    for number, (inputs, targets) in enumerate(itertools.islice(batches, updates), 1):
        network.reset_metrics()  # Keras gives the mean since the last reset
        losses.append(float(network.train_on_batch(inputs, targets)))
        if not math.isfinite(losses[-1]) or (check and number % every == 0 and check()):
            break
    return losses
