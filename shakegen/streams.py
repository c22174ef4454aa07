"""Standard output and standard error, of which nothing that goes wrong there costs any work."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO


class Stream:
    """A text stream that hands the error to a function where it cannot be written to; else as the one beneath it."""

    def __init__(self, stream: TextIO, fail: Callable[[Exception], None]):
        self._stream, self._fail = stream, fail

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError) as error:  # full, gone, or closed
            self._fail(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._fail(error)


def dropping(stream: TextIO | None) -> Any:
    """The stream, which drops what cannot be written to it."""
    return stream if stream is None else Stream(stream, lambda error: None)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is open, and to a terminal."""
    return stream is not None and not stream.closed and stream.isatty()


def show(text: str, stream: TextIO | None) -> None:
    """Print a text; characters that the encoding of the stream lacks become `?`. Showing never ends a run."""
    if stream is not None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        print(text.encode(encoding, "replace").decode(encoding), file=dropping(stream), flush=True)


@contextlib.contextmanager
def standard_streams(fail: Callable[[Exception], None]) -> Iterator[None]:
    """Make the standard streams usable in a context, whatever the parent process gave.

    A stream that is closed reads and writes nothing: else the next file to be opened would take its number, and with it
    the messages of libraries. Characters that a terminal lacks become `?`. Standard error drops what it cannot write.

    Args:
        fail: called with the error where standard output cannot be written.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    streams = sys.stdout, sys.stderr
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.stdout, sys.stderr = Stream(sys.stdout, fail), dropping(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        for stream in streams:
            drop_rest(stream)


def drop_rest(stream: TextIO) -> None:
    """Drop what a stream holds and cannot write: Python would fail on it when it ends."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
