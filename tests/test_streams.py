"""Nothing that goes wrong with standard output or standard error costs work, and nothing ends in a traceback."""

import io
import os
import subprocess
import sys

import pytest

from shakegen.model import load
from shakegen.streams import choose_encoding, is_terminal, plain, show

FULL = (
    "Error: cannot write to standard output (No space left on device): expected a place that has room and may be "
    "written to\n"
)


class Broken(io.StringIO):
    """A stream that cannot be written to."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error

    def flush(self):
        raise self.error


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


LOST = [
    Broken(BrokenPipeError(32, "Broken pipe")),
    Broken(OSError(28, "No space left on device")),
    Broken(OSError(5, "Input/output error")),
    closed(),
    None,
]


class Writer:
    """The least that stands in for a stream, as in a tee."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_an_object_that_only_writes_is_a_stream():
    writer = Writer()
    show("a line\n", writer)
    assert writer.text.startswith("a line")
    assert not is_terminal(writer)


@pytest.mark.parametrize("stream", LOST, ids=["pipe", "full", "terminal", "closed", "none"])
def test_showing_never_raises_and_never_goes_elsewhere(stream, capsys):
    show("text", stream)
    if stream is not None:
        print("text", file=plain(stream), flush=True)
    assert not is_terminal(stream)
    assert capsys.readouterr() == ("", "")


def test_a_stream_that_works_is_as_it_was():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-16")
    same = plain(stream)
    assert (same.encoding, same.isatty(), same.write("ab")) == ("utf-16", False, 2)
    same.flush()
    assert stream.buffer.getvalue().decode("utf-16") == "ab"


@pytest.mark.parametrize(
    ("encoding", "windows", "environment", "chosen"),
    [
        ("ANSI_X3.4-1968", False, {}, "utf-8"),
        ("ascii", False, {"PYTHONIOENCODING": "ascii"}, "ascii"),
        ("latin-1", False, {}, "latin-1"),
        ("cp1252", True, {}, "utf-8"),
        ("cp1252", True, {"PYTHONIOENCODING": "cp1252"}, "cp1252"),
        ("utf-8", True, {}, "utf-8"),
    ],
)
def test_only_an_encoding_that_somebody_chose_is_another_than_utf_8(encoding, windows, environment, chosen):
    assert choose_encoding(encoding, windows, environment) == chosen


C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0"}  # Python knows no better encoding than ASCII


def run(script: str, folder, **environment) -> subprocess.CompletedProcess:
    command = script.replace("SHAKEGEN", f"{sys.executable} -m shakegen")
    environment = {**os.environ, **environment}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("unbuffered", "locale"), [("", {}), ("1", C_LOCALE)], ids=str)
def test_a_full_standard_output_is_one_line_for_every_command(tmp_path, unbuffered, locale):
    for command in ("--help", "sample --help", "corpora list", "models"):
        done = run(f"SHAKEGEN {command} > /dev/full", tmp_path, PYTHONUNBUFFERED=unbuffered, **locale)
        assert (done.returncode, done.stderr) == (1, FULL), command


@pytest.mark.parametrize(
    ("streams", "code"), {"2> /dev/full": 0, "2>&-": 0, "2>&- >&- <&-": 0, "2> /dev/full > /dev/full": 1}.items()
)
def test_a_standard_error_that_is_full_or_closed_is_silent(tmp_path, streams, code):
    assert run(f"SHAKEGEN sample --length 0 {streams}", tmp_path).returncode == code
    assert run(f"SHAKEGEN sample --model none.h5 {streams}", tmp_path).returncode == 1


@pytest.mark.parametrize("streams", ["2>&-", "2>&1 | head -n 1"])
def test_a_model_is_trained_and_saved_whatever_becomes_of_what_is_shown(tmp_path, poem, streams):
    (tmp_path / "my.txt").write_text(poem, encoding="utf-8")
    options = "--units 4 --layers 1 --epochs 1 --seq-length 20 --batch-size 8"
    done = run(f"set -o pipefail; SHAKEGEN train my.txt {options} --out m.h5 {streams}", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(load(tmp_path / "m.h5").history) == 1
