"""Several runs of one experiment: estimates for its table, bands for its figure. Only numpy."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from shakegen.intervals import t_interval
from shakegen.plotting.scale import format_error, format_number


@dataclass(frozen=True)
class Estimate:
    """The mean of a measurement over several runs.

    Attributes:
        mean: of the finite values, NaN if there are none.
        interval: half the length of its 95 % interval by Student's t; NaN for fewer than two finite values.
        values: of all runs; that of a run that diverged is not finite.
    """

    mean: float
    interval: float
    values: tuple[float, ...]

    def __str__(self):
        """`1.23 ± 0.12`; the mean alone where all values are equal, or there is one."""
        lost = len(self.values) - sum(map(math.isfinite, self.values))
        text = format_number(self.mean, 4) if math.isfinite(self.mean) else ""
        text = format_error(self.mean, self.interval) if self.interval > 0 else text
        return f"{text} ({lost} diverged)".lstrip() if lost and len(self.values) > 1 else text


def estimate(values: Iterable[float]) -> Estimate:
    """The mean of repeated measurements, and how far to trust it."""
    values = tuple(map(float, values))
    finite = [value for value in values if math.isfinite(value)]
    interval = t_interval(finite)
    return Estimate(float(np.mean(finite)) if finite else math.nan, math.nan if interval is None else interval, values)


def summarise(runs: Iterable[dict], *keys: str) -> list[dict]:
    """A row for all runs with equal values of `keys`: an `Estimate` of each number that is not whole.

    Other values that differ from run to run are listed. The random state is left out.
    """
    groups: dict[tuple, list[dict]] = {}
    for run in runs:
        groups.setdefault(tuple(run[key] for key in keys), []).append(run)
    names = {group: [name for name in runs[0] if name != "random_state"] for group, runs in groups.items()}
    return [{name: gather([run[name] for run in runs]) for name in names[group]} for group, runs in groups.items()]


def gather(values: Sequence):
    """One value for those of several runs: an estimate, or the value that all have, or the list."""
    if any(isinstance(value, float) for value in values):
        return estimate(values)
    return values[0] if all(value == values[0] for value in values) else list(values)


def middle(lines) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
    """The median of lines (runs, points) at each point, and the band from their lowest to their highest value.

    Runs that are not finite at a point do not count there. Of one run there is no band.
    """
    lines = np.asarray(lines, float)
    lines = np.where(np.isfinite(lines), lines, np.nan)
    gaps = np.isnan(lines).all(axis=0)
    filled = np.where(gaps, 0, lines)
    median, low, high = (np.where(gaps, np.nan, of(filled, axis=0)) for of in (np.nanmedian, np.nanmin, np.nanmax))
    return median, None if len(lines) < 2 else (low, high)


def caption(title: str, repeats: int) -> str:
    """The title of a figure that says what its lines and bands are."""
    spread = f" (lines: medians of {repeats} runs; bands: from the lowest to the highest)"
    return title + spread if repeats > 1 else title
