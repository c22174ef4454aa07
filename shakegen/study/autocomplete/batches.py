"""Batches of observations to learn from. Only numpy."""

import numpy as np

from shakegen.study.autocomplete.observations import Observations
from shakegen.text.permutation import Permutation
from shakegen.text.windows import ALL, Batches


class ShuffledObservations(Batches):
    """Observations in random order, in every epoch another one; padding fills up the last batch.

    Args:
        observations: of the text.
        rows: those to learn from, shape (rows,).
        batch_size: observations in a batch, N; fewer where there are not so many.
        random_state: the same one gives the same batches.
    """

    def __init__(self, observations: Observations, rows: np.ndarray, batch_size: int = 64, random_state: int = 0):
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
