"""How texts are fetched: servers that fail, other files, proxies, full disks, two processes at once."""

import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from fetching import TEXT, ZIP, entry, kept, zipped
from serving import Server, serving

from shakegen.text import named
from shakegen.text.named import Unreachable

ROOT = Path(__file__).parents[2]


def refusal(error: type[Exception]) -> str:
    """Why the text `mine` cannot be had, its server's address left out."""
    with pytest.raises(error) as raised:
        named.fetch_text("mine")
    host = named.NAMED["mine"].download.url.split("/")[2]
    return str(raised.value).replace(f"http://{host}", "URL").replace(host, "HOST")


@pytest.mark.parametrize("way", [500, 503, 429, "drop", ("cut", 100_000), ("stall", 100_000), ("stall", 0)])
def test_a_server_may_fail_for_a_while(offer, folder, way):
    server = offer(TEXT, way, way, "good", suffix=".txt")
    assert named.fetch_text("mine").read_bytes() == TEXT
    assert len(server.requests) == 3
    assert kept(folder) == ["mine.txt"]


def test_redirects_are_followed(offer):
    server = offer(TEXT, "elsewhere", suffix=".txt")
    assert named.fetch_text("mine").read_bytes() == TEXT
    assert server.requests == ["/file.txt", "/good"]


REFUSALS = {
    ("stall", 0): ("HOST sent nothing for 0.2 s", named.TRIES),
    ("stall", 100_000): ("HOST sent nothing for 0.2 s", named.TRIES),
    ("cut", 100_000): ("the connection to HOST broke off", named.TRIES),
    "drop": ("the connection to HOST broke off", named.TRIES),
    500: ("HOST answers 500 Internal Server Error", named.TRIES),
    404: ("HOST answers 404 Not Found", 1),
    "ftp": ("HOST sends elsewhere: No connection adapters were found for 'ftp://127.0.0.1/file'", 1),
    "loop": ("HOST redirects without end", 31),
}


@pytest.mark.parametrize(("way", "expected"), REFUSALS.items())
def test_servers_that_never_give_it_say_how_to_get_it_by_hand(offer, folder, way, expected):
    reason, requests = expected
    server = offer(ZIP * 4, way)
    line = f"mine cannot be fetched: {reason}; fetch URL/file.zip by hand and save it as {folder}/mine.zip"
    assert refusal(Unreachable) == line
    assert len(server.requests) == requests
    assert kept(folder) == []
    (folder / "mine.zip").write_bytes(b"another")
    assert refusal(Unreachable) == line + " (the file there now is another)"
    assert kept(folder) == ["mine.zip"]


@pytest.mark.parametrize(
    ("served", "way"),
    [(TEXT[::-1], "good"), (TEXT + b"!", "good"), (TEXT, ("unsized", 1000)), (TEXT * 100, ("unsized", None))],
    ids=["same size", "larger", "cut short unnoticed", "without end"],
)
def test_another_file_is_refused_and_leaves_nothing(offer, folder, served, way):
    server = offer(served, way, suffix=".txt", expected=TEXT)
    assert refusal(ValueError) == (
        f"URL/file.txt is not the file it was: expected {len(TEXT):,} bytes with the sha256 "
        f"{hashlib.sha256(TEXT).hexdigest()}; try again, or get mine elsewhere and save it as {folder}/mine.txt"
    )
    assert kept(folder) == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("inside", [TEXT[::-1], b"a" * 1_000_000])
def test_an_archive_of_another_text_leaves_no_text(offer, folder, inside):
    offer(zipped({"text": inside}))
    checksum = named.NAMED["mine"].checksum
    assert refusal(ValueError) == f"URL/file.zip does not hold mine: expected {len(TEXT):,} bytes of {checksum}"
    assert kept(folder) == ["mine.zip"]


def test_nobody_listens(folder, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setitem(named.NAMED, "mine", entry(f"http://{host}/file.txt", TEXT))
    monkeypatch.setattr(named, "PAUSE", 1000.0)  # who is offline need not wait
    assert refusal(Unreachable).startswith("mine cannot be fetched: there is no connection to HOST; fetch URL")


def test_the_proxy_of_the_environment_is_asked(folder, monkeypatch):
    server = Server(TEXT)
    monkeypatch.setitem(named.NAMED, "mine", entry("http://corpora.invalid/file.txt", TEXT))
    monkeypatch.setattr(named, "PAUSE", 1000.0)
    with serving(server) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        path = named.fetch_text("mine")
    assert path.read_bytes() == TEXT
    assert server.requests == ["http://corpora.invalid/file.txt"]
    path.unlink()
    assert refusal(Unreachable).startswith("mine cannot be fetched: the proxy gives no connection to HOST; fetch URL")


def refuse_socks(*_, **__):
    raise requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")  # as without PySocks


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "http://:9"])
def test_a_proxy_that_cannot_be_used_is_named(folder, monkeypatch, proxy):
    monkeypatch.setitem(named.NAMED, "mine", entry("http://corpora.invalid/file.txt", TEXT))
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setattr(requests.adapters, "SOCKSProxyManager", refuse_socks)
    assert refusal(Unreachable).startswith("mine cannot be fetched: the proxy cannot be used: ")


def test_a_cache_that_cannot_be_written(offer, folder):
    offer(TEXT, suffix=".txt")
    folder.parent.write_text("a file where the folder should be")
    assert refusal(OSError) == (
        f"cannot write {folder}/mine.txt (Not a directory): expected a file in a folder that has room and may be "
        "written to; try another place with SHAKEGEN_CACHE"
    )


FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
"""
PROCESS = """
import sys
from shakegen.text import load_corpus, named
url, size, sha256 = sys.argv[1], int(sys.argv[2]), sys.argv[3]
named.NAMED["mine"] = named.NamedText("a text", size, f"sha256:{sha256}", named.Download(url, size, sha256))
try:
    print(named.fetch_text("mine"))
except OSError as error:
    print(error)
"""


def start_process(address: str, before: str = "") -> subprocess.Popen:
    arguments = [f"{address}/file.txt", str(len(TEXT)), hashlib.sha256(TEXT).hexdigest()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", before + PROCESS, *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_full_disk_is_one_line_and_leaves_nothing(folder):
    """A limit on the size of files stands in for a full disk: the system refuses the write half-way."""
    with serving(Server(TEXT)) as address:
        assert start_process(address, FULL_DISK).communicate() == (
            f"cannot write {folder}/mine.txt (File too large): expected a file in a folder that has room and may be "
            "written to; try another place with SHAKEGEN_CACHE\n",
            "",
        )
    assert kept(folder) == []


def test_processes_that_fetch_at_once_do_it_once(folder):
    server = Server(TEXT)
    with serving(server) as address:
        both = [start_process(address) for _ in range(2)]
        assert [process.communicate() for process in both] == [(f"{folder}/mine.txt\n", "")] * 2
    assert (folder / "mine.txt").read_bytes() == TEXT
    assert len(server.requests) == 1
