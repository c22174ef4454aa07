"""Several processes as one strategy: messages between the chief and the others, signs of life, a common end.

TensorFlow moves the gradients. The messages are small: a line before each step, a model at the start.
"""

import base64
import concurrent.futures
import contextlib
import functools
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator

from shakegen.training.workers.channel import TIMEOUT, Channel, StrangerError, TeamError
from shakegen.training.workers.cluster import Cluster, first_difference
from shakegen.training.workers.strategy import Strategy

PAUSE = 0.1
HEARTBEAT = 3.0  # seconds between signs of life
GRACE = 10.0  # seconds for a process to end by itself, once the team is broken
ADVICE = "start all workers anew, with `resume` to go on from the last checkpoint"
BLOCK = 1 << 19  # bytes of a model in one message


class Team(Strategy):
    """The workers of a cluster, from their meeting to their parting; made by `join`.

    Args:
        cluster: the addresses of the workers.

    Attributes:
        problem: the reason why they can no longer train together; None as long as they can.
        ended: whether the chief has ended the present run.
    """

    def __init__(self, cluster: Cluster):
        self.cluster, self.index = cluster, cluster.index
        self.problem, self.ended = None, False
        self._channels: dict[int, Channel] = {}  # the chief's to all others; of these, only that to the chief
        self._inboxes: dict[int, queue.Queue] = {}
        self._lock, self._over = threading.Lock(), False
        self._signals: queue.SimpleQueue = queue.SimpleQueue()  # a signal's handler may put into it at any moment
        self._abort = lambda problem: None
        threading.Thread(target=self._beat, daemon=True).start()

    def __len__(self):
        return len(self.cluster)

    @property
    def name(self) -> str:
        """The name of this worker in messages."""
        return self.cluster.name(self.index)

    @property
    def missing(self) -> list[int]:
        """The workers that the chief has not met yet."""
        return [index for index in range(1, len(self)) if self.chief and index not in self._channels]

    def meet(self, index: int, channel: Channel) -> None:
        """Take a worker in; the chief meets all others, each of these the chief."""
        channel.limit(TIMEOUT)
        self._inboxes[index] = queue.Queue()
        self._channels[index] = channel
        threading.Thread(target=self._listen, args=[index, channel], daemon=True).start()

    def _listen(self, index: int, channel: Channel) -> None:
        name, inbox = self.cluster.name(index), self._inboxes[index]
        try:
            while (message := channel.receive())["kind"] != "bye":
                if message["kind"] == "failed":
                    self.fail(message["message"])
                elif message["kind"] == "stop":
                    self.stopped = message["signal"]
                else:
                    inbox.put(message)
        except StrangerError:
            self.fail(
                f"another program answers at {self.cluster.addresses[index]}: expected {name}, of this "
                "version of shakegen and of a run that has not begun yet"
            )
        except OSError as error:
            silent = isinstance(error, TimeoutError)
            reason = f"gave no sign of life for {TIMEOUT:g} s" if silent else "is gone, killed or cut off"
            if not self.ended:
                self.fail(f"{name} {reason}: {ADVICE}")
        inbox.put({"kind": "bye"})

    def _beat(self) -> None:
        while not self._over:
            self._send("beat", wait=False)
            with contextlib.suppress(queue.Empty):
                number = self._signals.get(timeout=HEARTBEAT)
                if number is not None:
                    self._send("stop", signal=number)

    def _send(self, kind: str, wait: bool = True, **fields) -> None:
        for channel in list(self._channels.values()):
            channel.send(kind, wait, **fields)

    def fail(self, problem: str) -> None:
        """Break the team up; all workers end with this problem as their error."""
        with self._lock:
            if self.problem is not None or self._over:
                return
            self._send("failed", message=problem)  # before this process knows, and leaves
            self.problem = problem
        for inbox in list(self._inboxes.values()):
            inbox.put({"kind": "failed"})
        self._abort(problem)

    def check(self) -> None:
        """Raise TeamError if the team is broken up."""
        if self.problem is not None:
            raise TeamError(self.problem)

    def tell(self, kind: str, **fields) -> None:
        """Send a message: the chief to all others, each of these to the chief. Raises TeamError as `check` does."""
        self._send(kind, **fields)
        self.check()

    def take(self, index: int, kind: str) -> dict:
        """The next message of a worker; raises TeamError if it is of another kind, or if that worker has left."""
        message = self._inboxes[index].get()
        self.check()
        if message["kind"] == "bye":
            raise TeamError(f"{self.cluster.name(index)} left before the end")
        if message["kind"] != kind:
            raise TeamError(
                f"{self.cluster.name(index)} is at another point (it sent {message['kind']!r}, {self.name} expects "
                f"{kind!r}): expected all workers to train the same runs in the same order"
            )
        return message

    def exchange(self, kind: str, value) -> list:
        """The values of all workers, by index, at each of them, as JSON holds them. Raises TeamError as `take` does."""
        if not self.chief:
            self.tell(kind, values=[value])
            return self._take_values(0, kind, len(self))
        values = [json.loads(json.dumps(value))]
        for index in range(1, len(self)):
            values += self._take_values(index, kind, 1)
        self.tell(kind, values=values)
        return values

    def _take_values(self, index: int, kind: str, count: int) -> list:
        values = self.take(index, kind)["values"]
        if len(values) != count:
            raise TeamError(
                f"{self.cluster.name(index)} sent {len(values)} values, {self.name} expects {count}: expected the same "
                "addresses for all workers"
            )
        return values

    def agree(self, facts):
        self.ended, self.stopped = False, None
        first, *others = self.exchange("facts", facts)
        for index, other in enumerate(others, 1):
            name = first_difference(first, other)
            if name is not None:
                raise TeamError(
                    f"{self.cluster.name(index)} has {name} {other.get(name)}, {self.cluster.name(0)} "
                    f"{first.get(name)}: expected the same text, options and versions for all workers"
                )

    def share(self, content):
        if not self.chief:
            blocks = iter(lambda: self.take(0, "content")["block"], "")
            return b"".join(map(base64.b64decode, blocks))
        for begin in range(0, len(content), BLOCK):
            self.tell("content", block=base64.b64encode(content[begin : begin + BLOCK]).decode())
        self.tell("content", block="")
        return content

    def order(self, what, **fields):
        if self.chief:
            self.tell("order", what=what, **fields)
            self.ended = what == "end"

    def orders(self) -> Iterator[dict]:
        """The chief's orders; the last one is "end". For the others. Raises TeamError where the team breaks up."""
        while not self.ended:
            message = self.take(0, "order")
            self.ended = message["what"] == "end"
            yield message

    def stop(self, number):
        self.stopped = number
        self._signals.put(number)  # another thread tells the chief: a handler must not wait for a lock

    @functools.cached_property
    def _distribution(self):
        import tensorflow as tf
        from tensorflow.python.eager import context

        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({"worker": list(self.cluster.addresses)}),
            task_type="worker",
            task_id=self.index,
            num_accelerators={"GPU": len(tf.config.get_visible_devices("GPU"))},
            rpc_layer="grpc",
        )
        try:
            distribution = tf.distribute.MultiWorkerMirroredStrategy(resolver)
        except RuntimeError:
            raise TeamError(
                f"{self.name} has used TensorFlow before: expected a process that trains with the others first"
            ) from None
        self._abort = lambda problem: context.context().abort_collective_ops(tf.errors.UNAVAILABLE, problem)
        return distribution

    def distribute(self):
        return self._distribution  # a process can make one only once

    def wait_for(self, act):
        # In a thread, which TensorFlow may hold for ever: not all of it heeds `_abort`.
        self.check()
        done: concurrent.futures.Future = concurrent.futures.Future()
        threading.Thread(target=fulfil, args=[done, act], daemon=True).start()
        while not done.done():
            concurrent.futures.wait([done], PAUSE)
            if self.problem is not None and not concurrent.futures.wait([done], GRACE).done:
                self.check()
        return done.result()

    @contextlib.contextmanager
    def explain_errors(self):
        from tensorflow import errors

        lost = (errors.AbortedError, errors.CancelledError, errors.DeadlineExceededError)
        lost += (errors.FailedPreconditionError, errors.InternalError, errors.UnavailableError)
        try:
            yield
        except errors.ResourceExhaustedError:
            raise
        except errors.OpError as error:
            if isinstance(error, lost):
                self.wait_for_problem()
            lines = [line.strip() for line in error.message.splitlines() if not line.lstrip().startswith("[[")]
            raise TeamError(f"{self.name} ended: {next(filter(None, lines), type(error).__name__)}") from None

    def wait_for_problem(self, seconds: float = TIMEOUT) -> None:
        """Wait for news of a lost worker, after TensorFlow failed; raises TeamError when it comes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check()
            time.sleep(PAUSE)

    def leave(self, error: BaseException | None = None) -> None:
        """Part from the others. An error ends them all, unless it comes after the agreed end of a run."""
        agreed = self.ended and not isinstance(error, Exception)
        if error is not None and not (agreed or self.problem):
            self.fail(str(error) if isinstance(error, TeamError) else f"{self.name} ended: {reason_of(error)}")
        self._send("bye")
        if self.chief and self.ended:  # TensorFlow's other servers would miss that of the chief
            for inbox in self._inboxes.values():
                with contextlib.suppress(queue.Empty):
                    inbox.get(timeout=GRACE)
        self._over = True
        self._signals.put(None)
        for channel in self._channels.values():
            channel.close()


def fulfil(done: concurrent.futures.Future, act: Callable) -> None:
    """Give a future the result of a function, or its error."""
    try:
        done.set_result(act())
    except BaseException as error:
        done.set_exception(error)


def reason_of(error: BaseException) -> str:
    """An error in one line."""
    text, name = " ".join(str(error).split()), type(error).__name__
    if isinstance(error, KeyboardInterrupt | MemoryError):
        return "it was interrupted" if isinstance(error, KeyboardInterrupt) else "its memory is full"
    if text and isinstance(error, ValueError | OSError):
        return text
    return f"{name}: {text}" if text else name
