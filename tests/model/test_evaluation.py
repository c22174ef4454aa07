"""Figures against Keras, which reads the same ids in one call."""

import itertools
import math

import keras
import numpy as np
import pytest

from shakegen.inference import Engine
from shakegen.model import LanguageModel
from shakegen.model.evaluation import Evaluation, estimate, evaluate, score_targets, surprisal
from shakegen.network.build import build
from shakegen.network.config import Config
from shakegen.text.vocabulary import Vocabulary
from shakegen.text.word_vocabulary import tokenize

V = 27


def engine_of(config, random_weights):
    return Engine(config, random_weights(config, V))


@pytest.mark.parametrize(("cell", "layers"), [("lstm", 1), ("gru", 2)])
def test_figures_are_those_of_keras(cell, layers, random_weights):
    config = Config(cell, units=16, layers=layers)
    weights = random_weights(config, V)
    ids = np.random.default_rng(4).integers(V, size=700).astype(np.uint8)
    network = build(config, V)
    network.set_weights(list(weights.values()))
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(loss=crossentropy, metrics=["accuracy"], jit_compile=False)
    loss, accuracy = network.evaluate(ids[None, :-1].astype(np.int32), ids[None, 1:].astype(np.int32), verbose=0)
    found = evaluate(Engine(config, weights), ids)
    assert abs(found.nats_per_character - loss) < 1e-4
    assert abs(found.accuracy - accuracy) < 1e-4
    assert found.characters == 699
    assert found.to_dict() == {
        "bits_per_character": found.nats_per_character / math.log(2),
        "nats_per_character": found.nats_per_character,
        "perplexity": math.exp(found.nats_per_character),
        "accuracy": found.accuracy,
        "characters": 699,
    }


def test_the_state_is_carried_from_block_to_block(random_weights, monkeypatch):
    engine = engine_of(Config("gru", units=4), random_weights)
    ids = np.random.default_rng(5).integers(V, size=2 * 300 + 100)
    ((whole, _),) = surprisal(engine, ids)
    monkeypatch.setattr("shakegen.model.evaluation.LOGITS", 300 * V)
    blocks = [surprisals for surprisals, _ in surprisal(engine, ids)]
    assert len(blocks) == 3
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-5)


@pytest.mark.parametrize("length", [0, 1])
def test_too_little_text(random_weights, length):
    engine = engine_of(Config("rnn", units=4), random_weights)
    with pytest.raises(ValueError) as error:
        evaluate(engine, np.zeros(length, int))
    assert str(error.value) == f"the text has {length} symbols: expected 2 or more, for each is predicted from the last"


def test_an_estimate_of_one_stream_is_exact(random_weights):
    engine = engine_of(Config("lstm", units=4), random_weights)
    ids = np.random.default_rng(6).integers(V, size=200)
    assert np.allclose(estimate(engine, ids, streams=1)[:3], evaluate(engine, ids)[:3], rtol=1e-5)


def test_an_estimate_of_several_streams_is_that_of_their_parts(random_weights):
    engine = engine_of(Config("gru", units=4), random_weights)
    ids = np.random.default_rng(5).integers(V, size=96)
    parts = [ids[start : start + 33] for start in (0, 32, 64)]
    sizes = [len(part) - 1 for part in parts]
    nats, accuracy = np.average([evaluate(engine, part)[:2] for part in parts], axis=0, weights=sizes)
    assert np.allclose(estimate(engine, ids, streams=3)[:3], (nats, accuracy, 95), rtol=1e-5)


