"""Temperatures that change along a text."""

import math
from collections.abc import Sequence

import numpy as np

from shakegen.checks import is_number

GAIN = 0.05  # how fast a wanted perplexity moves the temperature, per nat of surprise
LOWEST, HIGHEST = 0.02, 50.0
LEAST_LOG, GREATEST_LOG = math.log(LOWEST), math.log(HIGHEST)


class Ramp:
    """A temperature that goes evenly from one to another over `length` symbols.

    Raises:
        ValueError: the ends are not two temperatures above 0.
    """

    def __init__(self, ends: Sequence[float], length: int):
        if len(ends) != 2 or not all(is_number(end, 1e-9, 1e9) for end in ends):
            raise ValueError(f"the temperature goes along {ends!r}: expected two numbers above 0, such as 0.4 and 1.2")
        self._ends, self._last, self._position = ends, max(1, length - 1), 0

    @property
    def now(self) -> float:
        (first, last), share = self._ends, min(1.0, self._position / self._last)
        return first * (1 - share) + last * share

    def observe(self, logits: np.ndarray, ids: np.ndarray) -> None:
        """Take note of the ids drawn, shape (N,), and of the network's own logits there, shape (N, V)."""
        self._position += 1


class Steered:
    """A temperature, in each stream, that steers the perplexity of the text under the network itself.

    After each symbol the logarithm of the temperature moves by the difference between the wanted surprise and that of
    the symbol. So the mean surprise comes to the wanted one, as long as the temperature stays within its bounds, 0.02
    and 50. Basu et al. (2021, "Mirostat") steer a truncation in this way, which cannot exceed the network's own
    perplexity.

    Args:
        perplexity: per symbol, above 1.
        streams: N.

    Raises:
        ValueError: the perplexity is out of range.
    """

    def __init__(self, perplexity: float, streams: int):
        if not (is_number(perplexity, 1, 1e9) and perplexity > 1):
            raise ValueError(
                f"the perplexity is {perplexity!r}: expected a number above 1; 2 is careful, 8 is free for characters"
            )
        self._wanted, self._logs = math.log(perplexity), np.zeros((streams, 1))
        self._rows = np.arange(streams)

    @property
    def now(self) -> np.ndarray:
        return np.exp(self._logs)

    def observe(self, logits: np.ndarray, ids: np.ndarray) -> None:
        """Take note of the ids drawn, shape (N,), and of the network's own logits there, shape (N, V)."""
        gaps = logits - np.maximum.reduce(logits, 1, keepdims=True)
        surprises = np.log(np.add.reduce(np.exp(gaps), 1)) - gaps[self._rows, ids]
        self._logs[:, 0] += GAIN * (self._wanted - surprises)
        np.minimum(np.maximum(self._logs, LEAST_LOG), GREATEST_LOG, out=self._logs)
