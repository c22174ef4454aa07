"""Windows, dynamic evaluation and mixtures from the command line: their figures have their own names."""

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from commands import document
from mistakes import fails

from shakegen.model import Dynamic, Ensemble, LanguageModel, Windows, load, scoring
from shakegen.network.config import Config
from shakegen.text import Corpus, load_corpus, reading

PARTS = ("bits_per_character", "nats_per_character", "perplexity", "accuracy")


@pytest.fixture
def models(all_kinds):
    """char.h5 and other.h5, which have one vocabulary; word.h5, autocomplete.h5 and poem.txt."""
    shutil.copy("char.h5", "other.h5")
    return {"char": load("char.h5"), "other": load("other.h5")}


def test_windows_have_figures_of_their_own_name(shakegen, models, poem):
    protocol = Windows(8, 20, 3)
    expected = models["char"].evaluate(poem, protocol=protocol).to_dict()
    call = "evaluate", "char.h5", "poem.txt", "--split", "all", "--windows", 8, "--draws", 20, "--random-state", 3
    found = document(shakegen(*call, "--json"))
    assert found.pop("windows") == asdict(protocol)
    assert {name: found[f"windows_{name}"] for name in PARTS} == {name: expected[name] for name in PARTS}
    assert not {*PARTS} & {*found}
    shown = shakegen(*call).stdout.splitlines()
    assert shown[0].split() == ["windows", "bits", "per", "character", f"{expected['bits_per_character']:.4f}"]


def test_dynamic_evaluation_has_figures_of_its_own_name(shakegen, models):
    (text,), settings = ["Shall I compare thee to"], Dynamic(0.01, 0.0, 8)
    options = "--dynamic", "--dynamic-rate", 0.01, "--dynamic-decay", 0, "--segment", 8, "--json"
    found = document(shakegen("score", "-", "-m", "char.h5", *options, input=text))
    _, total = scoring.score({"char": models["char"]}, {"-": text}, dynamic=settings)
    assert found["dynamic"] == asdict(settings)
    assert found["total"]["dynamic_bits"]["char"] == pytest.approx(total.bits["char"], abs=1e-3)
    assert not {"bits", "bits_per_character", "evidence"} & {*found["total"], *found["pieces"][0]}


def test_mixtures_are_evaluated_scored_and_write(shakegen, models, poem):
    together = Ensemble(models)
    expected = together.evaluate(poem).to_dict()
    found = document(shakegen("evaluate", "char.h5", "poem.txt", "--split", "all", "--mix", "other.h5", "--json"))
    assert found.pop("mixture") == {"char": 0.5, "other": 0.5}
    assert {name: found[name] for name in expected} == expected
    written = {
        shakegen("sample", *ways, "--seed", "Shall", "--length", 20, "--random-state", 1).stdout
        for ways in (("-m", "char.h5", "-m", "other.h5"), ("-m", "char.h5", "--mix", "other.h5"))
    }
    assert written == {"Shall" + together.sample("Shall", 20, 0.8, 1) + "\n"}
    scored = document(shakegen("score", "poem.txt", "-m", "char.h5", "--mix", "other.h5", "--json"))
    assert scored["mixtures"] == {"char": {"char": 0.5, "other": 0.5}}


@pytest.mark.parametrize("way", [["evaluate", "char.h5", "poem.txt"], ["score", "poem.txt", "-m", "char.h5"]])
def test_the_ngram_model_is_that_of_the_training_text(shakegen, models, way):
    shares = Ensemble({"char": models["char"]}, reading.from_file("poem.txt")).shares
    mix = "ngram" if way[0] == "evaluate" else "ngram:poem.txt"
    shown = shakegen(*way, "--mix", mix)
    assert shown.exit_code == 0
    assert f"Mixture: {', '.join(f'{share:.0%} {name}' for name, share in shares.items())}\n" in shown.stderr


def test_the_training_text_is_read_as_the_other_texts(shakegen, models, poem, random_weights):
    config, corpus = Config("gru", units=3, layers=1), Corpus.from_text(poem.lower(), "poem")
    weights = random_weights(config, len(corpus.vocabulary))
    LanguageModel(config, corpus.vocabulary, weights, corpus.origin()).save("lower.h5")
    shown = shakegen("score", "poem.txt", "-m", "lower.h5", "--lowercase", "--mix", "ngram:poem.txt")
    assert (shown.exit_code, "Mixture: " in shown.stderr) == (0, True)


def test_a_text_whose_encoding_is_given_takes_part_in_writing(shakegen, poem, random_weights):
    Path("old.txt").write_bytes((poem.lower() + "é").encode("latin-1"))
    config, corpus = Config("gru", units=3, layers=1), load_corpus("old.txt", "latin-1")
    weights = random_weights(config, len(corpus.vocabulary))
    LanguageModel(config, corpus.vocabulary, weights, corpus.origin()).save("m.h5")
    arguments = ("sample", "-m", "m.h5", "--mix", "ngram:old.txt", "--encoding", "latin-1", "--lowercase")
    written = shakegen(*arguments, "--length", 9, "--random-state", 1)
    assert (written.exit_code, "Mixture: " in written.stderr) == (0, True)
    assert fails(
        shakegen("sample", "-m", "m.h5", "--lowercase"),
        "--lowercase has no effect without --no-copy or --mix ngram:TEXT: leave it out",
    )


MISTAKES = {
    "evaluate char.h5 poem.txt --mix word.h5": (
        "char and word cannot be mixed, for their vocabularies differ: expected models of the same text and level"
    ),
    "evaluate char.h5 poem.txt --mix ngram --mix ngram:poem.txt": (
        "--mix has ngram and ngram:poem.txt: expected one n-gram model"
    ),
    "sample -m char.h5 --mix ngram": (
        "the text that char.h5 learned from, 'poem', was not found: name it as in --mix ngram:my.txt"
    ),
    "sample -m char.h5 --mix ngram:note.txt": (
        "note.txt is not the text that char learned from: expected that very text"
    ),
    "evaluate char.h5 poem.txt --dynamic --mix other.h5": "--dynamic and --mix are both given: expected one of them",
    "evaluate char.h5 poem.txt --dynamic --windows 9": "--windows and --dynamic are both given: expected one of them",
    "evaluate char.h5 poem.txt --windows 9 --per-character": (
        "--windows and --per-character are both given: expected one of them"
    ),
    "evaluate char.h5 poem.txt --draws 9": "--draws has no effect without --windows: leave it out",
    "evaluate char.h5 poem.txt --windows 9 --random-state 1": (
        "--random-state has no effect without --draws: leave it out"
    ),
    "evaluate char.h5 poem.txt --segment 9": "--segment has no effect without --dynamic: leave it out",
    "evaluate char.h5 note.txt --windows 9": "the text has 5 symbols: expected more than the 9 of a window",
    "evaluate autocomplete.h5 poem.txt --windows 9": (
        "--windows has no effect on the task autocomplete, which predicts whole words: leave it out"
    ),
}


@pytest.mark.parametrize("call", MISTAKES)
def test_mistakes_get_one_line(shakegen, models, tmp_path, call):
    (tmp_path / "note.txt").write_text("Shall")
    assert fails(shakegen(*call.split()), MISTAKES[call])


def test_how_a_mixed_text_is_read_matters_when_the_reader_writes_along(shakegen, models):
    call = "sample", "--model", "char.h5", "--interactive", "--mix", "ngram:poem.txt", "--lowercase"
    assert "has no effect" not in shakegen(*call, input="\n").stderr
