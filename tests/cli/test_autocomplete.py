"""Commands for models of the autocomplete task: complete, evaluate, connectivity, plot, info."""

import json
import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from commands import run_without
from terminal import type_in

from shakegen import plotting
from shakegen.model import AutocompleteModel, load, model_file
from shakegen.network.config import Config
from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.study.autocomplete.outputs import SYMBOLS
from shakegen.study.connectivity.connections import connections
from shakegen.text import reading
from shakegen.training.tasks import get_task

TEXT = "Shall I compare thee to a summer's day? Thou art more lovely and more temperate.\n" * 12


@pytest.fixture
def trained(tmp_path, random_weights):
    """A model of words, saved as models/words.h5, that claims to have learned poem.txt."""
    (tmp_path / "poem.txt").write_text(TEXT)
    corpus = AutocompleteCorpus.from_source(reading.from_file(tmp_path / "poem.txt"), length=40, random_state=5)
    config = Config.study("gru", units=8)
    weights = random_weights(config, len(SYMBOLS), outputs=len(corpus.words))
    weights["dense/kernel"] *= 9
    origin = {"name": "poem", "sha256": corpus.sha256, "length": len(corpus), "split": list(corpus.split)}
    origin |= {"random_state": 5, "observation_length": 40}
    history = [{"epoch": 1, "loss": 2.0, "val_loss": 2.1}]
    model = AutocompleteModel(config, SYMBOLS, weights, origin, history, words=corpus.words)
    model.save(tmp_path / "models" / "words.h5")
    return model, corpus


@pytest.fixture
def writer(tmp_path, random_model):
    """A model of the next character, saved as models/letters.h5, older than words.h5."""
    path = tmp_path / "models" / "letters.h5"
    model = random_model()
    model.save(path)
    os.utime(path, (1, 1))
    return model


def good(result, said=""):
    """What a command that succeeds prints; `said` is all that standard error has."""
    assert (result.exit_code, result.stderr) == (0, said)
    return result.stdout


USUAL = "Model: models/words.h5\n"


def test_a_model_of_words_comes_back_from_its_file(trained, tmp_path):
    model, _ = trained
    again = load(tmp_path / "models" / "words.h5")
    assert type(again) is AutocompleteModel
    assert (again.config, again.words, again.corpus, again.length) == (model.config, model.words, model.corpus, 40)
    assert all(np.array_equal(again.weights[name], weight) for name, weight in model.weights.items())


def test_its_losses_are_shown_in_nats_everywhere(trained, shakegen):
    model, _ = trained
    (panel,) = plotting.learning_curves({"words": model}).panels
    assert panel.y_label == "nats/position"
    assert [list(curve.y) for curve in panel.curves] == [[2.1], [2.0]]
    assert f"validation cross entropy{2.1:>13.3f}\n" in good(shakegen("info", "models/words.h5"))
    assert get_task(model.task).describe_score(model) == "2.100 nats/position on validation text"


DAMAGE = {
    "its words is missing; the file may be damaged": ("words", None),
    "there are no words to predict: expected at least one": ("words", []),
    "'A' is no word to predict: expected letters a to z only": ("words", ["a", "A"]),
    "it reads other symbols than a to z and the space; the file may be damaged": ("vocabulary", ["a", "b"]),
    "there is no task 'other': expected one of next, autocomplete": ("config", {"task": "other"}),
    "level is 'word', but the task is autocomplete: it reads characters, and predicts words": (
        "config", {"task": "autocomplete", "level": "word"}
    ),
    "dense/kernel has the shape (8, 17), its configuration asks for (8, 3)": ("words", ["a"]),
    "its corpus is not described as expected; the file may be damaged": ("corpus", {"observation_length": 1}),
}  # fmt: skip


