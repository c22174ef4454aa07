"""Ancestral sampling among many symbols: two sums and two searches, where noise for each symbol would take longer."""

import numpy as np

from shakegen.sampling.truncation import LOWEST, Test, Truncation, clip_temperature

MANY = 4096  # symbols; with fewer, noise is quicker
TRIES = 20  # draws in vain, before the symbols that may be drawn are all looked for


def draw_among_many(step, logits, state, length, temperature, random_state, truncation, rules):
    """As `ancestral`, for a temperature above 0 that stays.

    A symbol that the truncation or a lazy rule leaves out is drawn again, so the rest is drawn as if renormalised.
    """
    ids, weighed = np.empty(len(logits), np.intp), np.empty_like(logits)
    urns = [Urn(logits.shape[1], logits.dtype, (random_state, stream)) for stream in range(len(logits))]
    allows = truncation.single(temperature, logits.shape[1], logits.dtype) if truncation else None
    lazy = rules is not None and rules.lazy and not truncation
    for count in range(length):
        if count:
            logits, state = step(ids, state)
        rows = rules.weigh(logits, weighed, every=not lazy) if rules else logits
        for stream, (urn, row) in enumerate(zip(urns, rows, strict=True)):
            urn.fill(row, temperature)
            drawn = urn.draw() if allows is None else draw_allowed(urn, row, allows, truncation, temperature)
            while lazy and row[drawn] > -np.inf and not rules.allows(stream, drawn):
                row[drawn] = -np.inf
                urn.fill(row, temperature)
                drawn = urn.draw()
            if rules and row[drawn] == -np.inf and not rules.finished[stream]:
                rules.refuse_dead_end()
            ids[stream] = drawn
        if rules:
            rules.advance(ids)
        yield ids


def draw_allowed(urn: "Urn", logits: np.ndarray, allows: Test, truncation: Truncation, temperature: float) -> int:
    """Draw until a truncation allows the id."""
    for _ in range(TRIES):
        drawn = urn.draw()
        if allows(logits, drawn):
            return drawn
    urn.empty(~truncation.keep(logits[None], temperature)[0])
    return urn.draw()


class Urn:
    """Draws ids in proportion to exp(logits / temperature).

    The weights lie in blocks of about √V. A uniform number finds its block among the sums, and its place within.
    """

    def __init__(self, size: int, dtype, random_state):
        self._width = 1 << ((size - 1).bit_length() + 1) // 2
        self._weights = np.zeros((-(-size // self._width), self._width), dtype)
        self._flat, self._ones = self._weights.reshape(-1)[:size], np.ones(self._width, dtype)
        self._random = np.random.default_rng(random_state).random

    def fill(self, logits: np.ndarray, temperature: float) -> None:
        """Take the weights of logits of shape (V,)."""
        np.subtract(logits, max(logits.max(), LOWEST), self._flat)
        if temperature != 1:
            self._flat /= clip_temperature(temperature)
        np.exp(self._flat, self._flat)
        self._sum()

    def empty(self, left_out: np.ndarray) -> None:
        """Take out the ids of a mask of shape (V,)."""
        self._flat[left_out] = 0
        self._sum()

    def _sum(self) -> None:
        self._sums = (self._weights @ self._ones).cumsum(dtype=float)

    def draw(self) -> int:
        """Draw an id."""
        block = find_share(self._sums, self._random())
        return block * self._width + find_share(self._weights[block].cumsum(dtype=float), self._random())


def find_share(sums: np.ndarray, share: float) -> int:
    """The place where rising sums, shape (n,), pass a share from 0 up to, but not including, 1 of the last one."""
    last = sums[-1]
    return int(min(sums.searchsorted(share * last, "right"), sums.searchsorted(last)))
