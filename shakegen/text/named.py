"""Texts with a name: two come with shakegen; the others are fetched once, verified and kept in the cache folder."""

import hashlib
import logging
import lzma
import os
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shakegen import __version__, files
from shakegen.streams import plain
from shakegen.text.cache_folder import cache_folder

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0  # seconds until a server answers at all
TIMEOUT = 30.0  # seconds without a byte
TRIES = 3
PAUSE = 1.0  # seconds before the second try; twice as long before the third
PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers of a server that may give another one a moment later
CHUNK = 1 << 16  # bytes read at a time
CACHE = "SHAKEGEN_CACHE"


@dataclass(frozen=True)
class Download:
    """A file on the network: its address, its size in bytes and its sha256."""

    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class NamedText:
    """A text with a name.

    Attributes:
        title: a description in a few words.
        size: of the text, in bytes.
        checksum: of the text, `sha256:…` or `md5:…`.
        download: the text, or a zip archive of it; None if the text comes with shakegen.
        suffix: of the file that comes with shakegen.
    """

    title: str
    size: int
    checksum: str
    download: Download | None = None
    suffix: str = ".txt"


NAMED = {
    "sonnets": NamedText(
        "Shakespeare's 154 sonnets", 93_959, "sha256:7e089b27c1ce70248e136c853b41f6a6749995dbf0f8d949d1571f9049d90451"
    ),
    "warpeace": NamedText(
        "War and Peace, translated by L. and A. Maude",
        3_196_231,
        "sha256:e9d70cc7d26da7bb53c09a90844647f75cd2ef081b6aa358290a8cf7184d889b",
        suffix=".txt.xz",
    ),
    "tinyshakespeare": NamedText(
        "40,000 lines from Shakespeare's plays",
        1_115_394,
        "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        Download(
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            1_115_394,
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        ),
    ),
    "text8": NamedText(
        "the beginning of Wikipedia in 2006, as a to z and space",
        100_000_000,
        "md5:3bea1919949baf155f99411df5fada7e",
        Download(
            "http://mattmahoney.net/dc/text8.zip",
            31_344_016,
            "a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232",
        ),
    ),
}


class Unreachable(OSError):
    """The file cannot be fetched now."""


