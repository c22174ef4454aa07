"""Which rows of every batch a process computes. Only numpy."""

import itertools

import numpy as np

from shakegen.text.windows import ALL, Batches


class Shard(Batches):
    """The rows of every batch that some replicas of a network compute, as many for each; nothing else is read.

    Where there are not enough, rows fill up that do not count: their inputs are 0, their targets -1.

    Args:
        batches: the whole ones.
        count: of all replicas.
        replicas: those to read for, by their numbers.

    Attributes:
        width: rows for one replica.
    """

    def __init__(self, batches: Batches, count: int, replicas: range):
        bounds = [replica * batches.batch_size // count for replica in range(count + 1)]
        self._batches, self._spans = batches, [slice(*pair) for pair in itertools.pairwise(bounds)]
        self._own = [self._spans[replica] for replica in replicas]
        self.width = -(-batches.batch_size // count)
        self.batch_size = self.width * len(replicas)
        self.length, self.steps, self.carries_state = batches.length, batches.steps, batches.carries_state

    def pair(self, number, rows=ALL):
        shape = len(self._own), self.width, self.length
        inputs, targets = np.zeros(shape, np.int32), np.full(shape, -1, np.int32)
        for replica, span in enumerate(self._own):
            size = span.stop - span.start
            inputs[replica, :size], targets[replica, :size] = self._batches.pair(number, span)
        return tuple(part.reshape(self.batch_size, self.length)[rows] for part in (inputs, targets))

    def begins(self, number):
        return self._batches.begins(number)

    def gathered(self, padded: np.ndarray) -> np.ndarray:
        """What all replicas have for their rows, (replicas · width, ·), in the order of the batch, (N, ·)."""
        parts = padded.reshape(len(self._spans), self.width, *padded.shape[1:])
        return np.concatenate([part[: span.stop - span.start] for part, span in zip(parts, self._spans, strict=True)])

    def dealt(self, whole: np.ndarray, replica: int) -> np.ndarray:
        """The rows of one replica, (width, ·), of something that has a row for each of a batch, (N, ·)."""
        own = whole[self._spans[replica]]
        return np.concatenate([own, np.zeros((self.width - len(own), *whole.shape[1:]), whole.dtype)])
