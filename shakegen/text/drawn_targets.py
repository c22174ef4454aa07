"""Batches whose targets are a random share of those of others. Only numpy."""

import numpy as np

from shakegen.text.windows import ALL, Batches

NOTHING = -1  # a target that counts in no loss


class DrawnTargets(Batches):
    """Batches in which each position keeps its target with some probability, drawn anew for every batch.

    The mean loss over the kept positions has the mean over all as its expectation, and so has its gradient. The loss
    can leave the others out before the read-out, which costs most where there are many outputs.

    Args:
        batches: the whole ones.
        share: the probability.
        random_state: the same one gives the same batches.
    """

    def __init__(self, batches: Batches, share: float, random_state: int = 0):
        self._batches, self._share, self._random_state = batches, share, random_state
        self.batch_size, self.length, self.steps = batches.batch_size, batches.length, batches.steps
        self.carries_state = batches.carries_state

    def pair(self, number, rows=ALL):
        inputs, targets = self._batches.pair(number, rows)
        places = np.random.default_rng((self._random_state, int(number))).random((self.batch_size, self.length))
        return inputs, np.where(places[rows] < self._share, targets, np.int32(NOTHING))

    def begins(self, number, rows=ALL):
        return self._batches.begins(number, rows)
