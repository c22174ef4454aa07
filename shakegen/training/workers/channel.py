"""Messages between two workers: lines of JSON over a plain TCP connection."""

import contextlib
import json
import socket
import threading

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
            line = self._file.readline(LONGEST)
            if not line:
                raise ConnectionResetError("the other end closed the connection")
            try:
                message = json.loads(line)
                if message["kind"] != "beat":
                    return message
            except (KeyError, RecursionError, TypeError, ValueError):
                raise StrangerError("the other end does not speak as a worker of shakegen does") from None

    def close(self) -> None:
        """End the connection; a thread that waits to receive wakes up."""
        with contextlib.suppress(OSError):  # the other end was first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
