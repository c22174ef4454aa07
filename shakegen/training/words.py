"""Training for the autocomplete task: observations to learn from, a loss in pieces, and its own validation."""

import time

import keras
import numpy as np

from shakegen.inference import Engine
from shakegen.model import WordModel
from shakegen.network.build import build
from shakegen.network.config import Config
from shakegen.study.autocomplete import measures
from shakegen.study.autocomplete.corpus import WordCorpus
from shakegen.study.autocomplete.loss import WordCrossentropy, without_read_out
from shakegen.study.autocomplete.observations import Observations
from shakegen.text.permutation import Permutation
from shakegen.text.windows import ALL, Batches
from shakegen.training.trainer import Trainer
from shakegen.training.validation import on_one_thread

LEAST = 512  # observations: a validation part of so many is never read in part only


class ShuffledObservations(Batches):
    """Observations in random order, in every epoch another one; what fills up the last batch is all padding.

    Args:
        observations: of the text.
        rows: those to learn from, shape (rows,).
        batch_size: observations in a batch, N; fewer where there are not so many.
        random_state: the same one gives the same batches.

    Raises:
        ValueError: the batch size is out of range.
    """

    def __init__(self, observations: Observations, rows: np.ndarray, batch_size: int = 64, random_state: int = 0):
        if batch_size < 1:
            raise ValueError(f"the batch size is {batch_size}: expected 1 observation or more")
        self._observations, self._rows, self._random_state = observations, rows, random_state
        self.batch_size, self.length = min(batch_size, max(1, len(rows))), observations.length
        self.steps = -(-len(rows) // self.batch_size)

    def rows(self, number: int) -> np.ndarray:
        """The observations of a batch by its number in the run, shape (N,); -1 is padding."""
        epoch, index = divmod(int(number), self.steps)
        places = index * self.batch_size + np.arange(self.batch_size)
        inside, order = places < len(self._rows), Permutation(len(self._rows), self._random_state, epoch)
        return np.where(inside, self._rows[order(np.where(inside, places, 0))], -1)

    def pair(self, number, rows=ALL):
        return self._observations.take(self.rows(number)[rows])


class WordValidation:
    """The cross entropy of weights on observations that are not learned from, in nats.

    Args:
        config: of the network.
        observations: of the text.
        rows: those to read, shape (rows,); they are in random order, so that some of them stand for all.
        most: about how many characters to read.
    """

    def __init__(self, config: Config, observations: Observations, rows: np.ndarray, most: int):
        self._config, self._observations = config, observations
        self._rows = rows[: max(LEAST, most // observations.length)]

    @on_one_thread
    def __call__(self, weights: dict[str, np.ndarray], rows: np.ndarray | None = None) -> float:
        with np.errstate(over="ignore", invalid="ignore"):  # of a run that diverges, which then ends
            engine = Engine(self._config, weights, defer_read_out=True)
            found = measures.evaluate(engine, self._observations, self._rows if rows is None else rows)
        return 0.0 if found.cross_entropy is None else found.cross_entropy

    def seconds(self, weights: dict[str, np.ndarray]) -> float:
        """How long it will take, from a trial."""
        trial = self._rows[: measures.STREAMS]
        self(weights, trial)
        began = time.monotonic()
        self(weights, trial)
        return (time.monotonic() - began) * len(self._rows) / len(trial)


class WordTrainer(Trainer):
    """A run of the autocomplete task; `corpus` is a `WordCorpus`."""

    corpus: WordCorpus

    def _vocabulary(self, base):
        if base is not None and base.words != self.corpus.words:
            raise ValueError("the model to start from predicts other words: expected a corpus with words=model.words")
        return self.corpus.vocabulary

    def _batches(self):
        recipe = self.recipe
        return ShuffledObservations(self.corpus.observations, self.corpus.train, recipe.batch_size, recipe.random_state)

    def _network(self):
        sizes = len(self.vocabulary), self.recipe.random_state
        kinds = {"dtype": self._dtype, "dropout": self._dropout}
        return without_read_out(build(self.config, *sizes, outputs=len(self.corpus.words), **kinds))

    def _units(self):
        return {"loss": "nats", "nats": 1.0}

    def _loss(self) -> keras.losses.Loss:
        return WordCrossentropy(self.network.read_out)

    def _transplanted(self, base):
        return base.weights

    def _validation(self, most):
        rows = self.corpus.validation
        return WordValidation(self.config, self.corpus.observations, rows, most) if len(rows) else None

    def _kept(self, weights, history, training):
        origin, words = self.corpus.origin(), self.corpus.words
        return WordModel(self.config, self.vocabulary, weights, origin, history, training, words)
