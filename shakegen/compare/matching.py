"""Networks of different cells that have the same number of weights. Only Python."""

import bisect
import math
from collections.abc import Callable

from shakegen.network.config import LARGEST, Config

TOLERANCE, AROUND = 0.01, 0.1  # largest differences of numbers of weights: among networks, and from the one asked for

Family = Callable[[int], Config]  # gives the network of so many units; the more units, the more weights
Count = Callable[[Config], int]  # gives the number of weights of a network


def count_weights(config: Config, vocabulary_size: int, outputs: int | None = None) -> int:
    """The number of weights of a network; it has as many outputs as symbols, unless their number is given."""
    return sum(map(math.prod, config.weight_shapes(vocabulary_size, outputs).values()))


def nearest(make: Family, weights: float, count: Count) -> Config:
    """The network of a family whose number of weights is nearest to the one asked for."""
    above = bisect.bisect(range(2, LARGEST), weights, key=lambda units: count(make(units))) + 2
    return min(make(above - 1), make(above), key=lambda config: abs(count(config) - weights))


def match_weights(families: dict[str, Family], weights: int, count: Count) -> dict[str, Config]:
    """One network of each family, with numbers of weights within `TOLERANCE` of one another.

    Units come in whole numbers, so that small networks may be larger or smaller than asked for, by `AROUND` at most.

    Raises:
        ValueError: there are none.
    """
    wanted = [weights, *numbers_around(families, weights, count)]
    for number in sorted(wanted, key=lambda number: abs(number - weights)):
        configs = {name: nearest(make, number, count) for name, make in families.items()}
        counts = [count(config) for config in configs.values()]
        if max(counts) <= (1 + TOLERANCE) * min(counts) and abs(counts[0] - weights) <= AROUND * weights:
            return configs
    nearby = (f"{name} {count(nearest(make, weights, count)):,}" for name, make in families.items())
    raise ValueError(
        f"no networks of about {weights:,} weights have the same number within {TOLERANCE:.0%}: the nearest have "
        f"{', '.join(nearby)}; larger ones come nearer, try more `units` or `parameters`"
    )


def numbers_around(families: dict[str, Family], weights: int, count: Count) -> set[int]:
    """The numbers of weights that networks of some families can have, from `AROUND` below one to as much above."""
    numbers = set()
    for make in families.values():
        fewest, most = (nearest(make, weights * (1 + off), count).units for off in (-AROUND, AROUND))
        numbers |= {count(make(units)) for units in range(fewest, most + 1)}
    return numbers
