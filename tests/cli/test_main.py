"""Commands end to end. Errors are one line, exit code 1; nothing that samples loads TensorFlow."""

import ast
import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import run_without
from mistakes import fails

from shakegen.cli.group import name_flags
from shakegen.model import find, load, shelf

ROOT = Path(__file__).parents[2]


def test_pretrained_sonnets_are_used_where_no_model_is_named(shakegen):
    result = shakegen("sample", "--seed", "shall i", "--length", 200)
    assert result.exit_code == 0
    assert result.stdout.startswith("shall i")
    assert len(result.stdout) == 7 + 200 + 1


def test_the_newest_model_of_the_folder_goes_first(shakegen, random_model, tmp_path):
    for name, age in (("old", 100), ("new", 0), ("older", 200)):
        random_model(random_state=age).save(tmp_path / "models" / f"{name}.h5")
        os.utime(tmp_path / "models" / f"{name}.h5", (time.time() - age, time.time() - age))
    newest = load(tmp_path / "models" / "new.h5").sample("abc", random_state=2)
    assert shakegen("sample", "--seed", "abc", "--random-state", 2, "--temperature", 1).stdout == f"abc{newest}\n"
    listed = shakegen("models").stdout.splitlines()
    assert [line.split()[-1] for line in listed[:4]] == ["model", "models/new.h5", "models/old.h5", "models/older.h5"]


def test_in_a_clone_the_models_that_came_with_it_are_not_the_newest(shakegen, random_model, tmp_path, monkeypatch):
    monkeypatch.setattr("shakegen.text.named.data_folder", lambda kind: tmp_path / "models")
    for name in ("sonnets-gru", "sonnets-rnn", "mine"):
        random_model(random_state=len(name)).save(f"models/{name}.h5")
    assert [path.name for path in shelf.own_models()] == ["mine.h5"]
    assert [path.name for path in shelf.list_models()] == ["mine.h5", "sonnets-rnn.h5", "sonnets-gru.h5"]
    (tmp_path / "elsewhere").mkdir()
    with contextlib.chdir("elsewhere"):
        assert [path.name for path in shelf.list_models()] == ["sonnets-rnn.h5", "sonnets-gru.h5"]
    Path("models/mine.h5").unlink()
    assert find() == tmp_path / "models" / "sonnets-gru.h5"


@pytest.mark.usefixtures("shakegen")  # goes to tmp_path
def test_in_a_clone_beside_an_installed_package_they_are_not_the_newest_either(random_model, tmp_path, monkeypatch):
    monkeypatch.setattr("shakegen.text.named.data_folder", lambda kind: tmp_path / "installed")
    for name in ("sonnets-gru", "sonnets-rnn"):
        random_model(random_state=len(name)).save(tmp_path / "installed" / f"{name}.h5")
    shutil.copytree("installed", "models")
    random_model(random_state=1).save("models/sonnets-rnn.h5")
    assert [path.name for path in shelf.own_models()] == ["sonnets-rnn.h5"]


def test_several_texts_are_those_of_their_streams(shakegen, random_model):
    random_model().save("models/a.h5")
    arguments = ("sample", "--seed", "abc", "--random-state", 2, "--length", 12)
    several = shakegen(*arguments, "--count", 3).stdout.removesuffix("\n").split("\n---\n")
    assert len(several) == 3
    assert all(text.startswith("abc") and len(text) == 15 for text in several)
    assert shakegen(*arguments).stdout == several[0] + "\n"


def test_unusable_files_are_listed_as_such(shakegen, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "broken.h5").write_text("x")
    line = next(line for line in shakegen("models").stdout.splitlines() if "broken" in line)
    assert line.split() == ["not", "usable", "models/broken.h5"]


def test_corpora_are_listed_and_found(shakegen):
    assert "sonnets" in shakegen("corpora", "list").stdout
    path = Path(shakegen("corpora", "path", "sonnets").stdout.strip())
    assert path.read_text().startswith("From fairest creatures")


