"""Which model a text suits best: codes for any text, pieces that add up, and errors that are honest."""

import math

import numpy as np
import pytest

from shakegen.model import LanguageModel, scoring
from shakegen.model.scoring import measure_characters, score, weigh
from shakegen.network.config import Config
from shakegen.text.vocabulary import CODE_POINTS, Vocabulary

TEXT = "shall i compare thee to a summers day\n\n\nthou art more lovely\nand more temperate\n"


@pytest.fixture
def make(random_weights):
    """A model over some characters."""

    def make(symbols="abcdefghijklmnopqrstuvwxyz \n", unknown=False, random_state=0):
        vocabulary, config = Vocabulary(symbols, unknown), Config("gru", units=6, layers=1)
        weights = random_weights(config, len(vocabulary), random_state)
        return LanguageModel(config, vocabulary, {name: weight * 2 for name, weight in weights.items()})

    return make


@pytest.mark.parametrize("unknown", [False, True])
def test_a_model_is_a_code_for_every_text(make, unknown):
    model = make("ab\n", unknown)
    for before in ("", "a", "ba\na", "é"):
        bits = {one: measure_characters(model, before + one).bits[-1] for one in "ab\né"}
        others = (CODE_POINTS - 3) * 2.0 ** -bits.pop("é")
        assert sum(2.0**-one for one in bits.values()) + others == pytest.approx(1, abs=1e-5)


def test_unknown_characters_cost_32_bits_without_an_unknown_symbol(make):
    costs = [measure_characters(make(symbols), "a漢b") for symbols in ("ab\n", "abc ", "ba")]
    for bits, unknown in costs:
        assert bits[1] == pytest.approx(12 + math.log2(CODE_POINTS), abs=1e-4)
        assert unknown.tolist() == [False, True, False]


def test_the_bits_are_those_of_evaluate_after_a_line_end(make):
    model = make()
    bits = measure_characters(model, TEXT).bits.sum() + len(TEXT) * math.log2(1 - scoring.ESCAPE)
    figures = model.evaluate("\n" + TEXT)
    assert bits == pytest.approx(figures.bits_per_character * figures.characters, rel=1e-6)


def test_the_bits_of_a_word_stand_at_its_first_character(word_model):
    text = "Shall I xyz compare\n"
    bits, unknown = measure_characters(word_model, text)
    assert np.flatnonzero(bits).tolist() == [0, 5, 7, 11, 19]
    assert unknown.tolist() == [7 <= place < 11 for place in range(20)]
    figures = word_model.evaluate("\n" + text)
    assert bits.sum() == pytest.approx(figures.bits_per_character * figures.characters, rel=1e-6)


@pytest.mark.parametrize(("by", "lines"), [("file", [1, 1]), ("paragraph", [1, 4, 1]), ("line", [1, 4, 5, 1])])
def test_pieces_add_up(make, by, lines):
    models = {"one": make(), "two": make(random_state=1)}
    pieces, total = score(models, {"a": TEXT, "b": "more\n"}, by)
    assert [piece.line for piece in pieces] == lines
    assert [piece.file for piece in pieces] == ["a"] * (len(lines) - 1) + ["b"]
    blank = by != "file" and 2  # line ends between paragraphs
    assert sum(len(piece.text) for piece in pieces) == len(total.text) - blank == len(TEXT) + 5 - blank
    if not blank:
        for name in models:
            assert total.bits[name] == pytest.approx(sum(piece.bits[name] for piece in pieces))
    else:
        assert pieces[1].bits["one"] != pytest.approx(score(models, {"a": pieces[1].text})[1].bits["one"])  # goes on


def test_the_model_that_wrote_a_text_is_found(make):
    models = {name: make(random_state=number) for number, name in enumerate("abc")}
    for name, model in models.items():
        _, total = score(models, {"text": model.sample("", 600, 1.0, 3)})
        assert total.evidence.best == name
        assert total.evidence.is_clear
        assert total.evidence.posterior[name] > 0.99


def test_evidence_is_the_ratio_of_likelihoods(rng):
    text = "one two three four five six\n"
    bits = {name: rng.random(len(text)) for name in "abc"}
    found = weigh(bits, text)
    first, second, _ = sorted(bits, key=lambda name: bits[name].sum())
    assert (found.best, found.second) == (first, second)
    assert found.bits == pytest.approx(bits[second].sum() - bits[first].sum())
    assert sum(found.posterior.values()) == pytest.approx(1)
    assert found.posterior[first] / found.posterior[second] == pytest.approx(2**found.bits)


@pytest.mark.parametrize("words", [5, 8, 60])
def test_two_standard_errors_are_rarely_chance(rng, words):
    text = "of it " * (words // 2) + "so" * (words % 2)
    clear = 0
    for _ in range(2000):
        bits = np.zeros(len(text))
        bits[::3] = rng.normal(size=words)
        clear += weigh({"a": bits, "b": np.zeros(len(text))}, text).is_clear
    assert 0.01 < clear / 2000 < 0.07


def test_three_words_tell_nothing():
    found = weigh({"a": np.zeros(12), "b": np.arange(12.0)}, "one two thr.")
    assert (found.standard_error, found.is_clear) == (None, False)


def test_mistakes(make):
    with pytest.raises(ValueError, match=r"^the pieces are 'word': expected one of file, paragraph, line$"):
        score({"a": make()}, {"b": "c"}, "word")
    with pytest.raises(ValueError, match=r"^b has nothing but white space: expected some text to score$"):
        score({"a": make()}, {"b": " \n"})


def test_a_tie_is_not_clear():
    found = weigh({"a": np.ones(11), "b": np.ones(11)}, "a b c d e f")
    assert (found.bits, found.standard_error, found.is_clear) == (0, 0, False)