@pytest.mark.parametrize("text", ["thee thou more", "zyx, thou art zyx\nand", "Thou art"])
def test_bits_of_words_are_those_of_the_symbols_and_of_the_spelling_of_unknown_ones(word_model, text):
    found, vocabulary = word_model.evaluate(text), word_model.vocabulary
    symbols, ids = tokenize(text), vocabulary.encode(text)
    plain = evaluate(word_model.engine, ids)
    unknown = [symbol for symbol in symbols[1:] if symbol not in vocabulary]
    spelling = sum(map(vocabulary.spelling, unknown))
    bits = (plain.nats_per_symbol * (len(symbols) - 1) + spelling) / math.log(2)
    assert math.isclose(found.bits_per_character * found.characters, bits)
    assert math.isclose(found.bits_per_symbol * found.symbols, bits)
    assert math.isclose(found.spelling_bits_per_character * found.characters, spelling / math.log(2), abs_tol=1e-12)
    assert found.characters == len(text) - len(symbols[0])
    assert (found.unknown, found.symbols) == (len(unknown), len(symbols) - 1)
    assert math.isclose(found.perplexity, math.exp(plain.nats_per_symbol))
    assert list(found.to_dict()) == [
        "bits_per_character", "nats_per_character", "perplexity", "accuracy", "characters",
        "bits_per_word", "words", "unknown", "spelling_bits_per_character",
    ]  # fmt: skip


def test_to_foresee_that_something_is_unknown_is_not_accurate():
    class Certain:
        """Is sure that the unknown symbol, 2, comes next, whatever came."""

        vocabulary_size = 3

        def start(self):
            return np.zeros((1, 1))

        def read(self, ids, state):
            return np.tile([0.0, 0.0, 9.0], (*ids.shape, 1)), state

    ids = np.array([0, 2, 1, 2])
    assert evaluate(Certain(), ids).accuracy == 2 / 3
    assert evaluate(Certain(), ids, unknown=2).accuracy == 0


def test_rarer_characters_cost_their_names(random_weights):
    """However few characters are known, a text costs at least what it would if all others were known to be equal."""
    config, text = Config("rnn", units=3), "abcabcxyzabc"
    for known in ("abcxyz", "abc", "ab", "a"):
        vocabulary = Vocabulary(known, unknown=True)
        weights = {name: 0 * w for name, w in random_weights(config, len(vocabulary)).items()}
        found = LanguageModel(config, vocabulary, weights).evaluate(text)
        unknown = sum(c not in known for c in text[1:])
        expected = math.log2(len(known) + 1) + unknown / 11 * math.log2(0x110000 - len(known))
        assert math.isclose(found.bits_per_character, expected, rel_tol=1e-6)
        assert found.to_dict()["unknown"] == unknown


def test_a_tie_counts_as_the_share_of_orders_in_which_the_target_is_first():
    logits = np.array(list(itertools.product(range(3), repeat=4)), float)
    for target in range(4):
        _, hits = score_targets(logits, np.full(len(logits), target))
        orders = np.array(list(itertools.permutations(range(4))))
        firsts = np.array([[order[row[order].argmax()] for order in orders] for row in logits])
        assert hits == pytest.approx((firsts == target).mean(axis=1))


def test_a_network_that_is_sure_of_what_is_wrong_has_an_infinite_perplexity():
    assert Evaluation(700, 0, 9, 9).perplexity == pytest.approx(math.exp(700))
    assert Evaluation(710, 0, 9, 9).to_dict()["perplexity"] == math.inf
    assert math.isnan(Evaluation(math.nan, 0, 9, 9).perplexity)


def test_a_network_of_zeros_is_right_as_often_as_chance(random_model):
    model = random_model(Config("gru", units=4))
    zeros = {name: np.zeros_like(weight) for name, weight in model.weights.items()}
    found = LanguageModel(model.config, model.vocabulary, zeros).evaluate("shall i compare thee")
    assert found.accuracy == pytest.approx(1 / V)


@pytest.mark.parametrize("place", [0, 10, -1])
@pytest.mark.parametrize("wrong", [-1, V, 999])
def test_ids_that_do_not_exist_are_refused_wherever_they_are(place, wrong, random_weights):
    engine, ids = engine_of(Config("gru", units=4), random_weights), np.arange(60) % V
    ids[place] = wrong
    for read in (lambda: evaluate(engine, ids), lambda: estimate(engine, ids, 3)):
        with pytest.raises(ValueError) as error:
            read()
        assert str(error.value) == f"there is no id {wrong}: expected whole numbers from 0 to {V - 1}"
