"""The cross entropy over many words, in pieces: against Keras's, and its gradients."""

import itertools
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from shakegen.network.build import build
from shakegen.network.config import Config
from shakegen.training.read_out_loss import ReadOutCrossentropy, read_out_crossentropy

N, T, H, W, V = 3, 7, 5, 11, 6


@pytest.fixture
def drawn(rng):
    arrays = [tf.constant(rng.normal(size=shape)) for shape in ((N, T, H), (H, W), (W,))]
    return arrays, tf.constant(rng.integers(W, size=(N, T)), tf.int32)


def expected(hidden, kernel, bias, targets):
    logits = tf.einsum("nth,hw->ntw", hidden, kernel) + bias
    losses = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)(targets, logits)
    counted = tf.cast(targets > 1, losses.dtype)
    return tf.reduce_sum(losses * counted) / tf.reduce_sum(counted)


@pytest.mark.parametrize("rows", [1, 2, 4, 100])
def test_it_is_keras_s_masked_cross_entropy_with_its_gradients(drawn, rows):
    arrays, targets = drawn
    found = []
    for loss in (lambda *a: read_out_crossentropy(*a, 2, logits=rows * W)), expected:
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            value = 3 * loss(*arrays, targets)
        found.append([value, *tape.gradient(value, arrays)])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_gradients_are_the_finite_differences(drawn, rng):
    arrays, targets = drawn
    direction = [tf.constant(rng.normal(size=array.shape)) for array in arrays]
    loss = tf.function(lambda *a: read_out_crossentropy(*a, targets, 2, logits=4 * W))
    with tf.GradientTape() as tape:
        tape.watch(arrays)
        value = loss(*arrays)
    slope = sum(tf.reduce_sum(g * d) for g, d in zip(tape.gradient(value, arrays), direction))
    moved = [loss(*(a + step * d for a, d in zip(arrays, direction))) for step in (1e-5, -1e-5)]
    np.testing.assert_allclose(slope, (moved[0] - moved[1]) / 2e-5, rtol=1e-8)


def test_hidden_values_of_16_bits_have_gradients_of_32_within_a_hundredth(drawn):
    arrays, targets = drawn
    arrays = [tf.cast(tf.cast(array, "bfloat16"), "float32") for array in arrays]
    found = []
    for hidden in (tf.cast(arrays[0], "bfloat16"), arrays[0]):
        given = [hidden, *arrays[1:]]
        with tf.GradientTape() as tape:
            tape.watch(given)
            value = read_out_crossentropy(*given, targets, 2, logits=4 * W)
        found.append([value, *tape.gradient(value, given)])
        assert [one.dtype for one in found[-1][1:]] == [one.dtype for one in given]
    for half, whole in zip(*found, strict=True):
        assert np.linalg.norm(tf.cast(half, "float32") - whole) <= 0.01 * np.linalg.norm(whole)


def test_the_expected_gradient_of_drawn_positions_is_that_of_all(drawn, rng):
    """Each of a few positions is kept with probability 0.3; all draws that keep any are tried."""
    (hidden, kernel, bias), share = drawn[0], 0.3
    hidden, targets = hidden[:2, :3], np.array([[2, 5, 1], [7, 2, 0]])  # four of them count

    def gradients(targets):
        with tf.GradientTape() as tape:
            tape.watch([hidden, kernel, bias])
            loss = read_out_crossentropy(hidden, kernel, bias, tf.constant(targets, tf.int32), 2)
        return [loss, *tape.gradient(loss, [hidden, kernel, bias])]

    expected, certain = [0.0] * 4, 0.0
    for kept in itertools.product([False, True], repeat=4):
        chance = np.prod(np.where(kept, share, 1 - share))
        if any(kept):
            some = targets.copy()
            some[targets > 1] = np.where(kept, targets[targets > 1], 0)
            expected = [total + chance * part for total, part in zip(expected, gradients(some))]
            certain += chance
    for mean, whole in zip(expected, gradients(targets)):
        np.testing.assert_allclose(mean / certain, whole, rtol=1e-6, atol=1e-9)


def test_positions_without_a_word_have_neither_loss_nor_gradient(drawn):
    (hidden, kernel, bias), targets = drawn
    none = tf.zeros_like(targets)
    with tf.GradientTape() as tape:
        tape.watch(hidden)
        value = read_out_crossentropy(hidden, kernel, bias, none, 2)
    assert value == 0
    assert not np.any(tape.gradient(value, hidden))
    changed = tf.where((targets > 1)[..., None], hidden, 100.0)
    same = [read_out_crossentropy(h, kernel, bias, targets, 2) for h in (hidden, changed)]
    np.testing.assert_allclose(*same, rtol=1e-12)


def test_a_network_learns_from_pieces_what_it_learns_from_all_logits(rng):
    config = Config.study("gru", units=6)
    whole, pieces = build(config, V, outputs=W), build(config, V, outputs=W)
    loss, optimizer = ReadOutCrossentropy(pieces, 2), keras.optimizers.SGD(0.01)
    ids, targets = rng.integers(V, size=(N, T)), rng.integers(W, size=(N, T))
    whole.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    for _ in range(3):
        weights = (targets > 1) * targets.size / np.count_nonzero(targets > 1)
        with tf.GradientTape() as tape:
            value = loss(targets, loss.forward(ids, training=True))
        optimizer.apply(tape.gradient(value, pieces.trainable_variables), pieces.trainable_variables)
        np.testing.assert_allclose(value, whole.train_on_batch(ids, targets, weights), rtol=1e-5)
    assert int(loss.count(targets)) == np.count_nonzero(targets > 1)
    for ours, theirs in zip(pieces.get_weights(), whole.get_weights()):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_network_takes_ids_as_they_are(rng):
    """Keras warns where the structure of its inputs is another, and the tests ignore warnings of Keras."""
    network = build(Config.study("rnn", units=3), V, W)
    with warnings.catch_warnings(action="error"):
        hidden = ReadOutCrossentropy(network, 2).forward(rng.integers(V, size=(N, T)))
    assert hidden.shape == (N, T, 3)
