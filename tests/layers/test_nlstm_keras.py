"""NLSTM as a Keras layer: the checks Keras's own layers pass, its models, its files."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from keras.src.testing import TestCase
from recurrent import INPUTS, H, N, T, assert_equal, random_weights

from shakegen.layers import NLSTM, NLSTMCell

ROOT = Path(__file__).parents[2]


def python(code, *arguments, backend):
    """Runs code in a fresh Python that finds shakegen, with nothing imported, on another backend of Keras."""
    environment = os.environ | {"KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, env=environment, check=True)


@pytest.mark.parametrize(
    ("arguments", "output_shape", "weights", "losses"),
    [
        ({"units": 3, "dropout": 0.5}, (3, 3), 6, 0),
        ({"units": 3, "dropout": 0.5, "recurrent_dropout": 0.5}, (3, 3), 6, 0),
        ({"units": 3, "depth": 1, "learn_initial_state": True}, (3, 3), 5, 0),
        ({"units": 3, "depth": 3, "use_bias": False, "unroll": True, "go_backwards": True}, (3, 3), 6, 0),
        (
            {
                "units": 3,
                "return_sequences": True,
                "cell_activation": "tanh",
                "kernel_regularizer": "l2",
                "recurrent_regularizer": "l2",
                "bias_regularizer": "l1",
                "activity_regularizer": "l1",
                "kernel_constraint": "non_neg",
            },
            (3, 2, 3),
            6,
            7,
        ),
    ],
)
def test_it_passes_the_checks_of_the_layers_of_keras(arguments, output_shape, weights, losses):
    TestCase().run_layer_test(
        NLSTM,
        init_kwargs=arguments,
        input_shape=(3, 2, 4),
        call_kwargs={"training": True},
        expected_output_shape=output_shape,
        expected_num_trainable_weights=weights,
        expected_num_non_trainable_weights=0,
        expected_num_losses=losses,
        supports_masking=True,
    )


def test_the_cell_is_a_layer_that_serializes():
    cell = NLSTMCell(H, 3, cell_activation="tanh", activation="relu", dropout=0.1, implementation=1)
    TestCase().run_class_serialization_test(cell)


def test_it_takes_every_argument_of_the_lstm_with_the_same_default():
    ours, theirs = (layer(H, name="layer").get_config() for layer in (NLSTM, keras.layers.LSTM))
    assert {name: ours[name] for name in theirs} == theirs
    assert NLSTM(H, 2, "relu", "tanh", "linear", False, "zeros").use_bias is False  # in the order of the LSTM's, too
    config = keras.layers.LSTM(
        H, activation="relu", dropout=0.5, stateful=True, zero_output_for_mask=True, activity_regularizer="l2"
    ).get_config()
    rebuilt = NLSTM(**config).get_config()
    assert {name: rebuilt[name] for name in config} == config


def test_constraints_hold_on_every_level():
    layer = NLSTM(
        H,
        3,
        kernel_constraint="non_neg",
        recurrent_constraint="non_neg",
        bias_constraint="non_neg",
        unit_forget_bias=False,
    )
    model = keras.Sequential([keras.Input((T, INPUTS)), layer])
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(np.ones((N, T, INPUTS)), -np.ones((N, H)), verbose=0)
    assert len(layer.weights) == 9
    assert all(np.all(weight >= 0) for weight in layer.get_weights())


def test_cells_stacked_in_one_rnn_are_stacked_layers(rng):
    first = random_weights(NLSTM(INPUTS, 3, return_sequences=True), rng)
    second = random_weights(NLSTM(H, 2), rng)
    stacked = keras.layers.RNN([NLSTMCell(INPUTS, 3), NLSTMCell(H, 2)])
    stacked.build((N, T, INPUTS))
    stacked.set_weights(first.get_weights() + second.get_weights())
    x = rng.normal(size=(N, T, INPUTS)).astype("float32")
    assert_equal([stacked(x)], [second(first(x))], atol=1e-6)


def test_mixed_precision_computes_in_16_bits_and_keeps_32(rng):
    plain, mixed = (random_weights(NLSTM(H, 3, dtype=dtype), rng) for dtype in ("float32", "mixed_bfloat16"))
    mixed.set_weights(plain.get_weights())
    x = rng.normal(size=(N, T, INPUTS)).astype("float32")
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    assert keras.backend.standardize_dtype(mixed(x).dtype) == "bfloat16"
    assert_equal([ops.cast(mixed(x), "float32")], [plain(x)], atol=0.02)


def everything_model():
    x = keras.Input((T, INPUTS))
    both = keras.layers.Bidirectional(NLSTM(H, 3, return_sequences=True, learn_initial_state=True, activation="relu"))
    layer = NLSTM(H, 2, cell_activation="tanh", unit_forget_bias=False, recurrent_dropout=0.2, kernel_regularizer="l2")
    return keras.Model(x, layer(keras.layers.RNN(NLSTMCell(H, 4), return_sequences=True)(both(x))))


def test_a_keras_file_loads_on_another_backend_with_nothing_but_the_import(tmp_path, rng):
    model = everything_model()
    model.set_weights([rng.normal(0, 0.5, weight.shape) for weight in model.get_weights()])
    x = rng.normal(size=(N, T, INPUTS)).astype("float32")
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    python(
        "import sys, keras, numpy, shakegen.layers\n"
        "model, x, y = sys.argv[1:]\n"
        "numpy.save(y, keras.models.load_model(model).predict(numpy.load(x), verbose=0))",
        *(tmp_path / name for name in ("model.keras", "x.npy", "y.npy")),
        backend="jax" if keras.backend.backend() == "tensorflow" else "tensorflow",
    )
    assert_equal([np.load(tmp_path / "y.npy")], [model(x)], atol=1e-5)


def test_clones_configs_and_weight_files_rebuild_the_model(tmp_path, rng):
    model = everything_model()
    model.set_weights([rng.normal(0, 0.5, weight.shape) for weight in model.get_weights()])
    model.save_weights(tmp_path / "model.weights.h5")
    x = rng.normal(size=(N, T, INPUTS)).astype("float32")
    clone = keras.models.clone_model(model)
    assert [layer.get_config() for layer in clone.layers[1:]] == [layer.get_config() for layer in model.layers[1:]]
    clone.set_weights(model.get_weights())
    revived = keras.Model.from_config(model.get_config())
    revived.load_weights(tmp_path / "model.weights.h5")
    assert_equal([clone(x), revived(x)], [model(x)] * 2, atol=1e-6)
