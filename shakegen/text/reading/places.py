"""Sources for files, folders, patterns and standard input."""

import contextlib
import glob
import os
import shutil
import tempfile
import weakref
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO

from shakegen.streams import take_input
from shakegen.text.reading.source import Source, concatenate, from_file, from_opener, missing_file, strip_suffixes
from shakegen.text.reading.unpacking import HEAD, NoText, is_text, kind_of_packing, log_omitted, unpack


def from_path(path: str | Path, encoding: str = "utf-8") -> Source:
    """The source of a file, a folder, a pattern, or `-` for standard input.

    A folder stands for the text files in it and in the folders below, in the order of their paths. Hidden files and
    files that are not text are left out, and the log says so. A pattern such as `novels/**/*.txt` stands for its
    matches, sorted. `concatenate` joins several files. Standard input and pipes are kept in a temporary file.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: there is no such encoding, an archive is refused, a folder has no text, or standard input was read
            before.
    """
    if path == "-":
        return from_pipe(take_input(), "stdin", "standard input", encoding)
    if os.path.isdir(path):
        return from_folder(Path(path), encoding)
    if os.path.isfile(path):
        return from_file(path, encoding)
    if os.path.exists(path):
        with open(path, "rb") as pipe:
            return from_pipe(pipe, strip_suffixes(Path(path)), str(path), encoding)
    matches = glob.glob(str(path), recursive=True) if glob.escape(str(path)) != str(path) else []
    paths = sorted({Path(match) for match in matches}, key=Path.as_posix)
    if not paths:
        raise missing_file(path)
    folders = {match for match in paths if match.is_dir()}
    return concatenate([from_path(match, encoding) for match in paths if folders.isdisjoint(match.parents)])


def from_folder(folder: Path, encoding: str = "utf-8") -> Source:
    """The source of all text files in a folder and in the folders below."""
    files, hidden = list_files(folder)
    sources, others = [], []
    for path in files:
        source = text_source(path, encoding)
        if source is None:
            others.append(path.relative_to(folder).as_posix())
        else:
            sources.append(source)
    log_omitted(str(folder), others, hidden)
    if not sources:
        raise NoText(f"{folder} holds no text: expected one text file or more in it")
    return concatenate(sources, folder.resolve().name or "texts", str(folder))


def list_files(folder: Path) -> tuple[list[Path], int]:
    """The visible files in a folder and in the folders below, sorted, and the number of hidden entries."""

    def refuse(error: OSError):
        raise error

    files, hidden = [], 0
    for where, folders, names in os.walk(folder, onerror=refuse):
        visible = [name for name in names if not name.startswith(".")]
        hidden += len(names) - len(visible) + sum(name.startswith(".") for name in folders)
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [path for path in (Path(where, name) for name in visible) if path.is_file()]
    return sorted(files, key=lambda path: path.relative_to(folder).as_posix()), hidden


def text_source(path: Path, encoding: str) -> Source | None:
    """The source of a file in a folder, or None if the file is not text.

    Documents and programs are often zip archives, so only a file named `.zip` is opened as one.
    """

    def opener():
        return path.open("rb")

    if kind_of_packing(opener) == ".zip" and path.suffix.lower() != ".zip":
        return None
    try:
        files = unpack(str(path), opener, encoding)
        heads = (file.read(HEAD) for _, file in files())
        if not is_text(next(heads), encoding):
            return None
    except NoText:
        return None
    return from_opener(strip_suffixes(path), str(path), opener, encoding, files)


def from_pipe(pipe: BinaryIO, name: str, title: str, encoding: str = "utf-8") -> Source:
    """The source of a pipe, which can be read only once: its content is kept in an invisible temporary file."""
    return from_opener(name, title, Spool(pipe).open, encoding)


class Spool:
    """The content of a pipe in a file without a name. The file is deleted with the last reader."""

    def __init__(self, pipe: BinaryIO):
        with contextlib.ExitStack() as stack:
            self.file = stack.enter_context(tempfile.TemporaryFile(prefix="shakegen-"))
            shutil.copyfileobj(pipe, self.file, 1 << 20)
            weakref.finalize(self, stack.pop_all().close)

    def open(self) -> BufferedReader:
        return BufferedReader(View(self))


class View(RawIOBase):
    """A reader with its own position in a shared file."""

    def __init__(self, spool: Spool):
        self._spool, self._file, self._at = spool, spool.file, 0

    def readinto(self, buffer) -> int:
        self._file.seek(self._at)
        count = self._file.readinto(buffer)
        self._at += count
        return count

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self._at, self._file.seek(0, 2))[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
