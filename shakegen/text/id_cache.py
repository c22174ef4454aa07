"""Ids of large texts, kept in the cache folder from one run to the next and mapped into memory.

A file is the magic, the ids, a description in JSON, its sha256 and its length; nothing in it is executed. It is written
to a temporary file, then renamed, and never changed: runs at the same time do not disturb each other. What is there is
read with suspicion, all of it, before it is mapped; whatever is wrong with it, there is just nothing in the cache.
"""

import contextlib
import hashlib
import json
import os
import stat
import struct
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from shakegen.text import cache_folder

MAGIC = b"shakegen ids 01\n"
LIMIT = 4 << 30  # bytes of all files together; the one that was not used for longest goes first
LARGEST_DESCRIPTION = 64 << 20
BLOCK = 1 << 20
ABANDONED = 24 * 3600  # seconds after which a temporary file is what a crash left
DTYPES = ("|u1", "<u2", "<u4")
TAIL = struct.Struct("<32sQ")
DAMAGE = (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError)


def folder() -> Path:
    return cache_folder.cache_folder() / "ids"


def load(name: str) -> tuple[dict, np.ndarray] | None:
    """The description and the ids of a name, shape (symbols,), read-only and mapped; None if they are not there whole.

    The description has what was given to `save`; no id is as large as its `"vocabulary_size"`.
    """
    try:
        path = folder() / name
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            found = read(file)
        with contextlib.suppress(OSError):
            os.utime(path)  # so that it is not the oldest
    except DAMAGE:
        return None
    return found


def read(file: BinaryIO) -> tuple[dict, np.ndarray]:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL.size))
    digest, length = TAIL.unpack(file.read(TAIL.size).rjust(TAIL.size, b"\0"))
    end = size - TAIL.size - length
    if length > LARGEST_DESCRIPTION or end < len(MAGIC):
        raise ValueError("it was cut short")
    file.seek(end)
    description = file.read(length)
    if hashlib.sha256(description).digest() != digest:
        raise ValueError("its description is damaged")
    description = json.loads(description)
    dtype = np.dtype(DTYPES[DTYPES.index(description["dtype"])])
    symbols, odd = divmod(end - len(MAGIC), dtype.itemsize)
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC or odd or not symbols:
        raise ValueError("it is something else")
    checksum, largest = 0, 0
    for begin in range(len(MAGIC), end, BLOCK):
        block = file.read(min(BLOCK, end - begin))
        checksum, largest = zlib.crc32(block, checksum), max(largest, int(np.frombuffer(block, dtype).max()))
    if checksum != description["crc32"] or not largest < description["vocabulary_size"]:
        raise ValueError("its ids are damaged")
    return description, np.memmap(file, dtype, "r", len(MAGIC), (symbols,))


def save(name: str, write: Callable[[BinaryIO], dict]) -> None:
    """Keep ids, if that can be done; `load` tells whether it could.

    Args:
        name: what to find them by.
        write: writes the ids to a file and returns their description, with `"dtype"` and `"vocabulary_size"`.
    """
    temporary = None
    try:
        home = folder()
        home.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=home)
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC)
            ids = Summing(file)
            written = json.dumps({**write(ids), "crc32": ids.checksum}).encode()
            file.write(written + TAIL.pack(hashlib.sha256(written).digest(), len(written)))
            size = file.tell()
        if size <= LIMIT:
            os.replace(temporary, home / name)
            prune(home)
    except OSError:
        return
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


class Summing:
    """A file to write to that knows the checksum of what was written."""

    def __init__(self, file: BinaryIO):
        self.checksum, self._file = 0, file

    def write(self, content) -> int:
        self.checksum = zlib.crc32(content, self.checksum)
        return self._file.write(content)


def prune(home: Path) -> None:
    """Remove what crashes left, and the files used longest ago until the rest is within the limit."""
    kept = []
    for entry in os.scandir(home):
        about = entry.stat(follow_symlinks=False)
        if not entry.name.endswith(".part"):
            kept.append((about.st_mtime, about.st_size, entry.path))
        elif time.time() - about.st_mtime > ABANDONED:
            os.unlink(entry.path)
    total = sum(size for _, size, _ in kept)
    for _, size, path in sorted(kept):
        if total <= LIMIT:
            return
        os.unlink(path)
        total -= size
