"""The ways in which `shakegen.lab.start` trains networks: every optimizer from one budget of gradients."""

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

from shakegen.lab.read_out import fit_read_out

PRODUCT, LOSS = 2, 1 / 3  # the cost of a product with the curvature, and of a loss, in gradients
RECORDS = 20  # how often a first-order run records where it is


@dataclass(frozen=True)
class Training:
    """A network to train, its data and its budget.

    Attributes:
        network: one of `fitting.sequence_network`.
        loss: a loss of Keras.
        draw: gives a new batch of a number of sequences.
        gradients: the budget, in gradients of single sequences.
        batch_size: sequences in a batch; the Hessian-free optimizer takes `WIDER` times as many.
        momentum: of the optimizers that have one; the largest, where it rises.
        record: called on the way with the gradients spent so far.
    """

    network: object
    loss: object
    draw: Callable
    gradients: int
    batch_size: int
    momentum: float
    record: Callable[[float], None]

    WIDER = 2


def read_out(training: Training) -> None:
    """Ridge regression of the read-out; all other weights stay."""
    sequences = min(2000, int(training.gradients / LOSS))
    fit_read_out(training.network, *training.draw(sequences))
    training.record(sequences * LOSS)


RATES = {"sgd": 0.1, "momentum": 0.02, "rising-momentum": 0.02, "adam": 0.002}


def first_order(name: str, training: Training) -> None:
    """An optimizer of Keras at its rate in `RATES`, with gradients clipped to a norm of 1."""
    from keras import optimizers

    from shakegen.lab.fitting import RisingMomentum, fit

    momentum = {"momentum": training.momentum, "nesterov": True}
    kind, settings = {
        "sgd": (optimizers.SGD, {}),
        "momentum": (optimizers.SGD, momentum),
        "rising-momentum": (RisingMomentum, momentum),
        "adam": (optimizers.Adam, {}),
    }[name]
    optimizer = kind(RATES[name], **settings, global_clipnorm=1.0)
    size, updates = training.batch_size, training.gradients // training.batch_size
    every = max(1, updates // RECORDS)
    updates -= updates % every  # so that the last record is of the last update
    spent = itertools.count(every * size, every * size)
    batches = iter(lambda: training.draw(size), None)
    options = {"optimizer": optimizer, "check": lambda: training.record(next(spent)), "every": every}
    losses = fit(training.network, training.loss, batches, updates, **options)
    if not math.isfinite(losses[-1]):  # it diverged, and ended without a record
        training.record(len(losses) * size)


def hessian_free(training: Training) -> None:
    """The `HessianFree` optimizer, with structural damping, on a new batch in every step, until the run diverges."""
    from shakegen.lab.gauss_newton import KerasObjective
    from shakegen.lab.hessian_free import HessianFree

    size, spent = training.WIDER * training.batch_size, 0.0
    optimizer = HessianFree(damping=0.1, structural=0.3, iterations=50)
    objective = KerasObjective(training.network, training.loss, *training.draw(size))
    while spent < training.gradients:
        try:
            objective.theta, update = optimizer.step(objective.theta, objective)
        except ValueError:  # the last step was good on its batch, but not on this one
            return
        spent += size * (1 + PRODUCT * update.products + LOSS * update.losses)
        training.record(spent)
        objective.batch(*training.draw(size))


OPTIMIZERS: dict[str, Callable[[Training], None]] = {
    "read-out": read_out,
    **{name: functools.partial(first_order, name) for name in RATES},
    "hessian-free": hessian_free,
}
