"""Completing words, and measures of how well, against naive references."""

import itertools
import math

import numpy as np
import pytest

from shakegen.inference import Engine
from shakegen.model import AutocompleteModel
from shakegen.network.config import Config
from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.study.autocomplete.measures import count_typed, evaluate, share_places
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.text import reading

TEXT = "shall i compare thee to a summers day thou art more lovely and more temperate " * 4
WORDS = Outputs(["thee", "more", "compare", "a", "i", "and", "come", "to"])
CONFIG = Config.study("gru", units=6, embedding=3)


@pytest.fixture
def weights(random_weights):
    drawn = random_weights(CONFIG, len(SYMBOLS), outputs=len(WORDS))
    drawn["embedding/embeddings"] *= 9
    drawn["dense/kernel"] *= 9
    return drawn


@pytest.fixture
def engine(weights):
    return Engine(CONFIG, weights, defer_read_out=True)


@pytest.fixture
def completer(weights):
    return AutocompleteModel(CONFIG, SYMBOLS, weights, {"observation_length": 24}, words=WORDS)


def log_shares(weights, text):
    """The naive reference: log-probabilities of all outputs after a text."""
    logits, _ = Engine(CONFIG, weights).prime(SYMBOLS.encode(text))
    logits = logits[0].astype(float)
    return logits - np.log(np.exp(logits).sum())


@pytest.mark.parametrize("streams", [1, 3, 64])
def test_measures_are_those_of_the_naive_reference(engine, weights, streams):
    corpus = AutocompleteCorpus.from_source(reading.from_bytes(TEXT.encode()), length=24, words=WORDS)
    observations, rows = corpus.observations, np.array([0, 3, 4, 8, 9])
    found = evaluate(engine, observations, rows, streams)
    seen = []
    for text in observations.texts(rows):
        for position, word in enumerate(w for w in text.split() for _ in f" {w}"):
            if word in WORDS:
                scores = log_shares(weights, text[: position + 1])
                wanted = scores[WORDS.encode([word])[0]]
                typed = position - text[: position + 1].rindex(" ")
                seen.append((typed, -wanted, int((scores > wanted).sum())))
    typed, nats, ranks = (np.array(column) for column in zip(*seen))
    assert found.positions == len(rows) * 24
    assert found.cross_entropy == pytest.approx(nats.mean(), rel=1e-5)
    assert found.masked_accuracy == pytest.approx((ranks == 0).mean())
    assert found.study_accuracy == pytest.approx((ranks == 0).sum() / found.positions)
    assert found.long_context_accuracy == pytest.approx((ranks[typed == 0] == 0).mean())
    assert found.short_context_accuracy == pytest.approx((ranks[typed >= 3] == 0).mean())
    for row in found.by_typed():
        of_row = ranks[typed == row["typed"]]
        assert row["positions"] == len(of_row)
        assert [row[f"top_{k}"] for k in (1, 2, 3)] == pytest.approx([(of_row < k).mean() for k in (1, 2, 3)])
    assert sum(row["positions"] for row in found.by_typed()) == len(seen) == found.to_dict()["masked_positions"]
    assert 0 < found.study_accuracy < found.masked_accuracy < 1


def test_nothing_to_count_gives_none(engine):
    corpus = AutocompleteCorpus.from_source(reading.from_bytes(b"zz zzz"), words=WORDS)
    found = evaluate(engine, corpus.observations, np.arange(1))
    assert (found.cross_entropy, found.masked_accuracy, found.short_context_accuracy) == (None, None, None)
    assert (found.study_accuracy, found.by_typed()) == (0, [])


def test_characters_typed_count_from_the_space():
    assert count_typed(SYMBOLS.encode(" a day to")[None])[0].tolist() == [0, 1, 0, 1, 2, 3, 0, 1, 2]


def test_completions_are_the_likeliest_words(completer, weights):
    for text, read in {"Shall I, com": " shall i com", "to ": " to ", "": " ", "4": " four "}.items():
        shares = np.exp(log_shares(weights, read))[2:]
        order = np.argsort(-shares)
        found = completer.complete(text, top=99)
        assert [word for word, _ in found] == [WORDS.words[k] for k in order]
        assert np.allclose([p for _, p in found], (shares / shares.sum())[order], rtol=1e-4)
        assert completer.complete(text, top=2) == found[:2]
        assert math.isclose(sum(p for _, p in found), 1)


