"""Control characters of a file, a name or a sample never reach a terminal."""

import io
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from terminal import open_terminal, read_all

from shakegen.cli import main
from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.streams import escape
from shakegen.text.vocabulary import Vocabulary

TITLE = "\x1b]0;title\x07"  # a terminal takes this as its title
HOSTILE = f"{TITLE}\x1b[41;5m\x9b5m\x7f\r\x08\u202e"

CONTROLS = {chr(code) for code in [*range(32), *range(127, 160), 0x202E]} - {*"\n\t"}
OWN_COLOURS = re.compile(r"\x1b\[(?!41;5m)[\d;]*m")


@pytest.fixture
def on_terminal(tmp_path, monkeypatch):
    """The command line on a pseudo-terminal in an empty folder: all that it shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm-256color")

    def run(*arguments) -> str:
        ours, theirs = open_terminal()
        with ThreadPoolExecutor() as pool:
            shown = pool.submit(read_all, ours)
            with open(theirs, "w", encoding="utf-8", errors="replace") as terminal, monkeypatch.context() as patch:
                for name in ("stdout", "stderr"):
                    patch.setattr(sys, name, terminal)
                answers = io.BytesIO(f"1\n={HOSTILE[0]}\né\n".encode())
                patch.setattr(sys, "stdin", io.TextIOWrapper(answers, "utf-8"))
                with pytest.raises(SystemExit):
                    main([str(argument) for argument in arguments])
        return shown.result()

    return run


@pytest.fixture
def model(tmp_path, random_weights):
    """A model file whose name, corpus and symbols have control characters."""
    config, vocabulary = Config("rnn", units=3, layers=1), Vocabulary(sorted({*HOSTILE, *"abc "}))
    weights, history = random_weights(config, len(vocabulary)), [{"epoch": 1, "loss": 2.0, "val_loss": 2.1}]
    path = tmp_path / f"{TITLE}.h5"
    LanguageModel(config, vocabulary, weights, {"name": HOSTILE, "sha256": HOSTILE, "length": 9}, history).save(path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / f"{TITLE}.h5").symlink_to(path)
    (tmp_path / f"{TITLE}.txt").write_text(f"abc {HOSTILE}\n" * 40, encoding="utf-8")
    return path


COMMANDS = [
    "sample --length 60 --random-state 1 --seed SEED",
    "sample --length 60 --random-state 1 --count 2 --no-stream",
    "sample --length 20 --beam-width 3",
    "sample --model MODEL --seed é",
    "sample --model MODEL --interactive --length 9 --seed SEED",
    "complete SEED",
    "complete SEED --interactive",
    "info MODEL",
    "models",
    "evaluate MODEL TEXT --split train",
    "evaluate MODEL TEXT --split train --per-character",
    "novelty MODEL --corpus TEXT --length 99",
    "corpora show TEXT",
    "connectivity SEED --model MODEL",
    "plot MODEL",
    "plot MODEL MODEL",
    "lab gates MODEL SEED",
    "info NOTHING",
    "train NOTHING",
    "sample --temperature NOTHING",
    "corpora get NOTHING",
    "NOTHING",
    "sample --NOTHING",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_control_character_of_a_stranger_reaches_the_terminal(command, on_terminal, model, tmp_path):
    names = {"MODEL": model, "TEXT": model.with_suffix(".txt"), "SEED": HOSTILE, "NOTHING": f"x{HOSTILE}"}
    shown = on_terminal(*(names.get(word, word.replace("NOTHING", names["NOTHING"])) for word in command.split()))
    assert shown
    assert not CONTROLS & {*OWN_COLOURS.sub("", shown)}


def test_texts_show_their_control_characters_escaped(on_terminal, model):
    options = ["--length", 60, "--random-state", 1, "--seed", HOSTILE]
    shown, raw = on_terminal("sample", *options), on_terminal("sample", *options, "--raw")
    first = shown.index("\n") + 1  # the name of the model is never raw
    assert raw[:first] == shown[:first]
    assert raw[first:].startswith(HOSTILE)
    assert shown[first:] == escape(raw[first:])
    assert escape("a\x1b\x9b\u202eb\n\t\\é") == "a\\x1b\\x9b\\u202eb\n\t\\é"


@pytest.mark.parametrize("options", [(), ("--no-stream",), ("--count", 2), ("--beam-width", 2)])
def test_a_pipe_gets_every_character(shakegen, model, options):
    text = shakegen("sample", "--model", model, "--length", 9, "--seed", HOSTILE, *options).stdout
    assert text.startswith(HOSTILE)


def test_own_colours_and_progress_reach_the_terminal(on_terminal, model):
    assert OWN_COLOURS.search(on_terminal("connectivity", "abc", "--model", model))
    assert OWN_COLOURS.search(on_terminal("plot", model))
    recipe = ["--cell", "rnn", "--units", 3, "--layers", 1, "--epochs", 1, "--seq-length", 8, "--batch-size", 2]
    shown = on_terminal("train", model.with_suffix(".txt"), *recipe, "--out", f"{TITLE}-1.h5")
    assert "\x1b[2K" in shown  # the bar
    assert "Saved: " in shown
    for part in (TITLE, *re.findall(r"\x1b.*?m|\x9b|\x7f|\x08|\u202e", HOSTILE)):
        assert part not in shown
