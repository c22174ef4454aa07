"""Texts that have a name: one that comes with shakegen, and others that are fetched once, verified and cached."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shakegen.text import fetching, reading
from shakegen.text.cache_folder import cache_folder

log = logging.getLogger(__name__)

PIECE = 1 << 20  # bytes unpacked at a time


@dataclass(frozen=True)
class NamedText:
    """A text that is known by its name.

    Attributes:
        what: in a few words.
        size: of the text, in bytes.
        checksum: of the text, `sha256:…` or `md5:…`.
        remote: where it is on the network, as it is or compressed; None if it comes with shakegen.
    """

    what: str
    size: int
    checksum: str
    remote: fetching.Remote | None = None


NAMED = {
    "sonnets": NamedText(
        "Shakespeare's 154 sonnets", 93_959, "sha256:7e089b27c1ce70248e136c853b41f6a6749995dbf0f8d949d1571f9049d90451"
    ),
    "tinyshakespeare": NamedText(
        "40,000 lines from Shakespeare's plays",
        1_115_394,
        "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        fetching.Remote(
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            1_115_394,
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        ),
    ),
    "text8": NamedText(
        "the beginning of Wikipedia in 2006, as a to z and space",
        100_000_000,
        "md5:3bea1919949baf155f99411df5fada7e",
        fetching.Remote(
            "http://mattmahoney.net/dc/text8.zip",
            31_344_016,
            "a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232",
        ),
    ),
}


def data_folder(name: str) -> Path:
    """The folder `corpora` or `models` that came with shakegen: inside the package once installed, else beside it."""
    package = Path(__file__).parents[1]
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def named(name: str) -> NamedText:
    if name not in NAMED:
        raise ValueError(f"there is no corpus {name!r}: expected one of {', '.join(NAMED)}")
    return NAMED[name]


def place_of(name: str) -> Path:
    """Where the text of a name is, or will be once it is fetched.

    Raises:
        ValueError: there is no corpus of that name.
    """
    folder = data_folder("corpora") if named(name).remote is None else cache_folder() / "corpora"
    return folder / f"{name}.txt"


def is_here(name: str) -> bool:
    """Whether the text of a name need not be fetched."""
    path = place_of(name)
    return path.is_file() and path.stat().st_size == NAMED[name].size


def get(name: str, verify: bool = False) -> Path:
    """The file of a named text, fetched if it is not here.

    Several processes may ask for one text at once: one fetches it, the others wait.

    Args:
        name: a key of `NAMED`.
        verify: read the whole text that is here, and fetch it again if it is not what it should be.

    Raises:
        ValueError: there is no text of that name, or what is at its address is another.
        OSError: it cannot be fetched, or not be written; the message says how to get it by hand.
    """
    path, text = place_of(name), named(name)
    if text.remote is None or (is_here(name) and not (verify and not is_text(path, text))):
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(path):
            if not is_text(path, text):  # nobody has fetched it meanwhile
                obtain(name, text, path)
    except fetching.Unreachable as error:
        file = download(path, text)
        wrong = " (the file there now is another)" if file.exists() else ""
        raise fetching.Unreachable(
            f"{name} cannot be fetched: {error}; fetch {text.remote.url} by hand and save it as {file}{wrong}"
        ) from None
    except OSError as error:
        raise OSError(
            f"{name} cannot be kept in {path.parent}: {error.strerror or error}; "
            "set SHAKEGEN_CACHE to a folder with room for it that can be written to"
        ) from None
    return path


def is_text(path: Path, text: NamedText) -> bool:
    algorithm, checksum = text.checksum.split(":")
    return path.is_file() and path.stat().st_size == text.size and fetching.checksum(path, algorithm) == checksum


def download(path: Path, text: NamedText) -> Path:
    """Where the file from the network is kept: the text itself, or what it is unpacked from."""
    return path.with_suffix(Path(text.remote.url).suffix)


def obtain(name: str, text: NamedText, path: Path) -> None:
    file = download(path, text)
    if not fetching.is_file(file, text.remote):  # nor has anybody put it there by hand
        with progress_bar(name, text.remote) as progress:
            fetching.fetch(text.remote, file, progress)
    if file != path:
        unpack(name, text, file, path)
        file.unlink()


def unpack(name: str, text: NamedText, file: Path, path: Path) -> None:
    """Write the one text in a compressed file; nothing but `path` is ever written."""
    part, left = path.with_name(path.name + ".part"), text.size
    try:
        with part.open("wb") as out:
            for _, inside in reading.unpacked(str(file), lambda: file.open("rb"), "utf-8")():
                while left >= 0 and (piece := inside.read(PIECE)):
                    out.write(piece)
                    left -= len(piece)
        if not is_text(part, text):
            raise ValueError(
                f"what {text.remote.url} holds is not {name}: expected {text.size:,} bytes of {text.checksum}"
            )
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """What is done inside, no other process does for the same path."""
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("waiting for another process that fetches %s", path.stem)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def progress_bar(name: str, remote: fetching.Remote) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, elsewhere one line."""
    from rich import console, progress

    terminal = console.Console(stderr=True)
    if not terminal.is_terminal:
        log.info("fetching %s, %s bytes, from %s", name, f"{remote.size:,}", remote.url)
        yield lambda done: None
        return
    columns = (progress.DownloadColumn(), progress.TransferSpeedColumn(), progress.TimeRemainingColumn())
    with progress.Progress(progress.TextColumn(name), progress.BarColumn(), *columns, console=terminal) as bar:
        task = bar.add_task(name, total=remote.size)
        yield lambda done: bar.update(task, completed=done)
