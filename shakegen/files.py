"""Files that are written whole or not at all, and JSON that is read with suspicion."""

import contextlib
import errno
import hashlib
import itertools
import json
import math
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

DIGITS = sys.float_info.max_10_exp
PATIENCE = 5.0 if os.name == "nt" else 0.0  # seconds for which another program may read a file that is replaced
PAUSE = 0.05  # seconds between tries


def ensure_writable(path: str | Path, option: str = "`out`") -> None:
    """Try to write beside a file, before any long work begins; folders that are missing are made for the trial only.

    Raises:
        OSError: the file could not be written; the message names the option that sets its place.
    """
    path = Path(path)
    with explaining(path, option), without_empty_folders(path):
        place, mode = find_place(path)
        with temporary_beside(place, mode) as (file, _):
            file.write(b"\0")


def write_whole(path: Path, content: bytes | memoryview, option: str = "`out`") -> None:
    """Write a file as `replacing` does.

    Raises:
        OSError: the file cannot be written; the message names the option that sets its place.
    """
    with explaining(path, option), replacing(path) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(path: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """A file for writing that takes the place of another at the end of the context, unless an error ends it.

    A reader, or a crash, sees either the old content or all of the new. A link to a file stays, and the file that it
    leads to is replaced. It gets the mode; without one, the file keeps its own, or has that of any new file.

    Raises:
        OSError: the file cannot be written, or `path` is a folder, a pipe or a device.
    """
    with without_empty_folders(path):
        place, own = find_place(path)
        with temporary_beside(place, own if mode is None else mode) as (file, name):
            yield file
            file.flush()
            os.fsync(file.fileno())
            file.close()  # Windows renames no open file
            rename(name, place)
        sync_folder(place.parent)


@contextlib.contextmanager
def without_empty_folders(path: Path) -> Iterator[None]:
    """Delete the folders of a file that are made within the context, unless there is something in them at its end."""
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        yield
    finally:
        for folder in missing:
            with contextlib.suppress(OSError):  # it is not empty, or not there
                folder.rmdir()


def rename(old: Path, new: Path) -> None:
    """Give a file the name of another, which it replaces; on Windows, wait for a program that reads the other."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            os.replace(old, new)
            return
        except PermissionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE)


def find_place(path: Path) -> tuple[Path, int | None]:
    """Where a file is, behind all links, and its mode, or None where there is no file; the folder of `path` is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    place = Path(os.path.realpath(path))
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return place, None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "a pipe or a device")
    return place, stat.S_IMODE(mode)


@contextlib.contextmanager
def temporary_beside(place: Path, mode: int | None = None) -> Iterator[tuple[BinaryIO, Path]]:
    """A file open for writing in the same folder, and its path; it is deleted at the end unless it was renamed.

    Without a mode it has that of any new file. Its name is short: that of the other file may be as long as any can be.
    """
    path = place.with_name(f".{digest(place)}.{secrets.token_hex(4)}.part")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.chmod(path, mode)
            yield file, path
    finally:
        path.unlink(missing_ok=True)


def digest(place: Path) -> str:
    """A short name for the name of a file."""
    return hashlib.sha256(os.fsencode(place.name)).hexdigest()[:16]


def sync_folder(folder: Path) -> None:
    """Let a new name in a folder outlast a power cut, as far as the system can."""
    with contextlib.suppress(OSError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def number_names(stem: str) -> Iterator[str]:
    """A name, then the same with the numbers from 2 on: to look for one that is free."""
    return itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))


def refuse_same(path: Path, inputs: Iterable[str], option: str = "`out`") -> None:
    """Refuse to write to a file that is read, by whatever path or link.

    Raises:
        ValueError: it is one of the inputs.
    """
    for one in inputs:
        if path.exists() and os.path.exists(one) and os.path.samefile(path, one):
            raise ValueError(f"{path} is read, it would be overwritten: name another file with {option}")


def refuse_existing(path: Path, option: str = "`out`") -> None:
    """Refuse to write where something is already.

    Raises:
        FileExistsError: there is a file, a folder or a link.
    """
    if os.path.lexists(path):
        raise FileExistsError(f"{path} is there already: name another file with {option}")


class HeldError(ValueError):
    """Another process holds the file."""


@contextlib.contextmanager
def holding(path: Path, option: str = "`out`") -> Iterator[None]:
    """Keep a file, which need not exist yet, for this process; a process that is killed holds none.

    Temporary files that a killed process left beside it are deleted.

    Raises:
        HeldError: another process holds it.
        OSError: nothing can be written there.
    """
    import filelock

    with explaining(path, option):
        place, _ = find_place(path)
        lock = filelock.FileLock(place.with_name(f".{digest(place)}.lock"))
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise HeldError(
                f"another run writes {path}: wait for its end, or name another place with {option}"
            ) from None
    try:
        for left in place.parent.glob(f".{digest(place)}.*.part"):
            left.unlink(missing_ok=True)
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows deletes no open file
            os.unlink(lock.lock_file)
        lock.release()


@contextlib.contextmanager
def explaining(path: Path, option: str = "`out`") -> Iterator[None]:
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
