"""How sure a figure is: over random states by Student's t, over text by a block bootstrap. Only numpy."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000


def t_quantile(freedom: int, confidence: float = CONFIDENCE) -> float:
    """The t below whose absolute value a variable of Student's distribution lies with some probability.

    The distribution function is a finite sum where the degrees of freedom are a whole number (Abramowitz & Stegun 1964,
    26.7.3 and 26.7.4). Halving the interval of angles, t = √n tan θ, finds the quantile.
    """

    def probability(angle: float) -> float:
        term, total = math.cos(angle) if freedom % 2 else 1.0, 0.0
        for k in range(2 + freedom % 2, freedom + 1, 2):
            total += term
            term *= math.cos(angle) ** 2 * (k - 1) / k
        total = math.sin(angle) * total
        return 2 / math.pi * (angle + total) if freedom % 2 else total

    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if probability(middle) < confidence else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def t_interval(values: Sequence[float]) -> float | None:
    """Half of the interval of the mean of independent normal values; None of fewer than two."""
    if len(values) < 2:
        return None
    return t_quantile(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))


def bootstrap_interval(blocks: Sequence[float], random_state: int = 0) -> float | None:
    """Half of the interval of the mean of a text's losses, of which the blocks are means; None of fewer than two.

    The block bootstrap (Carlstein 1986): texts are put together from blocks, drawn with replacement, for losses within
    a block depend on each other. Its standard error is too small by √((n-1)/n), and of few blocks it is uncertain: both
    are made up for, the second by Student's t.
    """
    count = len(blocks)
    if count < 2:
        return None
    often = np.random.default_rng(random_state).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    error = float((often @ np.asarray(blocks) / count).std())
    return t_quantile(count - 1) * error * math.sqrt(count / (count - 1))


@dataclass(frozen=True)
class Measurement:
    """A figure of several runs.

    Attributes:
        values: by the runs' random states. The figure of a model that has none stands at None, for all of them.
        blocks: its means over blocks of the text, likewise, where they are known. All runs have the same blocks.
    """

    values: Mapping[int | None, float]
    blocks: Mapping[int | None, Sequence[float]] = field(default_factory=dict)

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.values.values()) if self.values else None

    @property
    def spread(self) -> float | None:
        """The standard deviation over the runs, n - 1 in its denominator; None of fewer than two."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else None

    @cached_property
    def runs_error(self) -> float | None:
        """Half of the interval of the mean for other random states."""
        return t_interval(list(self.values.values()))

    @cached_property
    def text_error(self) -> float | None:
        """Half of the interval of the mean for another text of this kind and length."""
        if not self.blocks or set(self.blocks) != set(self.values):
            return None
        return bootstrap_interval(np.mean(list(self.blocks.values()), axis=0))

    @property
    def error(self) -> float | None:
        """Half of the interval for other random states and another text, as far as the two are known.

        The intervals of a sum's parts give that of the sum: MOVER (Zou & Donner 2008).
        """
        known = [error for error in (self.runs_error, self.text_error) if error is not None]
        return math.hypot(*known) if known else None

    def minus(self, other: "Measurement") -> "Measurement":
        """The paired differences: run by run with the same random state, and block by block of the same text."""
        return Measurement(subtract(self.values, other.values), subtract(self.blocks, other.blocks))

    def to_dict(self) -> dict:
        """All figures, ready for JSON."""
        errors = {"runs_error": self.runs_error, "text_error": self.text_error, "error": self.error}
        return {"mean": self.mean, "spread": self.spread, **errors, "values": list(self.values.values())}


def subtract(ours: Mapping, others: Mapping) -> dict:
    """The differences of values, or of sequences of values, by the random states that both have."""
    states = sorted({*ours, *others} - {None}) or [None]
    pairs = {state: (ours.get(state, ours.get(None)), others.get(state, others.get(None))) for state in states}
    return {
        state: np.subtract(*pair).tolist() for state, pair in pairs.items() if all(part is not None for part in pair)
    }