@pytest.mark.parametrize(("message", "change"), DAMAGE.items())
def test_damaged_models_of_words_are_refused(trained, tmp_path, message, change):
    path, (name, value) = tmp_path / "models" / "words.h5", change
    with h5py.File(path, "r+") as file:
        if value is None:
            del file.attrs[name]
        else:
            file.attrs[name] = json.dumps(value)
    with pytest.raises(model_file.ModelFileError) as error:
        load(path)
    assert str(error.value) == f"{path} is not a usable model: {message}".replace("dense/", "weights/dense/")


def test_complete_prints_words_with_probabilities(shakegen, trained):
    model, _ = trained
    expected = model.complete("shall i com", 3)
    lines = good(shakegen("complete", "Shall I com"), USUAL).splitlines()
    assert [line.split() for line in lines] == [[word, f"{share:.2%}"] for word, share in expected]
    found = json.loads(good(shakegen("complete", "shall i com", "--top", 2, "--json"), USUAL))
    assert found["completions"] == [offer._asdict() for offer in expected[:2]]
    piped = json.loads(good(shakegen("complete", "-", "--json", "--top", 2, input="shall i com\n"), USUAL))
    assert piped == found
    matching = json.loads(good(shakegen("complete", "m", "--matching", "--json"), USUAL))
    assert [offer["word"] for offer in matching["completions"]] == ["more"]


def test_in_a_pipe_every_line_is_answered(shakegen, trained):
    model, _ = trained
    out = good(shakegen("complete", "shall", "--interactive", input=" i\n i com\n"), USUAL)
    answers = [model.complete(text, 3) for text in ("shall i", "shall i com")]
    assert out.splitlines() == ["\t".join(f"{word} {share:.4f}" for word, share in answer) for answer in answers]
    lines = "shall è i com\n".encode("latin-1")
    out = good(shakegen("complete", "--interactive", "--encoding", "latin-1", input=lines), USUAL)
    assert out.splitlines() == ["\t".join(f"{word} {share:.4f}" for word, share in model.complete("shall è i com", 3))]
    refused = shakegen("complete", "--interactive", "-q", input=lines)
    assert refused.stderr.startswith("Error: standard input is not utf-8 text (byte offset 6): ")


def test_on_a_terminal_words_are_offered_at_every_key(trained, tmp_path):
    model, _ = trained
    best = model.complete("shall i co", 3)
    keys = [*"i comx", "\x7f", "\x7f", "\x1b[A", "2", "\r"]
    out, shown = type_in(tmp_path, ["complete", "shall ", "--interactive"], keys)
    assert out == f"shall i {best[1].word} \n"
    assert shown[0].startswith("shall | ")
    offers = re.findall(r"\d (\w+) (\d+)%", shown[0])
    assert offers == [(word, f"{100 * share:.0f}") for word, share in model.complete("shall ", 3)]


def test_evaluate_measures_the_test_part_of_what_was_learned(shakegen, trained):
    model, corpus = trained
    expected = model.evaluate(corpus, corpus.test).to_dict()
    found = json.loads(good(shakegen("evaluate", "models/words.h5", "poem.txt", "--json")))
    assert found == {"model": "words", "corpus": "poem", "split": "test", **expected}
    all_of_it = json.loads(good(shakegen("evaluate", "models/words.h5", "poem.txt", "--split", "all", "--json")))
    assert all_of_it["positions"] == 40 * len(corpus.observations)
    assert all_of_it["cross_entropy"] == model.evaluate(corpus).cross_entropy
    lines = good(shakegen("evaluate", "models/words.h5", "poem.txt"), "Text: the test part of poem\n").splitlines()
    assert lines[0].split() == ["cross", "entropy", f"{expected['cross_entropy']:.4f}"]
    assert lines[8].split("  ")[:2] == ["characters typed", "positions"]
    row = expected["by_characters_typed"][0]
    assert lines[9].split() == ["0", str(row["positions"]), *(f"{row[f'top_{k}']:.2%}" for k in (1, 2, 3))]


def test_another_text_is_evaluated_whole_whatever_its_case(shakegen, trained, tmp_path):
    (tmp_path / "other.txt").write_text("MORE lovely, more 4 you")
    found = json.loads(good(shakegen("evaluate", "models/words.h5", "other.txt", "--json")))
    assert (found["split"], found["positions"]) == ("all", 40)
    assert found["masked_positions"] == len(" more lovely more")


