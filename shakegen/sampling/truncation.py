"""Truncations: which ids may be drawn. Ids that tie at the border stay together."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shakegen.checks import is_number, is_whole

LOWEST = -1e30  # the logit of an impossible id, where -inf times 0 would be NaN
SMALLEST, LARGEST = 1e-30, 1e30  # temperatures; others change nothing but overflow 32 bits

Test = Callable[[np.ndarray, int], bool | np.bool]


@dataclass(frozen=True)
class Truncation:
    """Leave unlikely ids out of a draw.

    They apply after the temperature, in the order of the arguments. Each applies to the result of the one before,
    renormalised.

    Args:
        top_k: the k likeliest ids (Fan et al. 2018).
        top_p: the likeliest ids, as few as have at least this probability together (Holtzman et al. 2020).
        min_p: ids with at least this share of the probability of the likeliest id (Nguyen et al. 2024).
        typical: the ids whose surprisal is nearest to the entropy, as few as have at least this probability together
            (Meister et al. 2022).

    Raises:
        ValueError: `top_k` is below 1, or one of the others outside (0, 1].
    """

    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical: float | None = None

    def __post_init__(self):
        if self.top_k is not None and not is_whole(self.top_k, 1, math.inf):
            raise ValueError(f"top-k is {self.top_k!r}: expected a number of characters, 1 or more; 10 is usual")
        for name, usual in (("top_p", 0.9), ("min_p", 0.05), ("typical", 0.95)):
            value = getattr(self, name)
            if value is not None and not (is_number(value, 0, 1) and value):
                raise ValueError(
                    f"{name.replace('_', '-')} is {value!r}: expected a share above 0 and up to 1; {usual} is usual"
                )

    @property
    def steps(self) -> list[tuple[str, float]]:
        """Name and value of the truncations with an effect, in order. Shares of 1 have none, but a min-p of 1 has."""
        values = [(name, getattr(self, name)) for name in KEEP]
        return [(name, value) for name, value in values if value is not None and (value != 1 or name in FROM_ONE)]

    def __bool__(self) -> bool:
        return bool(self.steps)

    def keep(self, logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """Which ids may be drawn from softmax(logits / temperature), shapes (N, V) → (N, V), bool."""
        if self.top_k is not None and len(self.steps) == 1:  # only the order matters
            return keep_top_k(logits, self.top_k)
        gaps = subtract_highest(logits, temperature)
        for name, value in self.steps:
            gaps = np.where(KEEP[name](gaps, value), gaps, -np.inf)
        return gaps > -np.inf

    def single(self, temperature: float, size: int, dtype) -> Test:
        """A fast test `allows(logits, id)` for the logits of one stream, shape (V,): may this id be drawn?"""
        temperature = clip_temperature(temperature)
        if len(self.steps) != 1:
            return make_test_of_several(self.steps, temperature)
        name, value = self.steps[0]
        if name == "top_k":
            return lambda logits, drawn: np.count_nonzero(logits > logits[drawn]) < value
        if name == "min_p":
            margin = -temperature * math.log(value)
            return lambda logits, drawn: not np.count_nonzero(logits > logits[drawn] + margin)
        return make_mass_test(value, name == "typical", temperature, size, dtype)


def subtract_highest(logits: np.ndarray, temperature: float) -> np.ndarray:
    """(logits - their highest) / temperature, row by row; impossible ids have -inf."""
    temperature = clip_temperature(temperature)
    highest = np.maximum(logits.max(axis=1, keepdims=True), LOWEST)
    gaps = np.maximum(logits - highest, LOWEST * min(1, temperature)) / temperature
    return np.where(logits > -np.inf, gaps, -np.inf)


def clip_temperature(temperature: float) -> float:
    return min(max(temperature, SMALLEST), LARGEST)


def keep_top_k(gaps: np.ndarray, k: int) -> np.ndarray:
    if k >= gaps.shape[1]:
        return np.ones(gaps.shape, bool)
    place = gaps.shape[1] - int(k)  # an unsigned number of numpy has no opposite
    return gaps >= np.partition(gaps, place, axis=1)[:, place, None]


def keep_top_p(gaps: np.ndarray, share: float) -> np.ndarray:
    return keep_mass(gaps, np.exp(gaps), share)


def keep_min_p(gaps: np.ndarray, share: float) -> np.ndarray:
    return gaps >= math.log(share)


def keep_typical(gaps: np.ndarray, share: float) -> np.ndarray:
    # Surprisal minus entropy is the mean gap minus the gap: the logarithm of the normaliser is in both.
    weights, gaps = np.exp(gaps), np.maximum(gaps, LOWEST)
    mean = (weights * gaps).sum(axis=1, keepdims=True) / np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return keep_mass(-np.abs(gaps - mean), weights, share)


KEEP: dict[str, Callable[[np.ndarray, Any], np.ndarray]] = {
    "top_k": keep_top_k,
    "top_p": keep_top_p,
    "min_p": keep_min_p,
    "typical": keep_typical,
}
FROM_ONE = ("top_k", "min_p")


def keep_mass(rank: np.ndarray, weights: np.ndarray, share: float) -> np.ndarray:
    """For each row, the highest-ranked ids, as few as have this share of its weight, and all that tie with the last."""
    order = np.argsort(-rank, axis=1)
    mass = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1, dtype=float)
    last = (mass >= share * mass[:, -1:]).argmax(axis=1)[:, None]
    return rank >= np.take_along_axis(rank, np.take_along_axis(order, last, axis=1), axis=1)


def make_test_of_several(steps: list[tuple[str, float]], temperature: float) -> Test:
    """A test of one id for truncations in turn: in the order of the logits, each but typical leaves a beginning."""

    def allows(logits, drawn):
        ordered = np.sort(logits)[::-1]
        if ordered[0] == -np.inf:  # all are impossible
            return True
        gaps = (ordered - ordered[0]) / temperature
        weights, own = np.exp(gaps), logits[drawn]
        kept = len(gaps) if gaps[-1] > LOWEST else np.count_nonzero(gaps > LOWEST)
        place = np.count_nonzero(ordered > own)
        for name, value in steps:
            if name == "top_k":
                border = min(int(kept), int(value)) - 1
            elif name == "min_p":
                border = int(np.count_nonzero(gaps[:kept] >= math.log(value))) - 1
            elif name == "top_p":
                border = find_mass(weights[:kept], value)
            else:
                return place < kept and is_typical(gaps[:kept], weights[:kept], value, gaps[place])
            kept = count_to(ordered[:kept], border)
        return place < kept

    return allows


def count_to(ordered: np.ndarray, border: int) -> int:
    """How many of some falling values, shape (n,), are as high as the one at a place."""
    if border + 1 == len(ordered) or ordered[border + 1] < ordered[border]:
        return border + 1
    return int(np.count_nonzero(ordered >= ordered[border]))


def is_typical(gaps: np.ndarray, weights: np.ndarray, share: float, gap: float) -> bool:
    """Whether `typical` keeps the ids of one of these gaps, shape (n,)."""
    mean = weights.dot(gaps) / weights.sum()
    distances = np.abs(gaps - mean)
    order = distances.argsort()
    return abs(gap - mean) <= distances[order[find_mass(weights[order], share)]]


def find_mass(weights: np.ndarray, share: float) -> int:
    """The place by which weights, shape (n,), have reached a share of their sum."""
    mass = weights.cumsum(dtype=float)
    return int(mass.searchsorted(share * mass[-1]))


def make_mass_test(share: float, typical: bool, temperature: float, size: int, dtype) -> Test:
    """A test whether the ids that rank before one have less than the share together, for top-p or typical."""
    gaps, weights, ones, before = (
        np.empty(size, dtype),
        np.empty(size, dtype),
        np.ones(size, dtype),
        np.empty(size, bool),
    )
    highest, scale, lowest = (np.array(value, dtype) for value in (0, 1 / temperature, LOWEST))
    subtract, multiply, exp, total_of = np.subtract, np.multiply, np.exp, ones.dot

    def allows(logits, drawn):
        top = logits.argmax()
        if drawn == top and not typical:
            return True
        highest[()] = logits[top]
        if highest == -np.inf:  # all are impossible
            return True
        subtract(logits, highest, gaps)
        multiply(gaps, scale, gaps)
        exp(gaps, weights)
        total, own = total_of(weights).item(), weights.item(drawn)
        limit = share * total
        if total - own < limit:  # all others together do not fill the share
            return True
        if typical:
            if gaps[gaps.argmin()] == -np.inf:  # its weight is 0, and 0 · -inf would be NaN
                np.maximum(gaps, lowest, out=gaps)
            mean = weights.dot(gaps).item() / total
            subtract(gaps, mean, gaps)
            np.absolute(gaps, gaps)
            np.less(gaps, gaps[drawn], before)
        else:
            np.greater(weights, own, before)
        ahead = weights[before]
        return ones[: len(ahead)].dot(ahead) < limit

    return allows
