"""A network on several devices or workers, by TensorFlow's own strategies; what Keras lacks for that is here."""

import contextlib
import functools
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from shakegen.text.windows import Batches
from shakegen.training.workers.channel import TeamError
from shakegen.training.workers.shard import Shard
from shakegen.training.workers.team import Team

LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
)  # what TensorFlow says where another worker is gone
FAR = 0x9E3779B1  # between the seeds of two replicas


class Replicas:
    """The copies of a network that learn together from every batch, each from its rows.

    There is one on each GPU of each worker, or one a worker where it has none; of a process alone on a machine without
    several GPUs, one in all.

    Args:
        batches: what they learn from.
        team: the workers; None for a process alone.

    Attributes:
        strategy: the `tf.distribute.Strategy`; networks are to be made within its `scope()`.
        count: of all of them.
        own: the numbers of those in this process.
        whole: the batches that they learn from.
        batches: the rows of these that are this process's.
        width: rows of a batch for one of them.
        waiting: makes a context for what needs all workers, as `Team.waiting`.
    """

    def __init__(self, batches: Batches, team: Team | None = None):
        self.waiting = team.waiting if team else contextlib.nullcontext
        with self.waiting():
            self.strategy = strategy_of(team)
        self.count = self.strategy.num_replicas_in_sync
        local = self.count // (len(team) if team else 1)
        index = team.cluster.index if team else 0
        self.own = range(index * local, (index + 1) * local)
        self.whole, self.batches = batches, batches if self.count == 1 else Shard(batches, self.count, self.own)
        self.width = self.batches.batch_size // local
        self._gather = tf.function(lambda value: self.strategy.gather(value, axis=0), autograph=False)

    def sample(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """A batch to look at, by its number: as many rows of it as one replica takes."""
        return self.whole.pair(number, slice(self.width))

    def run(self, act: Callable, batch: tuple[tf.Tensor, ...]):
        """What a function of some rows gives, on the rows of each replica; of several, what it gives on the first."""
        if self.count == 1:
            return act(*batch)
        if len(self.own) > 1:
            batch = tuple(self._values(lambda replica, part=part: self._rows(part, replica)) for part in batch)
        return self.strategy.experimental_local_results(self.strategy.run(act, args=batch))[0]

    def _rows(self, part, replica: int):
        first = (replica - self.own.start) * self.width
        return part[first : first + self.width]

    def _values(self, value_of: Callable[[int], tf.Tensor]):
        replicas = iter(self.own)
        return self.strategy.experimental_distribute_values_from_function(lambda _: value_of(next(replicas)))

    def mean(self, values: list[tf.Tensor], weight: tf.Tensor) -> list[tf.Tensor]:
        """The weighted means of values over all replicas, as one sum for all; to be called by each of them."""
        if self.count == 1:
            return values
        weight = tf.cast(weight, tf.float32)
        weighted = [value * tf.cast(weight, value.dtype) for value in values]
        *sums, total = tf.distribute.get_replica_context().all_reduce("SUM", [*weighted, weight])
        return [value / tf.cast(tf.maximum(total, 1), value.dtype) for value in sums]

    def _assign(self, variable: keras.Variable, value_of: Callable[[int], np.ndarray]) -> None:
        for replica, own in zip(self.own, self._each(variable), strict=True):
            own.assign(tf.constant(value_of(replica), own.dtype))

    def _each(self, variable: keras.Variable) -> tuple[tf.Variable, ...]:
        """The variable of each replica of this process, in its place."""
        return self.strategy.experimental_local_results(variable.value)

    def gathered(self, state: keras.Variable) -> np.ndarray:
        """A state that has a row for each of a batch, (N, ·), from all replicas; all workers must ask for it."""
        if self.count == 1:
            return state.numpy().copy()
        each = dict(zip(self.own, self._each(state), strict=True))
        values = self._values(lambda replica: tf.identity(each[replica]))
        with self.waiting():
            return self.batches.gathered(self._gather(values).numpy())

    def deal(self, state: keras.Variable, rows: np.ndarray) -> None:
        """Give every replica its rows of such a state."""
        if self.count == 1:
            state.assign(rows)
        else:
            self._assign(state, lambda replica: self.batches.dealt(rows, replica))

    def draw_apart(self, state: keras.Variable) -> None:
        """Let replicas draw other random numbers than the first one, which draws those of a network alone.

        Args:
            state: of a `keras.random.SeedGenerator`: its seed and a count.
        """
        if self.count > 1:
            seed, count = state.numpy().tolist()
            self._assign(state, lambda replica: np.array([seed + replica * FAR, count]))


@functools.cache
def strategy_of(team: Team | None) -> tf.distribute.Strategy:
    """The strategy of a team, which a process can have once; of a process alone, for the GPUs that it has.

    Raises:
        TeamError: TensorFlow was used before.
    """
    gpus = tf.config.get_visible_devices("GPU")
    if team is None:
        return tf.distribute.MirroredStrategy() if len(gpus) > 1 else tf.distribute.get_strategy()
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(team.cluster.addresses)}),
        task_type="worker",
        task_id=team.cluster.index,
        num_accelerators={"GPU": len(gpus)},
        rpc_layer="grpc",
    )
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except RuntimeError:
        raise TeamError(
            f"{team.name} has used TensorFlow before: expected a process that trains with the others first"
        ) from None
    team.on_problem.append(lambda problem: context.context().abort_collective_ops(tf.errors.UNAVAILABLE, problem))
    return strategy


def sum_once(optimizer: keras.optimizers.Optimizer) -> None:
    """Let an optimizer take gradients that are sums over all replicas already.

    By itself it sums what each replica has clipped; to clip the sum is what one replica alone would do with the batch.
    """
    optimizer._all_reduce_sum_gradients = list


@contextlib.contextmanager
def explaining(team: Team | None) -> Iterator[None]:
    """Say, where TensorFlow lost another worker, which one it was and why, as far as the team knows.

    Raises:
        TeamError: that, or what else TensorFlow found wrong.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError as error:
        if team is None:
            raise
        if isinstance(error, LOST):
            team.wait_for_problem()
        lines = [line.strip() for line in error.message.splitlines() if not line.lstrip().startswith("[[")]
        raise TeamError(f"{team.name} ended: {next(filter(None, lines), type(error).__name__)}") from None
