"""What Windows forbids is not done: no open file is renamed, replaced or deleted, and no module of POSIX is needed."""

import mmap
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import windows
from commands import FAST
from fetching import TEXT, ZIP, entry
from serving import Server, serving

from shakegen import files, load_corpus
from shakegen.text import corpus, id_cache, named
from shakegen.text.named import data_folder


@pytest.fixture
def strict(monkeypatch, tmp_path, cache_folder):
    """Obey the rules of Windows; at the end, it must allow all names and files."""
    windows.obey(monkeypatch)
    yield
    left = [path.name for folder in (tmp_path, cache_folder) for path in folder.rglob("*")]
    assert [name for name in left if not windows.is_allowed(name) or name.endswith(".part")] == []


@pytest.mark.parametrize(
    ("name", "allowed"),
    {
        "my-gru.h5": True, "my.h5~": True, "connect.txt": True, "COM0x": True, ".cache": True,
        "nlstm:depth=3.h5": False, "what?.h5": False, "end.": False, "end ": False, "CON": False, "nul.h5": False,
        "Com1.txt": False,
    }.items(),
)  # fmt: skip
def test_windows_forbids_some_names(name, allowed):
    assert windows.is_allowed(name) == allowed


def test_the_rules_refuse_what_windows_would(strict, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for path in old, new:
        path.write_bytes(b"content")
    for one in old, new:
        with one.open("rb"), pytest.raises(PermissionError):
            os.replace(old, new)
        with one.open("rb"), pytest.raises(PermissionError):
            one.unlink()
        with one.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        with mapped, pytest.raises(PermissionError):
            old.rename(new)
    with pytest.raises(PermissionError):
        old.rename(tmp_path / "a:b")
    old.replace(new)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_training_its_checkpoints_and_its_copies(strict, shakegen, poem_file):
    shutil.copy(data_folder("models") / "sonnets-rnn.h5", "fine.h5")  # which is kept as fine.h5~
    fast = [*FAST, "--units", 4, "--checkpoint-every", 0.0001, "--log-dir", "logs"]
    for more in (["--out", "m.h5"], ["--out", "m.h5", "--resume"], ["--finetune", "m.h5", "--out", "fine.h5"]):
        done = shakegen("train", poem_file.name, *fast, "--epochs", 1 + ("--resume" in more), *more)
        assert (done.exit_code, done.stderr.count("Warning")) == (0, 0), done.stderr
    assert {path.name for path in Path().glob("*.h5*")} == {"m.h5", "fine.h5", "fine.h5~"}


@pytest.mark.parametrize(
    "command",
    [
        ("compress", "poem.txt", "-m", "char.h5"),
        ("page", "char.h5", "--out", "page.html"),
        ("plot", "char.h5", "--out", "plot.svg"),
        ("export", "char.h5", "--to", "safetensors", "--out", "char.safetensors"),
        ("export", "char.h5", "--to", "onnx", "--out", "char.onnx"),
    ],
    ids=" ".join,
)
def test_commands_that_write_files(strict, shakegen, random_model, poem_file, command):
    random_model().save(Path("char.h5"))
    poem_file.write_text("a text\nof two lines", encoding="utf-8")
    for _ in range(2 - (command[0] == "compress")):  # the second time, the file is there
        assert shakegen(*command).exit_code == 0


def test_texts_are_fetched_and_their_ids_cached(strict, monkeypatch):
    monkeypatch.setattr(corpus, "LEAST_CACHED", 1000)
    with serving(Server(ZIP)) as address:
        monkeypatch.setitem(named.NAMED, "mine", entry(f"{address}/file.zip", ZIP))
        first = load_corpus("mine")
    again = load_corpus("mine")
    assert (len(first.ids), again.sha256) == (len(TEXT), first.sha256)
    assert len(list(id_cache.folder().iterdir())) == 1


def test_a_cache_that_is_in_use_is_no_error(strict, monkeypatch):
    """On Windows another process that has mapped a file keeps it."""
    monkeypatch.setattr(id_cache, "LIMIT", 10)
    id_cache.folder().mkdir(parents=True)
    kept, other = id_cache.folder() / "kept", id_cache.folder() / "other"
    for path in kept, other:
        path.write_bytes(b"more than ten bytes")
    with kept.open("rb"):
        id_cache.prune(id_cache.folder())
        assert sorted(id_cache.folder().iterdir()) == [kept]


@pytest.mark.parametrize("patience", [0.0, 60.0])
def test_a_file_that_another_program_reads_is_replaced_once_it_is_closed(strict, monkeypatch, tmp_path, patience):
    monkeypatch.setattr(files, "PATIENCE", patience)
    path = tmp_path / "model.h5"
    path.write_bytes(b"old")
    reader, tried, rename = path.open("rb"), threading.Event(), os.replace
    monkeypatch.setattr(os, "replace", lambda *names: tried.set() or rename(*names))
    closing = threading.Thread(target=lambda: tried.wait() and reader.close())
    if patience:
        closing.start()
        files.write_whole(path, b"new")
        closing.join()
    else:
        with reader, pytest.raises(OSError, match=rf"^cannot write {path} \({windows.USED}\): "):
            files.write_whole(path, b"new")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"new" if patience else b"old", [path])


WITHOUT_POSIX = """
import click, filelock, h5py, numpy, os, platformdirs, requests, rich, select, signal, sys, tempfile, threadpoolctl
for module in ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"):
    sys.modules[module] = None
for module, names in {
    signal: "SIGHUP SIGKILL SIGQUIT SIGALRM SIGUSR1 SIGPIPE SIGTSTP SIGCONT pthread_sigmask alarm setitimer",
    os: "fork getuid geteuid getgid chown mkfifo O_NOFOLLOW O_NONBLOCK sched_getaffinity killpg getpgid setsid",
    select: "poll epoll",
}.items():
    for name in names.split():
        delattr(module, name)
sys.modules["keras"] = sys.modules["tensorflow"] = None
import pkgutil, shakegen
from shakegen.cli import main
needing = set()
for room in "cells cli compare compression inference lab model plotting sampling study text".split():
    for one in pkgutil.walk_packages([f"{shakegen.__path__[0]}/{room}"], f"shakegen.{room}."):
        try:
            __import__(one.name)
        except ModuleNotFoundError as error:
            if error.name.partition(".")[0] not in ("keras", "tensorflow"):
                raise
            needing.add(one.name.removeprefix("shakegen."))
lab = {f"lab.{name}" for name in ("backpropagation", "clipping", "fitting", "gauss_newton")}
assert needing == {*lab, "model.adapting"}, needing
for words in sys.argv[1:]:
    main(words.split(), standalone_mode=False)
"""


def test_what_needs_no_tensorflow_needs_no_module_of_posix(tmp_path):
    (tmp_path / "my.txt").write_text("shall i compare thee", encoding="utf-8")
    words = ["sample --length 5 -q", "models list", "compress my.txt -m sonnets-rnn -q", "decompress my.txt.shk -o b"]
    command = [sys.executable, "-c", WITHOUT_POSIX, *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b").read_bytes() == (tmp_path / "my.txt").read_bytes()
