"""Texts with a name: fetched once from a server on loopback, verified, unpacked, kept."""

import contextlib
import hashlib
import io
import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from serving import Server, serving

from shakegen.text import load_corpus, named
from shakegen.text.named import Download, NamedText, Unreachable

ROOT = Path(__file__).parents[2]
TEXT = "".join(f"line {k} of a text\n" for k in range(20_000)).encode()


def zipped(members: dict) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


ZIP = zipped({"any name": TEXT})


def entry(url: str, content: bytes, text: bytes = TEXT) -> NamedText:
    checksum = f"md5:{hashlib.md5(text).hexdigest()}"
    return NamedText("a text", len(text), checksum, Download(url, len(content), hashlib.sha256(content).hexdigest()))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder where fetched texts are kept; no pauses, short time-outs, and no proxy but those of the tests."""
    monkeypatch.setenv("SHAKEGEN_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(named, "PAUSE", 0.0)
    monkeypatch.setattr(named, "TIMEOUT", 0.2)
    return tmp_path / "cache" / "corpora"


@pytest.fixture
def offer(folder, monkeypatch):
    """Serves a file, and gives it the name `mine`; what is `expected` may be another file."""
    running = []

    def start(content: bytes, *plan, suffix=".zip", expected=None) -> Server:
        server = Server(content, *plan)
        running.append(serving(server))
        address = running[-1].__enter__()
        monkeypatch.setitem(named.NAMED, "mine", entry(f"{address}/file{suffix}", expected or content))
        return server

    yield start
    for server in running:
        server.__exit__(None, None, None)


def kept(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def refusal(error: type[Exception]) -> str:
    """Why the text `mine` cannot be had, its server's address left out."""
    with pytest.raises(error) as raised:
        named.fetch_text("mine")
    host = named.NAMED["mine"].download.url.split("/")[2]
    return str(raised.value).replace(f"http://{host}", "URL").replace(host, "HOST")


@pytest.mark.parametrize(("suffix", "content"), [(".txt", TEXT), (".zip", ZIP)])
def test_a_text_is_fetched_once_and_kept(offer, folder, suffix, content):
    server = offer(content, suffix=suffix)
    assert not named.is_here("mine")
    for _ in range(3):
        path = named.fetch_text("mine")
    assert named.fetch_text("mine", verify=True) == path == named.locate_text("mine") == folder / "mine.txt"
    assert path.read_bytes() == TEXT
    assert kept(folder) == ["mine.txt"]
    assert len(server.requests) == 1
    assert named.is_here("mine")
    (folder / "new").touch()
    assert path.stat().st_mode == (folder / "new").stat().st_mode, "all users of the folder can read it"


def test_a_damaged_text_is_fetched_again(offer, folder):
    server = offer(ZIP)
    path = named.fetch_text("mine")
    path.write_bytes(TEXT[:-1])
    assert named.fetch_text("mine").read_bytes() == TEXT, "another size is noticed at once"
    path.write_bytes(TEXT[::-1])
    assert named.fetch_text("mine", verify=True).read_bytes() == TEXT, "other bytes once they are verified"
    assert len(server.requests) == 3


@pytest.mark.parametrize("name", ["mine.zip", "mine.txt"])
def test_a_file_that_was_put_there_by_hand_is_used(offer, folder, name):
    server = offer(ZIP, 404)
    folder.mkdir(parents=True)
    (folder / name).write_bytes(ZIP if name == "mine.zip" else TEXT)
    assert named.fetch_text("mine", verify=True).read_bytes() == TEXT
    assert server.requests == []


def test_progress_is_shown_up_to_the_size(offer, monkeypatch):
    shown = []
    monkeypatch.setattr(named, "progress_bar", lambda *_: contextlib.nullcontext(shown.append))
    offer(TEXT, suffix=".txt")
    named.fetch_text("mine")
    assert shown == sorted(shown)
    assert len(shown) > 2
    assert shown[-1] == len(TEXT)


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


def test_what_fetches_is_loaded_only_to_fetch():
    code = (
        "import sys; from shakegen.text import catalog, named; named.fetch_text('sonnets')\n"
        "print({'pooch', 'requests', 'urllib3', 'filelock', 'rich'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout == "set()\n"


def test_names_that_are_none(folder):
    for ask in (named.fetch_text, named.locate_text, named.is_here):
        with pytest.raises(ValueError) as error:
            ask("bible")
        assert str(error.value) == "there is no corpus 'bible': expected one of sonnets, tinyshakespeare, text8"


def test_the_bundled_text_is_what_the_table_says(folder):
    text, path = named.NAMED["sonnets"], named.fetch_text("sonnets")
    assert named.is_here("sonnets")
    assert path.stat().st_size == text.size
    assert named.matches(path.read_bytes(), text)


def test_every_text_to_fetch_is_pinned():
    for text in named.NAMED.values():
        if text.download is not None:
            assert len(bytes.fromhex(text.download.sha256)) == 32
            assert text.download.size <= text.size
            assert Path(text.download.url).suffix in (".txt", ".zip")


def test_a_path_is_a_file_and_a_name_is_a_corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sonnets").write_text("my own text\n" * 10)
    Path("-").write_text("my own text\n" * 10)
    for place in (Path("sonnets"), Path("./sonnets"), "./sonnets", tmp_path / "sonnets", Path("-"), "./-"):
        assert load_corpus(place).characters == 120
        assert load_corpus([place, place]).characters == 240
    assert load_corpus("sonnets").characters == named.NAMED["sonnets"].size
    Path("sonnets").unlink()
    with pytest.raises(FileNotFoundError, match="no file sonnets: "):
        load_corpus(Path("sonnets"))
