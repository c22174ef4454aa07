"""Tables of one-hot inputs, in which all that depends on an input alone is computed once for each."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from compiled_layers import COMPILED, LAYER, LAYERS, H

from shakegen import cells
from shakegen.cells import as_layer
from shakegen.cells.plan import plan
from shakegen.cells.registry import CELLS
from shakegen.layers import recurrence
from shakegen.layers.lookup import ids_of_one_hot

N, T, V = 2, 4, 5


def test_all_that_depends_on_the_input_alone_is_in_the_tables():
    """Of a minGRU, whose gates do not read h, a product and a sum are left for the loop."""
    looked_up, dense = (plan(cells.MinGRU(H), V, by_id) for by_id in (True, False))
    assert [group.operation for group in dense.groups] == ["add", "add"]
    assert {group.operation for group in looked_up.groups} == {"subtract", "multiply"}


class Logarithm(cells.Cell):
    """Equations that have no gradient at an input of zeros."""

    name, gates = "test-logarithm", ("h",)

    def weights(self, inputs):
        return {"kernel": cells.Weight((inputs, self.units)), "scale": cells.Weight((self.units,), "ones")}

    def step(self, x, s, w):
        y = x @ w.kernel
        return {"h": cells.tanh(0.5 * s.h + cells.log(y * y) * w.scale)}


del CELLS["test-logarithm"]


def test_symbols_that_do_not_occur_leave_no_trace_in_gradients(rng):
    layer = as_layer(Logarithm)(H, return_sequences=True, dtype="float64", seed=0)
    layer.build((N, T, V))
    ids = tf.constant(rng.integers(V, size=(N, T)))

    @tf.function(autograph=False)
    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(tf.one_hot(ids, V, dtype="float64"), training=True))
        return [tf.convert_to_tensor(one) for one in tape.gradient(loss, [weight.value for weight in layer.weights])]

    compiled = gradients()
    layer.compiled_loop = False
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.one_hot(ids, V, dtype="float64"), training=True))
    expected = tape.gradient(loss, [weight.value for weight in layer.weights])
    for ours, theirs in zip(compiled, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@LAYER
@COMPILED
def test_one_hot_sequences_are_looked_up_and_equal_the_product(layer, rng, monkeypatch):
    looked_up, tables = [], recurrence.tables_of
    monkeypatch.setattr(recurrence, "tables_of", lambda *args: looked_up.append(args) or tables(*args))
    recurrent = layer(dtype="float64", return_sequences=True, go_backwards=True)
    recurrent.build((N, T, V))
    ids = tf.constant(rng.integers(-1, V + 1, size=(N, T)))

    @tf.function
    def answers(ids, dense):
        one_hot = keras.ops.one_hot(ids, V, dtype="float64")
        assert ids_of_one_hot(one_hot) is not None
        assert ids_of_one_hot(dense) is None
        weights = [weight.value for weight in recurrent.weights]
        with tf.GradientTape(persistent=True) as tape:
            losses = [tf.reduce_sum(tf.sin(recurrent(x, training=True))) for x in (one_hot, dense)]
        return [(loss, tape.gradient(loss, weights)) for loss in losses]

    found, multiplied = answers(ids, tf.one_hot(ids, V, dtype="float64"))
    assert len(looked_up) == 1
    for a, b in zip(tf.nest.flatten(found), tf.nest.flatten(multiplied)):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "tensor",
    [
        lambda ids: tf.one_hot(ids, V, on_value=2.0),
        lambda ids: tf.one_hot(ids, V, off_value=0.1),
        lambda ids: tf.one_hot(ids, T, axis=1),
        lambda ids: tf.one_hot(ids, V) * 0.5,
        lambda ids: tf.cast(tf.cast(tf.one_hot(ids, V), "int32"), "float32"),
    ],
    ids=["scaled", "smoothed", "transposed", "dropped", "rounded"],
)
def test_nothing_else_is_taken_for_one_hot(tensor):
    @tf.function
    def found(ids):
        return ids_of_one_hot(tensor(ids)) is not None

    assert not found(tf.zeros((N, V), tf.int32))
    assert ids_of_one_hot(tensor(tf.zeros((N, V), tf.int32))) is None


@COMPILED
@pytest.mark.parametrize(("kind", "size"), [("uint8", 256), ("uint8", 300), ("int8", 128), ("int32", 65)])
def test_ids_of_any_integer_type_are_looked_up(kind, size):
    one = LAYERS["gru"](return_sequences=True)
    one.build((None, None, size))
    ids = tf.constant([[0, 1, 126], [5, 127, 64]], kind)

    @tf.function
    def outputs(ids):
        with tf.GradientTape():
            return one(tf.one_hot(ids, size), training=True)

    np.testing.assert_allclose(outputs(ids), one(tf.one_hot(ids, size)), atol=1e-5)


IDS = [[0, 3, 1, 2]]


def gradient_of_one_hot(layer, differentiate):
    """What `differentiate` finds in a graph, and what a tape finds of Keras's loop."""

    @tf.function
    def gradient(ids):
        return differentiate(lambda x: layer(x, training=True), tf.one_hot(ids, V, dtype="float64"))

    x = tf.one_hot(IDS, V, dtype="float64")
    layer.build(x.shape)
    return gradient(tf.constant(IDS)), by_tape(layer, x)


def by_tape(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(f(x))
    return tape.gradient(total, x)


@LAYER
@COMPILED
def test_a_one_hot_input_that_a_tape_watches_has_a_gradient(layer):
    np.testing.assert_allclose(*gradient_of_one_hot(layer(dtype="float64"), by_tape), atol=1e-10)


@LAYER
def test_a_one_hot_input_has_a_gradient_without_a_tape(layer):
    found = gradient_of_one_hot(layer(dtype="float64"), lambda f, x: tf.gradients(f(x), x)[0])
    np.testing.assert_allclose(*found, atol=1e-10)
