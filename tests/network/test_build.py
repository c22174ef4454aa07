import tracemalloc
from dataclasses import replace

import keras
import numpy as np
import pytest

from shakegen.cells import BUILT_IN
from shakegen.network.build import build
from shakegen.network.config import Config
from shakegen.network.keras_steps import KerasSteps

V = 11
BLOCKS = Config("mingru", units=6, dropout=0.5, convolution=4, mlp=2)


EXTRAS = [{}, {"embedding": 5, "learn_initial_state": True}, {"learn_initial_state": True, "convolution": 2, "mlp": 1}]


@pytest.mark.parametrize("cell", BUILT_IN)
@pytest.mark.parametrize("extras", EXTRAS, ids=str)
def test_weights_are_those_that_the_configuration_says(cell, extras):
    config = Config(cell, units=6, layers=2, dropout=0.5, **extras)
    assert [w.shape for w in build(config, V).get_weights()] == list(config.weight_shapes(V).values())


def test_initial_weights_depend_on_random_state_alone():
    config = Config(units=6, convolution=2, mlp=1)
    first, second, other = (build(config, V, random_state).get_weights() for random_state in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.fixture
def half_precision():
    """Keras with floatx float16, as keras.json may say."""
    keras.config.set_floatx("float16")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.parametrize("embedding", [0, 3])
@pytest.mark.parametrize("cell", BUILT_IN)
def test_networks_have_their_own_precision_whatever_keras_has(cell, embedding, half_precision):
    size, config = 3000, Config(cell, units=2, layers=2, embedding=embedding, learn_initial_state=True)
    ids = np.array([[2049, 2051, 2999]])
    networks = [build(config, size)]
    keras.config.set_floatx("float32")
    networks.append(build(config, size))
    half, usual = (network(ids, training=False) for network in networks)
    assert {weight.dtype for weight in networks[0].weights} == {"float32"}
    assert half.dtype == usual.dtype
    np.testing.assert_array_equal(half, usual)


@pytest.mark.parametrize("config", [*(Config(cell, units=6) for cell in BUILT_IN), BLOCKS], ids=str)
def test_a_prediction_depends_on_no_later_character(config):
    model = build(config, V)
    ids = np.random.default_rng(0).integers(V, size=(2, 9))
    changed = ids.copy()
    changed[:, 5:] = (changed[:, 5:] + 1) % V
    before, after = np.asarray(model(ids)), np.asarray(model(changed))
    assert np.array_equal(before[:, :5], after[:, :5])
    assert not np.allclose(before[:, 5:], after[:, 5:])


def test_dropout_of_blocks_leaves_the_sum_that_passes_through(rng):
    """With all but the embedding dropped, the logits are those of the embedding."""
    network = build(replace(BLOCKS, dropout=1 - 1e-9), V)
    ids = rng.integers(V, size=(2, 5))
    expected = network.get_layer("dense")(network.get_layer("embedding")(ids))
    assert np.array_equal(network(ids, training=True), expected)


BAD = {
    f"there is no cell 'xyz': expected one of {', '.join(BUILT_IN)}, or module:Class for one of your own": {
        "cell": "xyz"
    },
    "the cell is 'odd_cells:Mine': expected a name; `load_cell('odd_cells:Mine')` imports the cell of that place": {
        "cell": "odd_cells:Mine"
    },
    "layers times memories of a cell are over 1024: expected fewer of either": {"cell": "slstm", "layers": 400},
    "units is 0: expected a whole number from 1 to 65536": {"units": 0},
    "units is 12.5: expected a whole number from 1 to 65536": {"units": 12.5},
    "layers is True: expected a whole number from 1 to 65536": {"layers": True},
    "embedding is -1: expected a whole number from 0 to 65536": {"embedding": -1},
    "dropout is 1: expected a number from 0 up to, but not including, 1": {"dropout": 1},
    "depth is -1: expected a whole number from 1 to 65536": {"cell": "nlstm", "depth": -1},
    "depth is 2, but the cell is gru: it is for nlstm only": {"cell": "gru", "depth": 2},
    "activation is 'relu', but the cell is lstm: it is for rnn only": {"cell": "lstm", "activation": "relu"},
    "layer_norm is True, but the cell is rnn: it is for lstm, gru and mogrifier only": {
        "cell": "rnn",
        "layer_norm": True,
    },
    "reset_after is False, but the cell is rnn: it is for gru only": {"cell": "rnn", "reset_after": False},
    "there is no activation 'gelu' here: expected tanh or relu": {"cell": "rnn", "activation": "gelu"},
    "residual is 1: expected true or false": {"residual": 1},
    "convolution is -1: expected a whole number from 0 to 64": {"convolution": -1},
    "mlp is 1.5: expected a whole number from 0 to 64": {"mlp": 1.5},
    "residual is False, but blocks add their input to their output in any case: leave it out": {
        "mlp": 1,
        "residual": False,
    },
    "embedding is 0, but blocks add their input to their output: expected as many as units, 256; leave it out": {
        "convolution": 4,
        "embedding": 0,
    },
    "dropout is 'x': expected a number from 0 up to, but not including, 1": {"dropout": "x"},
}


def test_numbers_of_numpy_are_settings():
    options = {"depth": np.int64(3), "zoneout": np.float32(0.5), "units": np.int64(9), "residual": np.bool_(False)}
    assert Config("nlstm", **options) == Config("nlstm", depth=3, zoneout=0.5, units=9, residual=False)
    assert Config("gru", reset_after=np.bool_(False)).reset_after is False


@pytest.mark.parametrize(("message", "values"), BAD.items())
def test_configurations_out_of_range(message, values):
    with pytest.raises(ValueError) as error:
        Config(**values)
    assert str(error.value) == message


def one_hot_model(length, every_position, softmax):
    inputs = keras.Input((length, V))
    hidden = keras.layers.LSTM(8, return_sequences=every_position)(inputs)
    return keras.Model(inputs, keras.layers.Dense(V, activation="softmax" if softmax else None)(hidden))


def test_a_step_of_many_symbols_takes_little_memory():
    inputs = keras.Input((2, 20_000))
    steps = KerasSteps(keras.Model(inputs, keras.layers.Dense(20_000)(keras.layers.SimpleRNN(1)(inputs))))
    tracemalloc.start()
    steps.prime([1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20


@pytest.mark.parametrize("length", [None, 6])
@pytest.mark.parametrize("every_position", [False, True])
@pytest.mark.parametrize("softmax", [False, True])
def test_any_keras_model_of_one_hot_windows_is_a_step_function(length, every_position, softmax):
    model = one_hot_model(length, every_position, softmax)
    ids = np.random.default_rng(1).integers(V, size=(2, 9))
    steps = KerasSteps(model)
    logits, state = steps.prime([], streams=2)
    for t in range(9):
        logits, state = steps.step(ids[:, t], state)
        read = np.eye(V)[ids[:, : t + 1]]
        if length:
            read = np.concatenate([np.zeros((2, length, V)), read], axis=1)[:, -length:]
        outputs = np.asarray(model(read))
        outputs = outputs[:, -1] if every_position else outputs
        assert np.allclose(logits, np.log(outputs) if softmax else outputs, atol=1e-5)
    primed, _ = steps.prime(ids[0])
    assert np.allclose(primed, logits[:1], atol=1e-5)


def test_a_model_of_ids_is_a_step_function_too():
    model = build(Config(units=6), V)
    ids = np.random.default_rng(2).integers(V, size=7)
    logits, _ = KerasSteps(model).prime(ids)
    assert np.allclose(logits, np.asarray(model(ids[None]))[:, -1], atol=1e-6)


def test_stateful_layers_keep_their_states_while_a_sample_is_drawn():
    inputs = keras.Input(batch_shape=(1, 4, V))
    recurrent = keras.layers.LSTM(6, stateful=True)
    model = keras.Model(inputs, keras.layers.Dense(V)(recurrent(inputs)))
    model(np.ones((1, 4, V)))
    before = [keras.ops.convert_to_numpy(state) for state in recurrent.states]
    first, _ = KerasSteps(model).prime([1, 2])
    second, _ = KerasSteps(model).prime([1, 2])
    assert np.array_equal(first, second)
    after = [keras.ops.convert_to_numpy(state) for state in recurrent.states]
    assert all(map(np.array_equal, after, before))
    recurrent.reset_state()
    fresh, _ = KerasSteps(model).prime([1, 2])
    assert np.array_equal(first, fresh), "a sample begins from zeros, wherever training is"
