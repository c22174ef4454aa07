"""With a mask the compiled loop gives what Keras's loop gives: outputs, states and gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from compiled_layers import COMPILED

from shakegen import cells, layers
from shakegen.cells import as_layer
from shakegen.layers import recurrence
from shakegen.layers.sizes import STEPS

N, T, V, H = 3, 6, 4, 2
KINDS = {
    "rnn": (layers.SimpleRNN, {}),
    "lstm": (layers.LSTM, {}),
    "gru": (layers.GRU, {}),
    "nlstm": (layers.NLSTM, {"depth": 2}),
    "slstm": (layers.SLSTM, {}),  # which divides by a state that is zero at first
    "lstm, dropped": (as_layer(cells.LSTM), {"recurrent_dropout": 0.4, "zoneout": 0.2, "dropout": 0.3, "seed": 1}),
}
EACH = pytest.mark.parametrize(("kind", "own"), KINDS.values(), ids=KINDS)
MASKS = {
    "right": [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0]],
    "left": [[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1]],
    "holes": [[1, 0, 0, 1, 0, 1], [0, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0]],
    "one for all": [[0, 1, 1, 0, 1, 0]],
}


def both(kind, options, rng):
    """Two equal layers; the second takes Keras's loop."""
    made = [kind(H, dtype="float64", **options) for _ in range(2)]
    for layer in made:
        layer.build((N, T, V))
    made[0].set_weights([rng.normal(0, 0.5, weight.shape) for weight in made[0].get_weights()])
    made[1].set_weights(made[0].get_weights())
    made[1].compiled_loop = False
    return made


def returned_and_gradients(layer, x, mask, states=None):
    weights = [weight.value for weight in layer.trainable_variables]
    sources = [x, *weights, *(states or [])]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        returned = tf.nest.flatten(layer(x, mask=mask, initial_state=states, training=True))
        loss = tf.add_n([tf.reduce_sum(tf.sin(1 + one)) for one in returned])
    return returned, tape.gradient(loss, sources)


def assert_alike(ours, theirs):
    for a, b in zip(tf.nest.flatten(ours), tf.nest.flatten(theirs), strict=True):
        np.testing.assert_allclose(tf.convert_to_tensor(a), tf.convert_to_tensor(b), rtol=0, atol=1e-12)


def check(kind, options, rng, mask, given_states=False, calls=1):
    x, pair = tf.constant(rng.normal(size=(N, T, V))), both(kind, options, rng)
    states = [tf.constant(rng.uniform(0.1, 1, (N, H))) for _ in pair[0].state_size] if given_states else None
    for _ in range(calls):
        assert_alike(*(returned_and_gradients(layer, x, tf.constant(mask) > 0, states) for layer in pair))


@EACH
@COMPILED
@pytest.mark.parametrize("given_states", [False, True])
def test_every_layer_is_equal(kind, own, given_states, rng):
    check(kind, {"return_sequences": True, "return_state": True, **own}, rng, MASKS["holes"], given_states)


@COMPILED
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("zeros", [False, True])
def test_every_mask_is_equal(mask, sequences, zeros, rng):
    check(layers.LSTM, {"return_sequences": sequences, "zero_output_for_mask": zeros}, rng, mask)


OPTIONS = [
    {"go_backwards": True},
    {"stateful": True},
    {"learn_initial_state": True, "stateful": True},
    {"dropout": 0.5, "seed": 1},
]


@COMPILED
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_option_is_equal(options, rng):
    check(layers.GRU, {"return_sequences": True, **options}, rng, MASKS["holes"], calls=2)


@COMPILED
@pytest.mark.parametrize("one_hot", [False, True])
def test_a_shared_batch_of_any_size_is_equal(one_hot, rng, monkeypatch):
    monkeypatch.setattr(recurrence, "cores", lambda: 2)
    ours, theirs = both(layers.LSTM, {"return_sequences": True, "return_state": True}, rng)
    ids, mask = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, None), tf.bool)

    @tf.function(input_signature=[ids, mask])
    def found(ids, mask):
        x = tf.one_hot(ids, V, dtype="float64")
        weights = [weight.value for weight in ours.weights]
        with tf.GradientTape() as tape:
            returned = ours(x if one_hot else 1 * x, mask=mask, training=True)
            loss = tf.add_n([tf.reduce_sum(tf.sin(1 + one)) for one in returned])
        return returned, tape.gradient(loss, weights)

    for batch, steps in (2, 3), (5, 2 * STEPS + 1):
        ids, mask = tf.constant(rng.integers(V, size=(batch, steps))), tf.constant(rng.random((batch, steps)) < 0.7)
        returned, (_, *expected) = returned_and_gradients(theirs, tf.one_hot(ids, V, dtype="float64"), mask)
        assert_alike(found(tf.cast(ids, tf.int32), mask), (returned, expected))


@COMPILED
def test_gradients_of_gradients_are_equal(rng):
    x, mask, found = tf.constant(rng.normal(size=(N, T, V))), tf.constant(MASKS["holes"]) > 0, []
    for layer in both(layers.LSTM, {"return_sequences": True}, rng):
        with tf.GradientTape() as tape:
            tape.watch(x)
            _, gradients = returned_and_gradients(layer, x, mask)
            penalty = tf.reduce_sum(gradients[0] ** 2)
        found.append(tape.gradient(penalty, [x, *(weight.value for weight in layer.weights)]))
    assert_alike(*found)


@COMPILED
def test_padding_is_masked_in_both_directions(rng):
    """The usual network: an embedding that masks zeros, and a layer that is read both ways."""
    ids, trained = np.array([[1, 2, 3, 0], [3, 0, 0, 0], [0, 2, 1, 3]]), []
    for in_compiled_loop in True, False:
        embedding = keras.layers.Embedding(V, 2, mask_zero=True, dtype="float64")
        read = keras.layers.Bidirectional(layers.GRU(H, dtype="float64"), dtype="float64")
        read.forward_layer.compiled_loop = read.backward_layer.compiled_loop = in_compiled_loop
        model = keras.Sequential([keras.Input((None,), dtype="int32"), embedding, read])
        model.set_weights(trained[0][0] if trained else [rng.normal(size=one.shape) for one in model.weights])
        start = model.get_weights()
        model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
        model.fit(ids, np.ones((3, 2 * H)), verbose=0)
        trained.append((start, model.get_weights()))
    assert_alike(*trained)
