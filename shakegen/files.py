"""Files that are written whole or not at all, and JSON that is read with suspicion."""

import contextlib
import errno
import json
import math
import os
import sys
import tempfile
from pathlib import Path

DIGITS = sys.float_info.max_10_exp


def ensure_writable(path: str | Path, option: str = "`out`") -> None:
    """Create the folder of a file and try to write there, before any long work begins.

    Raises:
        OSError: the file could not be written; the message names the option that sets its place.
    """
    path = Path(path)
    with explaining(path, option):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as (file, _):
            file.write(b"\0")


def write_whole(path: Path, content: bytes | memoryview, option: str = "`out`") -> None:
    """Write a file so that a reader, or a crash, sees either the old content or all of the new.

    Raises:
        OSError: the file cannot be written; the message names the option that sets its place.
    """
    with explaining(path, option):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as (file, name):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(name, 0o666 & ~current_umask())
            os.replace(name, path)


@contextlib.contextmanager
def temporary_beside(path: Path):
    """A file open for writing in the same folder, and its name; it is deleted at the end unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, name
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def explaining(path: Path, option: str = "`out`"):
    """Turn any error of the operating system into `unwritable`."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error, option) from None


def unwritable(path: Path, error: OSError, option: str = "`out`") -> OSError:
    """An error that names the file that could not be written, and says how to go on."""
    return OSError(
        f"cannot write {path} ({error.strerror or error}): expected a file in a folder that has room and may be "
        f"written to; try another place with {option}"
    )


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def parse_json(text: str | bytes):
    """What a text in JSON stands for.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or has a number that no float could hold.
    """
    try:
        return json.loads(text, parse_int=read_integer, parse_float=read_float, parse_constant=read_float)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_integer(text: str) -> int:
    if len(text) > DIGITS:  # Python would take long for millions of them
        raise ValueError("it has a number that is too large")
    return int(text)


def read_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number
