"""The rows of every batch that a process computes. Only numpy."""

import itertools

import numpy as np

from shakegen.text.windows import ALL, Batches


class Shard(Batches):
    """The rows of every batch that some replicas of a network compute; no other rows are read.

    Each replica has equally many. Padding fills up missing rows: its inputs are 0; its targets, -1, do not count.

    Args:
        batches: the whole ones.
        count: of all replicas.
        replicas: the numbers of those to read for.

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

    def begins(self, number, rows=ALL):
        begins = np.ones((len(self._own), self.width), bool)
        for replica, span in enumerate(self._own):
            begins[replica, : span.stop - span.start] = self._batches.begins(number, span)
        return begins.reshape(self.batch_size)[rows]

    def gather(self, padded: np.ndarray) -> np.ndarray:
        """The rows of all replicas, (replicas · width, ·), in the order of the batch and without padding, (N, ·)."""
        parts = padded.reshape(len(self._spans), self.width, *padded.shape[1:])
        return np.concatenate([part[: span.stop - span.start] for part, span in zip(parts, self._spans, strict=True)])

    def deal(self, whole: np.ndarray, replica: int) -> np.ndarray:
        """One replica's rows, (width, ·), of an array with a row for each of a batch, (N, ·)."""
        own = whole[self._spans[replica]]
        return np.concatenate([own, np.zeros((self.width - len(own), *whole.shape[1:]), whole.dtype)])
