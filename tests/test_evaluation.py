"""Figures against Keras, which reads the same ids in one call."""

import math

import keras
import numpy as np
import pytest

from shakegen.config import CELLS, Config
from shakegen.evaluation import LOGITS, evaluate, surprisal
from shakegen.inference import Engine
from shakegen.network import build

V = 27


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_figures_are_those_of_keras(cell, layers, random_weights):
    config = Config(cell, units=16, layers=layers)
    weights = random_weights(config, V)
    ids = np.random.default_rng(4).integers(V, size=700).astype(np.uint8)
    network = build(config, V)
    network.set_weights(list(weights.values()))
    network.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    loss, accuracy = network.evaluate(ids[None, :-1].astype(np.int32), ids[None, 1:].astype(np.int32), verbose=0)
    found = evaluate(Engine(cell, weights), ids)
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


def test_the_state_is_carried_from_block_to_block(random_weights):
    engine = Engine("gru", random_weights(Config("gru", units=4), V))
    ids = np.random.default_rng(5).integers(V, size=2 * (LOGITS // V) + 100)
    blocks = [surprisals for surprisals, _ in surprisal(engine, ids)]
    assert len(blocks) == 3
    tail = ids[-150:]
    primed = surprisal(engine, ids[: len(ids) - 100])
    assert sum(len(s) for s, _ in primed) == len(ids) - 101
    assert np.allclose(np.concatenate(blocks)[-50:], next(surprisal(engine, tail))[0][-50:], atol=1e-2)
    assert np.isclose(np.concatenate(blocks).mean(), engine.score(ids)[0], rtol=1e-5)


@pytest.mark.parametrize("length", [0, 1])
def test_too_little_text(random_weights, length):
    engine = Engine("rnn", random_weights(Config("rnn", units=4), V))
    with pytest.raises(ValueError) as error:
        evaluate(engine, np.zeros(length, int))
    assert (
        str(error.value) == f"the text has {length} characters: expected 2 or more, for each is predicted from the last"
    )
