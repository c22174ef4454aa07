"""The autocomplete task's observations: what stands in them, how they are labelled, how they are split."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.study.autocomplete.outputs import PADDING, SYMBOLS, UNKNOWN, Outputs
from shakegen.text import reading

WORDS = st.lists(st.text("abcz", min_size=1, max_size=12), min_size=1, max_size=60)


def corpus_of(text, **options):
    return AutocompleteCorpus.from_source(reading.from_bytes(text.encode()), **options)


def packed(words, length):
    """The naive reference: observations as lists of words."""
    observations, used = [[]], 0
    for word in words:
        if used + 1 + len(word) > length:
            observations.append([])
            used = 0
        observations[-1].append(word)
        used += 1 + len(word)
    return observations


@given(words=WORDS, length=st.integers(13, 30), size=st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_observations_are_those_of_the_naive_reference(words, length, size):
    corpus, expected = corpus_of(" ".join(words), length=length, vocabulary_size=size), packed(words, length)
    assert corpus.observations.texts(range(len(expected))) == ["".join(f" {w}" for w in row) for row in expected]
    inputs, targets = corpus.observations.take(np.arange(len(expected)))
    assert inputs.shape == targets.shape == (len(expected), length)
    for row, characters, outputs in zip(expected, inputs, targets):
        text = "".join(f" {word}" for word in row)
        labels = [word for word in row for _ in f" {word}"]
        assert SYMBOLS.decode(characters) == text.ljust(length)
        known = [word if word in corpus.words else "<unknown>" for word in labels]
        assert corpus.words.decode(outputs) == known + [""] * (length - len(text))


@given(words=WORDS, length=st.integers(13, 30))
@settings(max_examples=60, deadline=None)
def test_every_word_is_in_exactly_one_observation_and_the_text_comes_back(words, length):
    observations = corpus_of(" ".join(words), length=length).observations
    texts = observations.texts(range(len(observations)))
    assert "".join(texts).split() == words
    assert all(text.startswith(" ") and 2 <= len(text) <= length for text in texts)
    assert observations.first_words.tolist() == [len("".join(texts[:k]).split()) for k in range(len(observations) + 1)]


@given(words=WORDS, size=st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_the_most_frequent_words_are_predicted(words, size):
    kept = corpus_of(" ".join(words), vocabulary_size=size).words.words
    assert kept == tuple(sorted(set(words), key=lambda word: (-words.count(word), word))[:size])


@pytest.mark.parametrize("count", [1, 2, 19, 20, 1000])
def test_each_observation_is_in_exactly_one_part(count):
    corpus = corpus_of("abc " * count, length=4, random_state=3)
    parts = corpus.train, corpus.validation, corpus.test
    assert sorted(np.concatenate(parts)) == list(range(count))
    assert [len(part) for part in parts[:2]] == [math.floor(count * 0.9), math.floor(count * 0.05)]
    again, other = corpus_of("abc " * count, length=4, random_state=3), corpus_of("abc " * count, length=4)
    assert np.array_equal(again.train, corpus.train)
    assert count < 19 or not np.array_equal(other.train, corpus.train)


def test_the_study_has_7139_batches_an_epoch():
    observations = 507_663
    assert math.floor(observations * 0.9 + 1e-6) == 456_896 == 64 * 7_139


def test_any_text_is_brought_to_words_of_a_to_z():
    corpus = corpus_of("\n\nShall I, compare thee\tto 42 “é”summers\r\n", length=20)
    assert corpus.observations.texts(range(3)) == [" shall i compare", " thee to four two", " summers"]
    spaced = corpus_of("  shall i compare thee to four two summers ", length=20)
    assert spaced.sha256 == corpus.sha256 == hashlib.sha256(b" shall i compare thee to four two summers").hexdigest()


def test_a_word_too_long_for_an_observation_is_cut():
    corpus = corpus_of("ab abcdefghij cd", length=6)
    assert corpus.observations.texts(range(3)) == [" ab", " abcde", " cd"]
    assert "abcde" in corpus.words


def test_an_observation_may_be_all_padding():
    corpus = corpus_of("ab cd ef", length=6)
    inputs, targets = corpus.observations.take(np.array([0, -1]))
    assert corpus.words.decode(targets[0]) == ["ab"] * 3 + ["cd"] * 3
    assert SYMBOLS.decode(inputs[1]) == " " * 6
    assert (targets[1] == PADDING).all()


def test_words_of_another_corpus_label_too():
    words = Outputs(["thee", "i"])
    corpus = corpus_of("i love thee", words=words)
    assert corpus.words is words
    assert corpus.words.decode(corpus.observations.targets) == ["i", "<unknown>", "thee"]
    assert words.encode(["love"])[0] == UNKNOWN
    assert len(words) == 4


BAD = {
    "the observation length is 1: expected 2 to 65536 characters": {"length": 1},
    "the vocabulary size is 0: expected 1 to 1048576 words": {"vocabulary_size": 0},
    "the split 0.9,0.2,0.1 is not usable for observations: expected three shares for training, validation and test "
    "that sum to 1, such as 0.9,0.05,0.05": {"split": (0.9, 0.2, 0.1)},
    "the split *,5,5 is not usable for observations: expected three shares for training, validation and test that "
    "sum to 1, such as 0.9,0.05,0.05": {"split": ("*", 5, 5)},
}


@pytest.mark.parametrize(("message", "options"), BAD.items())
def test_options_out_of_range(message, options):
    with pytest.raises(ValueError) as error:
        corpus_of("some words", **options)
    assert str(error.value) == message


@pytest.mark.parametrize("text", ["", " \n", "éü…"])
def test_a_text_without_words_is_refused(text):
    with pytest.raises(ValueError) as error:
        corpus_of(text)
    assert str(error.value) == "the text has no words: expected a text with letters from a to z"


BAD_WORDS = {
    "there are no words to predict: expected at least one": [],
    "'A' is no word to predict: expected letters a to z only": ["a", "A"],
    "'' is no word to predict: expected letters a to z only": [""],
    "1 is no word to predict: expected letters a to z only": [1],
    "every word to predict must be there once": ["a", "b", "a"],
}


@pytest.mark.parametrize(("message", "words"), BAD_WORDS.items())
def test_words_that_cannot_be_predicted(message, words):
    with pytest.raises(ValueError) as error:
        Outputs(words)
    assert str(error.value) == message


def test_the_rest_of_a_split_is_a_share():
    text = " ".join(["thou art more lovely"] * 40)
    corpus, same = (corpus_of(text, length=20, split=split) for split in ((0.5, 0.25, "*"), (0.5, 0.25, 0.25)))
    assert corpus.split == same.split
    assert corpus.origin() == same.origin()
    assert np.array_equal(corpus.test, same.test)
