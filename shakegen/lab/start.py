"""Careful starts and optimizers: the same cell and problem from different weights, in different ways."""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from shakegen.lab import cells, check
from shakegen.lab.optimizers import OPTIMIZERS, Training
from shakegen.lab.problems import PROBLEMS, Problem
from shakegen.lab.recurrent_weights import MATRICES, recurrent_kernel
from shakegen.lab.result import Result, format_value
from shakegen.plotting import Curve, Figure, Panel, Table

STARTS = (*MATRICES, "learned")
TESTED = 500  # sequences that the errors are measured on


@dataclass(frozen=True)
class Start(Result):
    """The error of every start with every optimizer, a row for each.

    Attributes:
        error_name: the name of the error.
        guess: the least error without a memory.
        curves: for every run, the error by the gradients spent: start, optimizer, gradients, errors.
    """

    error_name: str
    guess: float
    curves: list[dict]

    @property
    def tables(self) -> list[Table]:
        """Starts down, optimizers across."""
        starts, optimizers = (list(dict.fromkeys(row[name] for row in self.rows)) for name in ("start", "optimizer"))
        errors = {(row["start"], row["optimizer"]): format_value(row["error"]) for row in self.rows}
        rows = [[start, *(errors[start, optimizer] for optimizer in optimizers)] for start in starts]
        title = f"{self.error_name.capitalize()}; without a memory, {self.guess:.3g} at least"
        return [Table(["start", *optimizers], rows, title)]

    def figure(self) -> Figure:
        on_the_way = [curve for curve in self.curves if len(curve["errors"]) > 2]  # a read-out has no way to go
        optimizers = dict.fromkeys(curve["optimizer"] for curve in on_the_way or self.curves)
        return Figure("The error while training, by start and optimizer", [self._panel(name) for name in optimizers])

    def _panel(self, optimizer):
        own = [curve for curve in self.curves if curve["optimizer"] == optimizer]
        curves = [Curve(curve["start"], curve["gradients"], curve["errors"]) for curve in own]
        return Panel("gradients", self.error_name, curves, title=optimizer, log_y=self.error_name.startswith("mean"))


def start(
    problem: Annotated[str, PROBLEMS] = "timer",
    starts: Annotated[Iterable[str], STARTS] = STARTS,
    optimizers: Annotated[Iterable[str], OPTIMIZERS] = tuple(OPTIMIZERS),
    cell: str = cells.CELLS[0],
    lag: int = 10,
    units: int = 32,
    gradients: int = 40_000,
    batch_size: int = 32,
    spectral_radius: float = 0.95,
    random_state: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Start:
    """Compare careful starts and optimizers on one cell and problem.

    Every start meets every optimizer, all with the same budget of gradients; a product with the Gauss-Newton matrix
    counts as two. `timer` and `memory` explain the problems. A gated cell gets a recurrent matrix for each gate.

    Examples:
        shakegen lab start --out start.svg
        shakegen lab start --problem adding --lag 50 --starts orthogonal,identity
        shakegen lab start --cell lstm --optimizers adam,hessian-free

    Args:
        problem: problem to learn.
        starts: recurrent weights to begin from; learned: orthogonal, and a learned initial state.
        optimizers: ways to train; read-out: ridge regression of the read-out alone.
        cell: cell to train; one of your own is module:Class.
        lag: how far back the problem goes; for the timer, the longest duration.
        units: size of the state of the layer.
        gradients: budget of every run, in gradients of single sequences.
        batch_size: sequences in a batch.
        spectral_radius: spectral radius of the start echo-state.
        random_state: seed of weights and sequences.
        progress: called with a line after each training run.

    Raises:
        ValueError: an argument is out of range.
    """
    check.require_known("start", starts, STARTS)
    check.require_known("optimizer", optimizers, OPTIMIZERS)
    check.require_counts(batch_size=batch_size, lag=lag)
    if gradients < batch_size:
        raise ValueError(f"gradients is {gradients}: expected the batch size, {batch_size}, or more")
    posed, config, rows, curves = PROBLEMS[problem], cells.make_config(cell, units), [], []
    for optimizer in optimizers:
        for name in starts:
            network = build_network(name, posed, config, spectral_radius, random_state)
            spent, errors = zip(*train(network, posed, lag, optimizer, gradients, batch_size, random_state))
            own = {"start": name, "optimizer": optimizer}
            rows.append({"problem": problem, "cell": cell, **own, "gradients": spent[-1], "error": errors[-1]})
            curves.append({**own, "gradients": spent, "errors": errors})
            progress(f"{name}, {optimizer}: {posed.error_name} {errors[-1]:.3g}")
    return Start(rows, posed.error_name, posed.guess(lag), curves)


def build_network(start: str, problem: Problem, config, spectral_radius: float, random_state: int):
    """A network with the recurrent weights of a start; all its other weights are the same for every start."""
    from shakegen.lab.fitting import sequence_network

    learned = start == "learned"
    config = dataclasses.replace(config, learn_initial_state=learned)
    network = sequence_network(config, problem.inputs, problem.outputs, problem.last, random_state)
    matrix, random = "orthogonal" if learned else start, np.random.default_rng(random_state)
    settings = {"spectral_radius": spectral_radius} if start == "echo-state" else {}
    for weight in network.trainable_weights:
        if "recurrent_kernel" in weight.name:
            weight.assign(recurrent_kernel(matrix, random, weight.shape, **settings))
    return network


def train(network, problem: Problem, lag: int, optimizer: str, gradients: int, batch_size: int, random_state: int):
    """Train a network; pairs of the gradients spent and the error then, from the first to the last."""
    random = np.random.default_rng((random_state, lag))
    inputs, targets = problem.draw(random, TESTED, lag)
    errors = []

    def record(spent):
        errors.append((round(spent), problem.error(network.predict_on_batch(inputs), targets)))

    def draw(sequences):
        return problem.draw(random, sequences, lag)

    record(0)
    OPTIMIZERS[optimizer](Training(network, problem.loss(), draw, gradients, batch_size, record))
    return errors
