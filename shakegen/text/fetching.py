"""Files from the network: verified, resumed where a connection broke off, never half there."""

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shakegen import __version__

PIECE = 1 << 16  # bytes read at a time
CONNECT_TIME_OUT = 10.0  # seconds until a server answers at all
TIME_OUT = 30.0  # seconds without a byte
TRIES = 5  # in a row that brought next to nothing
PAUSE = 1.0  # seconds before the second try; twice as long before each further one
PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers of a server that may be another one a moment later


@dataclass(frozen=True)
class Remote:
    """A file on the network, known exactly.

    Attributes:
        url: where it is.
        size: its bytes.
        sha256: of it.
    """

    url: str
    size: int
    sha256: str


class Unreachable(OSError):
    """A file that cannot be fetched now, whatever is tried."""


class Passing(Exception):
    """What may be otherwise at the next try."""


class NoConnection(Passing):
    """A server that cannot even be reached."""


def fetch(remote: Remote, path: Path, progress: Callable[[int], None] = lambda done: None) -> None:
    """Fetch a file; it is at `path` once it is whole and verified, and not before.

    What is there of it meanwhile is `path` with `.part` added; the next try, or the next call, goes on from its end.
    The proxies of the environment (`https_proxy`, `no_proxy` …) are used. Only one process may fetch a file at a time.

    Args:
        remote: what to fetch.
        path: where to; its folder exists.
        progress: called with the number of bytes that are there.

    Raises:
        Unreachable: after `TRIES` tries without success, or a refusal; the message says why.
        ValueError: what is at the address is another file.
        OSError: it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    begun = part.exists()
    transfer(remote, part, progress)
    if begun and not is_file(part, remote):  # of another file once
        part.unlink()
        transfer(remote, part, progress)
    if not is_file(part, remote):
        found = checksum(part)
        part.unlink()
        raise ValueError(f"{remote.url} is another file than it was: its sha256 is {found}, expected {remote.sha256}")
    os.replace(part, path)


def is_file(path: Path, remote: Remote) -> bool:
    """Whether a file is the one that is meant."""
    return path.is_file() and path.stat().st_size == remote.size and checksum(path) == remote.sha256


def checksum(path: Path, algorithm: str = "sha256") -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def transfer(remote: Remote, part: Path, progress: Callable[[int], None]) -> None:
    """Fetch what a partial file lacks, in as many tries as bring it forward."""
    failures, reached = 0, False
    while True:
        before = size_of(part)
        try:
            for done in received(remote, part):
                progress(done)
            return
        except Passing as reason:
            forward = size_of(part) - before
            reached |= not isinstance(reason, NoConnection)
            failures = 1 if forward > remote.size // 100 else failures + 1
            if failures >= TRIES or not reached:  # who is offline need not wait
                raise Unreachable(str(reason)) from None
        time.sleep(PAUSE * 2 ** (failures - 1))


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def received(remote: Remote, part: Path) -> Iterator[int]:
    """One try: add what the server sends to a partial file; gives the number of bytes that are there."""
    import requests

    done, host = size_of(part), urlsplit(remote.url).netloc
    if done == remote.size:
        return
    if done > remote.size:
        part.unlink()
        done = 0
    headers = {"User-Agent": f"shakegen/{__version__}", "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    with refusals(host):
        response = requests.get(remote.url, headers=headers, stream=True, timeout=(CONNECT_TIME_OUT, TIME_OUT))
    with response:
        done = beginning(remote, response, part, host)
        with part.open("ab" if done else "wb") as file:
            while done < remote.size:
                with refusals(host):
                    piece = response.raw.read1(PIECE)
                if not piece:
                    raise Passing(f"the connection to {host} broke off")
                done += len(piece)
                if done > remote.size:
                    part.unlink()
                    raise another(remote, f"more than {remote.size:,}")
                file.write(piece)
                yield done


def beginning(remote: Remote, response, part: Path, host: str) -> int:
    """The place in the file where the body of an answer begins."""
    if response.status_code == 416 or response.status_code in PASSING:
        if response.status_code == 416:
            part.unlink(missing_ok=True)
        raise Passing(f"{host} answers {response.status_code} {response.reason}")
    if response.status_code not in (200, 206):
        raise Unreachable(f"{host} answers {response.status_code} {response.reason}")
    length, begin = response.headers.get("Content-Length", ""), 0
    if response.status_code == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if not found or int(found[1]) != size_of(part):
            part.unlink(missing_ok=True)
            raise Passing(f"{host} does not send the part that was asked for")
        begin, length = int(found[1]), found[2]
    if length.isdecimal() and int(length) != remote.size:
        raise another(remote, f"{int(length):,}")
    return begin


@contextlib.contextmanager
def refusals(host: str) -> Iterator[None]:
    """What can go wrong on the way, as `Passing`, if it may be otherwise a moment later, or `Unreachable`."""
    import requests
    import urllib3

    try:
        yield
    except requests.exceptions.ProxyError:
        raise NoConnection(f"the proxy gives no connection to {host}") from None
    except requests.exceptions.SSLError:
        raise Unreachable(f"the certificate of {host} is not to be trusted") from None
    except requests.TooManyRedirects:
        raise Unreachable(f"{host} redirects without end") from None
    except requests.ConnectTimeout:
        raise NoConnection(f"{host} does not answer within {CONNECT_TIME_OUT:g} s") from None
    except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError):
        raise Passing(f"{host} sent nothing for {TIME_OUT:g} s") from None
    except requests.ConnectionError as error:
        if isinstance(getattr(error.args[0], "reason", None), urllib3.exceptions.NewConnectionError):
            raise NoConnection(f"there is no connection to {host}") from None
        raise Passing(f"the connection to {host} broke off") from None
    except urllib3.exceptions.HTTPError:
        raise Passing(f"the connection to {host} broke off") from None
    except requests.RequestException as error:
        raise Unreachable(f"{host} sends elsewhere: {error}") from None


def another(remote: Remote, size: str) -> ValueError:
    return ValueError(f"{remote.url} is another file than it was: it has {size} bytes, expected {remote.size:,}")
