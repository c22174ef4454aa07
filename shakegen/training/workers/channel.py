"""Messages between two workers: JSON, and bytes with it, over a plain TCP connection."""

import contextlib
import json
import socket
import struct
import threading

HEADER = struct.Struct(">8sIQ")
MAGIC = b"shakegen"
MOST = 1 << 20  # bytes of JSON
BLOCK = 1 << 20
STRANGER = "the other end does not speak as a worker of shakegen does"
TIMEOUT = 30.0  # seconds without a sign of life, until a worker is taken for dead


class TeamError(ConnectionError):
    """Workers cannot train together, or no longer; the message says which one and why."""


class StrangerError(ConnectionError):
    """What is at the other end of a connection is no worker of ours."""


class Channel:
    """One end of a connection; any thread may send, one thread receives.

    Args:
        connection: a connected socket.
    """

    def __init__(self, connection: socket.socket):
        connection.settimeout(TIMEOUT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket, self._lock = connection, threading.Lock()

    def send(self, kind: str, payload: bytes = b"", **fields) -> None:
        """Send a message; raises OSError where the other end is gone, or takes nothing."""
        with self._lock:
            self._socket.sendall(packed(kind, len(payload), **fields))
            for begin in range(0, len(payload), BLOCK):
                self._socket.sendall(payload[begin : begin + BLOCK])

    def beat(self) -> None:
        """Send a sign of life, unless something else is being sent, which is one; raises OSError as `send` does."""
        if self._lock.acquire(blocking=False):
            try:
                self._socket.sendall(packed("beat"))
            finally:
                self._lock.release()

    def receive(self, most: int = 0) -> tuple[dict, bytes]:
        """The next message, and the bytes with it.

        Args:
            most: how many bytes may come with it.

        Raises:
            OSError: the other end is gone, or silent; a `StrangerError` where it is no worker of ours.
        """
        magic, length, payload = HEADER.unpack(self._exactly(HEADER.size))
        if magic != MAGIC or length > MOST or payload > most:
            raise StrangerError(STRANGER)
        try:
            message = json.loads(self._exactly(length))
            message["kind"]
        except (KeyError, RecursionError, TypeError, ValueError):
            raise StrangerError(STRANGER) from None
        return message, self._exactly(payload)

    def _exactly(self, size: int) -> bytes:
        parts, missing = [], size
        while missing:
            part = self._socket.recv(min(missing, BLOCK))
            if not part:
                raise ConnectionResetError("the other end closed the connection")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def limit(self, seconds: float) -> None:
        """How long to wait for the other end."""
        self._socket.settimeout(seconds)

    def close(self) -> None:
        """End the connection; a thread that waits to receive wakes up."""
        with contextlib.suppress(OSError):  # the other end was first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def packed(kind: str, payload: int = 0, **fields) -> bytes:
    """A message, as it is sent before so many bytes."""
    text = json.dumps({"kind": kind, **fields}).encode()
    return HEADER.pack(MAGIC, len(text), payload) + text
