"""Connectivity: the network's own outputs, gradients by finite differences, blocks."""

import dataclasses

import numpy as np
import odd_cells
import pytest
from threadpoolctl import threadpool_limits

from shakegen.cells import BUILT_IN
from shakegen.cells.registry import CELLS
from shakegen.inference import Engine
from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.study.connectivity.connections import connections
from shakegen.study.connectivity.gradients import Gradients
from shakegen.text.word_vocabulary import WordVocabulary

V, T = 7, 5
for kind in odd_cells.ODD:
    CELLS[kind.name] = kind
CONFIGS = [
    *(Config(cell, units=5) for cell in BUILT_IN),
    *(Config(cell, units=5, layers=3, embedding=4, learn_initial_state=True, residual=True) for cell in BUILT_IN),
    Config("rnn", units=5, layers=2, activation="relu"),
    Config("gru", units=5, layers=2, reset_after=False, embedding=11),
    Config("nlstm", units=5, depth=3),
    Config("nlstm", units=5, depth=1),
    Config("mingru", units=5, layers=2, convolution=3, mlp=2),
    Config("lstm", units=5, layers=2, convolution=1, learn_initial_state=True),
]
CONFIGS += [Config("test-delay", units=4, layers=2, embedding=3), Config("test-sized", units=4, layers=1)]
for kind in odd_cells.ODD:
    del CELLS[kind.name]
NETWORK = pytest.mark.parametrize("config", CONFIGS, ids=str)


@pytest.fixture(autouse=True)
def odd_cells_known(monkeypatch):
    for kind in odd_cells.ODD:
        monkeypatch.setitem(CELLS, kind.name, kind)


@pytest.fixture
def drawn(random_weights, rng):
    """Weights in float64 and a text."""

    def draw(config, size=V):
        return {name: w.astype(float) for name, w in random_weights(config, size).items()}, rng.integers(size, size=T)

    return draw


def by_embedding(config, weights, ids):
    """The same network fed by a table of its own for every position: moving a row moves one one-hot input."""
    table = weights["embedding/embeddings"] if config.embedding else np.eye(V)
    fed = dataclasses.replace(config, embedding=table.shape[1])
    return fed, {**weights, "embedding/embeddings": table[ids]}, table


@NETWORK
def test_gradients_are_the_finite_differences(config, drawn):
    weights, ids = drawn(config)
    targets = np.arange(T) % V
    found = Gradients(config, weights, ids).connectivity(targets)
    fed, weights, table = by_embedding(config, weights, ids)
    inputs, slopes = weights["embedding/embeddings"], np.zeros((T, T, V))
    for s in range(T):
        for symbol in range(V):
            moved = []
            for step in 1e-6, -1e-6:
                changed = inputs.copy()
                changed[s] += step * table[symbol]
                logits = Gradients(fed, {**weights, "embedding/embeddings": changed}, np.arange(T)).logits()
                moved.append(logits[np.arange(T), targets])
            slopes[:, s, symbol] = (moved[0] - moved[1]) / 2e-6
    np.testing.assert_allclose(found, np.square(slopes).sum(axis=2), rtol=1e-6, atol=1e-12)
    assert not np.triu(found, 1).any()
    assert np.tril(found).any()


@NETWORK
def test_it_reads_as_the_engine_does(config, drawn):
    weights, ids = drawn(config)
    logits, engine = Gradients(config, weights, ids).logits(), Engine(config, weights)
    state = engine.start()
    for step, one in enumerate(ids[:, None]):
        expected, state = engine.step(one, state)
        np.testing.assert_allclose(logits[step], expected[0], rtol=0, atol=1e-12)


def test_models_of_words_that_write_are_traced_too(random_weights):
    vocabulary = WordVocabulary(["shall", " I", " compare"])
    config = Config("gru", units=5, level="word", embedding=3)
    model = LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))
    found = connections(model, "shall I love compare", on_unknown="symbol", top=9)
    assert found.characters == ["shall", " I", "\ufffd", " compare"]
    assert [found.title(t) for t in range(4)] == ["the next word", *["the likeliest next word"] * 1, "the next word",
                                                  "the likeliest next word"]  # fmt: skip
    assert [found.targets[t] for t in (0, 2)] == [" I", " compare"]
    assert all(len(offers) == 3 for offers in found.suggestions)
    chosen = connections(model, "shall I", target=" compare")
    assert (chosen.targets, chosen.title(0)) == ([" compare"] * 2, "the next word asked for")
    np.testing.assert_allclose(chosen.shares.max(axis=1), 1)


@pytest.mark.parametrize("block", [1, 3, 5])
def test_blocks_of_any_size_give_the_same(block, drawn):
    config = Config("lstm", units=5, layers=2)
    weights, ids = drawn(config)
    gradients, targets = Gradients(config, weights, ids), np.zeros(T, int)
    whole, parts = gradients.connectivity(targets), gradients.connectivity(targets, block)
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


def test_no_number_of_threads_changes_a_bit():
    config, random = Config("gru", units=128, layers=2), np.random.default_rng(0)
    weights = {name: random.normal(0, 0.1, shape).astype("f4") for name, shape in config.weight_shapes(30).items()}
    ids, found = random.integers(30, size=200), []
    for threads in (1, 2, 4):
        with threadpool_limits(threads, user_api="blas"):
            found.append(Gradients(config, weights, ids).connectivity(ids))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_a_large_vocabulary_is_no_different(drawn):
    config = Config("gru", units=2)
    weights, ids = drawn(config, 40)
    few = {**weights, "layer1/kernel": np.pad(weights["layer1/kernel"][:5], ((0, 35), (0, 0)))}
    small = {**weights, "layer1/kernel": weights["layer1/kernel"][:5]}
    norms = [Gradients(config, w, ids % 5).connectivity(np.zeros(T, int)) for w in (few, small)]
    np.testing.assert_allclose(norms[0], norms[1], rtol=1e-9)


@pytest.mark.parametrize("wrong", [-1, V, 999])
def test_ids_and_targets_that_do_not_exist_are_refused(wrong, random_weights):
    config, ids = Config("gru", units=4), np.array([1, 2, 3])
    weights, expected = random_weights(config, V), f"there is no id {wrong}: expected whole numbers from 0 to {V - 1}"
    for trace in (
        lambda: Gradients(config, weights, np.append(ids, wrong)),
        lambda: Gradients(config, weights, ids).connectivity(np.array([1, wrong, 2])),
    ):
        with pytest.raises(ValueError) as error:
            trace()
        assert str(error.value) == expected
