"""What HDF5 keeps of texts, checked before HDF5 reads it: damage there can make the library search without end."""

import mmap
import struct
from pathlib import Path

SIGNATURE = b"GCOL\x01\0\0\0"  # of a collection of the global heap, version 1, in HDF5's file format
COLLECTION = struct.Struct("<8sQ")  # signature, size
OBJECT = struct.Struct("<HHIQ")  # index, 0 of free space; references; reserved; size


def are_sound(path: str | Path) -> bool:
    """Whether the objects in every collection of a file's global heap follow each other to the collection's end."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        begin = content.find(SIGNATURE)
        while begin >= 0:
            if not is_sound(content, begin):
                return False
            begin = content.find(SIGNATURE, begin + 1)
    return True


def is_sound(content, begin: int) -> bool:
    """Whether the collection that begins at an offset is so."""
    if begin + COLLECTION.size > len(content):
        return False
    _, size = COLLECTION.unpack_from(content, begin)
    place, end = begin + COLLECTION.size, begin + size
    if end > len(content):
        return False
    while place + OBJECT.size <= end:
        index, _, _, size = OBJECT.unpack_from(content, place)
        if index == 0:  # the size of free space, the last object, counts its header
            return size >= OBJECT.size and place + size <= end
        place += OBJECT.size + -(-size // 8) * 8
    return place <= end
