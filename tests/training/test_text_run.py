"""A run that options describe gets a model file of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shakegen.files import HeldError
from shakegen.model.hdf5_layout import SIGNATURE
from shakegen.training import begin_with_text
from shakegen.training.older_model import keep_copy, refuse_other_files

OPTIONS = {
    "encoding": "utf-8",
    "lowercase": False,
    "normalize": None,
    "vocabulary_size": None,
    "split": "0.8,0.1,0.1",
    "sample_seed": "\n",
    "sample_length": 0,
    "temperature": 0.8,
    "beam_width": None,
    "log_dir": None,
    "random_state": 0,
}
BEGIN = f"""
import time
from shakegen.training import begin_with_text
with begin_with_text(["my.txt"], {OPTIONS}, set()) as (beginning, _):
    print(beginning.out, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, poem):
    """An empty working folder, but for a text."""
    monkeypatch.chdir(tmp_path)
    Path("my.txt").write_text(poem, encoding="utf-8")
    return tmp_path


def begin(**options):
    return begin_with_text(["my.txt"], OPTIONS, set(), **options)


def test_runs_at_the_same_time_get_different_names_and_a_name_that_was_not_used_is_free_again():
    for _ in range(2):
        with begin() as (first, _), begin() as (second, _), begin() as (third, _):
            assert [one.out.name for one in (first, second, third)] == ["my-gru.h5", "my-gru-2.h5", "my-gru-3.h5"]
            second.out.write_bytes(b"its model")
        with begin() as (first, _), begin() as (third, _):
            assert [one.out.name for one in (first, third)] == ["my-gru.h5", "my-gru-3.h5"]
        assert os.listdir("models") == ["my-gru-2.h5"]
        Path("models/my-gru-2.h5").unlink()


def test_processes_hold_names_until_they_are_killed():
    processes = [subprocess.Popen([sys.executable, "-c", BEGIN], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    names = {process.stdout.readline() for process in processes}
    for process in processes:
        process.kill()
        process.communicate()
    assert names == {"models/my-gru.h5\n", "models/my-gru-2.h5\n"}
    with begin() as (beginning, _):
        assert beginning.out == Path("models/my-gru.h5")


def test_a_link_that_leads_nowhere_is_no_free_name():
    Path("models").mkdir()
    Path("models/my-gru.h5").symlink_to("nowhere")
    with begin() as (beginning, _):
        assert beginning.out.name == "my-gru-2.h5"


def test_a_file_that_another_run_writes_is_refused_and_left_alone():
    with begin(out=Path("m.h5")):
        Path("link.h5").symlink_to("m.h5")
        for name in ("m.h5", "link.h5"):
            with pytest.raises(HeldError) as error, begin(out=Path(name)):
                pass
            expected = f"another run writes {name}: wait for its end, or name another place with `out`"
            assert str(error.value) == expected
    with begin(out=Path("m.h5")):
        pass


def test_a_run_that_is_written_is_not_read_to_be_resumed():
    """Not even as the file is now: the other run would then write over what comes next."""
    with begin(out=Path("m.h5")):
        Path("m.h5").write_bytes(SIGNATURE + b"not whole yet")
        with pytest.raises(HeldError), begin(out=Path("m.h5"), resume=True):
            pass
    with pytest.raises(FileNotFoundError), begin(out=Path("folder/none.h5"), resume=True):
        pass
    assert not Path("folder").exists()


def test_a_model_that_is_there_already_is_to_be_kept_when_training_begins():
    Path("m.h5").touch(0o600)
    Path("m.h5").write_bytes(SIGNATURE + b"hours of work")
    with begin(out=Path("m.h5")) as (beginning, _):
        assert beginning.keeps_copy
        assert not Path("m.h5~").exists()
        keep_copy(beginning.out)
        beginning.out.write_bytes(b"new")
    assert Path("m.h5~").read_bytes() == SIGNATURE + b"hours of work"
    assert Path("m.h5~").stat().st_mode == Path("m.h5").stat().st_mode


def test_only_a_model_file_is_replaced_and_its_copy_is_as_private(tmp_path):
    diary, model, long = tmp_path / "diary.txt", tmp_path / "m.h5", tmp_path / f"{'y' * 252}.h5"
    diary.write_text("diary", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        refuse_other_files(diary)
    assert str(error.value) == f"{diary} is not a model file, it would be overwritten: name another file with `out`"
    (tmp_path / "m.h5~").touch(0o644)
    for path in model, long:
        path.write_bytes(SIGNATURE + b"rest")
        path.chmod(0o600)
        refuse_other_files(path)
        keep_copy(path)
    assert (tmp_path / "m.h5~").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.endswith("~")) == ["m.h5~", "y" * 252 + ".h~"]
