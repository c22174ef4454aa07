"""How well a network in training predicts text that it does not learn from. Only numpy."""

import time

import numpy as np
from threadpoolctl import threadpool_limits

from shakegen.inference import Engine
from shakegen.model import evaluation
from shakegen.network.config import Config

STREAM, LEAST = 1000, 100_000  # symbols of a stream at least, and of a text that is never read in part only
TRIAL = 20
# Beside another program that computes, several threads wait for each other far longer than they gain.
on_one_thread = threadpool_limits.wrap(limits=1, user_api="blas")


class Validation:
    """Nats/symbol of weights on a validation text, read in parts side by side, the state carried within each.

    Args:
        config: of the network.
        ids: the text, shape (symbols,), two at least.
        most: about how many symbols to read of it; with a long text, that is the beginning of each part.
    """

    def __init__(self, config: Config, ids: np.ndarray, most: int):
        self._config, self._ids = config, ids
        self.characters = min(len(ids), max(most, LEAST))
        self._streams = min(256, 1 + self.characters // STREAM)

    @on_one_thread
    def __call__(self, weights: dict[str, np.ndarray], longest: int | None = None) -> float:
        longest = longest or -(-self.characters // self._streams)
        with np.errstate(over="ignore", invalid="ignore"):  # of a run that diverges, which then ends
            engine = Engine(self._config, weights)
            return evaluation.estimate(engine, self._ids, self._streams, longest).nats_per_symbol

    def seconds(self, weights: dict[str, np.ndarray]) -> float:
        """How long it will take, from a trial of a few symbols."""
        self(weights, 1)
        began = time.monotonic()
        self(weights, TRIAL)
        return (time.monotonic() - began) * max(1.0, self.characters / self._streams / TRIAL)
