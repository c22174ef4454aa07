"""How sure a mean of repeated measurements is. Only numpy."""

import functools
import math
from collections.abc import Sequence

import numpy as np


@functools.lru_cache
def t_quantile(freedom: int) -> float:
    """The t with 95 % of Student's distribution between -t and t.

    With t = √ν tan φ, the density of φ is proportional to (cos φ)^(ν - 1).
    """
    angles = np.linspace(0, np.pi / 2, 100_001)
    density = np.cos(angles) ** (freedom - 1)
    mass = np.concatenate([[0], np.cumsum(density[1:] + density[:-1])])
    return math.sqrt(freedom) * math.tan(float(np.interp(0.95 * mass[-1], mass, angles)))


def t_interval(values: Sequence[float] | np.ndarray) -> float | None:
    """Half of the 95 % interval of the mean of independent normal values; None for fewer than two, 0 for equal ones."""
    if len(values) < 2:
        return None
    if np.ptp(values) == 0:  # their mean is rounded, and may differ from them
        return 0.0
    return t_quantile(len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
