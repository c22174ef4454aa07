"""Problems of memory for recurrent networks: random batches, and the errors of answers. Only numpy."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SYMBOLS = 1  # to copy, where nobody says how many


def mean_squared_error(outputs: np.ndarray, targets: np.ndarray) -> float:
    """The mean squared error in float64, in which the square of no float32 overflows."""
    return float(np.mean((outputs.astype(float) - targets) ** 2))


@dataclass(frozen=True)
class Problem:
    """A problem of memory as a task for a network.

    Attributes:
        draw: gives a batch from a random generator, its size N and the lag: inputs (N, T, inputs), and as targets
            numbers (N, last, outputs) or classes (N, last).
        inputs, outputs: numbers in a step.
        last: how many of the last steps are read out; None reads out all.
        classes: whether the targets are classes.
        guess: gives, for a lag, the least error without a memory: the answer depends on the present step alone.
        mastery: a smaller error counts as mastered.
    """

    draw: Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]
    inputs: int
    outputs: int
    last: int | None
    classes: bool
    guess: Callable[[int], float]
    mastery: float

    @property
    def error_name(self) -> str:
        return "share of wrong symbols" if self.classes else "mean squared error"

    def loss(self):
        """A new loss of Keras for these targets."""
        import keras

        if self.classes:
            return keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float32")
        return keras.losses.MeanSquaredError()

    def error(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        """The share of wrong symbols, or the mean squared error, of outputs (N, last, outputs).

        Not finite where the outputs are not: the network has diverged.
        """
        if not self.classes:
            return mean_squared_error(outputs, targets)
        return float(np.mean(outputs.argmax(axis=2) != targets)) if np.isfinite(outputs).all() else math.nan

    def is_mastered(self, error: float) -> bool:
        return error < self.mastery


def adding(random: np.random.Generator, batch: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Add the two marked numbers of a sequence (Hochreiter & Schmidhuber 1997, in the form of Le et al. 2015).

    A step has a number, uniform in 0 … 1, and a mark: 1 at two places, one in either half, else 0. Always answering 1
    gives a mean squared error of 1/6.

    Args:
        random: draws the batch.
        batch: N, the number of sequences.
        length: T, steps in a sequence, 2 or more.

    Returns:
        Inputs (N, T, 2) and the sums after the last step (N, 1, 1), float32.

    Raises:
        ValueError: the length is below 2.
    """
    if length < 2:
        raise ValueError(f"the length is {length}: expected 2 steps or more, for two numbers to add")
    numbers, marks, rows = random.random((batch, length)), np.zeros((batch, length)), np.arange(batch)
    half = length // 2
    marks[rows, random.integers(half, size=batch)] = 1
    marks[rows, random.integers(half, length, size=batch)] = 1
    inputs = np.stack([numbers, marks], axis=2)
    return inputs.astype(np.float32), (numbers * marks).sum(axis=1)[:, None, None].astype(np.float32)


