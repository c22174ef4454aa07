"""Ids of large texts, kept in the cache folder for the next run and mapped into memory.

A file is the magic, the ids, a description in JSON, its sha256 and its length; nothing in it is executed. It is written
to a temporary file, then renamed, and never changed, so runs at the same time do not disturb each other. The whole file
is checked before it is mapped. A damaged file counts as missing.
"""

import contextlib
import errno
import hashlib
import json
import os
import stat
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from shakegen.files import parse_json, replacing
from shakegen.text import cache_folder

MAGIC = b"shakegen ids 01\n"
LIMIT = 4 << 30  # bytes of all files; the least recently used goes first
LARGEST_DESCRIPTION = 64 << 20
BLOCK = 1 << 20
ABANDONED = 24 * 3600  # seconds; an older temporary file was left by a crash
DTYPES = ("|u1", "<u2", "<u4", "<u8")
TAIL = struct.Struct("<32sQ")
# Not through a link, not waiting for a pipe, and without Windows's line ends.
READING = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
DAMAGE = (OSError, ValueError, KeyError, TypeError, OverflowError)


def folder() -> Path:
    return cache_folder.cache_folder() / "ids"


def make_name(facts: list, suffix: str) -> str:
    """The name of a file: a hash of everything that it depends on."""
    return f"{hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:32]}.{suffix}"


def load(name: str) -> tuple[dict, np.ndarray] | None:
    """The description that was saved under a name, and the ids, shape (symbols,), read-only and mapped.

    None if the file is missing or damaged. Every id is below the description's `"vocabulary_size"`.
    """
    try:
        path = folder() / name
        descriptor = os.open(path, READING)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            entry = read(file)
        with contextlib.suppress(OSError):
            os.utime(path)  # it is now the most recently used
    except DAMAGE:
        return None
    return entry


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
    description = parse_json(description)
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


def save(name: str, write: Callable[["ChecksumWriter"], dict]) -> None:
    """Save ids. A cache that cannot be written is no error: `load` then gives None.

    Args:
        name: for `load`.
        write: writes the ids to a file and returns their description, with `"dtype"` and `"vocabulary_size"`.
    """
    path = folder() / name
    with contextlib.suppress(OSError):
        with replacing(path) as file:
            file.write(MAGIC)
            ids = ChecksumWriter(file)
            description = json.dumps({**write(ids), "crc32": ids.checksum}).encode()
            file.write(description + TAIL.pack(hashlib.sha256(description).digest(), len(description)))
            if file.tell() > LIMIT:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        prune(path.parent)


class ChecksumWriter:
    """A file for writing, and the checksum of its content."""

    def __init__(self, file: BinaryIO):
        self.checksum, self._file = 0, file

    def write(self, content) -> int:
        self.checksum = zlib.crc32(content, self.checksum)
        return self._file.write(content)


def prune(home: Path) -> None:
    """Delete abandoned temporary files, and the least recently used files until the rest is within the limit."""
    kept = []
    for entry in os.scandir(home):
        about = entry.stat(follow_symlinks=False)
        if not entry.name.endswith(".part"):
            kept.append((about.st_mtime, about.st_size, entry.path))
        elif time.time() - about.st_mtime > ABANDONED:
            delete(entry.path)
    total = sum(size for _, size, _ in kept)
    for _, size, path in sorted(kept):
        if total <= LIMIT:
            return
        total -= size * delete(path)


def delete(path: str) -> bool:
    """Delete a file, and say whether it could be: Windows keeps one that another process has mapped."""
    try:
        os.unlink(path)
    except OSError:
        return False
    return True
