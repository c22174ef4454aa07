"""Mixed precision: the compiled loop computes in 32 bits; dense inputs, kept values and large products have 16."""

import numpy as np
import pytest
import tensorflow as tf
from compiled_layers import COMPILED, LAYER, LAYERS

from shakegen import layers
from shakegen.layers import SimpleRNN

N, T, V = 4, 40, 5  # two blocks of steps, where the length is not known


def answers(layer, x):
    """The outputs, and the gradients by the inputs and weights."""
    weights = [weight.value for weight in layer.weights]
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = layer(x, training=True)
        loss = tf.reduce_sum(tf.sin(tf.cast(outputs, "float32")))
    return outputs, tape.gradient(loss, [x, *weights])


def twins(make, rng):
    """A layer in mixed precision; one in Keras's loop, in 32 bits; and inputs of both."""
    mixed, whole = make(dtype="mixed_bfloat16", return_sequences=True), make(compiled_loop=False, return_sequences=True)
    for layer in mixed, whole:
        layer.build((N, T, V))
    mixed.set_weights([rng.normal(0, 0.3, weight.shape) for weight in whole.weights])
    whole.set_weights(mixed.get_weights())
    return mixed, whole, tf.cast(tf.cast(rng.normal(size=(N, T, V)), "bfloat16"), "float32")


def assert_near(found, expected, share):
    """The distance of each is a share of its norm, at most."""
    for one, other in zip(found, expected, strict=True):
        assert np.linalg.norm(tf.cast(one, "float32") - other) <= share * np.linalg.norm(other)


@LAYER
@COMPILED
def test_gradients_of_16_bits_are_those_of_32_within_a_hundredth(layer, rng):
    mixed, whole, x = twins(layer, rng)
    found = tf.function(answers, autograph=False)(mixed, tf.cast(x, "bfloat16"))
    outputs, gradients = answers(whole, x)
    assert found[0].dtype == found[1][0].dtype == "bfloat16"
    assert {gradient.dtype for gradient in found[1][1:]} == {tf.float32}
    assert_near([found[0], *found[1]], [outputs, *gradients], 0.01)


@COMPILED
def test_gradients_of_unknown_lengths_are_as_near(rng):
    mixed, whole, x = twins(LAYERS["gru"], rng)
    outputs, gradients = answers(mixed, tf.cast(x, "bfloat16"))  # eagerly, by blocks of steps
    expected, expected_gradients = answers(whole, x)
    assert_near([outputs, *gradients], [expected, *expected_gradients], 0.01)


@COMPILED
@pytest.mark.parametrize(("weight", "step"), [(1, 2**-9), (1 + 2**-9, 0)], ids=["state", "weight"])
def test_states_and_recurrent_weights_keep_32_bits(weight, step):
    layer = SimpleRNN(1, activation="linear", dtype="mixed_bfloat16")
    layer.build((1, T, 1))
    layer.set_weights([np.full((1, 1), step), np.full((1, 1), weight), np.zeros(1)])
    last = layer(tf.ones((1, T, 1)), initial_state=[tf.ones((1, 1))], training=True)
    expected = weight**T + T * step  # 1, if each step were rounded to 8 bits
    np.testing.assert_allclose(tf.cast(last, "float32"), [[expected]], rtol=2**-8)


@pytest.mark.parametrize(
    "make",
    [
        layers.RGLRU,
        layers.MinGRU,
        layers.SLSTM,
        lambda units, **given: layers.GRU(units, layer_norm=True, **given),
        lambda units, **given: layers.LSTM(units, zoneout=0.9, **given),
    ],
    ids=["rglru", "mingru", "slstm", "gru, layer norm", "lstm, zoneout"],
)
def test_outside_of_training_steps_by_equations_keep_32_bits_too(make, rng):
    """In 16 bits, a memory that fades slowly would not fade."""
    x = 0.1 * rng.normal(size=(N, 600, V)).astype("float32")
    x[:, 300:] = 0
    x = tf.cast(tf.cast(x, "bfloat16"), "float32")
    mixed, whole = (make(64, dtype=dtype) for dtype in ("mixed_bfloat16", "float32"))
    for layer in mixed, whole:
        layer.build(x.shape)
    mixed.set_weights(whole.get_weights())
    found, expected = (tf.function(layer)(x) for layer in (mixed, whole))
    assert found.dtype == "bfloat16"
    assert_near([found], [expected], 0.005)


@COMPILED
def test_gradients_of_gradients_are_near_too(rng):
    mixed, whole, x = twins(LAYERS["rnn"], rng)

    def second(layer, x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            _, (d_x, *_) = answers(layer, x)
            total = tf.reduce_sum(tf.cast(d_x, "float32") ** 2)
        return tape.gradient(total, x)

    found = tf.function(second, autograph=False)(mixed, tf.cast(x, "bfloat16"))
    assert_near([found], [second(whole, x)], 0.05)


@COMPILED
@pytest.mark.parametrize("length", [2 * 257, None])
def test_rows_that_are_looked_up_keep_32_bits_and_so_do_their_gradients(length):
    """Rounded rows would add up to zero, and a gradient of 8 bits cannot be 257."""
    layer = SimpleRNN(1, activation="linear", dtype="mixed_bfloat16")
    layer.build((1, length, 2))
    layer.set_weights([np.array([[1 + 2**-9], [-1]]), np.ones((1, 1)), np.zeros(1)])

    @tf.function(input_signature=[tf.TensorSpec((1, length), "int32")], autograph=False)
    def gradient(ids):
        with tf.GradientTape() as tape:
            last = layer(tf.one_hot(ids, 2, dtype="bfloat16"), training=True)
        return last, tape.gradient(last, layer.cell.kernel.value)

    last, by_kernel = gradient(tf.constant([[0, 1] * 257]))
    np.testing.assert_allclose(tf.cast(last, "float32"), [[257 * 2**-9]], rtol=2**-8)
    np.testing.assert_array_equal(by_kernel, [[257]] * 2)
