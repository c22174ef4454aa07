"""Words and vocabularies with an unknown symbol, from the shell."""

import json
import math

import numpy as np
import pytest
from commands import document, run_without, text_of

from shakegen.model import LanguageModel, load
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus
from shakegen.text.word_vocabulary import WordVocabulary, tokenize
from shakegen.training.validation import TextValidation

FAST = ["--units", 8, "--layers", 1, "--epochs", 1, "--seq-length", 10, "--batch-size", 8, "--sample-length", 5]
TEXT = "Shall I compare thee to a winter's day?\n"


@pytest.fixture
def saved(word_model, tmp_path, poem_file):
    """The model of words as model.h5, and the text that it claims to have learned, split 0.8, 0.1, 0.1."""
    word_model.save(tmp_path / "model.h5")
    return word_model


@pytest.mark.usefixtures("poem_file")
def test_train_sample_and_show_a_model_of_words(shakegen, poem):
    trained = shakegen("train", "poem.txt", *FAST, "--level", "word", "--vocabulary-size", 15, "--split", "*,240,240")
    assert (trained.exit_code, trained.stdout) == (0, "")
    assert " bits/word, " in trained.stderr
    model = load("models/poem-gru.h5")
    assert (len(model.vocabulary), model.config.level, model.config.embedding) == (15, "word", 256)
    assert model.corpus["split"] == [len(poem) - 480, 240, 240]
    assert (
        f"{model.validation_bits:.3f} bits/char, with the spelling of unknown words, on validation text"
        in trained.stderr
    )
    validation = poem[-480:-240]
    found = model.evaluate(validation)
    nats = model.best_epoch["val_loss"]
    assert math.isclose(nats, found.nats_per_symbol, rel_tol=1e-4)
    spelling = sum(model.vocabulary.spelling(s) for s in tokenize(validation) if s not in model.vocabulary)
    bits = (nats * len(tokenize(validation)) + spelling) / 240 / math.log(2)
    assert math.isclose(model.validation_bits, bits)
    sampled = shakegen("sample", "--seed", "Shall I ", "--length", 12, "--random-state", 1)
    assert sampled.stdout == f"Shall I {model.sample('Shall I ', 12, temperature=0.8, random_state=1)}\n"
    assert f"\nlevel{'word':>31}\n" in shakegen("info", "models/poem-gru.h5").stdout
    info = json.loads(shakegen("info", "models/poem-gru.h5", "--json").stdout)
    assert info["vocabulary"] == list(model.vocabulary.symbols)
    assert (info["level"], info["vocabulary_size"], info["unknown_symbol"]) == ("word", 15, True)
    assert shakegen("models").stdout.splitlines()[1].split()[0] == "word"


@pytest.mark.usefixtures("poem_file")
def test_train_with_few_characters(shakegen, poem):
    arguments = ("--vocabulary-size", 9, "--quiet", "--out", "small.h5")
    assert shakegen("train", "poem.txt", *FAST, *arguments).exit_code == 0
    model = load("small.h5")
    assert len(model.vocabulary) == 9
    found = document(shakegen("evaluate", "small.h5", "poem.txt", "--json"))
    about = {"model": "small", "corpus": "poem", "split": "test"}
    assert found == about | model.evaluate(poem[round(len(poem) * 0.95) :]).to_dict()
    assert found["unknown"] > 0
    sampled = shakegen("sample", "--model", "small.h5", "--seed", "Zürich", "--length", 50).stdout
    assert set(sampled.removeprefix("Zürich").removesuffix("\n")) <= set(model.vocabulary.symbols)