def test_connectivity_in_a_pipe_and_as_json(shakegen, trained, writer):
    model, _ = trained
    expected = connections(model, "shall i com", "words")
    found = json.loads(good(shakegen("connectivity", "Shall I com", "--json"), USUAL))
    assert found == {"models": [expected.to_dict()]}
    lines = good(shakegen("connectivity", "Shall I com", "--position", 5), USUAL).splitlines()
    offers = [f"{json.dumps(word)} {share:.4f}" for word, share in expected.suggestions[4]]
    assert lines[0].split("\t") == ["words", "5", '"shall"', *offers]
    assert [line.split("\t") for line in lines[1:]] == [
        [json.dumps(c), f"{norm:.4g}"] for c, norm in zip(" shall"[:5], expected.norms[4])
    ]
    both = json.loads(good(shakegen(
        "connectivity", "Shall I", "--model", "models/words.h5", "--model", "models/letters.h5", "--json"
    )))  # fmt: skip
    assert [one["model"] for one in both["models"]] == ["words", "letters"]
    assert both["models"][1] == connections(writer, " shall i", "letters").to_dict()


@pytest.mark.parametrize("kind", ["html", "svg"])
def test_connectivity_as_a_page_or_an_image(shakegen, trained, writer, kind, tmp_path):
    (tmp_path / "gru.json").write_text(good(shakegen("evaluate", "models/words.h5", "poem.txt", "--json")))
    more = ["--evaluation", "gru.json"] if kind == "html" else []
    result = shakegen("connectivity", "shall i", "--model", "models/letters.h5", "--out", f"page.{kind}", *more)
    assert (result.exit_code, result.output) == (0, f"Saved: page.{kind}\n")
    content = (tmp_path / f"page.{kind}").read_text(encoding="utf-8")
    assert "next character" in content
    assert ("Accuracy by characters typed" in content) == (kind == "html")
    assert not re.search(r'(src|[^:]href)="(?!#)', content)


def test_the_figure_of_accuracy_by_characters_typed(shakegen, trained, tmp_path):
    out = good(shakegen("evaluate", "models/words.h5", "poem.txt", "--json"))
    (tmp_path / "a.json").write_text(out)
    (tmp_path / "b.json").write_text(out)
    figure = json.loads(good(shakegen("plot", "a.json", "b.json", "--json")))
    rows = json.loads(out)["by_characters_typed"]
    for k, panel in enumerate(figure["panels"], 1):
        assert [curve["series"] for curve in panel["curves"]] == ["a", "b"]
        assert panel["curves"][0]["x"] == [row["typed"] for row in rows]
        assert panel["curves"][0]["y"] == [row[f"top_{k}"] for row in rows]
    assert json.loads(good(shakegen("plot", "a.json", "--json")))["panels"][0]["curves"][0]["series"] == "words"


