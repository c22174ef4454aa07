"""Keras's own tests of its recurrent layers, as they stand in the installed Keras, with our layers in place of its own.

They run as they are written, and again with calls in training where these do not say, so that our loop runs.
"""

import importlib.util
import inspect

import keras
import numpy as np
import odd_cells
import pytest
import tensorflow as tf
from recurrent import assert_equal, random_weights

from shakegen import cells, layers
from shakegen.cells import as_layer


@keras.saving.register_keras_serializable(package="tests")
class LSTMOfOneLevel(layers.NLSTM):
    """The Nested LSTM that is Keras's LSTM."""

    def __init__(self, units, depth=1, cell_activation="tanh", **arguments):
        super().__init__(units, depth, cell_activation=cell_activation, **arguments)


def in_training(kind):
    """A layer that is in training where a call does not say so."""

    def call(self, sequences, initial_state=None, mask=None, training=True):
        return kind.call(self, sequences, initial_state=initial_state, mask=mask, training=training)

    made = type(kind.__name__, (kind,), {"call": call})
    return keras.saving.register_keras_serializable(package="in training")(made)


class Ours:
    """`keras.layers` with other recurrent layers."""

    def __init__(self, **ours):
        vars(self).update(vars(keras.layers) | ours)


def collect(name, suffix, **ours):
    """The test cases of a file of Keras's, in a module of its own whose `layers` are ours."""
    spec = importlib.util.find_spec(f"keras.src.layers.rnn.{name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.layers = Ours(**ours)
    for case in list(vars(module).values()):
        if inspect.isclass(case) and case.__module__ == module.__name__:
            for test, method in list(vars(case).items()):
                if "torch" in test or any(mark.args[0] for mark in getattr(method, "pytestmark", [])):
                    delattr(case, test)  # of other backends
                elif suffix and test == "test_basics":
                    delattr(case, test)  # it says that it is in training
                elif suffix and test.startswith("test_correctness"):
                    pytest.mark.usefixtures("in_the_compiled_loop")(method)
            case.__name__ = case.__qualname__ = name + suffix
            globals()[case.__name__] = case


KINDS = {"SimpleRNN": layers.SimpleRNN, "LSTM": layers.LSTM, "GRU": layers.GRU}
for file in "simple_rnn_test", "lstm_test", "gru_test":
    collect(file, "", **KINDS)
    collect(file, "_in_training", **{name: in_training(kind) for name, kind in KINDS.items()})
collect("bidirectional_test", "", **KINDS)  # which never is in training
collect("lstm_test", "_nested_in_training", LSTM=in_training(LSTMOfOneLevel))

EVERY = [*KINDS.values(), layers.NLSTM, *map(as_layer, [cells.RNN, odd_cells.Copycat, odd_cells.Gallery])]
EACH = pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
TRAINING = pytest.mark.parametrize("training", [False, True])


@EACH
@TRAINING
def test_a_stateful_layer_serves_a_function_of_unknown_batch_size(kind, training):
    layer = kind(5, stateful=True, learn_initial_state=training)
    x = np.linspace(-1, 1, 120, dtype="float32").reshape(2, 10, 6)
    first = layer(x, training=training)
    layer.reset_state()

    @tf.function(input_signature=[tf.TensorSpec((None, 10, 6), "float32")])
    def call(x):
        return layer(x, training=training)

    np.testing.assert_allclose(call(x), first, atol=1e-6)
    assert call(x).shape == (2, 5)


@EACH
@TRAINING
@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_integers_and_truth_values_are_taken_as_numbers(kind, training, dtype):
    layer, x = kind(3), np.arange(24).reshape(2, 3, 4) % 3
    x = x.astype(dtype)
    np.testing.assert_array_equal(layer(x, training=training), layer(x.astype("float32"), training=training))
    both = keras.layers.Bidirectional(kind(3))
    assert both(x, training=training).shape == (2, 6)


@EACH
def test_a_checkpoint_of_tensorflow_has_every_weight(kind, tmp_path, rng):
    saved, restored = (random_weights(kind(3, learn_initial_state=True), rng) for _ in range(2))
    tf.train.Checkpoint(layer=saved).write(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(layer=restored).read(str(tmp_path / "checkpoint")).assert_consumed()
    assert_equal(restored.get_weights(), saved.get_weights(), atol=0)


@EACH
def test_the_loop_that_is_chosen_is_in_the_config(kind, tmp_path):
    model = keras.Sequential([keras.Input((10, 6)), kind(3, compiled_loop=False)])
    model.save(tmp_path / "model.keras")
    models = [model, keras.models.load_model(tmp_path / "model.keras"), keras.models.clone_model(model)]
    both = keras.layers.Bidirectional(model.layers[0])
    chosen = [*(one.layers[0] for one in models), both.forward_layer, both.backward_layer]
    assert [layer.compiled_loop for layer in chosen] == [False] * 5
    model.layers[0].compiled_loop = True
    assert keras.models.clone_model(model).layers[0].compiled_loop is True
    assert kind(3).compiled_loop is True
