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
        config: the layers, without embedding and residual connections.
        inputs: numbers in a step of the input.
        outputs: numbers in a step of the output.
        last: how many of the last steps are read out; None reads out all.
        random_state: seed of the initial weights.

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


class RisingMomentum(keras.optimizers.SGD):
    """Stochastic gradient descent with Nesterov's momentum, which rises slowly (Sutskever et al. 2013, equation 5).

    In update t it is min(1 - 2^(-1 - log2(⌊t / 250⌋ + 1)), momentum), that is 1/2, then 3/4, 5/6, 7/8 … after every 250
    updates, and never more than the given momentum.
    """

    def momentum_at(self, update):
        return keras.ops.minimum(1 - 0.5 / (update // 250 + 1), self.momentum)

    def update_step(self, gradient, variable, learning_rate):
        velocity = self.momentums[self._get_variable_index(variable)]
        now, then = (
            keras.ops.cast(self.momentum_at(keras.ops.cast(self.iterations + k, "float32")), variable.dtype)
            for k in (0, 1)
        )
        step = keras.ops.cast(learning_rate, variable.dtype) * gradient
        self.assign(velocity, now * velocity - step)
        self.assign_add(variable, then * velocity - step)  # the weights that are kept are those after the look ahead


def fit(
    network: keras.Model,
    loss,
    batches: Iterator,
    updates: int,
    learning_rate: float = 3e-3,
    optimizer: keras.optimizers.Optimizer | None = None,
    check: Callable[[], bool] | None = None,
    every: int = 50,
) -> list[float]:
    """Train for a number of updates, or until a check is passed.

    Args:
        network: not compiled yet.
        loss: a loss of Keras.
        batches: pairs (inputs, targets), at least as many as updates.
        updates: the most updates.
        learning_rate: that of Adam, which clips gradients to a norm of 1.
        optimizer: replaces Adam.
        check: called after every `every` updates; True ends the run.
        every: updates between two checks.

    Returns:
        The loss before each update; the last one is not finite where the run diverged, and ended there.
    """
    optimizer = optimizer or keras.optimizers.Adam(learning_rate, global_clipnorm=1.0)
    network.compile(optimizer, loss, jit_compile=False)
    losses = []
    for number, (inputs, targets) in enumerate(itertools.islice(batches, updates), 1):
        network.reset_metrics()  # Keras gives the mean since the last reset
        losses.append(float(network.train_on_batch(inputs, targets)))
        if not math.isfinite(losses[-1]) or (check and number % every == 0 and check()):
            break
    return losses
