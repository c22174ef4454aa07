"""`shakegen compress` and `shakegen decompress`: files, pipes, names, and mistakes that leave nothing behind."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run_without
from mistakes import fails
from terminal import open_terminal, read_all

from shakegen.cli.compress import writing

TEXT = "Shall I compare thee to a summer's day?\r\nTh€u art \x00 more lovely\n".encode() + b"\xff\xfe"


@pytest.fixture
def poem_shk(shakegen, all_kinds):
    """note.txt, and note.txt.shk, made by char.h5."""
    Path("note.txt").write_bytes(TEXT)
    result = shakegen("compress", "note.txt", "--model", "char.h5")
    size = Path("note.txt.shk").stat().st_size
    said = f"Saved: note.txt.shk ({size} bytes for {len(TEXT)}, {8 * size / len(TEXT):.3f} bits/byte)\n"
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", said)
    return Path("note.txt.shk")


@pytest.mark.parametrize(
    ("kind", "text", "size"),
    [("char", TEXT, f"{len(TEXT)} bytes"), ("word", TEXT, f"{len(TEXT)} bytes"), ("char", b"a", "1 byte")],
)
def test_there_and_back_through_pipes(shakegen, all_kinds, kind, text, size):
    packed = shakegen("compress", "-", "-m", f"{kind}.h5", input=text)
    assert packed.exit_code == 0
    back = shakegen("decompress", "-", "-m", f"{kind}.h5", input=packed.stdout_bytes)
    assert (back.exit_code, back.stdout_bytes, back.stderr) == (0, text, f"Written ({size})\n")


def test_names_and_back(shakegen, poem_shk):
    Path("note.txt").unlink()
    result = shakegen("decompress", poem_shk, "-m", "char.h5")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"Saved: note.txt ({len(TEXT)} bytes)\n")
    assert Path("note.txt").read_bytes() == TEXT
    assert shakegen("decompress", poem_shk, "-m", "char.h5", "-q", "-o", "a/b").output == ""
    assert Path("a/b").read_bytes() == TEXT
    assert shakegen("compress", "note.txt", "-m", "char.h5", "-q", "-o", "c.shk").output == ""
    assert Path("c.shk").read_bytes() == poem_shk.read_bytes()


def test_the_model_of_a_file_is_found(shakegen, poem_shk):
    os.mkdir("models")
    for kind in ("word", "autocomplete", "char"):
        os.rename(f"{kind}.h5", f"models/{kind}.h5")
    Path("models/broken.h5").write_bytes(b"nothing")
    assert shakegen("decompress", poem_shk, "-o", "back").exit_code == 0
    assert Path("back").read_bytes() == TEXT


FULL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
from shakegen.cli import main
main(sys.argv[1:])
"""


@pytest.mark.usefixtures("shakegen", "all_kinds")
def test_a_full_disk_is_named_and_leaves_nothing():
    """A limit on the size of files stands in for a full disk."""
    Path("note.txt").write_bytes(TEXT * 20)
    command = [sys.executable, "-B", "-c", FULL_DISK, "compress", "note.txt", "-m", "char.h5", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = (
        "Error: cannot write note.txt.shk (File too large): expected a file in a folder that has room and may be "
        "written to; try another place with --out\n"
    )
    assert (done.returncode, done.stderr) == (1, said)
    assert not [*Path().glob("*.shk*"), *Path().glob(".*.part")]


def test_the_usual_model_is_named_unless_all_is_to_be_quiet(shakegen):
    Path("a.txt").write_text("lovely")
    assert shakegen("compress", "a.txt").stderr.startswith("Model: sonnets-gru\nSaved: a.txt.shk (")
    assert shakegen("compress", "a.txt", "-q", "-o", "b.shk").output == ""
    assert shakegen("decompress", "b.shk").stderr == "Saved: b (6 bytes)\n"


def test_a_file_that_is_made_meanwhile_stays(tmp_path):
    target = tmp_path / "note.txt"
    with contextlib.ExitStack() as stack:
        stack.enter_context(writing(target)).write(b"restored")
        target.write_bytes(b"mine")
        with pytest.raises(FileExistsError) as error:
            stack.close()
    assert str(error.value) == f"{target} is there already: name another file with `out`"
    assert [(path, path.read_bytes()) for path in tmp_path.iterdir()] == [(target, b"mine")]


DAMAGED = "note.txt.shk is damaged or cut short: expected it whole, as `shakegen compress` wrote it; copy it again"
MISTAKES = {
    "compress note.txt -m char.h5": "note.txt.shk is there already: name another file with --out",
    "decompress note.txt.shk -m char.h5": "note.txt is there already: name another file with --out",
    "compress none -m char.h5": "no file none: expected a file, or - for standard input",
    "decompress none.shk": "no file none.shk: expected one that `shakegen compress` wrote, or - for standard input",
    "compress folder -m char.h5": "folder is a folder: expected a file",
    "decompress folder -o x": "folder is a folder: expected one that `shakegen compress` wrote",
    "decompress note.txt": "the name of note.txt does not end in .shk: say where its bytes go with --out",
    "decompress .shk": "the name of .shk does not end in .shk: say where its bytes go with --out",
    "decompress note.txt -o x": "note.txt is not a compressed file: expected one that `shakegen compress` wrote",
    "compress note.txt -o x -m none.h5": (
        "no model none.h5: expected a file that `shakegen train` wrote (see `shakegen models`)"
    ),
    "compress note.txt -o x -m autocomplete.h5": (
        "autocomplete.h5 predicts whole words and cannot write: expected a model of the next character; try "
        "`shakegen complete`"
    ),
    "decompress cut.shk -m char.h5 -o x": DAMAGED.replace("note.txt", "cut"),
    "decompress flipped.shk -m char.h5 -o -": DAMAGED.replace("note.txt", "flipped"),
    "decompress note.txt.shk -m word.h5 -o x": (
        "note.txt.shk was compressed with another model (its fingerprint is PRINT): expected the very same, by the "
        "same version of shakegen; name it with --model"
    ),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.items())
def test_mistakes_get_one_line_and_leave_nothing(shakegen, poem_shk, arguments, message):
    packed = poem_shk.read_bytes()
    os.mkdir("folder")
    Path("cut.shk").write_bytes(packed[:-5])
    Path("flipped.shk").write_bytes(packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:])
    before = sorted(os.listdir())
    assert fails(shakegen(*arguments.split()), message.replace("PRINT", packed[4:12].hex()))
    assert sorted(os.listdir()) == before
    assert Path("note.txt").read_bytes() == TEXT


def test_tensorflow_is_not_loaded(poem_shk):
    calls = "compress note.txt -m char.h5 -o new.shk", "decompress new.shk -m char.h5 -o new"
    done = run_without("tensorflow keras h5py", ".", *calls)
    assert (done.returncode, done.stdout) == (0, "")
    assert Path("new").read_bytes() == Path("note.txt").read_bytes()


@pytest.mark.parametrize(
    ("words", "last"),
    [
        ("compress note.txt -m char.h5 -o -", "Error: standard output is a terminal: expected a pipe, or a file with "),
        ("decompress note.txt.shk -m char.h5 -o back", f"Saved: back ({len(TEXT)} bytes)"),
    ],
)
def test_a_terminal_gets_a_bar_and_no_bytes(poem_shk, words, last):
    ours, theirs = open_terminal()
    command = [sys.executable, "-m", "shakegen", *words.split()]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = read_all(ours)
    process.wait()
    assert last in shown
    assert (f"0/{poem_shk.stat().st_size} bytes" in shown) == words.startswith("decompress")
