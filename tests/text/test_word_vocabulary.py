"""Texts as words: every text comes back, and blocks change nothing."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from shakegen.text import word_vocabulary
from shakegen.text.corpus import Corpus
from shakegen.text.word_vocabulary import UnknownWords, WordVocabulary, tokenize, tokenize_blocks

PIECES = st.sampled_from(
    [
        *["a", "word", "summer's", "can’t", "'tis", "1984", "e\u0301", "x" * 70, "_", "==", ".", "...", "--", "("],
        *[" ", "  ", " " * 40, "\n", "\n" * 20, "\t", "\ufeff", "\u2028"],
        *["床前", "ありがとう", "नमस्ते", "สวัสดี", "می\u200cخواهم", "👩\u200d👩\u200d👧", "👍🏽", "🇩🇪🇫🇷"],
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES).map("".join))


@given(TEXTS)
@example("a" * 2000 + " " * 2000 + "'" * 700 + "é" * 2000 + "\n" * 2000)
def test_joined_symbols_are_the_text(text):
    found = tokenize(text)
    assert "".join(found) == text
    assert all(0 < len(symbol) < word_vocabulary.LONGEST for symbol in found)


@settings(max_examples=60)
@given(TEXTS, TEXTS, st.integers(1, 40))
def test_blocks_do_not_matter(one, other, size):
    text = (one + other) * (1 + 1200 // (1 + len(one + other)))
    found = [
        symbol for block in tokenize_blocks(text[k : k + size] for k in range(0, len(text), size)) for symbol in block
    ]
    assert found == tokenize(text)


@settings(max_examples=60)
@given(TEXTS.filter(str.isascii))
def test_the_way_of_ascii_text_is_the_way_of_all(text):
    assert word_vocabulary.symbol_pattern(True).findall(text) == word_vocabulary.symbol_pattern(False).findall(text)


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("Shall I compare thee to a summer's day?", "Shall| I| compare| thee| to| a| summer's| day|?"),
        ("rock'n'roll 'tis (so)", "rock'n'roll| '|tis| (|so|)"),
        ("in 1984, 1234567", "in| 1984|,| 1234|567"),
        ("床前明月光, ok", "床|前|明|月|光|,| ok"),
        ("नमस्ते दुनिया cafe\u0301", "नमस्ते| दुनिया| cafe\u0301"),
        ("👩‍👩‍👧 👍🏽 🇩🇪🇫🇷 ❤️", "👩‍👩‍👧| 👍🏽| 🇩🇪|🇫🇷| ❤️"),
        ("if x == 1:\n    return -x...\n\n\tno", "if| x| ==| 1|:|\n|   | return| -|x|...|\n\n|\t|no"),
    ],
)
def test_symbols_of_a_text(text, symbols):
    assert tokenize(text) == symbols.split("|")


def test_the_most_frequent_words_are_kept():
    text = "b a. " * 5 + "c. " * 3 + "once twice twice"
    corpus = Corpus.from_text(text, level="word", split=(1, 0, 0))
    assert corpus.vocabulary.symbols == (".", " a", " b", " c", " twice")
    small = Corpus.from_text(text, level="word", split=(1, 0, 0), vocabulary_size=3)
    assert small.vocabulary.symbols == (".", " a")
    assert len(small.vocabulary) == 3
    assert small.vocabulary.decode(small.ids).startswith("\ufffd a.\ufffd a.\ufffd a.")


def test_the_usual_words_are_those_that_occur_twice():
    text = "often " * 95 + "seven " * 7 + "twice " * 2 + "seldom "
    usual = Corpus.from_text(text, level="word", split=(1, 0, 0)).vocabulary
    assert usual.symbols == (" often", " seven", " twice")
    assert len(usual) == 4


@pytest.mark.parametrize("size", [None, 9])
def test_of_no_text_no_words_are_learned(size):
    with pytest.raises(ValueError) as error:
        WordVocabulary.learn([], size)
    assert str(error.value) == "a vocabulary needs at least one word"


def test_text_without_spaces_takes_little_memory(rng):
    """Its chunks are long and do not come again, so keeping them would take 80 bytes for each character."""
    text = "".join(map(chr, rng.integers(0x4E00, 0x5E00, 50_000)))
    blocks = tokenize_blocks(text[begin : begin + 5000] for begin in range(0, len(text), 5000))
    [*itertools.islice(blocks, 1)]  # the patterns of words are made once
    tracemalloc.start()
    try:
        assert sum(map(len, blocks)) > 40_000
        assert tracemalloc.get_traced_memory()[1] < 30 * len(text)
    finally:
        tracemalloc.stop()


def test_forgetting_rare_words_leaves_the_frequent_ones_exact_enough(monkeypatch):
    monkeypatch.setattr(word_vocabulary, "MOST_COUNTED", 50)
    blocks = [
        "often " * 9 + "".join(f"w{chr(97 + k // 26)}{chr(97 + k % 26)} " for k in range(n, n + 20))
        for n in range(0, 600, 20)
    ]
    counts = WordVocabulary.count(blocks)
    assert counts.most_common(1) == [(" often", 9 * 30 - 1)]
    assert len(counts) <= 50


def test_round_trip_of_known_words(poem):
    vocabulary = WordVocabulary(sorted(set(tokenize(poem))))
    assert vocabulary.decode(vocabulary.encode(poem)) == poem
    assert WordVocabulary.from_json(vocabulary.to_json()) == vocabulary
    assert vocabulary.encode(poem).dtype == np.uint8


def test_unknown_words():
    vocabulary = WordVocabulary(["to", " be", " or", ","])
    assert vocabulary.encode("to be, xyz or").tolist() == [0, 1, 3, 4, 2]
    assert vocabulary.encode("to be, xyz or", "skip").tolist() == [0, 1, 3, 2]
    with pytest.raises(UnknownWords) as error:
        vocabulary.encode("to xyz, be it xyz", "error")
    assert error.value.words == [" xyz", " it"]
    assert str(error.value) == (
        "the model does not know ' xyz', ' it': use words of its training text, skip the unknown ones "
        "(`on_unknown='skip'`) or read them as its unknown symbol (`on_unknown='symbol'`)"
    )
    with pytest.raises(UnknownWords) as error:
        vocabulary.encode("be or", "error")
    assert str(error.value).startswith(
        "the model does not know 'be' (but ' be': a space belongs to the word after it): use words of its "
        "training text, skip"
    )


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ([], "a vocabulary needs at least one word"),
        (["a", "a"], "every symbol of a vocabulary must be there once"),
        (["a", ""], "every symbol of a vocabulary must be a word of 1 to 127 characters"),
        (["a", 3], "every symbol of a vocabulary must be a word of 1 to 127 characters"),
        (["a" * 128], "every symbol of a vocabulary must be a word of 1 to 127 characters"),
    ],
)
def test_symbols_that_are_no_vocabulary_of_words(symbols, message):
    with pytest.raises(ValueError) as error:
        WordVocabulary(symbols)
    assert str(error.value) == message
    with pytest.raises(ValueError, match="vocabulary"):
        WordVocabulary.from_json([*symbols, None])


def test_a_vocabulary_of_words_without_an_unknown_symbol_is_refused():
    with pytest.raises(ValueError) as error:
        WordVocabulary.from_json(["a", "b"])
    assert str(error.value) == "a vocabulary of words needs an unknown symbol"
