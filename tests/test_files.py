"""A file is written whole or not at all, in the place, with the mode and for the links that it has."""

import os
import stat
import subprocess
import sys
import threading

import pytest

from shakegen import files

ADVICE = "expected a file in a folder that has room and may be written to; try another place with `out`"


def mode_of(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_a_file_keeps_its_mode_and_a_new_one_has_that_of_any_new_file(tmp_path, mode):
    path, other = tmp_path / "model.h5", tmp_path / "other"
    other.write_bytes(b"")
    files.write_whole(path, b"old")
    assert mode_of(path) == mode_of(other)
    path.chmod(mode)
    files.write_whole(path, b"new")
    assert (path.read_bytes(), mode_of(path)) == (b"new", mode)


def test_a_private_file_is_private_while_it_is_written(tmp_path):
    path = tmp_path / "model.h5"
    path.touch(0o600)
    with files.replacing(path) as file:
        file.write(b"secret")
        file.flush()
        assert {mode_of(one) for one in tmp_path.iterdir()} == {0o600}


def test_links_stay_and_the_file_behind_them_is_replaced(tmp_path):
    far = tmp_path / "far" / "model.h5"
    far.parent.mkdir()
    (tmp_path / "near").symlink_to("second")
    (tmp_path / "second").symlink_to(far)
    for content in (b"new", b"newer"):  # at first the file is not there
        files.ensure_writable(tmp_path / "near")
        files.write_whole(tmp_path / "near", content)
        assert (tmp_path / "near").is_symlink()
        assert (tmp_path / "second").is_symlink()
        assert not far.is_symlink()
        assert far.read_bytes() == content
    assert [path.name for path in far.parent.iterdir()] == ["model.h5"]


def test_a_trial_leaves_no_folder_behind(tmp_path):
    files.ensure_writable(tmp_path / "new" / "newer" / "model.h5")
    assert not list(tmp_path.iterdir())


WRITES = pytest.mark.parametrize("act", [files.ensure_writable, lambda path: files.write_whole(path, b"new")])


@WRITES
def test_a_folder_that_cannot_be_is_refused(tmp_path, act):
    (tmp_path / "file").touch()
    (tmp_path / "model.h5").mkdir()
    for folder, reason in (("x" * 256, "File name too long"), ("file", "File exists"), (".", "Is a directory")):
        path = tmp_path / folder / "model.h5"
        with pytest.raises(OSError) as error:
            act(path)
        assert str(error.value) == f"cannot write {path} ({reason}): {ADVICE}"


@WRITES
def test_pipes_devices_and_links_in_a_circle_are_refused(tmp_path, act):
    pipe, circle, device = tmp_path / "pipe", tmp_path / "circle", tmp_path / "device"
    os.mkfifo(pipe)
    circle.symlink_to(circle)
    device.symlink_to("/dev/null")
    reasons = {pipe: "a pipe or a device", device: "a pipe or a device", circle: "Too many levels of symbolic links"}
    for path, reason in reasons.items():
        before = path.lstat()
        with pytest.raises(OSError) as error:
            act(path)
        assert str(error.value) == f"cannot write {path} ({reason}): {ADVICE}"
        assert path.lstat().st_ino == before.st_ino
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("name", ["x" * 255, os.fsdecode(("ä" * 127).encode()), "x" * 234])
def test_a_name_may_be_as_long_as_any(tmp_path, name):
    path = tmp_path / name
    files.ensure_writable(path)
    with files.holding(path):
        files.write_whole(path, b"model")
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_the_mask_of_the_process_is_left_alone(tmp_path):
    """Files that other threads make meanwhile have the mode that they should have."""
    over, modes = threading.Event(), set()

    def make_others():
        while not over.is_set():
            (tmp_path / "other").touch()
            modes.add(mode_of(tmp_path / "other"))
            (tmp_path / "other").unlink()

    before = os.umask(0o027)
    try:
        thread = threading.Thread(target=make_others)
        thread.start()
        for number in range(200):
            files.write_whole(tmp_path / f"{number}", b"model")
        over.set()
        thread.join()
    finally:
        assert os.umask(before) == 0o027
    assert modes == {0o640}


def test_an_error_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes(b"old")
    for place in path, tmp_path / "new" / "newer" / "model.h5":
        with pytest.raises(TypeError), files.replacing(place) as file:
            file.writelines([b"new", None])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_closed_when_it_is_renamed_and_its_folder_is_synced(tmp_path, monkeypatch):
    calls, replace, sync = [], os.replace, os.fsync

    def watch_replace(old, new):
        calls.append("replace")
        assert file.closed
        replace(old, new)

    def watch_sync(descriptor):
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    monkeypatch.setattr(os, "replace", watch_replace)
    monkeypatch.setattr(os, "fsync", watch_sync)
    with files.replacing(tmp_path / "model.h5") as file:
        file.write(b"model")
    assert calls == ["file", "replace", "folder"]


HOLD = """
import sys, time
from pathlib import Path
from shakegen import files
with files.holding(Path(sys.argv[1])), files.temporary_beside(Path(sys.argv[1])):
    print("holding", flush=True)
    time.sleep(600)
"""


def test_a_file_is_held_by_one_process_until_that_ends_or_is_killed(tmp_path):
    path = tmp_path / "model.h5"
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "holding\n"
            with pytest.raises(files.HeldError) as error, files.holding(path):
                pass
            assert len(list(tmp_path.iterdir())) == 2
        finally:
            process.kill()
    assert str(error.value) == (f"another run writes {path}: wait for its end, or name another place with `out`")
    for _ in range(2):
        with files.holding(path):
            assert [one.suffix for one in tmp_path.iterdir()] == [".lock"], "what a killed run left is removed"
        assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_read_is_not_written_to_by_any_name(tmp_path):
    text, link = tmp_path / "text.txt", tmp_path / "link.txt"
    text.write_text("a text", encoding="utf-8")
    os.link(text, link)
    for path in text, link:
        with pytest.raises(ValueError) as error:
            files.refuse_same(path, ["sonnets", str(text)])
        assert str(error.value) == f"{path} is read, it would be overwritten: name another file with `out`"
    files.refuse_same(tmp_path / "other.txt", [str(text)])
