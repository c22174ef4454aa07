"""Completion by the protocol of click: a shell puts its words into the environment, and reads the answers."""

import os
import subprocess
import sys

import pytest
from commands import GROUPS, LEAVES, run_without
from mistakes import fails

from shakegen.cells.registry import CELLS
from shakegen.cli import main
from shakegen.cli.completion import SHELLS, VARIABLE
from shakegen.cli.names import CorpusName, ModelName
from shakegen.cli.options import SHORT
from shakegen.model import shelf
from shakegen.text.named import NAMED

SEPARATORS = {"bash": ",", "zsh": "\n", "fish": ","}


@pytest.fixture
def complete(shakegen):
    """The answers for the words of a command line, the last of them unfinished: pairs of a kind and a text."""

    def ask(*words, shell="bash"):
        begun = words[-1] if shell == "fish" else str(len(words))
        line = " ".join(["shakegen", *words])
        environment = {VARIABLE: f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": begun}
        result = shakegen(prog_name="shakegen", env=environment)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout.removesuffix("\n")

    def answers(*words):
        return [tuple(line.split(",", 1)) for line in ask(*words).splitlines()]

    answers.raw = ask
    return answers


def plain(names):
    return [("plain", name) for name in names]


def test_commands_are_completed(complete):
    assert complete("") == plain(sorted(name.split()[1] for name in GROUPS | LEAVES if name.count(" ") == 1))
    assert complete("comp") == plain(sorted(name for name in main.commands if name.startswith("comp")))
    assert complete("lab", "g") == plain(["gates", "gradients"])
    assert complete("models", "") == plain(["list", "path", "show", "shrink"])


def test_options_and_their_values_are_completed(complete):
    for name, command in LEAVES.items():
        offered = [text for _, text in complete(*name.split()[1:], "-")]
        flags = {flag for one in command.params for flag in (*one.opts, *one.secondary_opts) if flag[0] == "-"}
        assert {*offered} - {"-h", "--help"} == flags
    assert complete("train", "--task", "") == plain(["next", "autocomplete"])
    assert complete("completion", "") == plain(SHELLS)
    assert ("plain", SHORT["--model"]) in complete("sample", "-")


def test_files_are_completed(complete):
    for words in (
        ["sample", "--seed-file"],
        ["sample", "--template"],
        ["train", "--config"],
        ["plot", "x.h5", "-o"],
        ["connectivity", "x", "--evaluation"],
    ):
        assert complete(*words, "") == [("file", "")], words
    assert complete("compare", "--runs", "") == [("dir", "")]


def test_corpora_and_files_are_completed_side_by_side(complete):
    names = [*plain(NAMED), ("file", "")]
    assert complete("train", "") == complete("train", "novel.txt", "") == names
    assert complete("train", "so") == [("plain", "sonnets"), ("file", "so")]
    assert complete("corpora", "path", "") == complete("corpora", "get", "") == plain(NAMED)


def test_models_and_files_are_completed_side_by_side(complete, random_model, tmp_path):
    random_model().save(tmp_path / "models" / "mine.h5")
    assert complete("info", "") == [*plain([*shelf.NAMES, "models/mine.h5"]), ("file", "")]
    assert complete("plot", "mo") == [("plain", "models/mine.h5"), ("file", "mo")]
    assert complete("info", "models/m") == [("file", "models/m")]  # the shell finds it itself


def test_texts_and_models_are_completed_wherever_one_is_read():
    texts, models = ("corpus", "files", "text_file"), ("model", "models", "finetune", "source")
    kinds = {**dict.fromkeys(texts, CorpusName), **dict.fromkeys(models, ModelName)}
    read = [(name, one) for name, command in LEAVES.items() for one in command.params if one.name in kinds]
    assert {one.name for _, one in read} == {*kinds}
    assert [(name, one.name) for name, one in read if not isinstance(one.type, kinds[one.name])] == []


def test_cells_are_completed_one_after_the_other(complete):
    assert complete("train", "--cell", "") == plain(CELLS)
    assert complete("compare", "text8", "--cells", "nlstm,g") == plain(["nlstm,gru"])
    assert complete("lab", "memory", "--cells", "gru,g") == []
    assert complete("lab", "memory", "--cells", "gru,rn") == plain(["gru,rnn"])


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_its_protocol_and_its_script(complete, shakegen, shell):
    for words, text in (
        (["trai"], "train"),
        (["info", "sonnets-ls"], "sonnets-lstm"),
        (["train", "tiny"], "tinyshakespeare"),
    ):
        assert f"plain{SEPARATORS[shell]}{text}" in complete.raw(*words, shell=shell)
    script = shakegen("completion", shell).stdout
    assert f"{VARIABLE}={shell}_complete" in script
    assert script == shakegen(prog_name="shakegen", env={VARIABLE: f"{shell}_source"}).stdout


def test_names_and_files_stand_side_by_side_in_bash(shakegen, tmp_path):
    """Not by click's own script, which shows files only where there are no names."""
    (tmp_path / "shakegen").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m shakegen "$@"\n')
    (tmp_path / "shakegen").chmod(0o755)
    (tmp_path / "sonnet 18.txt").write_text("Shall I compare thee")
    (tmp_path / "script").write_text(shakegen("completion", "bash").stdout)
    words = "COMP_WORDS=(./shakegen train so); COMP_CWORD=2; _shakegen_completion ./shakegen"
    line = f'{words}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    called = ["bash", "-c", f"source ./script; {line}"]
    done = subprocess.run(called, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.splitlines() == ["sonnets", "sonnet 18.txt"]


def test_completion_does_not_load_what_trains(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "shakegen train --cell gr")
    monkeypatch.setenv("COMP_CWORD", "3")
    done = run_without("tensorflow keras h5py scipy matplotlib rich", tmp_path, "")
    assert (done.stdout, done.stderr) == ("plain,gru\n", "")


def test_another_shell_is_refused(shakegen):
    choices = "'tcsh' is not one of 'bash', 'zsh', 'fish' (see `shakegen completion --help`)"
    assert fails(shakegen("completion", "tcsh", prog_name="shakegen"), f"the value of shell is not usable: {choices}")
