"""Where texts come from: files, standard input, bytes at hand; as blocks of characters, whatever their encoding."""

import codecs
import hashlib
import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 20  # characters decoded at a time


@dataclass(frozen=True)
class Source:
    """A text that can be read as often as one likes, without ever being in memory as a whole.

    Attributes:
        name: what a corpus of it is called, as in `models/<name>-<cell>.h5`.
        title: what error messages call it.
        blocks: gives its characters in blocks of at most about a million, all line ends as LF, no byte order mark.
        digest: gives a sha256 of the bytes that it is made of and of the options that shape it, without decoding them.
    """

    name: str
    title: str
    blocks: Callable[[], Iterator[str]]
    digest: Callable[[], str]


def from_bytes(raw: bytes, name: str = "text", title: str = "the text", encoding: str = "utf-8") -> Source:
    """The source of bytes that are at hand."""
    codec = known_encoding(encoding)

    def digest():
        return hashlib.sha256(codec.encode() + b"\0" + raw).hexdigest()

    return Source(name, title, lambda: decoded_blocks(io.BytesIO(raw), title, encoding), digest)


def from_file(path: str | Path, encoding: str = "utf-8") -> Source:
    """The source of a text file, which may have a byte order mark and CR LF line ends.

    Raises:
        OSError: there is no such file.
        ValueError: there is no such encoding. That it is not text in that encoding is found when it is read.
    """
    path, codec = Path(path), known_encoding(encoding)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: expected a text file")
    if not path.exists():
        raise FileNotFoundError(
            f"no file {path}: expected a text file or the name of a corpus (see `shakegen corpora list`)"
        )

    def blocks():
        with path.open("rb") as file:
            yield from decoded_blocks(file, str(path), encoding)

    def digest():
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.sha256(codec.encode() + b"\0")).hexdigest()

    return Source(path.stem, str(path), blocks, digest)


def decoded_blocks(file: BinaryIO, title: str, encoding: str) -> Iterator[str]:
    """The text of a binary file in blocks, all line ends as LF, no byte order mark.

    Raises:
        ValueError: it is not text in that encoding; the message says where, and which encoding to try.
    """
    codec, done, begun = known_encoding(encoding), 0, False
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(codec)(), translate=True)
    for raw in itertools.chain(iter(lambda: file.read(BLOCK), b""), [b""]):
        known = decoder.getstate()[0] + raw
        if codec == "utf-8" and b"\0" in raw:
            raise ValueError(not_utf8(known, done + raw.index(b"\0"), known.index(b"\0"), title))
        try:
            block = decoder.decode(raw, final=not raw)
        except UnicodeError as error:
            position = getattr(error, "start", 0)  # UTF-16 without a byte order mark names none
            offset = done + len(raw) - len(known) + position
            hint = likely_encoding(known, position)
            raise ValueError(f"{title} is not {encoding} text (byte offset {offset}): {hint}") from None
        done += len(raw)
        if block and not begun:
            block, begun = block.removeprefix("\ufeff"), True
        if block:
            yield block


def known_encoding(encoding: str) -> str:
    """The usual name of a text encoding."""
    try:
        "".encode(encoding)  # codecs that are no text encodings, such as hex, refuse
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise ValueError(
            f"there is no encoding {encoding!r}: expected a name such as utf-8, utf-16, latin-1 or windows-1252"
        ) from None


def not_utf8(known: bytes, offset: int, position: int, title: str) -> str:
    """One line that says that a zero byte, which is no text in UTF-8, stands at an offset."""
    hint = likely_encoding(known, position)
    return f"{title} has a zero byte (byte offset {offset}), so it is not utf-8 text: {hint}"


def likely_encoding(known: bytes, position: int) -> str:
    """What to try for bytes that are not in the encoding expected, which the byte at `position` showed."""
    from charset_normalizer import from_bytes

    sample = known[max(0, position - 32_768) :][:65_536]
    for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        if known.startswith(mark):
            return "try --encoding utf-16"
    guess = from_bytes(sample).best()
    if guess is None or guess.encoding in ("ascii", "utf_8"):
        return "expected a text file; if it is one, name its encoding with --encoding"
    same_as_common = sample.decode("cp1252", "replace") == sample.decode(guess.encoding, "replace")
    return f"try --encoding {'cp1252' if same_as_common else guess.encoding.replace('_', '-')}"
