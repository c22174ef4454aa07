"""Which inputs, masks and cells a layer takes: as Keras's own layers do."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from shakegen import layers
from shakegen.cells import find_cell
from shakegen.layers.cell_layer import EquationCell, layer_of

KINDS = {
    "newer": lambda: layer_of(find_cell("slstm"))(4),
    "extended": lambda: layers.LSTM(4, zoneout=0.1),
    "keras": lambda: layers.GRU(4),
    "nested": lambda: layers.NLSTM(4),
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("training", [False, True])
def test_inputs_of_another_width_are_refused(make, training, rng):
    layer = make()
    layer(rng.normal(size=(2, 3, 6)))
    for shape in (2, 3, 10), (2, 3):
        with pytest.raises(ValueError, match="incompatible with the layer"):
            layer(rng.normal(size=shape), training=training)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_a_mask_may_stand_in_a_list(make, rng):
    layer, x, mask = make(), rng.normal(size=(2, 3, 6)).astype("float32"), np.array([[1, 1, 0], [1, 0, 0]], bool)
    for training in [False] if layer.get_config().get("zoneout") else [False, True]:  # which is drawn
        assert np.array_equal(layer(x, mask=[mask], training=training), layer(x, mask=mask, training=training))


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("training", [False, True])
def test_a_width_that_is_not_known_beforehand_is_taken(make, training, rng):
    import tensorflow as tf

    layer, x = make(), rng.normal(size=(2, 3, 6)).astype("float32")
    expected = layer(x)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None])])
    def read(given):
        with tf.GradientTape():
            return layer(given, training=training)

    found = read(x)
    if not (training and layer.get_config().get("zoneout")):  # which is drawn
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_cell_by_itself_takes_no_input_of_another_width(rng):
    import tensorflow as tf

    rnn = keras.layers.RNN(EquationCell(find_cell("ugrnn")(4)))
    rnn(rng.normal(size=(2, 3, 6)))
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        rnn(rng.normal(size=(2, 3, 10)))


def test_a_configuration_may_be_read_twice():
    config = EquationCell(find_cell("ugrnn")(4)).get_config()
    first, second = (EquationCell.from_config(config).get_config() for _ in range(2))
    assert first == second == config


class Doubled(keras.layers.LSTMCell):
    """A cell of a user's own."""

    def call(self, inputs, states, training=False):
        h, states = super().call(inputs, states, training=training)
        return 2 * h, states


class Own(layers.LSTM):
    def __init__(self, units):
        super().__init__(units)
        self.cell = Doubled(units)


def test_a_cell_that_a_subclass_puts_in_is_the_one_that_is_trained(rng):
    layer, x = Own(4), rng.normal(size=(2, 3, 6)).astype("float32")
    np.testing.assert_allclose(layer(x, training=True), layer(x, training=False), rtol=1e-6)


@pytest.mark.parametrize("backward", [lambda: layers.NLSTM(4, go_backwards=True),
                                      lambda: layers.LSTM(4, layer_norm=True, go_backwards=True)])  # fmt: skip
def test_no_cell_but_keras_s_runs_as_keras_s_within_bidirectional(backward, rng):
    """`Bidirectional` copies the forward layer's `use_cudnn`, which may let a plain LSTM run."""
    backward, x = backward(), rng.normal(size=(2, 5, 6)).astype("float32")
    both = keras.layers.Bidirectional(layers.LSTM(4), backward_layer=backward, merge_mode=None)
    _, found = both(x)
    backward.use_cudnn = True  # on a CPU, a layer that heeds it fails
    assert both.forward_layer.use_cudnn == "auto"
    assert backward.use_cudnn is False
    np.testing.assert_allclose(found, backward(x), rtol=1e-6)


def test_inference_draws_no_masks(rng):
    layer, x = layers.LSTM(4, layer_norm=True, dropout=0.2, recurrent_dropout=0.2), rng.normal(size=(2, 3, 6))
    layer(x)
    before = keras.ops.convert_to_numpy(layer.cell.seed_generator.state).copy()
    layer(x, training=False)
    assert np.array_equal(keras.ops.convert_to_numpy(layer.cell.seed_generator.state), before)


def test_on_another_backend_tensorflow_is_not_loaded():
    code = "import sys, shakegen.layers as layers; layers.GRU, layers.NLSTM; print('tensorflow' in sys.modules)"
    given = os.environ | {"KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
