"""How far back a cell can look: the longest lag at which it learns the adding and the copying problem."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from shakegen.lab import cells, check
from shakegen.lab.problems import PROBLEMS, Problem, copying_problem
from shakegen.lab.result import Result
from shakegen.plotting import Curve, Figure, Panel

TRIED = ("adding", "copying")
TESTED = 500  # sequences that decide whether a problem is mastered


@dataclass(frozen=True)
class Memory(Result):
    """The longest lag that each cell mastered, a row for each problem and cell.

    Attributes:
        attempts: one dictionary for each training run: problem, cell, lag, updates, error, mastered.
    """

    attempts: list[dict]

    def figure(self) -> Figure:
        panels = [self._panel(name) for name in TRIED if any(name == one["problem"] for one in self.attempts)]
        return Figure("The error after training, by lag", panels)

    def _panel(self, name: str) -> Panel:
        attempts, curves = [attempt for attempt in self.attempts if attempt["problem"] == name], []
        for cell in dict.fromkeys(attempt["cell"] for attempt in attempts):
            own = [attempt for attempt in attempts if attempt["cell"] == cell]
            curves.append(Curve(cell, [a["lag"] for a in own], [a["error"] for a in own]))
        lags, problem = sorted({attempt["lag"] for attempt in attempts}), PROBLEMS[name]
        curves.append(Curve("no memory", lags, list(map(problem.guess, lags)), dashed=True))
        return Panel("lag", problem.error_name, curves, title=name, log_y=not problem.classes)


def memory(
    names: Annotated[Iterable[str], cells.CELLS] = tuple(cells.CELLS),
    tried: Annotated[Iterable[str], TRIED] = TRIED,
    lags: Iterable[int] = (10, 20, 40, 80),
    updates: int = 500,
    units: int = 32,
    batch_size: int = 32,
    learning_rate: float = 1e-2,
    symbols: int = 1,
    random_state: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Memory:
    """Find the longest lag at which each cell learns to add or copy.

    Adding: the sum of the two marked numbers of a sequence; the lag is its length. A mean squared error below 0.01
    masters it. Copying: the symbols read first, said again after the lag. Less than 5 % of them wrong masters it. Each
    cell is trained anew at ever longer lags, until one is too long for the budget.

    Examples:
        shakegen lab memory --cells rnn,lstm,gru --out memory.svg
        shakegen lab memory --problem adding --cells lstm,gru --lags 50,100,200

    Args:
        names: cells to compare.
        tried: problems to learn.
        lags: lags to try in this order, until one is too long.
        updates: training updates at each lag.
        units: size of the state of the layer.
        batch_size: sequences in a batch.
        learning_rate: learning rate of Adam; gradients are clipped to a norm of 1.
        symbols: how many symbols to copy.
        random_state: seed of weights and sequences.
        progress: called with a line after each training run.

    Raises:
        ValueError: an argument is out of range.
    """
    configs, lags = {name: cells.make_config(name, units) for name in names}, list(lags)
    check.require_known("problem", tried, TRIED)
    check.require_counts(updates=updates, batch_size=batch_size)
    check.require_positive(learning_rate=learning_rate)
    rows, attempts = [], []
    for problem_name in tried:
        problem = copying_problem(symbols) if problem_name == "copying" else PROBLEMS[problem_name]
        for name, config in configs.items():
            own = []
            for lag in lags:
                outcome = attempt(problem, config, lag, random_state, updates, batch_size, learning_rate)
                own.append({"problem": problem_name, "cell": name, "lag": lag, **outcome})
                progress("{problem}, {cell}, lag {lag}: {error:.4f} after {updates} updates".format_map(own[-1]))
                if not own[-1]["mastered"]:
                    break
            longest = max((a["lag"] for a in own if a["mastered"]), default=0)
            last = {"lag_tried": own[-1]["lag"], "error_there": own[-1]["error"], "updates_there": own[-1]["updates"]}
            rows.append({"problem": problem_name, "cell": name, "longest_lag": longest, **last})
            attempts += own
    return Memory(rows, attempts)


def attempt(problem: Problem, config, lag: int, random_state: int, updates: int, batch_size: int, learning_rate: float):
    """Train one network on one problem at one lag: the updates made, the error, whether it masters the problem."""
    from shakegen.lab.fitting import fit, sequence_network

    network = sequence_network(config, problem.inputs, problem.outputs, problem.last, random_state)
    random = np.random.default_rng((random_state, lag))
    inputs, targets = problem.draw(random, TESTED, lag)

    def error():
        return problem.error(network.predict_on_batch(inputs), targets)

    batches = iter(lambda: problem.draw(random, batch_size, lag), None)
    losses = fit(network, problem.loss(), batches, updates, learning_rate, check=lambda: problem.is_mastered(error()))
    final = error()
    return {"updates": len(losses), "error": final, "mastered": problem.is_mastered(final)}
