"""Networks of different cells that have the same number of weights. Only Python."""

import math
from collections.abc import Callable

from shakegen.config import LARGEST, Config

TOLERANCE = 0.01  # of the weights asked for


def weights_of(config: Config, vocabulary_size: int, outputs: int | None = None) -> int:
    """The number of weights of a network, of as many outputs as symbols unless their number is given."""
    return sum(map(math.prod, config.weight_shapes(vocabulary_size, outputs).values()))


def nearest(make: Callable[[int], Config], weights: int, count: Callable[[Config], int]) -> Config:
    """The network of a family whose number of weights is nearest to one asked for.

    Args:
        make: gives the network of so many units; the more units, the more weights.
        weights: asked for.
        count: gives the number of weights of a network.
    """
    below, above = 1, LARGEST
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if count(make(middle)) > weights else (middle, above)
    return min(make(below), make(above), key=lambda config: abs(count(config) - weights))


def matched(
    families: dict[str, Callable[[int], Config]], weights: int, count: Callable[[Config], int]
) -> dict[str, Config]:
    """For each family of networks the one whose number of weights is nearest to one asked for.

    Raises:
        ValueError: a family has none within `TOLERANCE`.
    """
    found = {name: nearest(make, weights, count) for name, make in families.items()}
    for name, config in found.items():
        have = count(config)
        if abs(have - weights) > TOLERANCE * weights:
            unit = "unit" if config.units == 1 else "units"
            raise ValueError(
                f"{name} cannot have {weights:,} weights within {TOLERANCE:.0%}: the nearest are {have:,}, with "
                f"{config.units} {unit}; larger networks come nearer, try more --units or --parameters"
            )
    return found
