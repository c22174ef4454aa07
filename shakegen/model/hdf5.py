"""Reads HDF5 files as h5py writes them for shakegen, and refuses all others. Only numpy.

Nothing in a file is trusted. All that is read counts, and together it may not be larger than the file; the number of
its parts and the length of its texts are limited too. Each array has one name and is stored in one piece: there are no
links, no compression and no other files.
"""

import math
import struct
from collections.abc import Iterator
from io import BufferedReader

import numpy as np

from shakegen.model import hdf5_layout as layout
from shakegen.model.hdf5_layout import DamageError, check, decode, pad, split_attribute, unpack

MOST_PARTS = 1 << 19  # 1,024 layers with the state of their training run have 300,000
MOST_TEXT = 1 << 26  # bytes of all texts that are read: 100,000 epochs; or an eighth of a larger file
VALUE = 40  # bytes that a value in JSON counts as, for the object that it becomes
LONGEST_NAME, LONGEST_PATH = 255, 1 << 10  # characters
OWN = "a model's arrays must be in its own file, each once"
NOT_PLAIN = "is not an array of numbers that is stored plainly in this file"


class File:
    """The parts of an open file; all that is read of it is counted.

    Attributes:
        root: the group of all others.

    Raises:
        DamageError: it is no HDF5 file, or cut short.
        ValueError: as `Group.__getitem__`.
    """

    def __init__(self, stream: BufferedReader):
        self._stream, self._size = stream, stream.seek(0, 2)
        self._bytes, self._parts = self._size, MOST_PARTS  # that may still be read
        self._text = max(MOST_TEXT, self._size >> 3)
        self._headers: set[int] = set()
        self._collections: dict[int, dict[int, tuple[int, int]]] = {}
        signature, version, *sizes, end, address, _ = unpack(layout.SUPERBLOCK, self.take(0, layout.SUPERBLOCK.size))
        check(signature == layout.SIGNATURE)
        if version:
            expected = "expected a file that `shakegen train` wrote"
            raise ValueError(f"it is in another format of HDF5 than shakegen writes; {expected}")
        check(sizes == [8, 8, 0] and end <= self._size)
        root = self.read_member(address, "")
        if not isinstance(root, Group):
            raise DamageError
        self.root = root

    def claim(self, address: int, size: int) -> None:
        """Go to a part of the file; from now on it counts as read."""
        self._bytes, self._parts = self._bytes - size, self._parts - 1
        check(self._bytes >= 0 and self._parts >= 0 and address + size <= self._size)
        self._stream.seek(address)

    def take(self, address: int, size: int) -> bytes:
        """A part of the file."""
        self.claim(address, size)
        content = self._stream.read(size)
        check(len(content) == size)
        return content

    def read_member(self, address: int, name: str) -> "Group | Array":
        """The group or array with the object header at an address; raises as `Group.__getitem__`."""
        check(len(name) <= LONGEST_PATH)
        shown = name or "the file"
        attributes: dict[str, layout.Attribute] = {}
        found: dict[int, bytes] = {}
        for kind, content in self.messages(address, shown):
            if kind in layout.LINKS:
                raise ValueError(f"{shown} has links, but {OWN}")
            if kind == layout.NAMED:
                key, value = split_attribute(content)
                attributes[key] = value
            elif kind in (layout.SHAPE, layout.TYPE, layout.STORAGE, layout.TABLE):
                check(kind not in found)
                found[kind] = content
            elif kind not in layout.IGNORED:
                raise ValueError(f"{shown} {NOT_PLAIN}")
        if layout.TABLE in found:
            return Group(self, name, attributes, self.entries(*unpack(layout.PAIR, found[layout.TABLE])))
        check(len(found) == 3)
        return Array(self, name, found[layout.SHAPE], found[layout.TYPE], found[layout.STORAGE])

    def messages(self, address: int, name: str) -> Iterator[tuple[int, bytes]]:
        """The kind and content of each message in an object header, which may be read once."""
        version, _, references, size = unpack(layout.HEADER, self.take(address, layout.HEADER.size))
        check(version == 1)
        if references != 1 or address in self._headers:
            raise ValueError(f"{name} has several names, but {OWN}")
        self._headers.add(address)
        blocks = [(address + layout.HEADER.size, size)]
        while blocks:
            content, place = self.take(*blocks.pop()), 0
            while place + layout.MESSAGE.size <= len(content):
                kind, size = unpack(layout.MESSAGE, content, place)
                place += layout.MESSAGE.size + size
                self._parts -= 1
                check(place <= len(content) and self._parts >= 0)
                message = content[place - size : place]
                if kind == layout.MORE:
                    blocks.append(unpack(layout.PAIR, message))
                else:
                    yield kind, message

    def entries(self, tree: int, heap: int) -> dict[str, tuple[int, int]]:
        """The address and kind of each member of a group."""
        signature, version, size, address = unpack(layout.NAMES, self.take(heap, layout.NAMES.size))
        check((signature, version) == (b"HEAP", 0))
        names, found, nodes = self.take(address, size), dict[str, tuple[int, int]](), [tree]
        while nodes:
            address = nodes.pop()
            signature, kind, level, count = unpack(layout.TREE, self.take(address, layout.TREE.size))
            check((signature, kind) == (b"TREE", 0))
            for child, _ in layout.PAIR.iter_unpack(self.take(address + layout.TREE.size, layout.PAIR.size * count)):
                if level:
                    nodes.append(child)
                    continue
                signature, version, members = unpack(layout.SYMBOLS, self.take(child, layout.SYMBOLS.size))
                check((signature, version) == (b"SNOD", 1))
                self._parts -= 2 * members  # read, and kept
                entries = self.take(child + layout.SYMBOLS.size, layout.ENTRY.size * members)
                for place, header, kind in layout.ENTRY.iter_unpack(entries):
                    name = decode(names[place : place + LONGEST_NAME + 1])
                    check("/" not in name)  # it would lead to another member, or to one again
                    found[name] = header, kind
        return found

    def text(self, length: int, address: int, number: int) -> str:
        """A text in a global heap; UnicodeDecodeError if it is not ASCII."""
        if address not in self._collections:
            self._collections[address] = dict(self.objects(address))
        place, size = self._collections[address].get(number, (0, -1))
        self._text -= length
        check(size == length and self._text >= 0)
        text = self.take(place, length).decode("ascii")
        self._text -= VALUE * sum(map(text.count, ",[{"))
        check(self._text >= 0)
        return text

    def objects(self, collection: int) -> Iterator[tuple[int, tuple[int, int]]]:
        """The number, place and size of each object in a collection of a global heap."""
        signature, version, size = unpack(layout.COLLECTION, self.take(collection, layout.COLLECTION.size))
        check((signature, version) == (b"GCOL", 1))
        place, end, number = collection + layout.COLLECTION.size, collection + size, -1
        while number and place + layout.OBJECT.size <= end:
            number, size = unpack(layout.OBJECT, self.take(place, layout.OBJECT.size))
            yield number, (place + layout.OBJECT.size, size)
            place += layout.OBJECT.size + pad(size)

    def array(self, address: int, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
        """The array at an address; nothing is allocated if it would be larger than what is left of the file."""
        size = dtype.itemsize * math.prod(shape)
        self.claim(address if size else 0, size)
        array = np.empty(shape, dtype)
        check(self._stream.readinto(array.reshape(-1).view(np.uint8).data) == size)
        return array


class Group:
    """A group of a file.

    Attributes:
        name: its path, such as weights/layer1.
        entries: the address and kind of each member, by its name.
    """

    def __init__(
        self, file: File, name: str, attributes: dict[str, layout.Attribute], entries: dict[str, tuple[int, int]]
    ):
        self.name, self.entries = name, entries
        self._file, self._attributes = file, attributes
        self._members: dict[str, Group | Array] = {}

    def __getitem__(self, path: str) -> "Group | Array":
        """The group or array at a path below this one.

        Raises:
            DamageError: it is not whole.
            ValueError: it is not there, or not as h5py writes it for shakegen.
        """
        name, _, rest = path.partition("/")
        full = f"{self.name}/{name}".removeprefix("/")
        if name not in self.entries:
            raise ValueError(f"{full}{'/' * bool(rest)}{rest} is missing; the file may be damaged")
        if name not in self._members:
            address, kind = self.entries[name]
            if kind == layout.SOFT:
                raise ValueError(f"{full} is a link, but {OWN}")
            self._members[name] = self._file.read_member(address, full)
        member = self._members[name]
        if not rest:
            return member
        if isinstance(member, Array):
            raise ValueError(f"{full}/{rest} is missing; the file may be damaged")
        return member[rest]

    def arrays(self) -> Iterator["Array"]:
        """All arrays below the group; raises as `Group.__getitem__`."""
        groups = [self]
        for group in groups:
            for name in group.entries:
                member = group[name]
                if isinstance(member, Array):
                    yield member
                else:
                    groups.append(member)

    def text(self, name: str) -> str | None:
        """The text of an attribute; None if there is none.

        Raises:
            DamageError: it is not whole.
            UnicodeDecodeError: it is not ASCII, as JSON is.
        """
        kind, space, value = self._attributes.get(name, (b"", b"", b""))
        if (kind, space) != (layout.UNICODE, layout.SCALAR):
            return None
        return self._file.text(*unpack(layout.TEXT, value))

    def number(self, name: str) -> int | None:
        """The whole number of an attribute; None if there is none."""
        kind, space, value = self._attributes.get(name, (b"", b"", b""))
        dtype = layout.TYPES.get(kind)
        if space != layout.SCALAR or dtype is None or dtype.kind == "f":
            return None
        check(len(value) >= dtype.itemsize)
        return int(np.frombuffer(value, dtype, 1)[0])


class Array:
    """An array of numbers in a file.

    Attributes:
        name: its path.
        dtype, shape: as in numpy.
    """

    def __init__(self, file: File, name: str, space: bytes, kind: bytes, storage: bytes):
        version, dimensions = unpack(layout.SPACE, space)
        check(version == 1)
        dtype = layout.TYPES.get(kind[:12], layout.TYPES.get(kind[:20]))
        if dtype is None or storage[:2] != layout.CONTIGUOUS:
            raise ValueError(f"{name} {NOT_PLAIN}")
        self.shape: tuple[int, ...] = unpack(struct.Struct(f"<{dimensions}Q"), space, layout.SPACE.size)
        _, _, self._address, size = unpack(layout.LAYOUT, storage)
        self.name, self.dtype, self._file = name, dtype, file
        check(size == dtype.itemsize * math.prod(self.shape))

    def read(self) -> np.ndarray:
        """The numbers; DamageError if they are not in the file, or all that was read is larger than the file."""
        return self._file.array(self._address, self.dtype, self.shape)
