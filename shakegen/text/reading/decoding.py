"""From bytes to blocks of characters, whatever their encoding."""

import codecs
import io
import itertools
from collections.abc import Iterator
from typing import BinaryIO

BLOCK = 1 << 20  # characters decoded at a time
AROUND = 12  # characters shown on either side of one
WESTERN = {"Danish", "Dutch", "English", "Finnish", "French", "German", "Italian", "Norwegian", "Portuguese", "Spanish",
           "Swedish"}  # fmt: skip


def decode_blocks(file: BinaryIO, title: str, encoding: str) -> Iterator[str]:
    """The text of a binary file in blocks, with LF line ends and without a byte order mark.

    Raises:
        ValueError: the file is not text in that encoding; the message says where, and which encoding to try.
    """
    codec, done, begun = resolve_encoding(encoding), 0, False
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(codec)(), translate=True)
    for raw in itertools.chain(iter(lambda: file.read(BLOCK), b""), [b""]):
        pending = decoder.getstate()[0] + raw
        if codec == "utf-8" and b"\0" in raw:
            hint = suggest_encoding(pending, pending.index(b"\0"))
            offset = done + raw.index(b"\0")
            raise ValueError(f"{title} has a zero byte (byte offset {offset}), so it is not utf-8 text: {hint}")
        try:
            block = decoder.decode(raw, final=not raw)
        except UnicodeError as error:
            position = getattr(error, "start", 0)  # UTF-16 without a byte order mark gives none
            offset = done + len(raw) - len(pending) + position
            hint = suggest_encoding(pending, position)
            raise ValueError(f"{title} is not {encoding} text (byte offset {offset}): {hint}") from None
        done += len(raw)
        if block and not begun:
            block, begun = block.removeprefix("\ufeff"), True
        if block:
            yield block


def resolve_encoding(encoding: str) -> str:
    """The standard name of a text encoding.

    Raises:
        ValueError: there is no such encoding.
    """
    try:
        "".encode(encoding)  # codecs that are no text encodings, such as hex, refuse
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise ValueError(
            f"there is no encoding {encoding!r}: expected a name such as utf-8, utf-16, latin-1 or windows-1252"
        ) from None


def suggest_encoding(raw: bytes, position: int) -> str:
    """Say which encoding to try for bytes that are wrong at `position` in the expected one."""
    from charset_normalizer import from_bytes

    sample = raw[max(0, position - 32_768) :][:65_536]
    for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        if raw.startswith(mark):
            return "try `encoding='utf-16'`"
    guess = from_bytes(sample).best()
    if guess is None or guess.encoding in ("ascii", "utf_8"):
        return "expected a text file; if it is one, name its `encoding`"
    same_as_common = sample.decode("cp1252", "replace") == sample.decode(guess.encoding, "replace")
    common = guess.language in WESTERN or same_as_common  # their letters stand at the same places in many encodings
    name = "cp1252" if common else guess.encoding.replace("_", "-")
    return f"try `encoding={name!r}`, in which there is {quote_excerpt(sample.decode(name, 'replace'))}"


def quote_excerpt(text: str) -> str:
    """A few characters around the first that is not ASCII, so that a reader sees whether they are right."""
    place = next((place for place, character in enumerate(text) if not character.isascii()), 0)
    return repr(" ".join(text[max(0, place - AROUND) : place + AROUND].split()))