def data_folder(name: str) -> Path:
    """The folder `corpora` or `models` of shakegen: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def locate_text(name: str) -> Path:
    """The path of the file of a named text, whether or not it has been fetched.

    Raises:
        ValueError: there is no corpus of that name.
    """
    if name not in NAMED:
        raise ValueError(f"there is no corpus {name!r}: expected one of {', '.join(NAMED)}")
    folder = data_folder("corpora") if NAMED[name].download is None else cache_folder() / "corpora"
    return folder / f"{name}{NAMED[name].suffix}"


def is_here(name: str) -> bool:
    """Whether a named text is on this machine."""
    path, text = locate_text(name), NAMED[name]
    return path.is_file() and (text.download is None or path.stat().st_size == text.size)


def fetch_text(name: str, verify: bool = False) -> Path:
    """The path of a named text; the text is fetched first if it is not here.

    The proxies of the environment (`https_proxy`, `no_proxy` …) are used. Several processes may ask for one text at
    once: the first fetches it, the others wait.

    Args:
        name: a key of `NAMED`.
        verify: check the whole text, and fetch it again if it is not as expected; one that came with shakegen is
            refused then.

    Raises:
        ValueError: there is no text of that name, or another file is at its address or, to be verified, in its place.
        Unreachable: it cannot be fetched; the message says why, and how to get it by hand.
        OSError: it cannot be written.
    """
    path, text = locate_text(name), NAMED[name]
    if verify and text.download is None:
        check_shipped(path, text)
    if text.download is None or (is_here(name) and not (verify and not matches(path.read_bytes(), text))):
        return path
    from filelock import FileLock

    files.ensure_writable(path, CACHE)
    with FileLock(path.with_suffix(".lock")):
        if not is_here(name) or not matches(path.read_bytes(), text):
            file = path.with_suffix(Path(text.download.url).suffix)
            download(name, text.download, file)
            if file != path:
                files.write_whole(path, unzip(name, text, text.download.url, file), CACHE)
                file.unlink()
    return path


def matches(content: bytes, text: NamedText) -> bool:
    algorithm, checksum = text.checksum.split(":")
    return hashlib.new(algorithm, content, usedforsecurity=False).hexdigest() == checksum


def check_shipped(path: Path, text: NamedText) -> None:
    """Refuse a text that came with shakegen and is damaged by now."""
    try:
        content = path.read_bytes()
        content = lzma.decompress(content) if path.suffix == ".xz" else content
    except (OSError, lzma.LZMAError):
        content = b""
    if not matches(content, text):
        raise ValueError(f"{path} is not as it came with shakegen: install shakegen again")


def unzip(name: str, text: NamedText, url: str, file: Path) -> bytes:
    """The text in a zip archive that has only one member."""
    with zipfile.ZipFile(file) as archive:
        content = archive.read(archive.namelist()[0])
    if not matches(content, text):
        raise ValueError(f"{url} does not hold {name}: expected {text.size:,} bytes of {text.checksum}")
    return content


def download(name: str, source: Download, file: Path) -> None:
    """Fetch a file, unless it is there already; no part of it appears under its name before all of it is verified."""
    import requests

    with progress_bar(name, source) as show:
        for attempt in range(1, TRIES + 1):
            try:
                retrieve(source, file, show)
                return
            except requests.RequestException as error:
                reason, passing = explain(error, urlsplit(source.url).netloc)
                if attempt == TRIES or not passing:
                    wrong = " (the file there now is another)" if file.exists() else ""
                    raise Unreachable(
                        f"{name} cannot be fetched: {reason}; fetch {source.url} by hand and save it as {file}{wrong}"
                    ) from None
            except OSError as error:
                raise files.unwritable(file, error, CACHE) from None
            except ValueError:
                raise ValueError(
                    f"{source.url} is not the file it was: expected {source.size:,} bytes with the sha256 "
                    f"{source.sha256}; try again, or get {name} elsewhere and save it as {file.with_suffix('.txt')}"
                ) from None
            time.sleep(PAUSE * 2 ** (attempt - 1))


def retrieve(source: Download, file: Path, show: Callable[[int], None]) -> None:
    """Fetch a file in one try."""
    import pooch
    import requests

    def receive(url: str, output: str, _) -> None:
        headers = {"User-Agent": f"shakegen/{__version__}", "Accept-Encoding": "identity"}
        with requests.get(url, stream=True, timeout=(CONNECT_TIMEOUT, TIMEOUT), headers=headers) as response:
            response.raise_for_status()
            os.unlink(output)  # pooch's temporary files are for their owner alone
            with open(output, "wb") as out:
                for chunk in response.iter_content(CHUNK):
                    out.write(chunk)
                    show(out.tell())
                    if out.tell() > source.size:  # a server might never stop
                        raise ValueError("the file is too large")

    pooch.get_logger().setLevel("WARNING")  # `progress_bar` names the text
    pooch.retrieve(source.url, source.sha256, file.name, file.parent, downloader=receive)


def explain(error: Exception, host: str) -> tuple[str, bool]:
    """Why a fetch failed, and whether the next try may succeed."""
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        status = error.response.status_code
        return f"{host} answers {status} {error.response.reason}", status in PASSING
    reasons = [
        (exceptions.ProxyError, "", f"the proxy gives no connection to {host}", False),
        (exceptions.SSLError, "", f"the certificate of {host} is not to be trusted", False),
        (exceptions.InvalidProxyURL, "", f"the proxy cannot be used: {error}", False),
        (exceptions.InvalidSchema, "SOCKS", f"the proxy cannot be used: {error}", False),
        (exceptions.TooManyRedirects, "", f"{host} redirects without end", False),
        (exceptions.ConnectTimeout, "", f"{host} does not answer within {CONNECT_TIMEOUT:g} s", False),
        (exceptions.ConnectionError, "Failed to", f"there is no connection to {host}", False),  # … resolve, … establish
        (exceptions.RequestException, "timed out", f"{host} sent nothing for {TIMEOUT:g} s", True),
        (exceptions.ConnectionError, "", f"the connection to {host} broke off", True),
        (exceptions.ChunkedEncodingError, "", f"the connection to {host} broke off", True),
        (exceptions.RequestException, "", f"{host} sends elsewhere: {error}", False),
    ]
    return next(
        (why, passing) for kind, part, why, passing in reasons if isinstance(error, kind) and part in str(error)
    )


@contextmanager
def progress_bar(name: str, source: Download) -> Iterator[Callable[[int], None]]:
    """A function that shows the bytes so far: a progress bar on a terminal; elsewhere one line names the file."""
    from rich import console, progress

    terminal = console.Console(file=plain(sys.stderr))
    if not terminal.is_terminal:
        log.info("fetching %s, %s bytes, from %s", name, f"{source.size:,}", source.url)
        yield lambda done: None
        return
    columns = (progress.DownloadColumn(), progress.TransferSpeedColumn(), progress.TimeRemainingColumn())
    with progress.Progress(progress.TextColumn(name), progress.BarColumn(), *columns, console=terminal) as bar:
        task = bar.add_task(name, total=source.size)
        yield lambda done: bar.update(task, completed=done)
