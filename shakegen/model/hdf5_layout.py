"""The structures of an HDF5 file as h5py writes them for shakegen.

These are superblock 0, groups as symbol tables, object headers of version 1, contiguous arrays, and texts of any length
in global heaps. Source: the HDF5 File Format Specification, version 3.0.
"""

import struct

import numpy as np

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SUPERBLOCK = struct.Struct("<8sB4xBB9xQ8xQ16xQI20x")  # signature, version, two sizes, base, end; root's address, kind
HEADER = struct.Struct("<BxHII4x")  # version, number of messages, references, size
MESSAGE = struct.Struct("<HH4x")  # kind, size
PAIR = struct.Struct("<QQ")  # place and size of more messages; tree and names of a group; child of a tree, and a key
TREE = struct.Struct("<4sBBH24x")  # signature, kind, level, number of children
NAMES = struct.Struct("<4sB3xQ8xQ")  # signature, version, size, address
SYMBOLS = struct.Struct("<4sBxH")  # signature, version, number of entries
ENTRY = struct.Struct("<QQI20x")  # place of the name, address of the header, kind
ATTRIBUTE = struct.Struct("<BxHHH")  # version, sizes of name, type and space
SPACE = struct.Struct("<BB6x")  # version, number of dimensions
LAYOUT = struct.Struct("<BBQQ")  # version, class, address, size
TEXT = struct.Struct("<IQI")  # length, address of a collection, number in it
COLLECTION = struct.Struct("<4sB3xQ")  # signature, version, size
OBJECT = struct.Struct("<H6xQ")  # number, 0 of free space; size

SHAPE, TYPE, STORAGE, NAMED, MORE, TABLE = 1, 3, 8, 12, 16, 17  # kinds of messages
IGNORED = {0, 4, 5, 18}  # nothing, fill values, time of the last change
LINKS = {2, 6, 10}  # of groups that hold other links than names of their own members
SOFT = 2  # kind of an entry that is a link
CONTIGUOUS = bytes([3, 1])

SCALAR = SPACE.pack(1, 0)
UNICODE = bytes.fromhex("19010100 10000000 10000000 01000000 00000800")  # the type of a text of any length
TYPES: dict[bytes, np.dtype] = {  # by their description
    bytes.fromhex("11200f00 02000000 00001000 0a05000a 0f000000"): np.dtype("<f2"),
    bytes.fromhex("11201f00 04000000 00002000 17080017 7f000000"): np.dtype("<f4"),
    bytes.fromhex("11203f00 08000000 00004000 340b0034 ff030000"): np.dtype("<f8"),
}
for size in (1, 2, 4, 8):
    for sign, letter in ((0, "u"), (8, "i")):
        TYPES[struct.pack("<BBHIHH", 16, sign, 0, size, 0, 8 * size)] = np.dtype(f"<{letter}{size}")


Attribute = tuple[bytes, bytes, bytes]  # type, shape and value, as they are stored


class DamageError(Exception):
    """A file is not whole."""


def check(sound: bool) -> None:
    if not sound:
        raise DamageError


def unpack(layout: struct.Struct, content: bytes, place: int = 0) -> tuple:
    check(place + layout.size <= len(content))
    return layout.unpack_from(content, place)


def pad(size: int) -> int:
    return -(-size // 8) * 8


def split_attribute(message: bytes) -> tuple[str, Attribute]:
    """The name and content of an attribute."""
    version, name, kind, space = unpack(ATTRIBUTE, message)
    check(version == 1)
    message = message[ATTRIBUTE.size :]
    key, message = decode(message[:name]), message[pad(name) :]
    return key, (message[:kind], message[pad(kind) :][:space], message[pad(kind) + pad(space) :])


def decode(name: bytes) -> str:
    """A name, which ends with a zero."""
    text, zero, _ = name.partition(b"\0")
    check(zero != b"")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise DamageError from None
