"""All benchmarks are run in parts, and no output is made twice."""

import argparse
import importlib
import os
import re
import runpy
import sys
import time

import pytest

FAST = ["fast.py", "1"]
# Its second process fails the first time that it runs.
TWO = """
import sys
from pathlib import Path
sys.path.append(sys.argv[1])
from measuring import print_result, run_alone
if len(sys.argv) == 2:
    print([run_alone(__file__, sys.argv[1], number) for number in (1, 2)])
else:
    log = Path("log")
    log.write_text((log.read_text() if log.exists() else "") + sys.argv[2])
    if log.read_text() == "12":
        raise ValueError("stopped")
    print_result(sys.argv[2])
"""


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


def test_the_list_has_every_benchmark_and_no_other_script(benchmarks, root):
    scripts = {path.name for path in (root / "benchmarks").glob("*.py")} - benchmarks.MEASURES_NOTHING
    assert {script for script, *_ in benchmarks.list_all()} == {f"benchmarks/{name}" for name in scripts}


def test_the_cost_of_the_loop_is_printed(root, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["loop.py", "--units", "4", "--layers", "1", "--rounds", "1", "--steps", "2"])
    monkeypatch.syspath_prepend(root / "benchmarks")
    runpy.run_path(str(root / "benchmarks" / "loop.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert re.fullmatch(r"loop [\d.]+ ms \| bare step [\d.]+ ms \| bare step / loop [\d.]+\n", said)


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


def test_what_a_command_had_measured_is_not_measured_again(scripts, benchmarks, root):
    (scripts / "two.py").write_text(TWO, encoding="utf-8")
    folder, command = scripts / "outputs", ["two.py", str(root / "benchmarks")]
    assert [benchmarks.run_part([command], folder, 60) for _ in range(2)] == [False, True]
    assert (folder / "log").read_text() == "122"
    (output,) = folder.glob("*.txt")
    assert output.read_text(encoding="utf-8").endswith("\n\n[[1.0], [2.0]]\n")
    assert not list(folder.glob("*.parts"))


@pytest.mark.parametrize("later", [0, 18], ids=["", "and a later figure of newer code"])
def test_what_was_measured_of_older_code_is_measured_again(scripts, benchmarks, root, later):
    (scripts / "two.py").write_text(TWO, encoding="utf-8")
    folder, command = scripts / "outputs", ["two.py", str(root / "benchmarks")]
    assert not benchmarks.run_part([command], folder, 60)
    (scripts / "shakegen").mkdir()
    (scripts / "shakegen" / "new.py").touch()
    os.utime(scripts / "shakegen" / "new.py", (time.time() + 9,) * 2)
    (parts,) = folder.glob("*.parts")
    os.utime(parts, (time.time() + later,) * 2)
    assert benchmarks.run_part([command], folder, 60)
    assert (folder / "log").read_text() == "1212"


def test_a_command_that_takes_longer_than_the_part_ends_with_all_that_it_started(scripts, benchmarks, capsys):
    folder = scripts / "outputs"
    assert not benchmarks.run_part([["slow.py"], FAST], folder, 3)
    assert not list(folder.glob("*.txt"))
    assert capsys.readouterr().out.endswith(
        "The part of 0.05 minutes is over: this command was stopped. Start again to go on.\n"
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


def test_figures_of_other_windows_are_not_shown_for_those_asked_for(root, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(root / "benchmarks")
    quality = importlib.import_module("quality")
    (tmp_path / "abc-0.9-0.1-0-3-0.json").write_text('{"draws": 100}', encoding="utf-8")
    given = argparse.Namespace(states=[0], split="0.9,0.1,0", draws=5000, parts=1)
    with pytest.raises(SystemExit, match="has the figures of 100 windows, not 5000: name another --folder"):
        quality.measure_states("abc", 3, given, [], tmp_path)
