"""The numpy engine against Keras, the independent implementation of the same equations."""

import keras
import numpy as np
import pytest

from shakegen.cells import BUILT_IN
from shakegen.inference import Engine
from shakegen.network.build import build
from shakegen.network.config import Config
from shakegen.network.keras_steps import compile_call

V = 23
VARIANTS = [{"residual": False}, {"embedding": 7, "learn_initial_state": True}]
CONFIGS = [Config(cell, units=24, **variant) for cell in BUILT_IN for variant in VARIANTS] + [
    Config("gru", units=24, layers=3),
    Config("rnn", units=24, layers=2, activation="relu"),
    Config("gru", units=24, layers=2, reset_after=False, learn_initial_state=True),
    *(Config("nlstm", units=24, layers=2, depth=depth, learn_initial_state=True) for depth in (1, 3, 4)),
    *(
        Config(cell, units=24, layers=1, layer_norm=True, learn_initial_state=True)
        for cell in ("lstm", "gru", "mogrifier")
    ),
    Config("gru", units=24, reset_after=False, layer_norm=True, zoneout=0.2),
    *(Config(cell, units=24, layers=1, zoneout=0.2) for cell in BUILT_IN),
    Config("mingru", units=24, convolution=4, mlp=2),
    Config("slstm", units=24, layers=3, convolution=3, learn_initial_state=True, zoneout=0.2),
    Config("gru", units=24, layers=1, mlp=1),
]
READ_OUTS = [  # what is read out last differs: of layers, sums of them, embeddings, blocks
    Config("gru", units=24, layers=3),
    Config("gru", units=24, residual=False),
    Config("lstm", units=24, embedding=7, learn_initial_state=True),
    Config("mogrifier", units=24),
    Config("slstm", units=24, layers=1, zoneout=0.2),
    Config("mingru", units=24, convolution=4, mlp=2),
    Config("gru", units=24, layers=1, mlp=1),
]


def engine_of(config, random_weights):
    return Engine(config, random_weights(config, V))


def logits_of(engine, ids):
    """Logits after every character of ids, shape (N, T) → (N, T, V)."""
    state, steps = engine.start(len(ids)), []
    for t in range(ids.shape[1]):
        logits, state = engine.step(ids[:, t], state)
        steps.append(logits.copy())
    return np.stack(steps, axis=1)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_engine_equals_keras_over_200_steps(config, random_weights, compiled_runs):
    weights = random_weights(config, V)
    model = build(config, V)
    assert [w.shape for w in model.get_weights()] == [w.shape for w in weights.values()]
    model.set_weights(list(weights.values()))
    for layer in model.layers:
        layer.compiled_loop = False
    ids = np.random.default_rng(1).integers(V, size=(5, 200))
    expected = keras.ops.convert_to_numpy(compile_call(model)(ids))
    assert compiled_runs == []  # Keras's own loop is the independent one
    for streams in 1, 5:
        assert np.abs(logits_of(Engine(config, weights), ids[:streams]) - expected[:streams]).max() < 1e-5


@pytest.mark.parametrize("config", READ_OUTS, ids=str)
@pytest.mark.parametrize("streams", [1, 4])
def test_a_read_out_put_off_gives_the_same_logits(config, streams, random_weights):
    weights = random_weights(config, V)
    at_once, later = Engine(config, weights), Engine(config, weights, defer_read_out=True)
    ids = np.random.default_rng(4).integers(V, size=(streams, 12))
    state, expected = later.start(streams), logits_of(at_once, ids)
    for t in range(12):
        results, state = later.step(ids[:, t], state)
        assert np.allclose(later.read_out(results), expected[:, t], atol=1e-5)
    for engine in at_once, later:
        assert engine.outputs == engine.vocabulary_size == V
    for read in ids[0], ids[0, :0]:
        (results, _), (logits, _) = later.prime(read, 2), at_once.prime(read, 2)
        assert np.allclose(later.read_out(results), logits, atol=1e-5)


