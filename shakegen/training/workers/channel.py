"""Messages between two workers: lines of JSON over a plain TCP connection."""

import base64
import contextlib
import json
import signal
import socket
import threading
from collections.abc import Callable

from shakegen.checks import is_number

LONGEST = 1 << 20  # bytes of a line
TIMEOUT = 30.0  # seconds without a sign of life after which a worker counts as dead


class TeamError(ConnectionError):
    """Workers cannot train together, or no longer; the message says which one and why."""


class StrangerError(ConnectionError):
    """The program at the other end of a connection is no worker of shakegen."""


class Channel:
    """One end of a connection; any thread may send, one thread receives.

    Args:
        connection: a connected socket.
        timeout: seconds to wait for the other end, until `limit` changes it.
    """

    def __init__(self, connection: socket.socket, timeout: float = TIMEOUT):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket, self._file, self._lock = connection, connection.makefile("rb"), threading.Lock()
        self.limit(timeout)

    def limit(self, seconds: float) -> None:
        """Set how long to wait for the other end."""
        self._socket.settimeout(seconds)

    def send(self, kind: str, wait: bool = True, **fields) -> None:
        """Send a message; without `wait`, only if no other one is being sent. `receive` tells if the other end is gone.

        The message is on its way when this returns: TensorFlow starts with all threads of Python stopped.
        """
        line = json.dumps({"kind": kind, **fields}).encode() + b"\n"
        if self._lock.acquire(blocking=wait):
            try:
                with contextlib.suppress(OSError):
                    self._socket.sendall(line)
            finally:
                self._lock.release()

    def receive(self) -> dict:
        """The next message that is more than a sign of life; one thread may call this.

        Raises:
            OSError: the other end is gone or silent; a `StrangerError` where it is no worker of shakegen.
        """
        while True:
            try:
                line = self._file.readline(LONGEST)
            except ValueError:  # this end was closed meanwhile
                raise ConnectionResetError("the connection is closed") from None
            if not line.endswith(b"\n") and len(line) < LONGEST:
                raise ConnectionResetError("the other end closed the connection")
            try:
                message = json.loads(line)
                if not CHECKS[message["kind"]](message):
                    raise ValueError
            except (KeyError, RecursionError, TypeError, ValueError):
                raise StrangerError("the other end does not speak as a worker of shakegen does") from None
            if message["kind"] != "beat":
                return message

    def close(self) -> None:
        """End the connection; a thread that waits to receive wakes up."""
        with contextlib.suppress(OSError):  # the other end was first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._file.close()
        self._socket.close()


def is_signal(number) -> bool:
    return type(number) is int and number in set(signal.Signals)


def is_order(message: dict) -> bool:
    if message["what"] == "learn":
        return is_number(message["rate"]) and is_number(message["dropout"])
    if message["what"] == "end":
        return message["signal"] is None or is_signal(message["signal"])
    return message["what"] == "gather"


def has_values(kind: type) -> Callable[[dict], bool]:
    """A check of messages with a list of values of one type."""
    return lambda message: type(message["values"]) is list and all(type(value) is kind for value in message["values"])


CHECKS: dict[str, Callable[[dict], bool]] = {  # of each kind of message; a check may raise what `receive` catches
    "beat": lambda message: True,
    "bye": lambda message: True,
    "probe": lambda message: True,
    "hello": lambda message: True,  # perhaps of a stranger: the door looks at it
    "here": lambda message: type(message["token"]) is str,
    "failed": lambda message: type(message["message"]) is str,
    "stop": lambda message: is_signal(message["signal"]),
    "content": lambda message: base64.b64decode(message["block"], validate=True) is not None,
    "order": is_order,
    "token": has_values(str),
    "reached": has_values(bool),
    "facts": has_values(dict),
}
