"""Careful starts and optimizers: the same cell and problem from different weights, in different ways."""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Annotated

import numpy as np

from shakegen.lab import cells, check
from shakegen.lab.optimizers import OPTIMIZERS, Training
from shakegen.lab.problems import PROBLEMS, Problem
from shakegen.lab.recurrent_weights import MATRICES, recurrent_kernel
from shakegen.lab.repeats import caption, middle, summarise
from shakegen.lab.result import Result, format_value
from shakegen.plotting import Curve, Figure, Panel, Table

STARTS = (*MATRICES, "learned")
TESTED = 500  # sequences that the errors are measured on


@dataclass(frozen=True)
class Start(Result):
    """The error of every start with every optimizer, a row for each, and the gradients that they spent.

    Attributes:
        error_name: the name of the error.
        guess: the least error without a memory.
        budget: of each run, in gradients.
        curves: for every run, the error by the gradients spent: start, optimizer, random_state, gradients, errors.
    """

    error_name: str
    guess: float
    budget: int
    curves: list[dict]

    @property
    def tables(self) -> list[Table]:
        """Starts down, optimizers across; below, the share of the budget that each optimizer spent."""
        starts, optimizers = (list(dict.fromkeys(row[name] for row in self.rows)) for name in ("start", "optimizer"))
        errors = {(row["start"], row["optimizer"]): format_value(row["error"]) for row in self.rows}
        rows = [[start, *(errors[start, optimizer] for optimizer in optimizers)] for start in starts]
        spent = [[c["gradients"][-1] / self.budget for c in self.curves if c["optimizer"] == o] for o in optimizers]
        rows.append(["spent", *(format_range(f"{min(own):.0%}", f"{max(own):.0%}") for own in spent)])
        title = f"{self.error_name.capitalize()}; without a memory, {self.guess:.3g} at least"
        below = f"spent: of the budget of {self.budget:,} gradients, from the lowest to the highest of all runs"
        return [Table(["start", *optimizers], rows, f"{title}. In the last row, {below}")]

    def figure(self) -> Figure:
        on_the_way = [curve for curve in self.curves if len(curve["errors"]) > 2]  # a read-out has no way to go
        shown = on_the_way or self.curves
        title = caption("The error while training", len({curve["random_state"] for curve in shown}))
        return Figure(title, [self._panel(name) for name in dict.fromkeys(curve["optimizer"] for curve in shown)])

    def _panel(self, optimizer):
        own, curves = [curve for curve in self.curves if curve["optimizer"] == optimizer], []
        for start in dict.fromkeys(curve["start"] for curve in own):
            runs = [curve for curve in own if curve["start"] == start]
            places = np.unique(np.concatenate([run["gradients"] for run in runs]))
            lines = [np.interp(places, run["gradients"], run["errors"], right=np.nan) for run in runs]
            median, band = middle(lines)
            curves.append(Curve(start, places, median, band=band))
        return Panel("gradients", self.error_name, curves, title=optimizer, log_y=self.error_name.startswith("mean"))


def format_range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def start(
    problem: Annotated[str, PROBLEMS] = "timer",
    starts: Annotated[Iterable[str], STARTS] = STARTS,
    optimizers: Annotated[Iterable[str], OPTIMIZERS] = tuple(OPTIMIZERS),
    cell: str = cells.CELLS[0],
    lag: int = 10,
    units: int = 32,
    gradients: int = 40_000,
    batch_size: int = 32,
    momentum: float = 0.9,
    spectral_radius: float = 0.95,
    repeats: int = 3,
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
        momentum: momentum of the optimizer momentum, and the largest of rising-momentum.
        spectral_radius: spectral radius of the start echo-state.
        repeats: runs of each pair, with the random states from `random_state` on.
        random_state: seed of weights and sequences.
        progress: called with a line after each training run.

    Raises:
        ValueError: an argument is out of range.
    """
    starts, optimizers = (list(dict.fromkeys(names)) for names in (starts, optimizers))
    check.require_known("start", starts, STARTS)
    check.require_known("optimizer", optimizers, OPTIMIZERS)
    check.require_counts(gradients=gradients, batch_size=batch_size, lag=lag, repeats=repeats)
    check.require_known("problem", [problem], PROBLEMS)
    check.require_positive(momentum=momentum, spectral_radius=spectral_radius)
    if momentum >= 1:
        raise ValueError(f"momentum is {momentum}: expected a number below 1")
    if gradients < batch_size and {*optimizers} != {"read-out"}:
        raise ValueError(f"gradients is {gradients}: expected the batch size, {batch_size}, or more")
    posed, config, runs, curves = PROBLEMS[problem], cells.make_config(cell, units), [], []
    posed.draw(np.random.default_rng(0), 1, lag)  # refuses a lag that is too short before any run
    names = config.make_cell().weights(1)
    if not any("recurrent_kernel" in name for name in names) and {*starts} & {*MATRICES}:
        raise ValueError(
            f"the cell {cell} has no recurrent matrix, so all its starts would be alike: expected a cell that has one, "
            "such as rnn"
        )
    for optimizer, name, state in product(optimizers, starts, range(random_state, random_state + repeats)):
        network = build_network(name, posed, config, spectral_radius, state)
        spent, errors = zip(*train(network, posed, lag, optimizer, gradients, batch_size, momentum, state))
        own = {"start": name, "optimizer": optimizer, "random_state": state}
        runs.append({"problem": problem, "cell": cell, **own, "gradients": spent[-1], "error": errors[-1]})
        curves.append({**own, "gradients": spent, "errors": errors})
        progress(f"{name}, {optimizer}: {posed.error_name} {errors[-1]:.3g}")
    return Start(summarise(runs, "start", "optimizer"), posed.error_name, posed.guess(lag), gradients, curves)


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


def train(network, problem: Problem, lag: int, optimizer: str, gradients, batch_size, momentum, random_state: int):
    """Train a network; pairs of the gradients spent and the error then, from the first to the last."""
    random = np.random.default_rng((random_state, lag))
    inputs, targets = problem.draw(random, TESTED, lag)
    errors = []

    def record(spent):
        errors.append((round(spent), problem.error(network.predict_on_batch(inputs), targets)))

    def draw(sequences):
        return problem.draw(random, sequences, lag)

    record(0)
    OPTIMIZERS[optimizer](Training(network, problem.loss(), draw, gradients, batch_size, momentum, record))
    return errors
