"""Compressed files and archives, recognised by their first bytes and read without unpacking them to disk."""

import bz2
import codecs
import gzip
import logging
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Generator, Sequence
from io import BufferedReader, BytesIO
from typing import IO, Any, BinaryIO

from shakegen.text.reading.decoding import resolve_encoding

log = logging.getLogger(__name__)

Opener = Callable[[], BytesIO | BufferedReader]
Files = Callable[
    [], Generator[tuple[str, BinaryIO], None, None]
]  # opens the members of a file, one after the other, with their titles

PACKED = {
    ".gz": (b"\x1f\x8b\x08",),
    ".bz2": tuple(b"BZh%d1AY&SY" % level for level in range(1, 10)),
    ".xz": (b"\xfd7zXZ\0",),
    ".zip": (b"PK\3\4", b"PK\5\6"),
}
STREAMS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
DOCUMENT = {"[Content_Types].xml", "META-INF/manifest.xml", "META-INF/container.xml"}  # in .docx, .odt, .epub
DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, OverflowError, ValueError,
)  # fmt: skip

EXPANSION = 250  # times the packed size; even logs do not pack to less than a hundredth
ALWAYS_ALLOWED = 1 << 26  # bytes, however small the file is

HEAD = 8192  # bytes that show whether a file is text
CONTROLS = re.compile("[\0-\x06\x0e-\x1a\x1c-\x1f]")  # no text has them; it may have \a \b \t \n \v \f \r ESC


class NoText(ValueError):
    """An archive or a folder without a text."""


def kind_of_packing(opener: Opener) -> str | None:
    """The compression of a file, a key of `PACKED`, or None."""
    with opener() as file:
        head = file.read(10)
    return next((kind for kind, beginnings in PACKED.items() if head.startswith(beginnings)), None)


def unpack(title: str, opener: Opener, encoding: str) -> Files:
    """The members of a file: the file itself, or its content if it is compressed.

    Raises:
        ValueError: a zip archive is damaged or encrypted, is a document, has no text, has unsafe names, or unpacks to
            more than `EXPANSION` times its size. Faults of other kinds of file are noticed when they are read.
    """
    kind = kind_of_packing(opener)
    if kind == ".zip":
        return zip_members(title, opener, encoding)

    def files():
        with opener() as file:
            if kind is None:
                yield title, file
            else:
                with Guarded(STREAMS[kind](file), title, size_limit(file)) as inside:
                    yield title, inside

    return files


def zip_members(title: str, opener: Opener, encoding: str) -> Files:
    """The texts in a zip archive, in the order of their names. It is checked now, and opened again for each reading."""
    with opener() as file, open_zip(title, file) as archive:
        files_only = (member for member in archive.infolist() if not member.filename.endswith("/"))
        members = sorted(files_only, key=lambda member: member.filename)
        if DOCUMENT & {member.filename for member in members}:
            raise ValueError(f"{title} is an office document or an e-book: save it as plain text, and give the text")
        for member in members:
            check_member(title, member)
        limit = size_limit(file)
        if sum(member.file_size for member in members) > limit:
            raise oversized_archive(title)
        if len(members) != 1:
            members = select_texts(title, archive, members, encoding)

    def files():
        with opener() as file, open_zip(title, file) as archive:
            for member in members:
                member_title = f"{title}/{member.filename}"
                with open_member(archive, member, member_title, limit) as inside:
                    yield member_title, inside

    return files


def select_texts(
    title: str, archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], encoding: str
) -> list[zipfile.ZipInfo]:
    """The members of an archive that are texts; the log says which are left out."""
    visible = [member for member in members if not is_hidden(member.filename)]
    texts: list[zipfile.ZipInfo] = []
    others: list[str] = []
    for member in visible:
        with open_member(archive, member, f"{title}/{member.filename}", HEAD) as file:
            if is_text(file.read(HEAD), encoding):
                texts.append(member)
            else:
                others.append(member.filename)
    log_omitted(title, others, len(members) - len(visible))
    if not texts:
        raise NoText(f"{title} holds no text: expected one text file or more in it")
    return texts


def check_member(title: str, member: zipfile.ZipInfo) -> None:
    name = member.filename
    if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or not name.isprintable():
        raise ValueError(
            f"{title} has a member {name!r}, which is no plain name: unpack it with care, and give the text itself"
        )
    if member.flag_bits & 1:
        raise ValueError(f"{title} is encrypted: unpack it, and give the text itself")


def open_zip(title: str, file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except DAMAGE as error:
        raise damaged_archive(title, error) from None


def open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, title: str, limit: int) -> "Guarded":
    try:
        return Guarded(archive.open(member), title, limit)
    except DAMAGE as error:
        raise damaged_archive(title, error) from None


class Guarded:
    """The unpacked bytes of a compressed file, at most `limit`. Every fault in it is a ValueError of one line."""

    def __init__(self, file: IO[bytes], title: str, limit: int):
        self._file, self._title, self._left = file, title, limit

    def read(self, size: int) -> bytes:
        try:
            raw = self._file.read(size)
        except DAMAGE as error:
            raise damaged_archive(self._title, error) from None
        self._left -= len(raw)
        if self._left < 0:
            raise oversized_archive(self._title)
        return raw

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()


def is_text(head: bytes, encoding: str) -> bool:
    """Whether a file that begins with `head` is text, as file(1) decides it: it has no control characters."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True  # --encoding may have to name it
    return not CONTROLS.search(head.decode(resolve_encoding(encoding), "ignore"))


def is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def log_omitted(title: str, others: Sequence[str], hidden: int) -> None:
    """Log which files of a folder or an archive are left out."""
    reasons = []
    if others:
        reasons.append(f"{len(others)} not text ({', '.join(others[:5])}{', …' if len(others) > 5 else ''})")
    if hidden:
        reasons.append(f"{hidden} hidden")
    if reasons:
        log.warning("%s: left out %s", title, ", ".join(reasons))


def size_limit(packed: BinaryIO) -> int:
    """The number of bytes that a compressed file may hold."""
    size = packed.seek(0, 2)
    packed.seek(0)
    return max(ALWAYS_ALLOWED, EXPANSION * size)


def damaged_archive(title: str, error: Exception) -> ValueError:
    what = str(error) or "it ends too early"
    return ValueError(f"{title} is damaged: {what}; expected a whole archive: fetch or make it again")


def oversized_archive(title: str) -> ValueError:
    return ValueError(
        f"{title} unpacks to more than {EXPANSION} times its size: expected a text; if it is one, unpack it first"
    )
