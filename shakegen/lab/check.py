"""Refusals of numbers that no experiment can be made with. Only Python."""

import math


def at_least_1(**values: int) -> None:
    """Refuse what is below 1; raises ValueError, which names it."""
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name.replace('_', ' ')} is {value}: expected 1 or more")


def above_0(**values: float) -> None:
    """Refuse what is not a number above 0; raises ValueError, which names it."""
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name.replace('_', ' ')} is {value}: expected a number above 0")
