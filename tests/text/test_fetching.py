"""Files from a server on loopback that serves them well and badly."""

import hashlib
import socket

import pytest
from serving import Server, serving

from shakegen.text import fetching
from shakegen.text.fetching import Remote, Unreachable, fetch

CONTENT = bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No pauses, short time-outs, and no proxy but those of the tests."""
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    monkeypatch.setattr(fetching, "TIME_OUT", 0.2)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def remote_of(address: str, content: bytes = CONTENT) -> Remote:
    return Remote(f"{address}/some.file", len(content), hashlib.sha256(content).hexdigest())


def fetched(path, *plan, content=CONTENT):
    """Fetch a file that should come in the end; gives the requests that it took."""
    server = Server(CONTENT, *plan)
    with serving(server) as address:
        fetch(remote_of(address, content), path)
    assert path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    return server.requests


def fails(path, error, *plan, served=CONTENT):
    """Fetch a file that never comes; gives the message, with the server's address left out, and the requests."""
    server = Server(served, *plan)
    with serving(server) as address, pytest.raises(error) as raised:
        fetch(remote_of(address), path)
    assert not path.exists()
    return str(raised.value).replace(address, "URL").replace(address.removeprefix("http://"), "HOST"), server.requests


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def test_a_file_comes_in_one_request_and_progress_is_told(path):
    told = []
    with serving(Server(CONTENT)) as address:
        fetch(remote_of(address), path, told.append)
    assert path.read_bytes() == CONTENT
    assert told == sorted(told)
    assert told[-1] == len(CONTENT)


@pytest.mark.parametrize("way", ["cut", "stall", "unsized"])
def test_what_broke_off_is_resumed_where_it_ended(path, way):
    requests = fetched(path, (way, 100_000), (way, 50_000), "good")
    assert [asked for _, asked in requests] == [None, "bytes=100000-", "bytes=150000-"]


def test_what_an_earlier_run_left_is_gone_on_from(path):
    path.with_name("file.part").write_bytes(CONTENT[:1000])
    assert fetched(path) == [("/some.file", "bytes=1000-")]


@pytest.mark.parametrize("left", [b"of another file", CONTENT[::-1], CONTENT + b"more"])
def test_what_was_left_of_another_file_is_fetched_anew(path, left):
    path.with_name("file.part").write_bytes(left)
    assert fetched(path)[-1] == ("/some.file", None)


def test_a_server_that_knows_no_ranges_sends_all_again(path):
    requests = fetched(path, ("cut", 1000), "no-range")
    assert [asked for _, asked in requests] == [None, "bytes=1000-"]


@pytest.mark.parametrize("way", [500, 503, 429, "drop", 416])
def test_a_server_may_fail_for_a_while(path, way):
    assert len(fetched(path, way, way, way, "good")) == 4


def test_redirects_are_followed(path):
    assert [place for place, _ in fetched(path, "elsewhere")] == ["/some.file", "/good"]


def test_tries_that_bring_something_may_be_many(path):
    assert len(fetched(path, *[("cut", 10_000)] * 20, "good")) == 21


def test_tries_that_bring_nothing_end(path):
    message, requests = fails(path, Unreachable, ("cut", 1000))
    assert message == "the connection to HOST broke off"
    assert len(requests) == fetching.TRIES
    assert path.with_name("file.part").stat().st_size == 1000 * fetching.TRIES


REFUSALS = {
    ("stall", 0): ("HOST sent nothing for 0.2 s", fetching.TRIES),
    "drop": ("the connection to HOST broke off", fetching.TRIES),
    500: ("HOST answers 500 Internal Server Error", fetching.TRIES),
    404: ("HOST answers 404 Not Found", 1),
    "ftp": ("HOST sends elsewhere: No connection adapters were found for 'ftp://127.0.0.1/file'", 1),
    "loop": ("HOST redirects without end", 31),
}


@pytest.mark.parametrize(("way", "expected"), REFUSALS.items())
def test_servers_that_never_give_it(path, way, expected):
    message, requests = fails(path, Unreachable, way)
    assert (message, len(requests)) == expected


def test_another_file_of_the_same_size_is_refused(path):
    other = CONTENT[::-1]
    message, _ = fails(path, ValueError, served=other)
    assert message == (
        f"URL/some.file is another file than it was: its sha256 is {hashlib.sha256(other).hexdigest()}, "
        f"expected {hashlib.sha256(CONTENT).hexdigest()}"
    )
    assert list(path.parent.iterdir()) == []


def test_another_size_is_refused_before_a_byte_is_kept(path):
    message, _ = fails(path, ValueError, served=CONTENT + b"!")
    assert message == "URL/some.file is another file than it was: it has 256,001 bytes, expected 256,000"
    assert list(path.parent.iterdir()) == []


def test_a_server_that_never_ends_is_left_at_the_size_expected(path):
    message, _ = fails(path, ValueError, ("unsized", None), served=CONTENT * 100)
    assert message == "URL/some.file is another file than it was: it has more than 256,000 bytes, expected 256,000"
    assert list(path.parent.iterdir()) == []


def test_nobody_listens(path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unreachable) as error:
        fetch(remote_of(f"http://{host}"), path)
    assert str(error.value) == f"there is no connection to {host}"


def test_the_proxy_of_the_environment_is_asked(path, monkeypatch):
    server = Server(CONTENT)
    with serving(server) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        fetch(remote_of("http://corpora.invalid"), path)
    assert path.read_bytes() == CONTENT
    assert server.requests == [("http://corpora.invalid/some.file", None)]
    path.unlink()
    with pytest.raises(Unreachable) as error:
        fetch(remote_of("http://corpora.invalid"), path)
    assert str(error.value) == "the proxy gives no connection to corpora.invalid"
