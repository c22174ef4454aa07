"""`shakegen evaluate` and `shakegen novelty`."""

import dataclasses
import math

import numpy as np
import pytest
from commands import document

from shakegen.model import LanguageModel
from shakegen.model.evaluation import surprisal
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus


@pytest.fixture
def trained(tmp_path, poem, poem_file, random_weights):
    """A model, saved as model.h5, that claims to have learned poem.txt, split 0.8, 0.1, 0.1."""
    corpus = Corpus.from_text(poem, split=(0.8, 0.1, 0.1))
    config = Config("gru", units=8)
    origin = {"name": "poem", "sha256": corpus.sha256, "length": len(corpus), "split": list(corpus.split)}
    model = LanguageModel(config, corpus.vocabulary, random_weights(config, len(corpus.vocabulary)), origin)
    model.save(tmp_path / "model.h5")
    return model


def test_the_part_read_is_that_of_the_models_own_split(shakegen, trained, poem):
    parts = {"train": poem[: int(len(poem) * 0.8)], "test": poem[int(len(poem) * 0.9) :], "all": poem}
    for split, text in parts.items():
        found = document(shakegen("evaluate", "model.h5", "poem.txt", "--split", split, "--json"))
        assert found == {"model": "model", "corpus": "poem", "split": split, **trained.evaluate(text).to_dict()}
        assert set(found) >= {"bits_per_character", "nats_per_character", "perplexity", "accuracy"}
    known = document(shakegen("evaluate", "model.h5", "poem.txt", "--json"))
    assert known == {"model": "model", "corpus": "poem", "split": "test", **trained.evaluate(parts["test"]).to_dict()}
    assert shakegen("evaluate", "model.h5", "poem.txt").stderr == "Text: the test part of poem\n"
    assert shakegen("evaluate", "model.h5", "poem.txt", "--split", "all").stderr == "Text: all of poem\n"


def test_another_text_is_read_whole(shakegen, trained, tmp_path):
    (tmp_path / "other.txt").write_text("Shall I compare\n")
    assert document(shakegen("evaluate", "model.h5", "other.txt", "--json"))["characters"] == 15
    shown = shakegen("evaluate", "model.h5", "-", input="Shall I compare\n").stdout.splitlines()
    expected = trained.evaluate("Shall I compare\n")
    assert [line.rsplit(maxsplit=1) for line in shown] == [
        ["bits per character", f"{expected.bits_per_character:.4f}"],
        ["nats per character", f"{expected.nats_per_character:.4f}"],
        ["perplexity", f"{expected.perplexity:.4f}"],
        ["accuracy", f"{expected.accuracy:.4f}"],
        ["characters", "15"],
    ]


def test_every_character_with_its_bits(shakegen, trained):
    text = "Shall I compare\n"
    (surprisals, _), *_ = surprisal(trained.engine, trained.vocabulary.encode(text))
    bits = surprisals / math.log(2)
    listed = document(shakegen("evaluate", "model.h5", "-", "--json", "--per-character", input=text))["per_character"]
    assert [character for character, _ in listed] == list(text)
    assert listed[0][1] is None
    assert np.allclose([b for _, b in listed[1:]], bits)
    lines = shakegen("evaluate", "model.h5", "-", "--per-character", input=text).stdout.splitlines()
    assert lines[0] == '"S"\t'
    assert lines[-1] == f'"\\n"\t{bits[-1]:.4f}'


