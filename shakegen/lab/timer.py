"""Jaeger's timer: each cell learns to say 0.5 for as long as it is asked."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Annotated

import numpy as np

from shakegen.lab import cells, check, problems
from shakegen.lab.problems import mean_squared_error
from shakegen.lab.repeats import caption, middle, summarise
from shakegen.lab.result import Result
from shakegen.plotting import Curve, Figure, Panel

TESTED = 200  # sequences that the trained networks are measured on
ON = 0.25  # an output above this counts as on


@dataclass(frozen=True)
class Timer(Result):
    """How well each cell keeps time, a row for each, below two answers that need no memory.

    The row "constant" always answers the mean of the targets. The row "no memory" answers the mean of the targets that
    go with the present trigger and duration.

    Attributes:
        runs: one dictionary for each run: cell, random_state, weights, and what was measured.
        inputs: of one sequence that no network was trained on, (T, 2): triggers and durations.
        target: the output that is asked for, (T,).
        outputs: the outputs of each cell, (repeats, T), by its name.
    """

    runs: list[dict]
    inputs: np.ndarray
    target: np.ndarray
    outputs: dict[str, np.ndarray]

    def figure(self) -> Figure:
        steps = range(len(self.target))
        names = ("trigger", "duration")
        asked = Panel("step", "input", [Curve(name, steps, values) for name, values in zip(names, self.inputs.T)])
        panels = []
        for cell, outputs in self.outputs.items():
            median, band = middle(outputs)
            curves = [Curve(cell, steps, median, band=band), Curve("target", steps, self.target, dashed=True)]
            panels.append(Panel("step", "output", curves))
        title = caption("Jaeger's timer", len({run["random_state"] for run in self.runs}))
        return Figure(title, [asked, *panels])


def timer(
    names: Annotated[Iterable[str], cells.CELLS] = tuple(cells.CELLS),
    longest: int = 20,
    length: int = 120,
    updates: int = 500,
    units: int = 32,
    batch_size: int = 32,
    learning_rate: float = 1e-2,
    repeats: int = 3,
    random_state: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Timer:
    """Train each cell to say 0.5 for as long as asked.

    This is Jaeger's timer. A trigger comes now and then, with a duration of 0.1, 0.2 … 1.0. From the trigger on, the
    output should be 0.5 for that long, then 0 again. The table has the mean squared error, the share of steps on the
    right side of 0.25, and the average error of a duration, in steps. The figure has the target and the output of each
    cell.

    Examples:
        shakegen lab timer --out timer.svg
        shakegen lab timer --cells lstm,nlstm --longest 50 --length 300

    Args:
        names: cells to train.
        longest: steps that a duration of 1.0 stands for.
        length: steps in a sequence.
        updates: training updates of each cell.
        units: size of the state of the layer.
        batch_size: sequences in a batch.
        learning_rate: learning rate of Adam; gradients are clipped to a norm of 1.
        repeats: runs of each cell, with the random states from `random_state` on.
        random_state: seed of weights and sequences.
        progress: called with a line after each training run.

    Raises:
        ValueError: an argument is out of range.
    """
    from shakegen.lab.fitting import fit, sequence_network

    configs = {name: cells.make_config(name, units) for name in names}
    check.require_counts(updates=updates, batch_size=batch_size, repeats=repeats)
    check.require_positive(learning_rate=learning_rate)
    inputs, targets = problems.timer(np.random.default_rng((random_state, 1)), TESTED, length, longest)
    guesses = {"constant": np.full_like(targets, targets.mean()), "no memory": problems.guess_now(inputs, targets)}
    rows = [{"cell": name, "weights": None, **measure(inputs, targets, guesses[name], longest)} for name in guesses]
    runs: list[dict] = []
    outputs: dict[str, list] = {name: [] for name in configs}
    for name, state in product(configs, range(random_state, random_state + repeats)):
        network = sequence_network(configs[name], 2, 1, random_state=state)
        batches = iter(partial(problems.timer, np.random.default_rng(state), batch_size, length, longest), None)
        fit(network, "mean_squared_error", batches, updates, learning_rate)
        predicted = network.predict_on_batch(inputs)
        outputs[name].append(predicted[0, :, 0])
        run = {"cell": name, "random_state": state, "weights": network.count_params()}
        runs.append(run | measure(inputs, targets, predicted, longest))
        progress("{cell}: {mean_squared_error:.2g}, durations missed by {steps_off:.2g} steps".format_map(runs[-1]))
    return Timer(
        rows + summarise(runs, "cell"),
        runs,
        inputs[0],
        targets[0, :, 0],
        {name: np.stack(said) for name, said in outputs.items()},
    )


def measure(inputs: np.ndarray, targets: np.ndarray, outputs: np.ndarray, longest: int) -> dict:
    """The mean squared error, the share of steps on the right side of `ON`, the mean error of a duration in steps.

    A duration counts the steps with the output on, from one trigger to the next. Durations that the end of the sequence
    cuts short do not count.
    """
    error = mean_squared_error(outputs, targets)
    if not math.isfinite(error):  # the run diverged
        return dict.fromkeys(("mean_squared_error", "right_steps", "steps_off"), math.nan)
    right = float(np.mean((outputs > ON) == (targets > ON)))
    off = []
    for triggers, asked, said in zip(inputs[..., 0], targets[..., 0] > ON, outputs[..., 0] > ON):
        starts = np.flatnonzero(triggers)
        ends = [*starts[1:], len(triggers)]
        off += [
            abs(int(said[start:end].sum()) - int(asked[start:end].sum()))
            for start, end in zip(starts, ends)
            if start + longest < end
        ]
    return {"mean_squared_error": error, "right_steps": right, "steps_off": float(np.mean(off)) if off else math.nan}
