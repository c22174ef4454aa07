"""The loss of a network in training on text that it does not learn from. Only numpy."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from shakegen.inference.threads import get_blas
from shakegen.model import evaluation
from shakegen.model.model import AutocompleteModel, LanguageModel
from shakegen.network.config import Config
from shakegen.study.autocomplete import measures
from shakegen.study.autocomplete.observations import Observations

STREAM, LEAST = 1000, 100_000  # symbols of a stream at least; a shorter text is always read whole
LEAST_OBSERVATIONS = 512  # so many, or fewer, are always read, all of them
# The surprisal of a character has a standard deviation of some 2 bits; the mean of 40 has a standard error of 0.3 bits.
# Epochs near the best one differ by less: on fewer characters, chance would choose among them.
FEWEST = 40  # characters
TRIAL = 20  # symbols of each stream


class Validation(ABC):
    """The loss of weights on validation text, in nats per symbol.

    Args:
        size: how much to read of the text, in streams' symbols or in observations.
        trial: how much of it to read for an estimate of the time.
    """

    def __init__(self, size: int, trial: int):
        self.size, self._trial = size, trial

    def __call__(self, weights: Mapping[str, np.ndarray], size: int | None = None) -> float:
        # A resumed run must find the same loss to the last bit, with any library of matrix products: threads share
        # streams, but no product.
        with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges ends soon
            return get_blas().call(1, self.score, weights, size or self.size)

    @abstractmethod
    def score(self, weights: Mapping[str, np.ndarray], size: int) -> float:
        """The loss of weights on the first part of the text, of some size."""

    def seconds(self, weights: Mapping[str, np.ndarray]) -> float:
        """How long it will take, from a trial."""
        self(weights, 1)
        began = time.monotonic()
        self(weights, self._trial)
        return (time.monotonic() - began) * max(1.0, self.size / self._trial)


class TextValidation(Validation):
    """Nats/symbol on a text, read in streams side by side, the state carried within each.

    Args:
        config: of the network.
        ids: the text, shape (symbols,), two at least.
        most: about how many symbols to read of it; of a long text, the beginning of each stream.
    """

    def __init__(self, config: Config, ids: np.ndarray, most: int):
        self._config, self._ids = config, ids
        self.characters = min(len(ids), max(most, LEAST))
        self._streams = min(256, 1 + self.characters // STREAM)
        super().__init__(-(-self.characters // self._streams), TRIAL)

    def score(self, weights, size):
        engine = LanguageModel.make_engine(self._config, weights)
        return evaluation.estimate(engine, self._ids, self._streams, size).nats_per_symbol


class AutocompleteValidation(Validation):
    """The cross entropy on observations, in nats.

    Args:
        config: of the network.
        observations: of the text.
        rows: those to read, shape (rows,), one at least, in random order: the first of them stand for all.
        most: about how many characters to read.
    """

    def __init__(self, config: Config, observations: Observations, rows: np.ndarray, most: int):
        self._config, self._observations = config, observations
        self._rows = rows[: max(LEAST_OBSERVATIONS, most // observations.length)]
        super().__init__(len(self._rows), min(len(self._rows), measures.STREAMS))

    def score(self, weights, size):
        engine = AutocompleteModel.make_engine(self._config, weights)
        found = measures.evaluate(engine, self._observations, self._rows[:size])
        return found.cross_entropy or 0.0  # a trial of few may have no word to score
