"""Tables of one-hot inputs, in which all that depends on an input alone is computed once for each."""

import numpy as np
import tensorflow as tf

from shakegen import cells
from shakegen.cells import as_layer
from shakegen.cells.plan import plan
from shakegen.cells.registry import CELLS

N, T, H, V = 2, 4, 3, 5


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
    layer = as_layer(Logarithm)(H, return_sequences=True, dtype="float64")
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
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