@pytest.mark.usefixtures("poem_file")
def test_runs_on_words_go_on_and_start_from_others(shakegen, tmp_path):
    (tmp_path / "more.txt").write_text("Shall I say zounds? Zounds, I shall!\n" * 60)
    words = ("--level", "word", "--vocabulary-size", 12, "--split", "*,200,200")
    first = ("--cell", "rnn", "--embedding", 5, "--quiet", "--log-dir", "logs")
    assert shakegen("train", "poem.txt", *FAST, *words, *first).exit_code == 0
    assert (tmp_path / "logs" / "epochs.csv").read_text().splitlines()[0].count("bits_per_word") == 2
    more = ("--resume", "--epochs", 2, "--sample-length", 5, "--log-dir", "logs")
    resumed = shakegen("train", "poem.txt", *more)
    assert resumed.exit_code == 0, resumed.stderr
    assert " characters/s\n" in resumed.stderr
    known = load("models/poem-rnn.h5")
    assert (known.history[-1]["epoch"], len(known.vocabulary), known.config.level) == (2, 12, "word")
    new = ("--finetune", "models/poem-rnn.h5", "--epochs", 1, "--seq-length", 10, "--quiet")
    tuned = shakegen("train", "more.txt", *new)
    assert tuned.exit_code == 0, tuned.stderr
    new = load("models/more-rnn.h5")
    assert new.config.level == "word"
    assert new.vocabulary.symbols[:11] == known.vocabulary.symbols
    assert {"?", " zounds"} <= set(new.vocabulary.symbols)
    shown = shakegen("plot", "models/more-rnn.h5")
    assert "bits/word" in shown.stdout
    again = shakegen("train", "more.txt", "--resume", "--epochs", 2, "--quiet")
    assert again.exit_code == 0, again.stderr
    assert load("models/more-rnn.h5").history[-1]["epoch"] == 2


def test_a_word_that_the_old_model_knows_is_known_however_rare_it_is(shakegen, saved, tmp_path):
    text = "thou art lovely " * 40 + "and more temperate " + "thou art lovely " * 39
    (tmp_path / "more.txt").write_text(text)
    new = ("--finetune", "model.h5", "--epochs", 1, "--seq-length", 10, "--split", "0.5,0.5,0", "--quiet")
    assert shakegen("train", "more.txt", *new, "--out", "new.h5").exit_code == 0
    tuned = load("new.h5")
    corpus = Corpus.from_text(text, level="word", split=(0.5, 0.5, 0), vocabulary=tuned.vocabulary)
    score = TextValidation(tuned.config, corpus.validation, len(corpus))
    assert score(tuned.weights) == pytest.approx(tuned.history[0]["val_loss"], rel=1e-5)


def test_losses_of_different_units_have_panels_of_their_own(shakegen, saved, random_model, tmp_path):
    for name in ("a", "b"):
        random_model().save(tmp_path / f"{name}.h5")
    panels = document(shakegen("plot", "a.h5", "model.h5", "b.h5", "--json"))["panels"]
    curves = [(panel["y_label"], [curve["series"] for curve in panel["curves"]]) for panel in panels]
    assert curves == [("bits/char", ["a", "b", "a", "b"]), ("bits/word", ["model", "model"])]
    shown = shakegen("plot", "a.h5", "model.h5").stdout.splitlines()
    assert {"bits/char", "bits/word"} <= {line.strip() for line in shown}
    assert max(map(len, shown)) <= 80


def test_the_same_text_is_tested_at_every_level(shakegen, saved, poem):
    """Words are cut where characters are: the parts are the same text."""
    characters = Corpus.from_text(poem, split=(0.8, 0.1, 0.1))
    words = Corpus.from_text(poem, split=(0.8, 0.1, 0.1), level="word")
    for part in ("train", "validation", "test"):
        text = characters.vocabulary.decode(getattr(characters, part))
        assert words.vocabulary.decode(getattr(words, part)) == "".join(
            s if s in words.vocabulary else "\ufffd" for s in tokenize(text)
        )
        about = {"model": "model", "corpus": "poem", "split": part}
        assert document(shakegen("evaluate", "model.h5", "poem.txt", "--split", part, "--json")) == (
            about | saved.evaluate(text).to_dict()
        )


