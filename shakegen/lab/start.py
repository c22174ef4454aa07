"""Careful starts and optimizers: which weights to begin from, and how to go on."""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from shakegen.lab import cells, memory
from shakegen.lab.check import at_least_1
from shakegen.lab.memory import Problem
from shakegen.lab.optimizers import OPTIMIZERS, Training
from shakegen.lab.recurrent_weights import MATRICES, recurrent_kernel
from shakegen.lab.result import Result, shown
from shakegen.lab.timer import timer_problem
from shakegen.plotting import Curve, Figure, Panel, Table

PROBLEMS = {"timer": timer_problem, **memory.PROBLEMS}
STARTS = (*MATRICES, "learned")
TESTED = 500  # sequences that the scores are measured on


@dataclass(frozen=True)
class Start(Result):
    """The score of every start with every optimizer, a row for each.

    Attributes:
        score_name: what the score is.
        guess: the score of who remembers nothing.
        curves: of every run, the score by the gradients spent: start, optimizer, gradients, scores.
    """

    score_name: str
    guess: float
    curves: list[dict]

    @property
    def tables(self) -> list[Table]:
        """Starts down, optimizers across."""
        starts, optimizers = (list(dict.fromkeys(row[name] for row in self.rows)) for name in ("start", "optimizer"))
        found = {(row["start"], row["optimizer"]): shown(row["score"]) for row in self.rows}
        rows = [[start, *(found[start, optimizer] for optimizer in optimizers)] for start in starts]
        return [Table(["start", *optimizers], rows, f"{self.score_name}, {self.guess:.3g} without a memory")]

    def figure(self) -> Figure:
        on_the_way = [curve for curve in self.curves if len(curve["scores"]) > 2]  # a read-out has no way to go
        optimizers = dict.fromkeys(curve["optimizer"] for curve in on_the_way or self.curves)
        return Figure("The score while training, by start and optimizer", [self._panel(name) for name in optimizers])

    def _panel(self, optimizer):
        own = [curve for curve in self.curves if curve["optimizer"] == optimizer]
        curves = [Curve(curve["start"], curve["gradients"], curve["scores"]) for curve in own]
        return Panel("gradients", self.score_name, curves, title=optimizer, log_y=self.score_name != "accuracy")


def start(
    problem: str = "timer",
    starts: Iterable[str] = STARTS,
    optimizers: Iterable[str] = tuple(OPTIMIZERS),
    cell: str = "rnn",
    lag: int = 10,
    units: int = 32,
    gradients: int = 40_000,
    batch_size: int = 32,
    spectral_radius: float = 0.95,
    random_state: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Start:
    """Train one cell from every start with every optimizer, each time from the same budget.

    The recurrent weights of a gated cell are a matrix for each gate. The start "learned" is the orthogonal one with an
    initial state that is learned too.

    Args:
        problem: of `PROBLEMS`.
        starts: of `STARTS`.
        optimizers: of `OPTIMIZERS`.
        cell: of `cells.CELLS`.
        lag: of the problem: how far back it goes; of the timer, the longest duration.
        units: H of the one layer.
        gradients: the budget, in gradients of single sequences.
        batch_size: sequences in a batch.
        spectral_radius: of the echo-state start.
        random_state: of weights and sequences.
        progress: called with a line after each training run.

    Raises:
        ValueError: an argument is out of range; the message says what was expected.
    """
    at_least_1(batch_size=batch_size)
    if gradients < batch_size:
        raise ValueError(f"gradients is {gradients}: expected the batch size, {batch_size}, or more")
    posed, rows, curves = PROBLEMS[problem](), [], []
    for optimizer in optimizers:
        for name in starts:
            network = network_from(name, posed, cells.config(cell, units), spectral_radius, random_state)
            spent, scores = zip(*run(network, posed, lag, optimizer, gradients, batch_size, random_state))
            own = {"start": name, "optimizer": optimizer}
            rows.append({"problem": problem, "cell": cell, **own, "gradients": spent[-1], "score": scores[-1]})
            curves.append({**own, "gradients": spent, "scores": scores})
            progress(f"{name}, {optimizer}: {posed.score_name} {scores[-1]:.3g}")
    return Start(rows, posed.score_name, posed.guess, curves)


def chosen(kind: str, listed: str, known: Iterable[str]) -> list[str]:
    """The names of a list such as "sgd,adam", each once.

    Raises:
        ValueError: one is unknown.
    """
    found = list(dict.fromkeys(name.strip() for name in listed.split(",")))
    for name in found:
        if name not in known:
            raise ValueError(f"there is no {kind} {name!r} in the lab: expected some of {', '.join(known)}")
    return found


def network_from(start: str, problem: Problem, config, spectral_radius: float, random_state: int):
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


def run(network, problem: Problem, lag: int, optimizer: str, gradients: int, batch_size: int, random_state: int):
    """Train a network; pairs of the gradients spent and the score then, from the first to the last."""
    random = np.random.default_rng((random_state, lag))
    inputs, targets = problem.draw(random, TESTED, lag)
    found = []

    def record(spent):
        found.append((round(spent), problem.score(network.predict_on_batch(inputs), targets)))

    def draw(sequences):
        return problem.draw(random, sequences, lag)

    record(0)
    OPTIMIZERS[optimizer](Training(network, problem.loss(), draw, gradients, batch_size, record))
    return found
