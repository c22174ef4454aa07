"""The copies of a network that learn together, on several devices or workers."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from shakegen.text.windows import Batches
from shakegen.training.workers.shard import Shard
from shakegen.training.workers.strategy import Strategy

FAR = 0x9E3779B1  # between the seeds of two replicas


class Replicas:
    """The copies of a network that learn together from every batch, each from its rows.

    There is one on each GPU of each worker, or one on a worker without GPUs.

    Args:
        batches: the whole batches.
        strategy: of the processes that have them.

    Attributes:
        count: of all replicas.
        width: rows of a batch for one replica.
        whole: the batches.
        batches: the rows of these for the replicas of this process.

    Raises:
        TeamError: the workers cannot begin together.
    """

    def __init__(self, batches: Batches, strategy: Strategy | None = None):
        self.strategy = strategy or Strategy()
        self._distribution = self.strategy.wait_for(self.strategy.distribute)
        self.count = self._distribution.num_replicas_in_sync
        local = self.count // len(self.strategy)
        self._own = range(self.strategy.index * local, (self.strategy.index + 1) * local)
        self.whole, self.batches = batches, Shard(batches, self.count, self._own)
        self.width = self.batches.width
        self._gather = tf.function(lambda value: self._distribution.gather(value, axis=0), autograph=False)

    def make(self, act: Callable):
        """The result of a function whose variables get a copy on each device."""

        def make():
            with self._distribution.scope():
                return act()

        return self.strategy.wait_for(make)

    def run(self, act: Callable, batch: tuple[tf.Tensor, ...]):
        """The first replica's result of a function that each calls with its rows of `batches`."""
        if len(self._own) > 1:
            batch = tuple(self._per_replica(lambda replica, part=part: self._rows(part, replica)) for part in batch)
        return self._distribution.experimental_local_results(self._distribution.run(act, args=batch))[0]

    def _rows(self, part: tf.Tensor, replica: int) -> tf.Tensor:
        first = (replica - self._own.start) * self.width
        return part[first : first + self.width]

    def _per_replica(self, value_of: Callable[[int], tf.Tensor]):
        replicas = iter(self._own)
        return self._distribution.experimental_distribute_values_from_function(lambda _: value_of(next(replicas)))

    def mean(self, values: list[tf.Tensor], weight: tf.Tensor) -> list[tf.Tensor]:
        """The weighted means of values over all replicas, as one sum for all; each replica must call this."""
        if self.count == 1:
            return values
        weight = tf.cast(weight, tf.float32)
        weighted = [value * tf.cast(weight, value.dtype) for value in values]
        *sums, total = tf.distribute.get_replica_context().all_reduce("SUM", [*weighted, weight])
        return [value / tf.cast(tf.maximum(total, 1), value.dtype) for value in sums]

    def _copies(self, variable: keras.Variable) -> Iterator[tuple[int, tf.Variable]]:
        """The replicas of this process, by number, and the copy of a variable that each has."""
        return zip(self._own, self._distribution.experimental_local_results(variable.value), strict=True)

    def gather(self, state: keras.Variable) -> np.ndarray:
        """A state with a row for each of a batch, (N, ·), from all replicas; all workers must call this."""
        copies = dict(self._copies(state))
        values = self._per_replica(lambda replica: tf.identity(copies[replica]))
        return self.batches.gather(self.strategy.wait_for(lambda: self._gather(values).numpy()))

    def deal(self, state: keras.Variable, rows: np.ndarray) -> None:
        """Give every replica its rows of a state."""
        for replica, copy in self._copies(state):
            copy.assign(tf.constant(self.batches.deal(rows, replica), copy.dtype))

    def draw_apart(self, state: keras.Variable) -> None:
        """Let the other replicas draw other random numbers than the first one, which draws as a network alone does.

        Args:
            state: of a `keras.random.SeedGenerator`: its seed and a count.
        """
        seed, count = state.numpy().tolist()
        for replica, copy in self._copies(state):
            copy.assign(tf.constant(np.array([seed + replica * FAR, count]), copy.dtype))


def sum_once(optimizer: keras.optimizers.Optimizer) -> None:
    """Let an optimizer take gradients that are sums over all replicas already.

    By itself it would sum gradients that each replica has clipped. One replica with the whole batch clips the sum.
    """
    optimizer._all_reduce_sum_gradients = list
