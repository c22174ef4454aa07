"""The workers of a run as one: who is there, what they agree on, what the chief orders, who has gone.

Gradients go by TensorFlow's own ways; what goes by these is small: a line before each step, a model at the start.
"""

import contextlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator

from shakegen.training.workers.channel import TIMEOUT, Channel, StrangerError, TeamError
from shakegen.training.workers.cluster import Cluster, first_difference

PAUSE = 0.1
HEARTBEAT = 3.0  # seconds between signs of life
GRACE = 10.0  # seconds for a process to end by itself, once the team is broken
ADVICE = "start all workers anew, with --resume to go on from the last checkpoint"
LARGEST_MODEL = 1 << 36  # bytes


class Member:
    """Another worker, as this one knows it: the chief knows all, the others the chief."""

    def __init__(self, index: int, channel: Channel):
        self.index, self.channel, self.inbox, self.left = index, channel, queue.Queue(), False


class Team:
    """The workers of a run, from the time when all have come until it ends; made by `joined`.

    Args:
        cluster: of the workers.

    Attributes:
        problem: why they can no longer train together; None as long as they can.
        ended: whether the chief has ordered the end of a run, and no other one has begun.
        on_problem: called, in another thread, when there is a problem.
    """

    def __init__(self, cluster: Cluster):
        self.cluster, self.problem, self.ended = cluster, None, False
        self.on_problem: list[Callable[[str], None]] = []
        self._on_stop: Callable[[int], None] = lambda number: None
        self._stopped: int | None = None
        self._members: dict[int, Member] = {}
        self._lock, self._wake, self._signal = threading.Lock(), threading.Event(), None
        self._over = self._told = False
        self._waits, self._timer = False, None
        threading.Thread(target=self._beat, daemon=True).start()

    @property
    def chief(self) -> bool:
        """Whether this worker decides, writes and shows."""
        return self.cluster.index == 0

    @property
    def name(self) -> str:
        """What to call this worker."""
        return self.cluster.name(self.cluster.index)

    def __len__(self) -> int:
        """The number of workers."""
        return len(self.cluster)

    def meet(self, index: int, channel: Channel) -> None:
        """Take a worker in: the chief any other one, these the chief."""
        channel.limit(TIMEOUT)
        self._members[index] = member = Member(index, channel)
        threading.Thread(target=self._listen, args=[member], daemon=True).start()

    @property
    def known(self) -> list[int]:
        """Who has been met."""
        return sorted(self._members)

    def _listen(self, member: Member) -> None:
        try:
            while not member.left:
                message, payload = member.channel.receive(0 if self.chief else LARGEST_MODEL)
                if message["kind"] == "failed":
                    self.fail(message["message"])
                elif message["kind"] == "stop":
                    self._stopped = message["signal"]
                    self._on_stop(message["signal"])
                elif message["kind"] == "bye":
                    member.left = True
                elif message["kind"] != "beat":
                    member.inbox.put((message, payload))
        except StrangerError:
            self.fail(
                f"another program answers at {self.cluster.addresses[member.index]}: expected "
                f"{self.cluster.name(member.index)}, of a run that has not begun yet"
            )
        except OSError as error:
            silent = isinstance(error, TimeoutError)
            what = f"gave no sign of life for {TIMEOUT:g} s" if silent else "is gone, killed or cut off"
            if not self.ended:
                self.fail(f"{self.cluster.name(member.index)} {what}: {ADVICE}")
        member.left = True
        member.inbox.put(({"kind": "bye"}, b""))

    def _beat(self) -> None:
        while not self._over:
            signal, self._signal = self._signal, None
            for member in list(self._members.values()):
                with contextlib.suppress(OSError):  # the thread that listens notices
                    if signal is not None:
                        member.channel.send("stop", signal=signal)
                    member.channel.beat()
            self._wake.wait(HEARTBEAT)
            self._wake.clear()

    def fail(self, problem: str) -> None:
        """Break the team up; all workers end with these words."""
        with self._lock:
            if self.problem is not None or self._over:
                return
            for member in list(self._members.values()):  # before anybody here knows, and leaves
                with contextlib.suppress(OSError):
                    member.channel.send("failed", message=problem)
            self.problem = problem
            self._arm()
        for member in list(self._members.values()):
            member.inbox.put(({"kind": "failed"}, b""))
        for act in self.on_problem:
            act(problem)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While this process may wait for the others in TensorFlow, which may not notice that they are gone."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    def _die(self) -> None:
        """End a process that still waits, in TensorFlow, for one that has gone; nothing is half-written."""
        if self._over or self._told:
            return
        if not self._waits:  # it will hear of the problem when it turns to the others
            self._arm()
            return
        sys.stderr.write(f"Error: {self.problem}\n")
        sys.stderr.flush()
        os._exit(1)

    def _arm(self) -> None:
        self._timer = threading.Timer(GRACE, self._die)
        self._timer.daemon = True
        self._timer.start()

    def check(self) -> None:
        """Raise TeamError if the team is broken."""
        if self.problem is not None:
            self._told = True
            raise TeamError(self.problem)

    def take(self, index: int, kind: str) -> tuple[dict, bytes]:
        """The next message of a worker, which must be of a kind, and the bytes with it.

        Raises:
            TeamError: the team is broken, or that worker has left.
        """
        message, payload = self._members[index].inbox.get()
        self.check()
        if message["kind"] == "bye":
            raise TeamError(f"{self.cluster.name(index)} left before the end")
        if message["kind"] != kind:
            raise TeamError(
                f"{self.cluster.name(index)} is at another point (it sent {message['kind']!r}, {self.name} expects "
                f"{kind!r}): expected all workers to train the same runs in the same order"
            )
        return message, payload

    def tell(self, kind: str, payload: bytes = b"", **fields) -> None:
        """Send a message to all that were met: of the chief, to the others; of these, to the chief."""
        for member in self._members.values():
            with contextlib.suppress(OSError):  # the thread that listens notices
                member.channel.send(kind, payload, **fields)
        self.check()

    def agree(self, facts: dict) -> None:
        """Go on, or begin with a run, only if all workers have found the same, by names that people know.

        Raises:
            TeamError: they have not; the message names the first difference.
        """
        self.ended, self._stopped = False, None
        if not self.chief:
            self.tell("facts", facts=facts)
            self.take(0, "agreed")
            return
        facts = json.loads(json.dumps(facts))
        for index in self.known:
            other = self.take(index, "facts")[0]["facts"]
            name = first_difference(facts, other)
            if name is not None:
                raise TeamError(
                    f"{self.cluster.name(index)} has {name} {other.get(name)}, {self.cluster.name(0)} "
                    f"{facts.get(name)}: expected the same text, options and versions for all workers"
                )
        self.tell("agreed")

    def broadcast(self, content: bytes | None) -> bytes:
        """What the chief has, at every worker; of the others, `content` is not looked at."""
        if not self.chief:
            return self.take(0, "content")[1]
        self.tell("content", content)
        return content

    def order(self, what: str, **fields) -> None:
        """Tell the others what to do next; for the chief. After "end" the workers need each other no longer."""
        self.tell("order", what=what, **fields)
        self.ended = what == "end"

    def orders(self) -> Iterator[dict]:
        """What the chief orders, until its last order, "end", which is among them; for the others.

        Raises:
            TeamError: the team is broken.
        """
        while not self.ended:
            message, _ = self.take(0, "order")
            self.ended = message["what"] == "end"
            yield message

    def stop(self, number: int) -> None:
        """Ask the chief to end the run in good order, because of a signal; may be called by a signal's handler."""
        self._signal = number
        self._wake.set()

    def on_stop(self, act: Callable[[int], None]) -> None:
        """Call something, in another thread, with the number of a signal that another worker got; for the chief.

        It is called at once, here, where one came since they have agreed.
        """
        self._on_stop, number = act, self._stopped
        if number is not None:
            act(number)

    def wait_for_problem(self, seconds: float = TIMEOUT) -> None:
        """After something has failed that needs all workers: raise TeamError with what is wrong with them, if it is."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check()
            time.sleep(PAUSE)

    def leave(self, error: BaseException | None) -> None:
        """Part from the others; an error, unless it is the agreed end of a run, ends them all."""
        agreed = self.ended and not isinstance(error, Exception)
        if error is not None and not (agreed or self.problem):
            self._told = True
            self.fail(str(error) if isinstance(error, TeamError) else f"{self.name} ended: {reason_of(error)}")
        for member in self._members.values():
            with contextlib.suppress(OSError):
                member.channel.send("bye")
        if self.chief and self.ended:  # TensorFlow's other servers would miss that of the chief
            for member in self._members.values():
                with contextlib.suppress(queue.Empty):
                    member.inbox.get(timeout=GRACE)
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        self._wake.set()
        for member in self._members.values():
            member.channel.close()


def reason_of(error: BaseException) -> str:
    """An error in one line."""
    if isinstance(error, KeyboardInterrupt):
        return "it was interrupted"
    if isinstance(error, MemoryError):
        return "its memory is full"
    text = " ".join(str(error).split())
    if isinstance(error, ValueError | OSError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
