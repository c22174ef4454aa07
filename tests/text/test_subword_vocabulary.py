"""Texts as subwords: every text comes back, blocks change nothing, and pieces are joined in their order."""

import importlib.util
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from shakegen.text.corpus import Corpus
from shakegen.text.subword_vocabulary import DIGITS, SubwordVocabulary, join_pairs
from shakegen.text.word_vocabulary import tokenize

TEXT = "the thee then them thine thou\n" * 20 + "é" * 3
FIXED = SubwordVocabulary(["t", "h", "e", " ", "n", "\n", "é", "th", "en", " th", " the", "hen"])
TEXTS = st.one_of(st.text(), st.text("then \n\0é\r"), st.text(st.characters(categories=["Cs", "So", "Mn"])))
STRANGE = "then 👩\u200d👩\u200d👧 e\u0301 \r\n\0\ud800\udc00 \U0010ffff床前"


@settings(max_examples=100)
@given(TEXTS)
@example(STRANGE)
def test_every_text_comes_back(text):
    ids = FIXED.encode(text)
    assert FIXED.decode(ids) == text
    assert ids.dtype == FIXED.dtype
    read = FIXED.read([text])
    assert read.ids.tolist() == ids.tolist()
    assert (read.characters, read.spelling.sum()) == (len(text), 0)
    known = "".join(character for character in text if character in FIXED)
    assert FIXED.decode(FIXED.encode(text, "skip")) == known


@settings(max_examples=30)
@given(TEXTS, st.integers(1, 40))
def test_blocks_do_not_matter(text, size):
    text *= 1 + 1200 // (1 + len(text))
    blocks = [text[k : k + size] for k in range(0, len(text), size)]
    assert FIXED.read(blocks).ids.tolist() == FIXED.encode(text).tolist()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("then the", "th|en| the"),
        (" then hen", " th|en| |hen"),  # "en" comes before " the"
        ("hen\nthéth", "hen|\n|th|é|th"),
    ],
)
def test_the_first_piece_of_the_vocabulary_is_joined_first(text, pieces):
    assert [FIXED.decode([one]) for one in FIXED.encode(text)] == pieces.split("|")


def test_other_characters_are_spelled_by_the_digits_of_their_bytes():
    first = len(FIXED.symbols)
    assert len(FIXED) == first + len(DIGITS)
    assert FIXED.encode("ö").tolist() == [first + int(digit, 16) for digit in "c3b6"]
    assert [FIXED.read([text]).first for text in ("ö", "then", "")] == [0, 2, 0]
    assert [FIXED.symbols[k] for k in FIXED.encode("tönö", "skip")] == ["t", "n"]
    assert FIXED.decode([first + 12, first + 3, 0, first + 11]) == "\ufffdt\ufffd"
    with pytest.raises(ValueError) as error:
        FIXED.encode("tö", "error")
    assert str(error.value).startswith("the model never saw 'ö' (U+00F6): use characters of its training text")


@pytest.mark.parametrize("text", [TEXT, "ab" * 400 + STRANGE * 2, "a" * 9, "ab", "\ud800"])
def test_a_vocabulary_is_learned_from_any_text(text):
    vocabulary = SubwordVocabulary.learn([text], 128)
    assert len(vocabulary) <= 128
    assert vocabulary.decode(vocabulary.encode(text + STRANGE)) == text + STRANGE
    often = {one for one, count in Counter(text).items() if count > 1 and not "\ud800" <= one <= "\udfff"}
    assert {one for one in vocabulary.symbols if len(one) == 1} == (often or {"\n"})
    assert SubwordVocabulary.learn([text], 128) == vocabulary
    assert SubwordVocabulary.from_json(vocabulary.to_json()) == vocabulary


def test_frequent_neighbours_are_joined_and_rare_ones_are_not():
    words = Counter({" the": 60, " then": 49, "xy": 30})
    often = join_pairs(words, [*" thenxy"], 100, 50)
    assert " the" in often
    assert not [one for one in often if len(one) > 1 and "n" in one]
    every = join_pairs(words, [*" thenxy"], 100, 2)
    assert {" then", "xy"} <= {*every}
    assert len(join_pairs(words, [*" thenxy"], 9, 2)) == 9
    assert not {"xy", " then"} & {*join_pairs(words, [*" the"], 100, 2)}


def test_pieces_stay_within_words():
    vocabulary = SubwordVocabulary.learn([TEXT], 128)
    assert all(tokenize(piece) == [piece] for piece in vocabulary.symbols)
    vocabulary = SubwordVocabulary.learn(["床前明月光，床前。" * 9], 128)
    assert {"床前明月光", "床前"} <= {*vocabulary.symbols}


def test_half_of_the_pieces_are_characters_at_most():
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 200)))
    vocabulary = SubwordVocabulary.learn([(letters + "the then\n") * 3], 128)
    assert sum(len(piece) == 1 for piece in vocabulary.symbols) == (128 - len(DIGITS)) // 2


def test_a_corpus_of_subwords():
    corpus = Corpus.from_text(TEXT, level="subword", split=(0.8, 0.1, 0.1))
    assert corpus.vocabulary.decode(corpus.ids) == TEXT
    assert corpus.level == "subword"
    assert sum(part.spelling for part in corpus.parts) == 0
    again = Corpus.from_text(TEXT, vocabulary=corpus.vocabulary, split=(0.8, 0.1, 0.1))
    assert np.array_equal(again.ids, corpus.ids)
    assert again.vocabulary == corpus.vocabulary
    with pytest.raises(TypeError) as error:
        Corpus.from_text(TEXT, vocabulary="abc")
    assert str(error.value) == "the vocabulary is 'abc': expected one such as model.vocabulary"


@pytest.mark.parametrize("symbols", [["a"], ["a", *[None] * 15], ["a", "a", *[None] * 16], [None] * 16])
def test_symbols_that_are_no_vocabulary_of_subwords(symbols):
    with pytest.raises(ValueError, match="vocabulary"):
        SubwordVocabulary.from_json(symbols)


def test_a_size_that_is_too_small():
    with pytest.raises(ValueError) as error:
        SubwordVocabulary.learn([TEXT], 127)
    assert str(error.value) == "the vocabulary size is 127: expected 128, 16 digits and subwords, to 1,048,576"


def test_only_learning_needs_tokenizers(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    text = iter([TEXT])
    with pytest.raises(ValueError) as error:
        SubwordVocabulary.learn(text)
    assert [*text] == [TEXT], "a long text is not read in vain"
    assert str(error.value) == (
        "tokenizers is not installed: expected it for the level subword; try `pip install tokenizers`"
    )
    assert FIXED.decode(FIXED.encode(STRANGE)) == STRANGE
