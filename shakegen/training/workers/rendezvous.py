"""How workers find each other, before TensorFlow takes their ports: all come to the chief, then each tries every other.

TensorFlow itself waits without end, and says nothing, for a worker that never comes or cannot be reached.
"""

import contextlib
import errno
import math
import os
import queue
import secrets
import socket
import threading
import time
from collections.abc import Iterator

from shakegen.training.workers.channel import Channel, TeamError
from shakegen.training.workers.cluster import Cluster, split
from shakegen.training.workers.team import PAUSE, Team

WAIT = 45.0  # seconds for all workers to come

GREETING = 5.0  # seconds within which whoever connects must say who it is


class Door:
    """A worker's own port, open until all workers have found each other.

    Args:
        cluster: of the workers.

    Attributes:
        arrivals: a queue of (hello, channel) of whoever came to stay.

    Raises:
        TeamError: the port cannot be opened.
    """

    def __init__(self, cluster: Cluster):
        self._cluster, self.arrivals = cluster, queue.Queue()
        self._run, self._named, self._closed = None, threading.Event(), False
        _, port = split(cluster.addresses[cluster.index])
        try:
            self._listener = listen(port)
        except OSError as error:
            raise TeamError(
                f"{cluster.name(cluster.index)} cannot open its port ({os.strerror(error.errno)}): expected one that "
                "no other program uses, and that it may open"
            ) from None
        threading.Thread(target=self._open, daemon=True).start()

    def _open(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed, or whoever came has gone
                time.sleep(PAUSE)
                continue
            threading.Thread(target=self._greet, args=[connection], daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        channel = Channel(connection)
        channel.limit(GREETING)
        with contextlib.suppress(OSError):  # a stranger
            message, _ = channel.receive()
            if message["kind"] == "hello" and not self._closed:
                self.arrivals.put((message, channel))
                return
            self._named.wait(GREETING)
            channel.send("here", index=self._cluster.index, run=self._run)
        channel.close()

    def name(self, run: str) -> None:
        """Tell who asks from now on that this run is here, as the chief named it."""
        self._run = run
        self._named.set()

    def close(self) -> None:
        """Leave the port to TensorFlow; who came too late is turned away."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        while not self.arrivals.empty():
            _, channel = self.arrivals.get()
            with contextlib.suppress(OSError):
                channel.send("failed", message=f"{self._cluster.name(self._cluster.index)} has all workers already")
            channel.close()


def listen(port: int) -> socket.socket:
    """A listening socket on all addresses of this machine."""
    if socket.has_dualstack_ipv6():
        with contextlib.suppress(OSError):  # a system without IPv6, or a port that is taken: the next line tells
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128)
    return socket.create_server(("", port), backlog=128)


def come(team: Team, wait: float) -> None:
    """Wait until all workers of a team are there and can reach each other.

    Raises:
        TeamError: one is not, or cannot be; the message says which and why.
    """
    cluster = team.cluster
    if team.chief:
        with contextlib.closing(Door(cluster)) as door:
            let_in(team, door, wait)
            run = secrets.token_hex(8)
            door.name(run)
            team.tell("found", run=run)
            try_all(team, run)
            for index in team.known:
                team.take(index, "tried")
        team.tell("begin")
        return
    try:
        channel = dial(cluster.addresses[0], wait)
    except OSError as error:
        raise TeamError(
            f"{cluster.name(0)} did not answer within {wait:g} s ({error.strerror}): expected it to be started, at an "
            "address that others reach; try a longer --worker-wait"
        ) from None
    team.meet(0, channel)
    with contextlib.closing(Door(cluster)) as door:
        team.tell("hello", index=cluster.index, workers=cluster.addresses)
        run = team.take(0, "found")[0]["run"]
        door.name(run)
        try_all(team, run)
        team.tell("tried")
        team.take(0, "begin")


def let_in(team: Team, door: Door, wait: float) -> None:
    """Meet all the others, as the chief."""
    cluster, until, refused = team.cluster, time.monotonic() + wait, ""
    while missing := [cluster.name(index) for index in range(1, len(cluster)) if index not in team.known]:
        team.check()
        try:
            message, channel = door.arrivals.get(timeout=PAUSE)
        except queue.Empty:
            if time.monotonic() > until:
                raise TeamError(
                    f"{' and '.join(missing)} did not come to {cluster.name(0)} within {wait:g} s{refused}: expected "
                    "every worker to be started, with the same addresses; try a longer --worker-wait"
                ) from None
            continue
        reason = refusal(team, message)
        if reason is None:
            team.meet(message["index"], channel)
        else:
            refused = f" (a process came with {reason})"
            with contextlib.suppress(OSError):
                channel.send("failed", message=f"{cluster.name(0)} refused this process, which has {reason}")
            channel.close()


def refusal(team: Team, message: dict) -> str | None:
    """Why the chief does not let in who says such a hello; None where it does."""
    index, workers = message.get("index"), message.get("workers")
    if workers != list(team.cluster.addresses):
        return f"other workers, {','.join(map(str, workers if isinstance(workers, list) else []))}"
    if type(index) is not int or not 0 < index < len(team) or index in team.known:
        return f"the worker index {index}, which another process has"
    return None


def try_all(team: Team, run: str) -> None:
    """Reach every other worker at its address.

    Raises:
        TeamError: one cannot be reached, or is not that one.
    """
    for index, address in enumerate(team.cluster.addresses):
        if index == team.cluster.index:
            continue
        other = team.cluster.name(index)
        try:
            with contextlib.closing(dial(address, GREETING)) as channel:
                channel.limit(GREETING)
                channel.send("probe")
                answer, _ = channel.receive()
        except OSError as error:
            team.check()
            raise TeamError(
                f"{team.name} cannot reach {other} ({error.strerror or error}): expected an address at which all "
                "others reach it, and no firewall between"
            ) from None
        if (answer.get("index"), answer.get("run")) != (index, run):
            raise TeamError(f"{team.name} finds another process at {other}: expected the address of that worker")


def dial(address: str, wait: float) -> Channel:
    """A connection to an address, tried again and again for so many seconds; raises OSError where there is none."""
    until = time.monotonic() + wait
    while True:
        try:
            connection = socket.create_connection(split(address), timeout=max(PAUSE, min(10, until - time.monotonic())))
            if connection.getsockname() != connection.getpeername():  # a port that nobody has may answer itself
                return Channel(connection)
            connection.close()
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        except OSError as error:
            if time.monotonic() + PAUSE > until:
                raise OSError(error.errno, error.strerror or str(error)) from None
        time.sleep(PAUSE)


@contextlib.contextmanager
def joined(cluster: Cluster | None, wait: float = WAIT) -> Iterator[Team | None]:
    """Meet the other workers of a cluster, and part from them at the end.

    Args:
        cluster: of the workers; a process alone, None or a cluster of one, gets None instead of a `Team`.
        wait: seconds for all workers to come.

    Raises:
        TeamError: one did not come, or cannot be reached.
        ValueError: the wait is not above 0, or without end.
    """
    if cluster is None or len(cluster) == 1:
        yield None
        return
    if not 0 < wait < math.inf:
        raise ValueError(f"the wait for other workers is {wait:g} s: expected a number of seconds above 0")
    team, error = Team(cluster), None
    try:
        come(team, wait)
        yield team
    except BaseException as caught:
        error = caught
        raise
    finally:
        team.leave(error)