def copying(
    random: np.random.Generator, batch: int, lag: int, symbols: int, alphabet: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Repeat, after a while, the symbols read first (Hochreiter & Schmidhuber 1997; Arjovsky et al. 2016).

    The symbols come first, then lag - 1 blanks, a mark, and S - 1 blanks. From the mark on, the network says the
    symbols, one a step, each lag + S - 1 steps after it was read.

    Args:
        random: draws the batch.
        batch: N, the number of sequences.
        lag: steps from the last symbol to the mark, 1 or more.
        symbols: S, how many are to be copied.
        alphabet: A, how many different symbols there are.

    Returns:
        Inputs (N, T, A + 2), one-hot, float32: A stands for a blank, A + 1 for the mark, T = 2 S + lag - 1. And the
        symbols to say in the last S steps, (N, S), int32.

    Raises:
        ValueError: the lag, the number of symbols or the alphabet is too small.
    """
    if lag < 1 or symbols < 1 or alphabet < 2:
        raise ValueError(
            f"the lag is {lag}, the symbols to copy are {symbols}, the alphabet has {alphabet}: expected 1 or more, "
            "1 or more, and 2 or more"
        )
    drawn = random.integers(alphabet, size=(batch, symbols))
    read = np.full((batch, 2 * symbols + lag - 1), alphabet)
    read[:, :symbols] = drawn
    read[:, symbols + lag - 1] = alphabet + 1
    return np.eye(alphabet + 2, dtype=np.float32)[read], drawn.astype(np.int32)


def timer(random: np.random.Generator, batch: int, length: int, longest: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Say 0.5 for as long as asked, from a trigger on, else 0 (Jaeger 2002, "Tutorial on training recurrent networks").

    A step has a trigger, 1 now and then, else 0, and a duration, one of 0.1, 0.2 … 1.0. The duration changes with every
    trigger; it counts in units of the longest, rounded to whole steps. A trigger follows the one before after longest +
    1 to 3 longest steps, when the time of that is over.

    Args:
        random: draws the batch.
        batch: N, the number of sequences.
        length: T, steps in a sequence.
        longest: steps that a duration of 1.0 stands for; 10 or more, so that all differ.

    Returns:
        Inputs (N, T, 2) and targets (N, T, 1), float32.

    Raises:
        ValueError: the longest duration is below 10 steps, or as long as a sequence.
    """
    if longest < 10 or length <= longest:
        raise ValueError(
            f"the longest duration is {longest} steps of {length}: expected 10 or more, and longer sequences"
        )
    triggers, starts = np.zeros((batch, length)), random.integers(longest, size=batch)
    while np.any(starts < length):
        rows = np.flatnonzero(starts < length)
        triggers[rows, starts[rows]] = 1
        starts += random.integers(longest + 1, 3 * longest, endpoint=True, size=batch)
    asked = triggers.cumsum(axis=1).astype(int)
    durations = random.integers(1, 10, endpoint=True, size=(batch, asked.max() + 1)) / 10
    held = np.take_along_axis(durations, asked, axis=1)
    last = np.maximum.accumulate(np.where(triggers, np.arange(length), -length), axis=1)
    on = np.arange(length) - last < np.round(held * longest)
    return np.stack([triggers, held], axis=2).astype(np.float32), 0.5 * on[:, :, None].astype(np.float32)


def copying_problem(symbols: int, alphabet: int = 8) -> Problem:
    """The copying problem for so many symbols; it is mastered with less than 5 % of them wrong."""
    draw = functools.partial(copying, symbols=symbols, alphabet=alphabet)
    return Problem(draw, alphabet + 2, alphabet, symbols, True, lambda lag: 1 - 1 / alphabet, 0.05)


def guess_sum(lag: int) -> float:
    """The least error of adding without a memory: 1/6, but 1/12 where the last number is one of the two."""
    return 1 / 6 - 1 / 12 / (lag - lag // 2)


def draw_timer(random, batch, lag):
    """The timer, its lag the longest duration, its sequences five times as long."""
    return timer(random, batch, 5 * lag, lag)


def guess_timer(lag: int, batch: int = 2000) -> float:
    """The least error of the timer without a memory, measured."""
    inputs, targets = draw_timer(np.random.default_rng(0), batch, lag)
    return mean_squared_error(guess_now(inputs, targets), targets)


def guess_now(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The best answers without a memory: after each input (N, T, ·), the mean target of all equal inputs, (N, T, 1)."""
    _, kinds = np.unique(inputs.reshape(-1, inputs.shape[-1]), axis=0, return_inverse=True)
    kinds = kinds.ravel()
    means = np.bincount(kinds, targets.ravel().astype(float)) / np.bincount(kinds)
    return means[kinds].reshape(targets.shape)


PROBLEMS = {
    "timer": Problem(draw_timer, 2, 1, None, False, guess_timer, mastery=0.002),
    "adding": Problem(adding, 2, 1, 1, False, guess_sum, mastery=0.01),
    "copying": copying_problem(SYMBOLS),
}
