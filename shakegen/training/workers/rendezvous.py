"""Workers find each other before TensorFlow takes their ports: all come to the chief, then each tries every other.

TensorFlow itself would wait without end, and silently, for a worker that never comes or cannot be reached.
"""

import contextlib
import errno
import math
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator

from shakegen.training.workers.channel import Channel, TeamError
from shakegen.training.workers.cluster import Cluster, parse_address
from shakegen.training.workers.strategy import Strategy
from shakegen.training.workers.team import PAUSE, Team

WAIT = 45.0  # seconds for all workers to come
GREETING = 5.0  # seconds for a caller to say who it is, and for a worker to answer


@contextlib.contextmanager
def join(cluster: Cluster | None, wait: float = WAIT) -> Iterator[Strategy]:
    """Meet the other workers of a cluster, and part from them at the end.

    Args:
        cluster: the addresses of the workers; None, or a cluster of one, is this process alone.
        wait: seconds for all workers to come.

    Raises:
        TeamError: one did not come, or cannot be reached; the message says which and why.
        ValueError: the wait is not above 0, or without end.
    """
    if cluster is None or len(cluster) == 1:
        yield Strategy()
        return
    if not 0 < wait < math.inf:
        raise ValueError(f"the wait for other workers is {wait:g} s: expected a number of seconds above 0")
    team = Team(cluster)
    try:
        meet_all(team, wait)
        yield team
    except BaseException as error:
        team.leave(error)
        raise
    team.leave()


def meet_all(team: Team, wait: float) -> None:
    """Wait until all workers of a team are there and can reach each other; raises TeamError as `join`."""
    cluster = team.cluster
    if not team.chief:
        try:
            channel = dial(cluster.addresses[0], wait)
        except OSError as error:
            raise TeamError(
                f"{cluster.name(0)} did not answer within {wait:g} s ({error.strerror}): expected it to be started, at "
                "an address that others reach; try a longer `worker_wait`"
            ) from None
        team.meet(0, channel)
        team.tell("hello", index=team.index, workers=cluster.addresses)  # first: so all hear of a port that is taken
    with contextlib.closing(Door(team)) as door:
        if team.chief:
            door.wait_for_all(wait)
        try_all(team, team.exchange("token", door.token))
        team.exchange("reached", True)


class Door:
    """A worker's own port, open until all workers have found each other.

    The chief's door lets the other workers into the team; each door gives probes its token.

    Raises:
        TeamError: the port cannot be opened.
    """

    def __init__(self, team: Team):
        self._team, self._refused, self._lock = team, "", threading.Lock()
        self.token = secrets.token_hex(8)  # tells the others that they have reached this process
        try:
            self._listener = listen(parse_address(team.cluster.addresses[team.index])[1])
        except OSError as error:
            raise TeamError(
                f"{team.name} cannot open its port ({os.strerror(error.errno)}): expected one that no other program "
                "uses, and that it may open"
            ) from None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while self._listener.fileno() >= 0:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # this door is closed, or the caller has gone
                time.sleep(PAUSE)
                continue
            threading.Thread(target=self._greet, args=[connection], daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        channel = Channel(connection, GREETING)
        with contextlib.suppress(OSError):  # a stranger
            message = channel.receive()
            if message["kind"] == "probe":
                channel.send("here", token=self.token)
            elif message["kind"] == "hello" and self._let_in(message, channel):
                return
        channel.close()

    def _let_in(self, message: dict, channel: Channel) -> bool:
        index, workers = message.get("index"), message.get("workers")
        with self._lock:  # two processes may come with one index
            if workers != list(self._team.cluster.addresses):
                reason = f"other workers, {','.join(map(str, workers if isinstance(workers, list) else [])):.1000}"
            elif type(index) is not int or index not in self._team.missing:
                reason = f"the worker index {index!s:.100}, which another process has"
            else:
                self._team.meet(index, channel)
                return True
        self._refused = f" (a process came with {reason})"
        channel.send("failed", message=f"{self._team.name} refused this process, which has {reason}")
        return False

    def wait_for_all(self, wait: float) -> None:
        """Wait, as the chief, until all others have come; raises TeamError if one is missing after `wait` seconds."""
        until = time.monotonic() + wait
        while missing := self._team.missing:
            self._team.check()
            if time.monotonic() > until:
                names = " and ".join(map(self._team.cluster.name, missing))
                raise TeamError(
                    f"{names} did not come to {self._team.name} within {wait:g} s{self._refused}: expected every "
                    "worker to be started, with the same addresses; try a longer `worker_wait`"
                )
            time.sleep(PAUSE)

    def close(self) -> None:
        """Leave the port to TensorFlow."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def listen(port: int) -> socket.socket:
    """A listening socket on all addresses of this machine."""
    if socket.has_dualstack_ipv6():
        with contextlib.suppress(OSError):  # a system without IPv6, or a port that is taken: the next line tells
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128)
    return socket.create_server(("", port), backlog=128)


def try_all(team: Team, tokens: list[str]) -> None:
    """Reach every other worker at its address, and compare its token; raises TeamError as `join`."""
    for index, address in enumerate(team.cluster.addresses):
        if index == team.index:
            continue
        other = team.cluster.name(index)
        try:
            with contextlib.closing(dial(address, GREETING)) as channel:
                channel.limit(GREETING)
                channel.send("probe")
                answer = channel.receive()
        except OSError as error:
            team.check()
            raise TeamError(
                f"{team.name} cannot reach {other} ({error.strerror or error}): expected an address at which all "
                "others reach it, and no firewall between"
            ) from None
        if answer.get("token") != tokens[index]:
            raise TeamError(f"{team.name} finds another process at {other}: expected the address of that worker")


def dial(address: str, wait: float) -> Channel:
    """A connection to an address, tried again and again for so many seconds; raises OSError where there is none."""
    until = time.monotonic() + wait
    while True:
        try:
            limit = max(PAUSE, min(10, until - time.monotonic()))
            connection = socket.create_connection(parse_address(address), timeout=limit)
            if connection.getsockname() != connection.getpeername():  # a port that nobody has may answer itself
                return Channel(connection)
            connection.close()
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        except OSError as error:
            if time.monotonic() + PAUSE > until:
                raise OSError(error.errno, error.strerror or str(error)) from None
        time.sleep(PAUSE)
