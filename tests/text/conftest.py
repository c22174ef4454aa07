"""Fixtures of the tests of texts: the folder where fetched ones are kept, and a server on loopback."""

import pytest
from fetching import entry
from serving import Server, serving

from shakegen.text import named

STALLS = ("stall", 0), ("stall", 100_000)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder where fetched texts are kept; no pauses, and no proxy but those of the tests."""
    monkeypatch.setenv("SHAKEGEN_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(named, "PAUSE", 0.0)
    return tmp_path / "cache" / "corpora"


@pytest.fixture
def offer(folder, monkeypatch):
    """Serves a file by the name `mine`; `expected` may be another file. A server that stalls is left soon."""
    running = []

    def start(content: bytes, *plan, suffix=".zip", expected=None) -> Server:
        if any(way in plan for way in STALLS):
            monkeypatch.setattr(named, "TIMEOUT", 0.2)
        server = Server(content, *plan)
        running.append(serving(server))
        address = running[-1].__enter__()
        monkeypatch.setitem(named.NAMED, "mine", entry(f"{address}/file{suffix}", expected or content))
        return server

    yield start
    for server in running:
        server.__exit__(None, None, None)
