"""All benchmarks are run in parts, and no output is made twice."""

import os
import time

import pytest

FAST = ["fast.py", "1"]


@pytest.fixture
def scripts(tmp_path, monkeypatch, benchmarks):
    """A folder of scripts: one prints, one fails, one starts another process and takes long."""
    monkeypatch.setattr(benchmarks, "ROOT", tmp_path)
    (tmp_path / "fast.py").write_text("import sys; print('figure', sys.argv[1])", encoding="utf-8")
    (tmp_path / "wrong.py").write_text("raise ValueError('no such text')", encoding="utf-8")
    slow = "import subprocess; p = subprocess.Popen(['sleep', '60']); open('pid', 'w').write(str(p.pid)); p.wait()"
    (tmp_path / "slow.py").write_text(slow, encoding="utf-8")
    return tmp_path


def test_commands_are_those_of_a_page_without_what_the_reader_has_to_name(benchmarks):
    page = "    python benchmarks/a.py x --b 1 \\\n        2\n\n`python\nbenchmarks/c.py MODEL --d`\n"
    assert benchmarks.find_commands([page, page]) == [["benchmarks/a.py", "x", "--b", "1", "2"]]


def test_a_part_goes_on_after_the_one_before(scripts, benchmarks, capsys):
    folder = scripts / "outputs"
    assert benchmarks.run_part([FAST], folder, 60)
    (output,) = folder.glob("*.txt")
    machine, command, _, figure = output.read_text(encoding="utf-8").splitlines()
    assert (machine, command, figure) == (benchmarks.name_machine(), "python fast.py 1", "figure 1")
    assert f"{os.cpu_count()} cores" in machine
    output.write_text("kept", encoding="utf-8")
    assert benchmarks.run_part([FAST], folder, 60)
    assert output.read_text(encoding="utf-8") == "kept"
    assert not benchmarks.run_part([FAST, ["fast.py", "2"]], folder, 0)
    assert capsys.readouterr().out == "1 of 1: python fast.py 1\n"


def test_a_failure_is_told_and_the_next_command_runs(scripts, benchmarks, capsys):
    assert not benchmarks.run_part([["wrong.py"], FAST], scripts / "outputs", 60)
    assert [path.name for path in (scripts / "outputs").glob("*.txt")] == ["fast.py_1.txt"]
    assert "It failed: ValueError: no such text\n" in capsys.readouterr().out


def test_a_command_that_takes_longer_than_the_part_ends_with_all_that_it_started(scripts, benchmarks, capsys):
    folder = scripts / "outputs"
    assert not benchmarks.run_part([["slow.py"], FAST], folder, 1)
    assert not list(folder.glob("*.txt"))
    assert capsys.readouterr().out.endswith(
        "The part of 0.0166667 minutes is over: this command was stopped. Start again to go on.\n"
    )
    started = int((folder / "pid").read_text())
    end = time.monotonic() + 10
    while is_running(started) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(started)


def is_running(process):
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as about:
            return about.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
