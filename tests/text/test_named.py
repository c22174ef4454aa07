"""Texts with a name: fetched once from a server on loopback, verified, unpacked, kept."""

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from serving import Server, serving

from shakegen.text import fetching, named
from shakegen.text.fetching import Remote, Unreachable

ROOT = Path(__file__).parents[2]
TEXT = "".join(f"line {k} of a text\n" for k in range(20_000)).encode()


def zipped(members: dict) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def entry(url: str, content: bytes, text: bytes = TEXT) -> named.NamedText:
    checksum = f"md5:{hashlib.md5(text).hexdigest()}"
    return named.NamedText(
        "a text", len(text), checksum, Remote(url, len(content), hashlib.sha256(content).hexdigest())
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder where fetched texts are kept; proxies of the environment would keep us from ours."""
    monkeypatch.setenv("SHAKEGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    return tmp_path / "cache" / "corpora"


@pytest.fixture
def offer(folder, monkeypatch):
    """Serves a file, and gives it the name `mine`."""
    with_server = []

    def offering(content: bytes, *plan, suffix=".zip", text=TEXT) -> Server:
        server = Server(content, *plan)
        running = serving(server)
        address = running.__enter__()
        with_server.append(running)
        monkeypatch.setitem(named.NAMED, "mine", entry(f"{address}/file{suffix}", content, text))
        return server

    yield offering
    for running in with_server:
        running.__exit__(None, None, None)


def kept(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


@pytest.mark.parametrize(("suffix", "content"), [(".txt", TEXT), (".zip", zipped({"any name": TEXT}))])
def test_a_text_is_fetched_once_and_kept(offer, folder, suffix, content):
    server = offer(content, suffix=suffix)
    assert not named.is_here("mine")
    for _ in range(3):
        path = named.get("mine")
    assert named.get("mine", verify=True) == path == named.place_of("mine") == folder / "mine.txt"
    assert path.read_bytes() == TEXT
    assert kept(folder) == ["mine.txt"]
    assert len(server.requests) == 1
    assert named.is_here("mine")


def test_a_damaged_text_is_fetched_again(offer, folder):
    server = offer(zipped({"text": TEXT}))
    path = named.get("mine")
    path.write_bytes(TEXT[:-1])
    assert named.get("mine").read_bytes() == TEXT, "another size is noticed at once"
    path.write_bytes(TEXT[::-1])
    assert named.get("mine", verify=True).read_bytes() == TEXT, "other bytes once they are verified"
    assert len(server.requests) == 3


@pytest.mark.parametrize("name", ["mine.zip", "mine.txt"])
def test_a_file_that_was_put_there_by_hand_is_used(offer, folder, name):
    server = offer(zipped({"text": TEXT}), 404)
    folder.mkdir(parents=True)
    (folder / name).write_bytes(server.content if name == "mine.zip" else TEXT)
    assert named.get("mine", verify=True).read_bytes() == TEXT
    assert server.requests == []


def test_what_cannot_be_fetched_says_how_to_get_it_by_hand(offer, folder):
    server = offer(zipped({"text": TEXT}), 404)
    url = named.NAMED["mine"].remote.url
    line = (
        f"mine cannot be fetched: {url.split('/')[2]} answers 404 Not Found; "
        f"fetch {url} by hand and save it as {folder}/mine.zip"
    )
    with pytest.raises(Unreachable) as error:
        named.get("mine")
    assert str(error.value) == line
    (folder / "mine.zip").write_bytes(server.content[:-1])
    with pytest.raises(Unreachable) as error:
        named.get("mine")
    assert str(error.value) == line + " (the file there now is another)"
    assert kept(folder) == ["mine.zip"]


ANOTHER = "what URL/file.zip holds is not mine: expected "
ARCHIVES = {
    "bomb": (zipped({"text": b"a" * 50_000_000}), ANOTHER),
    "two members": (zipped({"a": TEXT, "b": TEXT}), ANOTHER),
    "no archive": (TEXT[::-1], ANOTHER),
    "out of the archive": (zipped({"../x": TEXT}), "PLACE/mine.zip has a member '../x', which is no plain name: "),
    "damaged": (zipped({"a": TEXT})[:-9], "PLACE/mine.zip is damaged: File is not a zip file; expected "),
}


@pytest.mark.parametrize(("content", "message"), ARCHIVES.values(), ids=ARCHIVES)
def test_archives_with_something_else_in_them_leave_nothing_behind(offer, folder, content, message):
    offer(content)
    address = named.NAMED["mine"].remote.url.removesuffix("/file.zip")
    with pytest.raises(ValueError) as raised:
        named.get("mine")
    assert str(raised.value).replace(address, "URL").replace(str(folder), "PLACE").startswith(message)
    assert [path.name for path in folder.parent.parent.iterdir()] == ["cache"]
    assert not {"mine.txt", "mine.txt.part"} & set(kept(folder))


def test_a_cache_that_cannot_be_written(offer, folder):
    offer(TEXT, suffix=".txt")
    folder.parent.write_text("a file where the folder should be")
    with pytest.raises(OSError, match="mine cannot be kept") as error:
        named.get("mine")
    assert str(error.value) == (
        f"mine cannot be kept in {folder}: Not a directory; "
        "set SHAKEGEN_CACHE to a folder with room for it that can be written to"
    )


PROCESS = """
import sys
from shakegen.text import fetching
from shakegen.text import named
url, size, sha256 = sys.argv[1], int(sys.argv[2]), sys.argv[3]
named.NAMED["mine"] = named.NamedText("a text", size, f"sha256:{sha256}", fetching.Remote(url, size, sha256))
print(named.get("mine"))
"""


def test_processes_that_fetch_at_once_do_it_once(folder):
    server = Server(TEXT, ("cut", 100_000), "good")
    with serving(server) as address:
        arguments = [f"{address}/file.txt", str(len(TEXT)), hashlib.sha256(TEXT).hexdigest()]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", PROCESS, *arguments]
        both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        assert [process.communicate()[0] for process in both] == [f"{folder}/mine.txt\n"] * 2
    assert (folder / "mine.txt").read_bytes() == TEXT
    assert [asked for _, asked in server.requests] == [None, "bytes=100000-"]


def test_names_that_are_none(folder):
    for ask in (named.get, named.place_of, named.is_here):
        with pytest.raises(ValueError) as error:
            ask("bible")
        assert str(error.value) == "there is no corpus 'bible': expected one of sonnets, tinyshakespeare, text8"


def test_the_bundled_text_is_what_the_table_says(folder):
    text = named.NAMED["sonnets"]
    path = named.get("sonnets")
    assert named.is_here("sonnets")
    assert path.stat().st_size == text.size
    assert f"sha256:{fetching.checksum(path)}" == text.checksum


def test_every_text_to_fetch_is_pinned():
    for text in named.NAMED.values():
        if text.remote is not None:
            assert len(bytes.fromhex(text.remote.sha256)) == 32
            assert text.remote.size <= text.size
            assert Path(text.remote.url).suffix in (".txt", ".zip")
