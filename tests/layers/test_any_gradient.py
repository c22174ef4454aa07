"""However TensorFlow differentiates or maps, the compiled loop gives what Keras's loop gives."""

import subprocess
import sys

import keras
import numpy as np
import odd_cells
import pytest
import tensorflow as tf

from shakegen import layers
from shakegen.cells import as_layer

N, T, V, H = 2, 3, 4, 2


def by_tape(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def second_order(f, x):
    return by_tape(lambda x: tf.reduce_sum(by_tape(f, x) ** 2), x)


def jacobian(f, x, method="jacobian"):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return getattr(tape, method)(y, x)


def forward(f, x):
    with tf.autodiff.ForwardAccumulator(x, tf.cos(x)) as accumulator:
        y = f(x)
    return accumulator.jvp(y)


def forward_over_backward(f, x):
    with tf.autodiff.ForwardAccumulator(x, tf.cos(x)) as accumulator:
        gradient = by_tape(f, x)
    return accumulator.jvp(gradient)


def in_graph(way):
    return lambda f, x: tf.function(lambda x: way(f, x), autograph=False)(x)


def of_a_function(way):
    """The tapes and accumulators are outside, and lengths are not known when it is traced."""
    unknown = tf.TensorSpec((None, None, V), "float64")
    return lambda f, x: way(tf.function(f, input_signature=[unknown], autograph=False), x)


def twice_forward(f, x):
    return forward(lambda x: forward(f, x), x)


def compiled(way):
    return lambda f, x: tf.function(lambda x: way(f, x), autograph=False, jit_compile=True)(x)


def batch_jacobian(f, x):
    return jacobian(f, x, "batch_jacobian")


def third_order(f, x):
    return by_tape(lambda x: tf.reduce_sum(second_order(f, x) ** 2), x)


def hessian(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        gradient = by_tape(f, x)
    return tape.jacobian(gradient, x)


# Each with the same derivative as a tape or an accumulator takes it at once, without a graph.
WAYS = {
    "jacobian": (jacobian, jacobian),
    "forward over backward": (forward_over_backward, forward_over_backward),
    "recomputed": (lambda f, x: by_tape(tf.recompute_grad(f), x), by_tape),
    "third order": (third_order, third_order),
    "second order, compiled": (compiled(second_order), second_order),
    "batch jacobian, in a graph": (in_graph(batch_jacobian), batch_jacobian),
    "second order of a function": (of_a_function(second_order), second_order),
}
NEVER_COMPILED = {
    "gradients without a tape": (in_graph(lambda f, x: tf.gradients(f(x), x)), by_tape),
    "hessians": (in_graph(lambda f, x: tf.hessians(tf.reduce_sum(f(x)), x)), hessian),
    "forward of forward": (twice_forward, twice_forward),
    "forward through a function": (of_a_function(forward), forward),
}


@pytest.mark.usefixtures("in_the_compiled_loop")
@pytest.mark.parametrize(("way", "plain"), WAYS.values(), ids=WAYS)
def test_it_is_what_keras_s_loop_gives(way, plain, rng):
    check(layers.LSTM(H, dtype="float64"), way, plain, rng)


@pytest.mark.parametrize(("way", "plain"), NEVER_COMPILED.values(), ids=NEVER_COMPILED)
def test_keras_s_loop_itself_runs(way, plain, rng, compiled_runs):
    check(layers.LSTM(H, dtype="float64"), way, plain, rng)
    assert not compiled_runs


def test_forward_in_a_graph_is_keras_s_error_and_not_zero(compiled_runs):
    with pytest.raises(TypeError, match="is not compatible"):
        in_graph(forward)(lambda x: layers.GRU(H)(x, training=True), tf.ones((N, T, V)))
    assert not compiled_runs


def test_a_layer_is_mapped(rng):
    def mapped(f, x):
        return tf.vectorized_map(lambda one: f(one[None])[0], x)

    check(layers.LSTM(H, dtype="float64"), mapped, lambda f, x: f(x), rng)


KINDS = [
    (layers.SimpleRNN, forward),
    (layers.GRU, second_order),
    (layers.NLSTM, forward),
    (as_layer(odd_cells.Gallery), second_order),
]


@pytest.mark.usefixtures("in_the_compiled_loop")
@pytest.mark.parametrize(("kind", "way"), KINDS, ids=lambda one: one.__name__)
def test_it_is_so_for_every_layer(kind, way, rng):
    check(kind(H, dtype="float64"), way, way, rng)


def check(layer, way, plain, rng):
    """A way to differentiate gives what the plain one gives of Keras's loop."""
    layer.build((None, None, V))
    layer.set_weights([rng.normal(0, 0.5, weight.shape) for weight in layer.get_weights()])
    found = []
    for layer.compiled_loop, one in (True, way), (False, plain):
        found.append(one(lambda x: tf.sin(layer(x, training=True)), tf.constant(rng_input())))
    for ours, theirs in zip(*map(tf.nest.flatten, found), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)
        assert np.any(np.abs(ours) > 1e-4)


def rng_input():
    return np.random.default_rng(5).normal(size=(N, T, V))


@pytest.mark.usefixtures("in_the_compiled_loop")
def test_weights_have_gradients_of_gradients_too():
    """Gradient penalties (Gulrajani et al. 2017), with look-ups besides."""
    layer, found, ids = layers.GRU(H, dtype="float64"), [], tf.constant([[0, 3, 1], [2, 2, 0]])
    layer.build((None, None, V))
    weights = [weight.value for weight in layer.weights]

    def penalty():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(weights)
                total = tf.reduce_sum(tf.sin(layer(tf.one_hot(ids, V, dtype="float64"), training=True)))
            slope = tf.add_n([tf.reduce_sum(one**2) for one in inner.gradient(total, weights)])
        return outer.gradient(slope, weights)

    for layer.compiled_loop, run in (True, tf.function(penalty, autograph=False)), (False, penalty):
        found.append(run())
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


@pytest.fixture(scope="module")
def model():
    extended = layers.LSTM(H, layer_norm=True, zoneout=0.1, recurrent_dropout=0.1, return_sequences=True)
    recurrent = [layers.GRU(H, return_sequences=True), as_layer(odd_cells.Gallery)(H, return_sequences=True), extended]
    made = keras.Sequential([keras.Input((T, V), batch_size=N), *recurrent, layers.NLSTM(H)])
    made.compile("sgd", "mse", jit_compile=False)
    made.fit(rng_input(), np.zeros((N, H)), verbose=0)
    return made


def test_an_exported_model_serves_where_shakegen_is_not(model, tmp_path):
    model.export(tmp_path / "saved", verbose=False)
    code = (
        "import sys, numpy, tensorflow as tf; saved, x, y = sys.argv[1:]\n"
        "model = tf.saved_model.load(saved)\n"
        "numpy.save(y, model.serve(numpy.load(x)))\n"
        "assert 'shakegen' not in sys.modules"
    )
    np.save(tmp_path / "x.npy", rng_input().astype("float32"))
    paths = [tmp_path / name for name in ("saved", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", code, *paths], check=True, cwd=tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model(rng_input()), atol=1e-6)


def test_an_exported_model_that_always_is_in_training_is_of_usual_operations(tmp_path):
    x = keras.Input((None, V))
    inner = keras.layers.Bidirectional(layers.GRU(H, return_sequences=True))(x, training=True)
    model = keras.Model(x, layers.NLSTM(H, learn_initial_state=True)(inner, training=True))
    model.export(tmp_path / "saved", verbose=False)
    saved = tf.saved_model.load(tmp_path / "saved")
    graph = saved.signatures["serving_default"].graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert not [node.op for node in nodes if "Xla" in node.op]
    np.testing.assert_allclose(saved.serve(rng_input()), model(rng_input()), atol=1e-6)


def test_a_model_is_converted_to_tflite(model):
    interpreter = tf.lite.Interpreter(model_content=tf.lite.TFLiteConverter.from_keras_model(model).convert())
    interpreter.allocate_tensors()
    (given,), (returned,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.set_tensor(given["index"], rng_input().astype("float32"))
    interpreter.invoke()
    np.testing.assert_allclose(interpreter.get_tensor(returned["index"]), model(rng_input()), atol=1e-5)