BAD_CALLS = {
    "no file nothing.txt: expected a text file or the name of a corpus (see `shakegen corpora list`)": (
        "train", "nothing.txt"
    ),
    ". holds no text: expected one text file or more in it": ("train", "."),
    "no file sonets: did you mean sonnets? (see `shakegen corpora list`)": ("train", "sonets"),
    "there is no cell 'lstn': did you mean lstm?": ("train", "sonnets", "--cell", "lstn"),
    "the split 0.5,x is not usable: expected three shares for training, validation and test that sum to 1, such as "
    "0.9,0.05,0.05, or three numbers of characters, such as 90M,5M,5M or *,5000,5000, where * is the rest": (
        "train", "sonnets", "--split", "0.5,x"
    ),
    "the beam width is 0: expected 1 (greedy) or more; 10 is usual": ("train", "sonnets", "--beam-width", "0"),
    "units is 0: expected a whole number from 1 to 65536": ("train", "sonnets", "--units", "0"),
    "depth is 3, but the cell is gru: it is for nlstm only": ("train", "sonnets", "--depth", "3"),
    "--epochs and --minutes are both given: expected one of them": (
        "train", "sonnets", "--epochs", "1", "--minutes", "1"
    ),
    "no model none.h5: expected a file that `shakegen train` wrote (see `shakegen models`)": (
        "sample", "--model", "none.h5"
    ),
    "the model never saw '床' (U+5E8A): use characters of its training text, or skip the unknown ones "
    "(--on-unknown skip)": ("sample", "--seed", "床"),
    "the temperature is -1.0: expected 0 (greedy) or more; 0.5 is careful, 1 is free": (
        "sample", "--temperature", "-1"
    ),
    "the count is 0: expected 1 text or more": ("sample", "--count", "0"),
    "the length is -5: expected a number of characters, 0 or more": ("sample", "--length", "-5"),
    "there is no corpus 'bible': expected one of sonnets, warpeace, tinyshakespeare, text8": (
        "corpora", "path", "bible",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("message", "arguments"), BAD_CALLS.items())
def test_bad_input_gets_one_line(shakegen, message, arguments):
    assert fails(shakegen(*arguments), message)


def test_what_is_no_model_file_among_the_models_is_passed_over(shakegen, tmp_path, random_model):
    random_model().save(tmp_path / "models" / "a.h5")
    (tmp_path / "models" / "dangling.h5").symlink_to("nowhere")
    (tmp_path / "models" / "folder.h5").mkdir()
    os.mkfifo(tmp_path / "models" / "pipe.h5")
    assert shakegen("sample", "--seed", "abc", "--length", 3).exit_code == 0
    assert shakegen("models").stdout.splitlines()[1].endswith(" models/a.h5")


def test_weights_that_overflow_are_no_warnings(shakegen, random_model, tmp_path):
    model = random_model()
    huge = {name: np.full(weight.shape, 3e38, np.float32) for name, weight in model.weights.items()}
    replace(model, weights=huge).save(tmp_path / "a.h5")
    for command in ("sample --length 9 --temperature 0", "connectivity abc", "lab gates a.h5 abc"):
        result = shakegen(*command.split(), *["--model", "a.h5"] * ("gates" not in command))
        assert (result.exit_code, result.stderr) == (0, "")


def test_closed_standard_streams_are_no_traceback(tmp_path):
    script = f"{sys.executable} -m shakegen train - <&-; {sys.executable} -m shakegen sample --length 5 >&-"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    first, last = done.stderr.splitlines()
    assert first == "Error: standard input is empty: expected some text to learn from"
    assert last.startswith("Model: ")


def test_unknown_characters_of_a_seed_may_be_skipped(shakegen):
    result = shakegen("sample", "--seed", "床shall", "--on-unknown", "skip", "--length", 3)
    assert result.exit_code == 0
    assert result.stdout.startswith("床shall")


LIGHT = [
    "--help",
    "sample --seed abc",
    "sample --seed abc --beam-width 3",
    "evaluate MODEL MODEL.txt",
    "novelty MODEL --corpus MODEL.txt --length 99",
    "score MODEL.txt -m MODEL",
    "info MODEL",
    "models",
    "corpora list",
    "corpora path sonnets",
    "corpora show MODEL.txt",
    "lab --help",
    "lab gates MODEL --find line-position --text-file MODEL.txt",
]


def test_tensorflow_and_h5py_are_not_loaded(tmp_path, random_model):
    random_model().save(tmp_path / "models" / "a.h5")
    (tmp_path / "models" / "a.h5.txt").write_text("shall i compare thee to a summer day")
    done = run_without("tensorflow keras h5py", tmp_path, *(words.replace("MODEL", "models/a.h5") for words in LIGHT))
    assert done.returncode == 0, done.stderr


def test_importing_shakegen_loads_nothing_heavy():
    code = "import sys, shakegen\nsys.exit(bool({'tensorflow', 'keras', 'numpy', 'h5py'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_can_be_had():
    import shakegen

    assert all(hasattr(shakegen, name) for name in shakegen.__all__)
    assert set(shakegen.__all__) <= set(dir(shakegen))
    with pytest.raises(AttributeError, match="module 'shakegen' has no attribute 'nothing'"):
        _ = shakegen.nothing


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    script = f"{sys.executable} -m shakegen sample --length 20000 | head -c 10"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert len(done.stdout) == 10
    assert done.stderr.startswith("Model: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "characters"),
    [({"PYTHONIOENCODING": "latin-1"}, "?"), ({"LC_ALL": "C", "PYTHONUTF8": "0"}, "床前")],
)
def test_characters_that_an_encoding_lacks_are_question_marks_and_the_c_locale_has_all(
    tmp_path, random_weights, environment, characters
):
    from shakegen.model import LanguageModel
    from shakegen.network.config import Config
    from shakegen.text.vocabulary import Vocabulary

    config = Config("rnn", units=2)
    LanguageModel(config, Vocabulary("床前"), random_weights(config, 2)).save(tmp_path / "models" / "li.h5")
    done = subprocess.run(
        [sys.executable, "-m", "shakegen", "sample", "--length", "5", "--model", "models/li.h5"],
        cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, len(done.stdout), done.stderr) == (0, 6, "")
    assert set(done.stdout) <= {*characters, "\n"}


@pytest.mark.parametrize(
    ("library", "shell"),
    [
        ("try `split=(1, 0, 0)`", "try --split 1,0,0"),
        ('or `split=("*", 5, 5)`; more', "or --split *,5,5; more"),
        ("shorter windows (`seq_length`)", "shorter windows (--seq-length)"),
        ("skip them (`on_unknown='skip'`)", "skip them (--on-unknown skip)"),
        ("see `shakegen corpora list`", "see `shakegen corpora list`"),
        ("the model never saw '`' (U+0060) and `colour`", "the model never saw '`' (U+0060) and `colour`"),
        ("fewer `lags`, a smaller `context`", "fewer --lags, a smaller --context"),
    ],
)
def test_arguments_that_the_library_names_are_options_of_the_shell(library, shell):
    assert name_flags(library) == shell


def test_no_message_of_the_library_names_options_of_the_shell():
    """Its users have arguments; the command line translates them."""
    package = ROOT / "shakegen"
    flag = re.compile(r"[ (\"']--[a-z][a-z-]+")
    for path in sorted(package.rglob("*.py")):
        if path.parent.name == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise):
                texts = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))
                for text in (text for text in texts if isinstance(text, str)):
                    assert not flag.search(text) or "`shakegen" in text, (path, text)