BAD = {
    "the model never saw 'é' (U+00E9): use characters of its training text, or skip the unknown ones "
    "(--on-unknown skip)": ("evaluate", "model.h5", "foreign.txt"),
    "no model none.h5: expected a file that `shakegen train` wrote (see `shakegen models`)": (
        "evaluate", "none.h5", "poem.txt"
    ),
    "no file none.txt: expected a text file or the name of a corpus (see `shakegen corpora list`)": (
        "evaluate", "model.h5", "none.txt"
    ),
    "the text has 1 symbols: expected 2 or more, for each is predicted from the last": (
        "evaluate", "model.h5", "tiny.txt", "--split", "train", "--on-unknown", "skip"
    ),
    "no file none: expected a text file or the name of a corpus (see `shakegen corpora list`)": (
        "novelty", "none", "--corpus", "sonnets"
    ),
    "the text is empty: expected one character or more": ("novelty", "empty.txt", "--corpus", "sonnets"),
}  # fmt: skip


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, trained, tmp_path, message, arguments):
    (tmp_path / "foreign.txt").write_text("Shall é", encoding="utf-8")
    (tmp_path / "tiny.txt").write_text("xS#")
    (tmp_path / "empty.txt").write_text("")
    result = shakegen(*arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")


@pytest.mark.parametrize(("split", "named"), [((0.8, 0.2, 0), "validation"), ((1, 0, 0), "all")])
def test_where_there_is_no_test_part_the_next_best_is_read(shakegen, trained, tmp_path, split, named):
    dataclasses.replace(trained, corpus=trained.corpus | {"split": list(split)}).save(tmp_path / "model.h5")
    assert document(shakegen("evaluate", "model.h5", "poem.txt", "--json"))["split"] == named
    result = shakegen("evaluate", "model.h5", "poem.txt", "--split", "test")
    assert result.stderr == "Error: the test part of poem is empty: try --split all\n"


@pytest.mark.usefixtures("trained")
def test_standard_input_is_read_once(shakegen):
    twice = "Error: standard input is given twice: it can be read only once\n"
    for arguments in (
        ("score", "-", "-", "-m", "model.h5"),
        ("evaluate", "model.h5", "-", "--mix", "ngram:-"),
        ("novelty", "-", "--corpus", "-"),
        ("sample", "-m", "model.h5", "--template", "-", "--seed", "-"),
        ("sample", "-m", "model.h5", "--seed", "-", "--no-copy", 9, "--corpus", "-"),
    ):
        result = shakegen(*arguments, input="Shall I {} thee\n")
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", twice), arguments


def test_the_seed_of_a_text_to_judge_may_have_unknown_characters(shakegen, trained):
    options = ("novelty", "model.h5", "--corpus", "poem.txt", "--length", 20, "--seed", "é I", "--json")
    assert "--on-unknown skip" in shakegen(*options).stderr
    assert document(shakegen(*options, "--on-unknown", "skip"))["characters"] == 20


def test_novelty_of_a_text(shakegen, tmp_path, poem):
    (tmp_path / "corpus.txt").write_text(poem)
    (tmp_path / "mine.txt").write_text("Zzz a summer's day? Zzz")
    found = document(shakegen("novelty", "mine.txt", "--corpus", "corpus.txt", "--json"))
    assert found["longest_copied"] == len(" a summer's day?")
    assert found["passage"] == " a summer's day?"
    assert found["position"] == 3
    assert poem[found["corpus_position"] :].startswith(" a summer's day?")
    assert list(found["new_ngrams"]) == ["4", "8", "16"]
    assert found["new_ngrams"]["16"] == 1 - 1 / 8
    shown = shakegen("novelty", "mine.txt", "--corpus", "corpus.txt").stdout.splitlines()
    assert shown[0].split() == ["characters", "23"]
    assert shown[1].split(maxsplit=3) == ["longest", "copied", "16", '" a summer\'s day?"']
    assert shown[-1].split() == ["new", "16-grams", "87.5%"]


def test_novelty_of_what_a_model_writes(shakegen, trained, tmp_path):
    (tmp_path / "written.txt").write_text(trained.sample("", 500, 0.5, 7))
    options = ("--length", 500, "--temperature", 0.5, "--random-state", 7)
    of_model = shakegen("novelty", "model.h5", "--corpus", "poem.txt", "--json", *options)
    assert document(of_model)["characters"] == 500
    assert document(of_model) == document(shakegen("novelty", "written.txt", "--corpus", "poem.txt", "--json"))


def test_the_text_of_a_model_is_normalized_like_the_corpus(shakegen, trained, poem, tmp_path):
    (tmp_path / "written.txt").write_text(trained.sample("", 200, 0.8, 0), encoding="utf-8")
    given = "--corpus", "poem.txt", "--lowercase", "--json"
    drawn = document(shakegen("novelty", "model.h5", "--length", 200, *given))
    assert drawn == document(shakegen("novelty", "written.txt", *given))
    empty = shakegen("novelty", "model.h5", "--length", 0, *given, "--normalize", "text8")
    assert (empty.exit_code, empty.stderr) == (1, "Error: the text is empty: expected one character or more\n")


def test_a_text_or_model_that_is_not_there_is_named(shakegen):
    result = shakegen("novelty", "sonnets-gruu", "--corpus", "sonnets", "--length", 500)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no file sonnets-gruu: expected a text file or the name of a corpus")
