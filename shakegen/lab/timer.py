"""Jaeger's timer: a network that says 0.5 for as long as it is asked, tried with every cell."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from shakegen.lab import cells, problems
from shakegen.lab.check import above_0, at_least_1
from shakegen.lab.memory import Problem
from shakegen.lab.result import Result
from shakegen.plotting import Curve, Figure, Panel

TESTED = 200  # sequences that the trained networks are measured on
ON = 0.25  # an output above this counts as on


def timer_problem() -> Problem:
    """The timer as a problem like those of memory, its lag the longest duration, its sequences five times as long."""

    def draw(random, batch, lag):
        return problems.timer(random, batch, 5 * lag, lag)

    def loss():
        import keras

        return keras.losses.MeanSquaredError()

    def score(outputs, targets):
        return float(np.mean((outputs - targets) ** 2))

    return Problem(draw, 2, 1, None, loss, score, "mean squared error", 0.05, lambda error: error < 0.002)


@dataclass(frozen=True)
class Timer(Result):
    """How well each cell keeps time, a row for each; the row "mean" is who always says the mean of the targets.

    Attributes:
        inputs: of one sequence that no network was trained on, (T, 2): triggers and durations.
        target: what to say in it, (T,).
        outputs: what each cell says, (T,), by its name.
    """

    inputs: np.ndarray
    target: np.ndarray
    outputs: dict[str, np.ndarray]

    def figure(self) -> Figure:
        steps = range(len(self.target))
        names = ("trigger", "duration")
        asked = Panel("step", "input", [Curve(name, steps, values) for name, values in zip(names, self.inputs.T)])
        panels = [
            Panel("step", "output", [Curve(cell, steps, said), Curve("target", steps, self.target, dashed=True)])
            for cell, said in self.outputs.items()
        ]
        return Figure("Jaeger's timer", [asked, *panels])


def timer(
    names: Iterable[str] = tuple(cells.CELLS),
    longest: int = 20,
    length: int = 120,
    updates: int = 500,
    units: int = 32,
    batch_size: int = 32,
    learning_rate: float = 1e-2,
    random_state: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Timer:
    """Train each cell on random sequences of the timer, and measure it on others.

    Args:
        names: of the cells, of `cells.CELLS`.
        longest: steps that a duration of 1.0 stands for; see `problems.timer`.
        length: T, steps in a sequence.
        updates: the budget of each cell.
        units: H of the one layer.
        batch_size: sequences in a batch, each of them new.
        learning_rate: of Adam; gradients are clipped to a norm of 1.
        random_state: of weights and sequences.
        progress: called with a line after each training run.

    Raises:
        ValueError: an argument is out of range; the message says what was expected.
    """
    from shakegen.lab.fitting import fit, sequence_network

    at_least_1(updates=updates, batch_size=batch_size)
    above_0(learning_rate=learning_rate)
    inputs, targets = problems.timer(np.random.default_rng((random_state, 1)), TESTED, length, longest)
    mean = np.full_like(targets, targets.mean())
    rows, outputs = [{"cell": "mean", "weights": 1, **measured(inputs, targets, mean, longest)}], {}
    for name in names:
        random = np.random.default_rng(random_state)
        network = sequence_network(cells.config(name, units), 2, 1, random_state=random_state)
        batches = iter(lambda random=random: problems.timer(random, batch_size, length, longest), None)
        fit(network, "mean_squared_error", batches, updates, learning_rate)
        said = network.predict_on_batch(inputs)
        rows.append({"cell": name, "weights": network.count_params(), **measured(inputs, targets, said, longest)})
        outputs[name] = said[0, :, 0]
        progress("{cell}: {mean_squared_error:.2g}, durations missed by {steps_off:.2g} steps".format_map(rows[-1]))
    return Timer(rows, inputs[0], targets[0, :, 0], outputs)


def measured(inputs: np.ndarray, targets: np.ndarray, outputs: np.ndarray, longest: int) -> dict:
    """The mean squared error; the share of steps on the right side of `ON`; by how many steps durations are missed.

    A duration is how many steps the output is on from a trigger to the next; those that the sequence cuts short are
    left out.
    """
    error = float(np.mean((outputs - targets) ** 2))
    right = float(np.mean((outputs > ON) == (targets > ON)))
    missed = []
    for triggers, asked, said in zip(inputs[..., 0], targets[..., 0] > ON, outputs[..., 0] > ON):
        starts = np.flatnonzero(triggers)
        ends = [*starts[1:], len(triggers)]
        missed += [
            abs(int(said[start:end].sum()) - int(asked[start:end].sum()))
            for start, end in zip(starts, ends)
            if start + longest < end
        ]
    return {"mean_squared_error": error, "right_steps": right, "steps_off": float(np.mean(missed))}