def test_completions_may_have_to_match_what_is_typed(completer):
    assert {word for word, _ in completer.complete("shall i com", 9, matching=True)} == {"come", "compare"}
    assert completer.complete("shall i xyz", matching=True) == []
    free, matching = completer.complete("shall i ", 9), completer.complete("shall i ", 9, matching=True)
    assert free == matching


def test_a_long_text_is_read_from_its_latest_whole_words(completer, weights):
    text = "shall i compare thee to a summers day thou art mo"
    shares = np.exp(log_shares(weights, " summers day thou art mo"))[2:]
    assert completer.complete(text)[0].word == WORDS.words[np.argmax(shares)]
    assert math.isclose(completer.complete(text)[0].probability, (shares / shares.sum()).max(), rel_tol=1e-4)
    assert len(completer.complete("x" * 100)) == 3


def test_at_every_key_what_is_offered_is_that_of_the_text_so_far(completer, rng):
    typing, text = completer.typing("Shall I "), "shall i "
    keys = [*"compare thee  to", None, None, *"o a summer", None, *["more", "i"], *"day", *[None] * 60, *"ab"]
    for key in keys:
        if key is None:
            typing.erase()
            text = text[:-1]
        elif key in WORDS and key != "a":
            typing.accept(key)
            text = text[: text.rfind(" ") + 1] + key + " "
        else:
            typing.write(key)
            text += "" if key == " " == text[-1:] else key
        assert typing.text == text
        fresh = completer.complete(text, 8)
        assert [word for word, _ in typing.likeliest(8)] == [word for word, _ in fresh]
        assert np.allclose([p for _, p in typing.likeliest(8)], [p for _, p in fresh], rtol=1e-4)


def test_the_number_of_words_is_checked(completer):
    with pytest.raises(ValueError) as error:
        completer.complete("x", top=0)
    assert str(error.value) == "the number of words is 0: expected 1 or more"


@pytest.mark.parametrize("top", [1, 2, 3])
def test_equally_likely_words_share_the_places_fairly(top):
    logits = np.array(list(itertools.product(range(3), repeat=4)), float)
    likelier = (logits > logits[:, :1]).sum(axis=1)
    equal = (logits == logits[:, :1]).sum(axis=1)
    orders = np.array(list(itertools.permutations(range(4))))
    tops = [[0 in order[np.argsort(-row[order], kind="stable")[:top]] for order in orders] for row in logits]
    assert share_places(top, likelier, equal) == pytest.approx(np.mean(tops, axis=1))


def test_a_network_of_zeros_is_right_as_often_as_chance(weights):
    corpus = AutocompleteCorpus.from_source(reading.from_bytes(TEXT.encode()), length=24, words=WORDS)
    zeros = {name: np.zeros_like(weight) for name, weight in weights.items()}
    found = AutocompleteModel(CONFIG, SYMBOLS, zeros, words=WORDS).evaluate(corpus)
    assert found.masked_accuracy == pytest.approx(1 / len(WORDS))
    for row in found.by_typed():
        assert [row[f"top_{k}"] for k in (1, 2, 3)] == pytest.approx([k / len(WORDS) for k in (1, 2, 3)])


def test_a_network_that_is_no_number_is_never_right(weights):
    corpus = AutocompleteCorpus.from_source(reading.from_bytes(TEXT.encode()), length=24, words=WORDS)
    diverged = {name: np.full_like(weight, np.nan) for name, weight in weights.items()}
    found = AutocompleteModel(CONFIG, SYMBOLS, diverged, words=WORDS).evaluate(corpus)
    assert math.isnan(found.cross_entropy)
    assert found.masked_accuracy == 0


def test_only_observations_of_the_corpus_and_of_its_words_are_evaluated(completer):
    source = reading.from_bytes(TEXT.encode())
    corpus = AutocompleteCorpus.from_source(source, length=24, words=WORDS)
    last = len(corpus.observations) - 1
    for wrong in (-1, last + 1):
        with pytest.raises(ValueError) as error:
            completer.evaluate(corpus, [0, wrong])
        assert str(error.value) == f"there is no id {wrong}: expected whole numbers from 0 to {last}"
    with pytest.raises(ValueError) as error:
        completer.evaluate(AutocompleteCorpus.from_source(source, length=24))
    assert str(error.value) == "the corpus has other words than the model: expected one with words=model.words"
