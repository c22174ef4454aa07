"""How far back a recurrent unit can look: the longest lag at which it learns the adding and the copying problem."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from shakegen.lab import cells, check, problems
from shakegen.lab.result import Result
from shakegen.plotting import Curve, Figure, Panel

TESTED = 500  # sequences that decide whether a problem is mastered


@dataclass(frozen=True)
class Problem:
    """What makes a problem of memory a task for a network.

    Attributes:
        draw: gives a batch, from random numbers, its size and the lag.
        inputs, outputs: numbers in a step.
        last: steps that are read out.
        loss: its name in Keras, for targets that `draw` gives.
        score: of outputs (N, last, outputs) against targets.
        score_name: what the score is.
        guess: the score of who remembers nothing.
        mastered: whether a score says that the problem is learned.
    """

    draw: Callable
    inputs: int
    outputs: int
    last: int
    loss: Callable
    score: Callable
    score_name: str
    guess: float
    mastered: Callable[[float], bool]


def adding_problem() -> Problem:
    """Mastered with a mean squared error below 0.01; who always answers 1 has 1/6."""

    def draw(random, batch, lag):
        inputs, sums = problems.adding(random, batch, lag)
        return inputs, sums[:, None]

    def loss():
        import keras

        return keras.losses.MeanSquaredError()

    def score(outputs, targets):
        return float(np.mean((outputs - targets) ** 2))

    return Problem(draw, 2, 1, 1, loss, score, "mean squared error", 1 / 6, lambda error: error < 0.01)


def copying_problem(symbols: int = 3, alphabet: int = 8) -> Problem:
    """Mastered with 95 % of the symbols right; who guesses has 1 of 8."""

    def draw(random, batch, lag):
        return problems.copying(random, batch, lag, symbols, alphabet)

    def loss():
        import keras

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def score(outputs, targets):
        return float(np.mean(outputs.argmax(axis=2) == targets))

    sizes = alphabet + 2, alphabet, symbols
    return Problem(draw, *sizes, loss, score, "accuracy", 1 / alphabet, lambda accuracy: accuracy >= 0.95)


PROBLEMS = {"adding": adding_problem, "copying": copying_problem}


@dataclass(frozen=True)
class Memory(Result):
    """The longest lag that each cell mastered, a row for each problem and cell.

    Attributes:
        attempts: one dictionary for each training run: problem, cell, lag, updates, score, mastered.
    """

    attempts: list[dict]

    def figure(self) -> Figure:
        return Figure("The score after training, by lag", [self._panel(name) for name in PROBLEMS if self._of(name)])

    def _of(self, problem: str) -> list[dict]:
        return [attempt for attempt in self.attempts if attempt["problem"] == problem]

    def _panel(self, problem: str) -> Panel:
        found, curves = self._of(problem), []
        for cell in dict.fromkeys(attempt["cell"] for attempt in found):
            own = [attempt for attempt in found if attempt["cell"] == cell]
            curves.append(Curve(cell, [a["lag"] for a in own], [a["score"] for a in own]))
        lags = sorted({attempt["lag"] for attempt in found})
        made = PROBLEMS[problem]()
        curves.append(Curve("no memory", lags, [made.guess] * len(lags), dashed=True))
        return Panel("lag", made.score_name, curves, title=problem, log_y=problem == "adding")


def memory(
    names: Iterable[str] = tuple(cells.CELLS),
    tried: Iterable[str] = tuple(PROBLEMS),
    lags: Iterable[int] = (10, 20, 40, 80),
    updates: int = 500,
    units: int = 32,
    batch_size: int = 32,
    learning_rate: float = 1e-2,
    symbols: int = 1,
    random_state: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Memory:
    """Train each cell anew at ever longer lags, until one is too long to be mastered in the budget.

    The lag of the adding problem is the length of its sequence; see `problems`.

    Args:
        names: of the cells, of `cells.CELLS`.
        tried: the problems, of `PROBLEMS`.
        lags: in the order in which they are tried.
        updates: the budget at each lag.
        units: H of the one layer.
        batch_size: sequences in a batch, each of them new.
        learning_rate: of Adam; gradients are clipped to a norm of 1.
        symbols: how many are to be copied.
        random_state: of weights and sequences.
        progress: called with a line after each training run.

    Raises:
        ValueError: an argument is out of range; the message says what was expected.
    """
    check.at_least_1(updates=updates, batch_size=batch_size)
    check.above_0(learning_rate=learning_rate)
    rows, attempts, lags = [], [], list(lags)
    settings = {"updates": updates, "batch_size": batch_size, "learning_rate": learning_rate}
    for problem in tried:
        made = copying_problem(symbols) if problem == "copying" else PROBLEMS[problem]()
        for name in names:
            own = []
            for lag in lags:
                found = attempt(made, cells.config(name, units), lag, random_state, **settings)
                own.append({"problem": problem, "cell": name, "lag": lag, **found})
                progress("{problem}, {cell}, lag {lag}: {score:.4f} after {updates} updates".format_map(own[-1]))
                if not own[-1]["mastered"]:
                    break
            longest = max((a["lag"] for a in own if a["mastered"]), default=0)
            last = {"lag_tried": own[-1]["lag"], "score_there": own[-1]["score"], "updates_there": own[-1]["updates"]}
            rows.append({"problem": problem, "cell": name, "longest_lag": longest, **last})
            attempts += own
    return Memory(rows, attempts)


def attempt(problem: Problem, config, lag: int, random_state: int, updates: int, batch_size: int, learning_rate: float):
    """Train one network on one problem at one lag; what came of it."""
    from shakegen.lab.fitting import fit, sequence_network

    network = sequence_network(config, problem.inputs, problem.outputs, problem.last, random_state)
    random = np.random.default_rng((random_state, lag))
    inputs, targets = problem.draw(random, TESTED, lag)

    def score():
        return problem.score(network.predict_on_batch(inputs), targets)

    batches = iter(lambda: problem.draw(random, batch_size, lag), None)
    losses = fit(
        network, problem.loss(), batches, updates, learning_rate, check=lambda: problem.mastered(score()), every=50
    )
    final = score()
    return {"updates": len(losses), "score": final, "mastered": problem.mastered(final)}
