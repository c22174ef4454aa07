"""A figure of several runs, and how sure it is: for other random states and for other text. Only numpy."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from shakegen.intervals import t_interval


@dataclass(frozen=True)
class Measurement:
    """A figure of several runs.

    Attributes:
        values: by the runs' random states. The figure of a model that has none stands at None, for all of them.
        blocks: its means over blocks of the text, likewise, where they are known; equally many of all runs.
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
        """Half of the interval of the mean for another text of this kind and length.

        The losses of near symbols depend on each other, the means of blocks hardly do: they are taken as independent
        (Carlstein 1986). A bootstrap that draws whole blocks tends to the same error with the number of its draws.
        """
        if set(self.blocks) != set(self.values) or len({*map(len, self.blocks.values())}) != 1:
            return None
        return t_interval(np.mean(list(self.blocks.values()), axis=0))

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
    """The differences of values, or of equally long sequences of values, by the random states that both have."""
    states = sorted({*ours, *others} - {None}) or [None]
    pairs = {state: (ours.get(state, ours.get(None)), others.get(state, others.get(None))) for state in states}
    return {
        state: np.subtract(one, other).tolist()
        for state, (one, other) in pairs.items()
        if one is not None and other is not None and np.shape(one) == np.shape(other)
    }
