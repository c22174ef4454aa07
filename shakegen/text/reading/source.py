"""A text that can be read again and again, from bytes, from a file, or from several sources."""

import contextlib
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shakegen.text.reading.decoding import BLOCK, decode_blocks, resolve_encoding
from shakegen.text.reading.unpacking import PACKED, Files, Opener, unpack

LONGEST_SHOWN, AROUND = 200, 40  # characters of a path in a message, and of the beginning of a longer one


@dataclass(frozen=True)
class Source:
    """A text that can be read many times without being in memory as a whole.

    Attributes:
        name: of its corpus, as in `models/<name>-<cell>.h5`.
        title: for error messages.
        blocks: gives its characters in blocks of at most a few million, with LF line ends, without a byte order mark.
        digest: gives a sha256 of its bytes and of the options that shape it, without decoding.
    """

    name: str
    title: str
    blocks: Callable[[], Iterator[str]]
    digest: Callable[[], str]


def from_text(text: str, name: str = "text") -> Source:
    """The source of a text, which may have a byte order mark and CR LF line ends."""
    whole = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    sha256 = hashlib.sha256(b"text\0" + whole.encode("utf-8", "surrogatepass"))
    return Source(
        name, "the text", lambda: (whole[k : k + BLOCK] for k in range(0, len(whole), BLOCK)), sha256.hexdigest
    )


def from_bytes(raw: bytes, name: str = "text", title: str = "the text", encoding: str = "utf-8") -> Source:
    """The source of the bytes of a text file or of a compressed one."""
    return from_opener(name, title, lambda: io.BytesIO(raw), encoding)


def from_file(path: str | Path, encoding: str = "utf-8") -> Source:
    """The source of a text file, which may have a byte order mark and CR LF line ends.

    A file that begins like gzip, bzip2, xz or zip is unpacked while it is read, whatever its name. A zip archive stands
    for the text files in it, in the order of their names, joined as by `concatenate`.

    Raises:
        OSError: there is no such file, or it is a pipe or a device.
        ValueError: there is no such encoding, or the archive is refused. Text in another encoding is noticed only when
            it is read.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: expected a text file")
    if not path.exists():
        raise missing_file(path)
    if not path.is_file():
        raise OSError(f"{path} is a pipe or a device: expected a text file; `open_source` reads those, too")
    return from_opener(strip_suffixes(path), str(path), lambda: path.open("rb"), encoding)


def from_opener(name: str, title: str, opener: Opener, encoding: str = "utf-8", files: Files | None = None) -> Source:
    """The source of a binary file that `opener` opens anew each time; `files` gives the files in it, if known."""
    codec = resolve_encoding(encoding)
    files = files or unpack(title, opener, encoding)

    def digest():
        with opener() as file:
            return hashlib.file_digest(file, lambda: hashlib.sha256(codec.encode() + b"\0")).hexdigest()

    def blocks():
        with contextlib.closing(files()) as opened:  # where a text cannot be decoded, its file is closed at once
            yield from join_texts(decode_blocks(file, title, encoding) for title, file in opened)

    return Source(name, title, blocks, digest)


def concatenate(sources: Sequence[Source], name: str | None = None, title: str | None = None) -> Source:
    """Several texts, one after the other. A text without a line end at its end gets one before the next begins.

    Args:
        sources: at least one.
        name: the default is the name of the first source and the number of the others.
        title: likewise.
    """
    first, more = sources[0], len(sources) - 1
    if not more and name is None:
        return first

    def digest():
        return hashlib.sha256("\n".join(source.digest() for source in sources).encode()).hexdigest()

    return Source(
        name or f"{first.name}+{more}",
        title or f"{first.title} and {more} more",
        lambda: join_texts(source.blocks() for source in sources),
        digest,
    )


def join_texts(texts: Iterable[Iterator[str]]) -> Iterator[str]:
    """The blocks of several texts, with a line end between two if the first does not end with one."""
    last = "\n"
    for text in texts:
        between = "" if last == "\n" else "\n"
        for block in filter(None, text):
            yield between + block
            between, last = "", block[-1]


def strip_suffixes(path: Path) -> str:
    """The name of a file without its suffixes: `novel` for `novel.txt.gz`."""
    return Path(path.stem).stem if path.suffix.lower() in PACKED and Path(path.stem).suffix else path.stem


def missing_file(path: str | Path) -> FileNotFoundError:
    shown = str(path) if len(str(path)) <= LONGEST_SHOWN else f"{str(path)[:AROUND]!r}…"
    itself = "" if shown == str(path) else "; a text itself goes to `Corpus.from_text`"
    return FileNotFoundError(
        f"no file {shown}: expected a text file or the name of a corpus (see `shakegen corpora list`){itself}"
    )