@pytest.mark.parametrize(("cell", "recurrent"), [("gru", 4_323_600), ("lstm", 5_764_800), ("nlstm", 5_764_800)])
def test_info_shows_the_weights_of_the_study(shakegen, tmp_path, cell, recurrent):
    from shakegen.study.autocomplete.outputs import Outputs

    config = Config.study(cell)
    words = Outputs("".join(chr(97 + number // 26**k % 26) for k in range(3)) for number in range(1 << 14))
    weights = {name: np.zeros(shape, np.float32) for name, shape in config.weight_shapes(27, len(words)).items()}
    AutocompleteModel(config, SYMBOLS, weights, words=words).save(tmp_path / "study.h5")
    found = json.loads(good(shakegen("info", "study.h5", "--json")))
    assert found["weights"] == {"embedding": 16_200, "recurrent": recurrent, "dense": 9_847_986}
    assert found["parameters"] == 16_200 + recurrent + 9_847_986
    shown = good(shakegen("info", "study.h5"))
    assert re.search(rf"^weights +embedding 16,200, recurrent {recurrent:,}, dense 9,847,986$", shown, re.MULTILINE)


def test_sampling_takes_the_newest_model_that_writes(shakegen, trained, writer):
    result = shakegen("sample", "--seed", "shall", "--length", 5, "--random-state", 1)
    sampled = good(result, "Model: models/letters.h5\n")
    assert sampled == f"shall{writer.sample('shall', 5, 0.8, 1)}\n"


BAD = {
    "models/words.h5 predicts whole words and cannot write: expected a model of the next character; try "
    "`shakegen complete`": ("sample", "--model", "models/words.h5"),
    "models/letters.h5 predicts no words: expected a model that `shakegen train --task autocomplete` made": (
        "complete", "x", "--model", "models/letters.h5"
    ),
    'there is no text to complete: expected one such as "shall i com", or --interactive': ("complete",),
    "--interactive reads standard input itself: leave out --json, and give no - as the text": (
        "complete", "-", "--interactive"
    ),
    "the number of words is 0: expected 1 or more": ("complete", "x", "--top", "0"),
    "--per-character has no effect on the task autocomplete, which reads every text as words of a to z: leave it out": (
        "evaluate", "models/words.h5", "poem.txt", "--per-character"
    ),
    "the validation part of tiny is empty: expected a longer text, or try --split all": (
        "evaluate", "models/words.h5", "tiny.txt", "--split", "validation"
    ),
    "none.txt has no words: expected a text with letters from a to z": ("evaluate", "models/words.h5", "none.txt"),
    "the position is 9: expected 1 to 8, or -1 to -8": ("connectivity", "shall i", "--position", "9"),
    "the text has 4097 characters: expected 1 to 4096": ("connectivity", "x" * 4096),
    "the number of suggestions is 0: expected 1 or more": ("connectivity", "x", "--top", "0"),
    "the model does not predict 'zebra': expected a word that it knows": ("connectivity", "x", "--target", "zebra"),
    "--evaluation is for the page: give --out with a name that ends in .html, or leave it out": (
        "connectivity", "x", "--evaluation", "tiny.txt"
    ),
    "cannot draw page.txt: expected a name that ends in .png, .svg, .pdf or .html": (
        "connectivity", "x", "--out", "page.txt"
    ),
    "cannot write tiny.txt/page.svg (File exists): expected a file in a folder that has room and may be written to; "
    "try another place with --out": ("connectivity", "x", "--out", "tiny.txt/page.svg"),
    "no file none.json: expected the output of `shakegen evaluate --json`": ("plot", "none.json"),
    "bad.json is not JSON: expected the output of `shakegen evaluate --json`": ("plot", "bad.json"),
    "deep.json is not JSON: expected the output of `shakegen evaluate --json`": ("plot", "deep.json"),
    "nan.json is not JSON: expected the output of `shakegen evaluate --json`": ("plot", "nan.json"),
    "list is no evaluation of an autocomplete model: expected the JSON of `shakegen evaluate --json`": (
        "plot", "list.json"
    ),
    "list.json is an evaluation, others are models: expected files of one kind": (
        "plot", "models/words.h5", "list.json"
    ),
    "--against has no effect on evaluations: leave it out": ("plot", "list.json", "--against", "minutes"),
}  # fmt: skip


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, trained, writer, tmp_path, message, arguments):
    texts = {"tiny.txt": "shall", "none.txt": "é…", "bad.json": "{", "list.json": "[1]", "nan.json": "[NaN]"}
    for name, content in {**texts, "deep.json": "[" * 100_000}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    result = shakegen(*arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")


def test_tensorflow_is_not_loaded(trained, tmp_path):
    calls = "complete shall", "evaluate models/words.h5 poem.txt", "connectivity shall"
    done = run_without("tensorflow keras matplotlib", tmp_path, *calls, "connectivity shall --out a.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert Path(tmp_path / "a.html").exists()
