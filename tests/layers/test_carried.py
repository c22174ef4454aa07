"""States that a training loop carries from batch to batch, beside one unbroken pass."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from shakegen.layers import GRU, LSTM, NLSTM, SimpleRNN
from shakegen.layers.carried import carrying, make_states
from shakegen.layers.convolution import CausalConvolution

N, T, H = 3, 12, 4
ENDS = [0, 1, 3, 8, T]
LAYERS = {
    kind.__name__: lambda kind=kind, **options: kind(H, return_sequences=True, **options)
    for kind in (SimpleRNN, LSTM, GRU, NLSTM)
} | {f"convolution {width}": lambda width=width: CausalConvolution(width) for width in (1, 2, 4)}


def make_network(name, **options):
    layer = LAYERS[name](**options)
    inputs = keras.Input((None, H))
    return keras.Model(inputs, layer(inputs))


def read(network, x, states, begins, training):
    with carrying(network, states, begins):
        return ops.convert_to_numpy(network(x, training=training))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_a_sequence_cut_in_pieces_is_the_whole_and_each_row_may_begin_anew(name, training, rng):
    network, x = make_network(name), rng.normal(size=(N, T, H)).astype("float32")
    whole = ops.convert_to_numpy(network(x))
    states = make_states(network, N)
    for _ in range(2):
        pieces = [read(network, x[:, a:b], states, np.full(N, a == 0), training) for a, b in itertools.pairwise(ENDS)]
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=0, atol=1e-5)
    longer = ops.convert_to_numpy(network(np.concatenate([x, x], axis=1)))[:, T:]
    mixed = read(network, x, states, np.array([True, False, True]), training)
    np.testing.assert_allclose(mixed, np.where([[[1]], [[0]], [[1]]], whole, longer), rtol=0, atol=1e-5)


def test_gradients_reach_a_learned_start_through_the_rows_that_begin(rng):
    import tensorflow as tf

    network, x = make_network("LSTM", learn_initial_state=True), rng.normal(size=(N, T, H)).astype("float32")
    states = make_states(network, N)
    starts = network.trainable_variables[:2]
    for begins in (np.zeros(N, bool), np.array([False, True, False])):
        with tf.GradientTape() as tape, carrying(network, states, begins):
            total = tf.reduce_sum(network(x, training=True)[1])
        found = [np.abs(gradient.numpy()).max() for gradient in tape.gradient(total, [v.value for v in starts])]
        assert (min(found) > 0) == begins.any()
        assert (max(found) > 0) == begins.any()


def test_only_calls_within_carry_states_and_a_saved_model_takes_any_batch(tmp_path, rng):
    network, x = make_network("GRU"), rng.normal(size=(N, T, H)).astype("float32")
    before, states = ops.convert_to_numpy(network(x)), make_states(network, N)
    with pytest.raises(KeyError), carrying(network, states, np.zeros(N, bool)):
        raise KeyError
    read(network, x, states, np.zeros(N, bool), True)
    kept = [ops.convert_to_numpy(state).copy() for state in next(iter(states.values()))]
    np.testing.assert_array_equal(ops.convert_to_numpy(network(x)), before)
    np.testing.assert_array_equal(ops.convert_to_numpy(next(iter(states.values()))[0]), kept[0])
    network.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again(x[:1]).shape == (1, T, H)
    assert len(network.weights) == 3