def test_every_word_with_its_bits(shakegen, saved):
    found = document(shakegen("evaluate", "model.h5", "-", "--json", "--per-character", input=TEXT))
    listed = found["per_character"]
    assert [symbol for symbol, _ in listed] == tokenize(TEXT)
    bits = [b for _, b in listed[1:]]
    assert np.isclose(sum(bits), found["bits_per_word"] * found["words"])
    assert np.isclose(sum(bits), found["bits_per_character"] * found["characters"])
    assert max(bits) == dict(listed)[" winter's"]
    skipped = document(
        shakegen("evaluate", "model.h5", "-", "--json", "--per-character", "--on-unknown", "skip", input=TEXT)
    )
    assert [symbol for symbol, _ in skipped["per_character"]] == [s for s in tokenize(TEXT) if s != " winter's"]
    lines = shakegen("evaluate", "model.h5", "-", "--per-character", input=TEXT).stdout.splitlines()
    assert lines[:2] == ['"Shall"\t', f'" I"\t{bits[0]:.4f}']


def test_figures_are_listed(shakegen, saved):
    shown = shakegen("evaluate", "model.h5", "-", input=TEXT).stdout.splitlines()
    found = saved.evaluate(TEXT).to_dict()
    expected = [f"{value:,}" if isinstance(value, int) else f"{value:.4f}" for value in found.values()]
    assert [line.split()[-1] for line in shown] == expected
    assert [line.rsplit(maxsplit=1)[0] for line in shown] == [name.replace("_", " ") for name in found]


def test_picking_and_typing_words(shakegen, saved):
    offers = saved.draft("Thou").likeliest()
    draft = saved.draft("Thou")
    draft.write(offers[1][0])
    expected = f"Thou{offers[1][0]} art more"
    arguments = ("sample", "--model", "model.h5", "--seed", "Thou", "--interactive")
    typed = shakegen(*arguments, "--length", 3, input="2\n art more\nx\n")
    assert typed.stdout == expected + "\n"
    stopped = shakegen(*arguments, "--stop", "art", "--min-length", 4, input=" art thou\n more\n art\n art\n")
    assert stopped.stdout == "Thou art thou more art\n"


def test_what_a_model_of_words_copies(shakegen, saved, poem):
    of_model = document(shakegen("novelty", "model.h5", "--corpus", "poem.txt", "--length", 50, "--json"))
    text = saved.sample("", 50, 0.8)
    assert of_model["characters"] == len(text)
    assert of_model["passage"] in poem


BAD = {
    "the model does not know 'Zounds': use words of its training text, skip the unknown ones (--on-unknown skip) or "
    "read them as its unknown symbol (--on-unknown symbol)": (
        "sample", "--model", "model.h5", "--seed", "Zounds thee", "--on-unknown", "error"
    ),
    "this model has no unknown symbol (--on-unknown symbol): expected error or skip, or a model trained with "
    "--vocabulary-size": ("sample", "--seed", "é", "--on-unknown", "symbol"),
    "the text has 1 symbols: expected 2 or more, for each is predicted from the last": (
        "evaluate", "model.h5", "one.txt"
    ),
    "the vocabulary size is 1: expected 2, a word and the unknown symbol, to 1,048,576": (
        "train", "poem.txt", "--level", "word", "--vocabulary-size", 1
    ),
    "poem.txt has 2,430 characters, too few for the split 2000,200,300: its test text would be characters 2,201 to "
    "2,500; try a longer text or --split 0.9,0.05,0.05": ("train", "poem.txt", "--split", "2k,200,300"),
}  # fmt: skip


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, saved, tmp_path, message, arguments):
    (tmp_path / "one.txt").write_text("Thou")
    result = shakegen(*arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")


def test_models_of_words_are_used_without_tensorflow(saved, tmp_path):
    calls = "sample --model model.h5 --seed Thou", "evaluate model.h5 poem.txt"
    assert run_without("tensorflow keras", tmp_path, *calls).returncode == 0


def test_a_stop_text_may_begin_with_the_space_at_the_end_of_the_seed(shakegen, random_weights):
    config, vocabulary = Config("gru", units=5, level="word", embedding=3), WordVocabulary(["my", " love"])
    LanguageModel(config, vocabulary, random_weights(config, len(vocabulary))).save("models/words.h5")
    words = ("sample", "--model", "models/words.h5", "--seed", "my ", "--interactive", "--stop", " love")
    assert text_of(shakegen(*words, input="=love\n=love\n")) == "my love"
