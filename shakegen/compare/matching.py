"""Networks of different cells that have the same number of weights. Only Python."""

import bisect
import math
from collections.abc import Callable

from shakegen.network.config import LARGEST, Config

TOLERANCE, AROUND = 0.01, 0.1  # differences of numbers of weights: among networks, and from the one asked for

Family = Callable[[int], Config]  # gives the network of so many units; the more units, the more weights
Count = Callable[[Config], int]  # gives the number of weights of a network


def count_weights(config: Config, vocabulary_size: int, outputs: int | None = None) -> int:
    """The number of weights of a network; it has as many outputs as symbols, unless their number is given."""
    return sum(map(math.prod, config.weight_shapes(vocabulary_size, outputs).values()))


def count_recurrent(config: Config) -> int:
    """The number of weights of a network that neither read nor predict symbols."""
    return count_weights(config, 0)


def find_units(make: Family, weights: float, count: Count) -> int:
    """The fewest units, two at least, with which a network of a family has so many weights or more."""
    return bisect.bisect_left(range(2, LARGEST), weights, key=lambda units: count(make(units))) + 2


def nearest(make: Family, weights: float, count: Count) -> Config:
    """The network of a family whose number of weights is nearest to the one asked for."""
    above = find_units(make, weights, count)
    return min(make(max(2, above - 1)), make(above), key=lambda config: abs(count(config) - weights))


def match_weights(families: dict[str, Family], weights: int, count: Count) -> dict[str, Config]:
    """One network of each family, with numbers of weights as near to one another as whole numbers of units allow.

    Of all networks whose numbers differ by `TOLERANCE` at most, or if there are none, of those that differ least, the
    nearest to the number asked for: the smallest of them has it within `AROUND`, or is the nearest of its family where
    none has.
    """
    sizes = {}  # of each family, from the last below the range to the first above it
    for name, make in families.items():
        first, last = (find_units(make, weights * (1 + off), count) for off in (-AROUND, AROUND))
        sizes[name] = {count(config): config for config in map(make, range(max(2, first - 1), last + 1))}
    lowest = {number for own in sizes.values() for number in own if abs(number - weights) <= AROUND * weights}
    lowest = lowest or {count(nearest(make, weights, count)) for make in families.values()}
    ordered = [sorted(own) for own in sizes.values()]
    most = min(map(max, ordered))  # up to here, every family has as many or more
    matches = [[own[bisect.bisect_left(own, low)] for own in ordered] for low in lowest if low <= most]

    def judge(counts: list[int]) -> tuple[float, float]:
        return max(max(counts) / min(counts), 1 + TOLERANCE), abs(min(counts) - weights)

    best = min(matches, key=judge)
    return {name: own[number] for (name, own), number in zip(sizes.items(), best, strict=True)}
