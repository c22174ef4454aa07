"""How far back a cell can look: the longest lag at which it learns the adding and the copying problem."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Annotated

import numpy as np

from shakegen.lab import cells, check
from shakegen.lab.problems import PROBLEMS, SYMBOLS, Problem, copying_problem
from shakegen.lab.repeats import caption, middle, summarise
from shakegen.lab.result import Result
from shakegen.plotting import Curve, Figure, Panel

TRIED = ("adding", "copying")
TESTED = 500  # sequences that decide whether a problem is mastered


@dataclass(frozen=True)
class Memory(Result):
    """The longest lag that each cell mastered, a row for each problem and cell; in a row, the results of all repeats.

    Attributes:
        attempts: one dictionary for each training run: problem, cell, random_state, lag, updates, error, mastered.
    """

    attempts: list[dict]

    def figure(self) -> Figure:
        panels = [self._panel(name) for name in TRIED if any(name == one["problem"] for one in self.attempts)]
        return Figure(
            caption("The error after training, by lag", len({a["random_state"] for a in self.attempts})), panels
        )

    def _panel(self, name: str) -> Panel:
        attempts, curves = [attempt for attempt in self.attempts if attempt["problem"] == name], []
        lags, states = (sorted({attempt[key] for attempt in attempts}) for key in ("lag", "random_state"))
        for cell in dict.fromkeys(attempt["cell"] for attempt in attempts):
            own = {(a["random_state"], a["lag"]): a["error"] for a in attempts if a["cell"] == cell}
            tried = [lag for lag in lags if all((state, lag) in own for state in states)]  # by all climbs, good and bad
            median, band = middle([[own[state, lag] for lag in tried] for state in states])
            curves.append(Curve(cell, tried, median, band=band))
        problem = PROBLEMS[name]
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
    symbols: int = SYMBOLS,
    repeats: int = 3,
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
        repeats: climbs of each cell on each problem, with the random states from `random_state` on.
        random_state: seed of weights and sequences.
        progress: called with a line after each training run.

    Raises:
        ValueError: an argument is out of range.
    """
    configs, lags, tried = {name: cells.make_config(name, units) for name in names}, list(lags), list(tried)
    check.require_known("problem", tried, TRIED)
    if not lags:
        raise ValueError("there are no lags: expected one or more, such as 10,20")
    check.require_counts(updates=updates, batch_size=batch_size, repeats=repeats)
    check.require_positive(learning_rate=learning_rate)
    problems = {name: copying_problem(symbols) if name == "copying" else PROBLEMS[name] for name in tried}
    for problem, lag in product(problems.values(), lags):
        problem.draw(np.random.default_rng(0), 1, lag)  # refuses a lag that is too short before any run
    climbs, attempts = [], []
    for problem_name, name, state in product(problems, configs, range(random_state, random_state + repeats)):
        kind, own = {"problem": problem_name, "cell": name}, []
        for lag in lags:
            outcome = attempt(problems[problem_name], configs[name], lag, state, updates, batch_size, learning_rate)
            own.append({**kind, "random_state": state, "lag": lag, **outcome})
            progress("{problem}, {cell}, lag {lag}: {error:.4f} after {updates} updates".format_map(own[-1]))
            if not own[-1]["mastered"]:
                break
        longest = max((a["lag"] for a in own if a["mastered"]), default=0)
        climbs.append({**kind, "longest_lag": longest, "lag_tried": lag, "updates_there": own[-1]["updates"]})
        attempts += own
    return Memory(summarise(climbs, "problem", "cell"), attempts)


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
