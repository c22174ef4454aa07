"""Standard output and standard error: a failed write costs no work, and a stranger's text cannot control a terminal.

Its control characters are escaped there: they would move the cursor, change the title or turn the order of characters.
"""

import codecs
import contextlib
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, TextIO

# They change the order of the characters around them, or end lines.
TURNS = [0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
TAKEN: list[TextIO] = []  # the standard input that was read
NONE = [*range(0xD800, 0xE000), 0xFFFE, 0xFFFF]  # no characters at all
CONTROLS = [*range(0x20), *range(0x7F, 0xA0), *TURNS, *NONE]
ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in CONTROLS if chr(code) not in "\n\t"}


def escape(text: str) -> str:
    """A text where control characters, other than line ends and tabs, show as Python writes them, such as \\x1b."""
    return text.translate(ESCAPES)


def count_columns(text: str) -> int:
    """The columns that a text takes in a terminal: Chinese characters and the like take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else not unicodedata.combining(one) for one in text)


class Stream:
    """A text stream that nothing stops from going on.

    Args:
        stream: the stream beneath it.
        fail: called with the error where it cannot be written to.
        escapes: whether all texts are escaped. It then has no `buffer`, so that nobody writes past it.
    """

    def __init__(self, stream: TextIO, fail: Callable[[Exception], None], escapes: bool = False):
        self.stream, self.fail, self.escapes = stream, fail, escapes

    def __getattr__(self, name: str):
        if name == "buffer" and self.escapes:
            raise AttributeError(name)
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        try:
            return self.stream.write(escape(text) if self.escapes else text)
        except (OSError, ValueError) as error:  # full, gone, or closed
            self.fail(error)
            return len(text)

    def writelines(self, lines) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        try:
            self.stream.flush()
        except (OSError, ValueError) as error:
            self.fail(error)


def drop(error: Exception) -> None:
    """Go on without a text that cannot be written."""


def plain(stream) -> Any:
    """A stream that writes control sequences as they are; texts of strangers among them must be escaped before."""
    return Stream(stream.stream, stream.fail) if isinstance(stream, Stream) else Stream(stream, drop)


def is_terminal(stream) -> bool:
    """Whether a stream is open, and to a terminal; None is the stream of a process without one."""
    try:
        return stream is not None and not getattr(stream, "closed", False) and stream.isatty()
    except (AttributeError, OSError, ValueError):  # an object that only writes, or one that is gone
        return False


def show(text: str, stream) -> None:
    """Print a text; characters that the encoding of the stream lacks become `?`. Showing never ends a run.

    On a terminal, control characters are escaped.
    """
    if stream is not None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        text = text.encode(encoding, "replace").decode(encoding)
        print(text, file=Stream(stream, drop, is_terminal(stream)), flush=True)


def take_input() -> BinaryIO:
    """Standard input, for its bytes.

    Raises:
        ValueError: it was taken before: nothing is left to read.
    """
    if sys.stdin in TAKEN:
        raise ValueError("standard input is given twice: it can be read only once")
    TAKEN[:] = [sys.stdin]
    return sys.stdin.buffer


@contextlib.contextmanager
def standard_streams(fail: Callable[[Exception], None]) -> Iterator[None]:
    """Make the standard streams usable in a context, even where the parent process closed them.

    A stream that is closed reads and writes nothing: else the next file to be opened would take its number, and with it
    the messages of libraries. Characters that a stream lacks become `?`, and all texts for a terminal are escaped. A
    text that standard error cannot write is dropped.

    Args:
        fail: called with the error where standard output cannot be written.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    streams = sys.stdout, sys.stderr
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding=choose_encoding(stream.encoding), errors="replace")
    for name, act in (("stdout", fail), ("stderr", drop)):
        stream = getattr(sys, name)
        setattr(sys, name, Stream(stream, act, is_terminal(stream)))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        for stream in streams:
            drop_rest(stream)


def choose_encoding(encoding: str, windows: bool = os.name == "nt", environment: Mapping = os.environ) -> str:
    """The encoding for a stream that Python gave this one.

    PYTHONIOENCODING holds. Without it: UTF-8 where Python knew nothing better than ASCII, as in the C locale, and where
    it took the old encoding of a country, as on Windows for files and pipes, though shakegen reads those as UTF-8.
    """
    if "PYTHONIOENCODING" not in environment and (windows or codecs.lookup(encoding).name == "ascii"):
        return "utf-8"
    return encoding


def drop_rest(stream: TextIO) -> None:
    """Drop text that a stream holds and cannot write: Python would fail on it when it ends."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
