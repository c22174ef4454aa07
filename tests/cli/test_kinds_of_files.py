"""Every command with every kind of model, and with files that are no models: it works, or one line says why not."""

import h5py
import pytest

from shakegen.model import load

MODELS = ("char.h5", "word.h5", "autocomplete.h5")
OTHERS = ("poem.txt", "evaluation.json", "other.h5", "folder", "none.h5", "empty.h5")
CALLS = {
    "sample --model {} --length 5": "next",
    "sample --model {} --length 5 --beam-width 2": "next",
    "sample --model {} --length 5 --interactive": "next",
    "complete --model {} lovely": "autocomplete",
    "complete --model {} --interactive": "autocomplete",
    "connectivity --model {} lovely": "any",
    "connectivity --model {} lovely --out page.html": "any",
    "evaluate {} poem.txt": "any",
    "evaluate {} poem.txt --json": "any",
    "novelty {} --corpus poem.txt": "next",
    "info {}": "any",
    "info {} --json": "any",
    "plot {}": "any",
    "plot {} --out plot.html": "any",
    "lab gates {} lovely?temperate": "any",
    "lab gradients {} --corpus poem.txt --lags 2 --sequences 2 --updates 1 --seq-length 8 --batch-size 2": "next",
    "train poem.txt --finetune {} --out new.h5 --epochs 1 --seq-length 8 --checkpoint-every 0 --quiet": "any",
    "train poem.txt --resume --out {}": "none",
}
TEXTS = {("novelty", "poem.txt"), ("novelty", "evaluation.json"), ("plot", "evaluation.json")}


@pytest.fixture
def files(all_kinds, evaluation):
    """The models, and the other files."""
    (all_kinds / "evaluation.json").write_text(evaluation)
    (all_kinds / "empty.h5").touch()
    (all_kinds / "folder").mkdir()
    with h5py.File(all_kinds / "other.h5", "w") as file:
        file.attrs["about"] = "something else"
    return all_kinds


def is_fine(result, works: bool):
    assert result.exit_code == (0 if works else 1), result.output
    assert (result.stdout != "" or "Saved:" in result.stderr) == works
    if not works:
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("call", CALLS)
def test_a_command_works_with_a_model_or_says_in_one_line_why_not(shakegen, files, call):
    words = call.split()
    for name in MODELS:
        works = CALLS[call] in ("any", load(name).task)
        is_fine(shakegen(*call.format(name).split(), input="lovely\n"), works)
    for name in OTHERS:
        is_fine(shakegen(*call.format(name).split(), input="lovely\n"), (words[0], name) in TEXTS)


def test_the_task_that_is_needed_is_named(shakegen, files):
    wrong = "autocomplete.h5 predicts whole words and cannot write: expected a model of the next character; try "
    for call in ("sample --model autocomplete.h5", "novelty autocomplete.h5 --corpus poem.txt"):
        assert shakegen(*call.split()).stderr == f"Error: {wrong}`shakegen complete`\n"