@pytest.mark.parametrize("cell", BUILT_IN)
@pytest.mark.parametrize("several", [0, 100])
def test_priming_is_reading_step_by_step_in_every_stream(cell, several, random_weights, monkeypatch):
    monkeypatch.setattr("shakegen.inference.engine.SEVERAL", several)
    engine = engine_of(Config(cell, units=9, layers=2), random_weights)
    ids = np.random.default_rng(2).integers(V, size=17)
    logits, state = engine.prime(ids, streams=3)
    assert np.allclose(logits, logits_of(engine, np.tile(ids, (3, 1)))[:, -1], atol=1e-6)
    again, _ = engine.step(np.array([4, 4, 4]), state)
    assert np.allclose(again, logits_of(engine, np.tile([*ids, 4], (3, 1)))[:, -1], atol=1e-6)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("streams", [1, 3])
def test_reading_at_once_is_reading_step_by_step(config, streams, random_weights, monkeypatch):
    """In parts of any length, longer and shorter than the blocks that a layer takes; and a step goes on from there."""
    monkeypatch.setattr("shakegen.inference.engine.ROWS", 5 * streams)
    weights, ids = random_weights(config, V), np.random.default_rng(2).integers(V, size=(20, streams))
    expected = logits_of(Engine(config, weights), ids.T).swapaxes(0, 1)
    for engine in (Engine(config, weights), later := Engine(config, weights, defer_read_out=True)):
        state, results = engine.start(streams), []
        for part in np.split(ids[:-1], [2, 2, 14]):
            found, state = engine.read(part, state)
            results.append(found)
        last, _ = engine.step(ids[-1], state)
        found = np.concatenate([*results, last[None]])
        assert np.allclose(engine.read_out(found) if engine is later else found, expected, atol=1e-5)


@pytest.mark.parametrize("cell", BUILT_IN)
def test_rows_of_the_state_may_be_reordered_and_repeated(cell, random_weights):
    engine = engine_of(Config(cell, units=9, layers=2), random_weights)
    ids = np.random.default_rng(3).integers(V, size=(4, 6))
    state = engine.start(4)
    for t in range(5):
        _, state = engine.step(ids[:, t], state)
    rows = np.array([3, 0, 0, 2, 1, 3])
    logits, _ = engine.step(ids[rows, 5], state[rows])
    assert np.allclose(logits, logits_of(engine, ids)[rows, -1], atol=1e-6)


@pytest.mark.parametrize("cell", BUILT_IN)
def test_nothing_read_gives_the_logits_of_zero_outputs(cell, random_weights):
    config = Config(cell, units=9)
    weights = random_weights(config, V)
    logits, _ = Engine(config, weights).prime([], streams=2)
    assert np.array_equal(logits, np.tile(weights["dense/bias"], (2, 1)))


@pytest.mark.parametrize("defer", [False, True])
def test_of_no_streams_and_of_no_steps_there_is_nothing(defer, random_weights):
    config = Config("gru", units=9, layers=1)
    engine = Engine(config, random_weights(config, V), defer)
    width = config.units if defer else V
    for shape in (3, 0), (0, 2), (0, 0):
        state = engine.start(shape[1])
        before = state.copy()
        found, after = engine.read(np.zeros(shape, int), state)
        assert found.shape == (*shape, width)
        assert np.array_equal(after, before)
    found, state = engine.step(np.zeros(0, int), state)
    assert (found.shape, len(state)) == ((0, width), 0)
    assert engine.prime([1, 2], streams=0)[0].shape == (0, width)


@pytest.mark.parametrize("wrong", [-1, V, 999])
@pytest.mark.parametrize("streams", [1, 3])
def test_ids_that_do_not_exist_are_refused(wrong, streams, random_weights):
    engine = engine_of(Config("gru", units=5), random_weights)
    ids = np.full(streams, 2)
    ids[-1] = wrong
    state, expected = engine.start(streams), f"there is no id {wrong}: expected whole numbers from 0 to {V - 1}"
    before = state.copy()
    reads = [lambda: engine.step(ids, state), lambda: engine.read(ids[None], state)]
    for read in (*reads, lambda: engine.prime(ids), lambda: engine.activations(ids)):
        with pytest.raises(ValueError) as error:
            read()
        assert str(error.value) == expected
    assert np.array_equal(state, before)
