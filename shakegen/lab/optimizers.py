"""How the networks of `shakegen.lab.start` are trained: every optimizer from one budget of gradients."""

from collections.abc import Callable
from dataclasses import dataclass

from shakegen.lab.read_out import fit_read_out

PRODUCT, LOSS = 2, 1 / 3  # what a product with the curvature and a loss cost, in gradients of as many sequences
RATES = {"sgd": 0.1, "momentum": 0.02, "adam": 0.002}  # learning rates
RECORDS = 20  # how often a first-order run records where it is


@dataclass(frozen=True)
class Training:
    """A network to train, and what with.

    Attributes:
        network: of `fitting.sequence_network`.
        loss: of Keras.
        draw: gives a batch of so many sequences, new ones every time.
        gradients: the budget, in gradients of single sequences.
        batch_size: sequences in a batch; of the Hessian-free optimizer, `WIDER` times as many.
        record: to be called on the way with the gradients spent until then.
    """

    network: object
    loss: object
    draw: Callable
    gradients: int
    batch_size: int
    record: Callable[[float], None]

    WIDER = 2


def read_out(training: Training) -> None:
    """Ridge regression of the read-out; all other weights stay."""
    sequences = min(2000, int(training.gradients / LOSS))
    fit_read_out(training.network, *training.draw(sequences))
    training.record(sequences * LOSS)


def sgd():
    import keras

    return keras.optimizers.SGD(RATES["sgd"], global_clipnorm=1.0)


def momentum():
    """Nesterov's (1983), as Sutskever et al. (2013) use it."""
    import keras

    return keras.optimizers.SGD(RATES["momentum"], momentum=0.9, nesterov=True, global_clipnorm=1.0)


def adam():
    import keras

    return keras.optimizers.Adam(RATES["adam"], global_clipnorm=1.0)


FIRST_ORDER = {"sgd": sgd, "momentum": momentum, "adam": adam}


def first_order(name: str) -> Callable[[Training], None]:
    """Training with one of the optimizers of Keras, gradients clipped to a norm of 1."""

    def train(training):
        from shakegen.lab.fitting import fit

        size, updates = training.batch_size, training.gradients // training.batch_size
        every = max(1, updates // RECORDS)
        spent = iter(range(every * size, training.gradients + 1, every * size))
        batches = iter(lambda: training.draw(size), None)
        fit(
            training.network,
            training.loss,
            batches,
            updates,
            optimizer=FIRST_ORDER[name](),
            check=lambda: training.record(next(spent)),
            every=every,
        )

    return train


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
        except ValueError:  # what was a good step on the last batch is none on this
            return
        spent += size * (1 + PRODUCT * update.products + LOSS * update.losses)
        training.record(spent)
        objective.batch(*training.draw(size))


OPTIMIZERS = {"read-out": read_out, **{name: first_order(name) for name in FIRST_ORDER}, "hessian-free": hessian_free}
