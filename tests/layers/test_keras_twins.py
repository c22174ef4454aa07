"""SimpleRNN, LSTM and GRU are Keras's own: the same outputs, gradients, weights and behaviour for every argument."""

import keras
import numpy as np
import pytest
from compiled_layers import COMPILED
from keras import ops
from recurrent import (
    EVERYTHING,
    INPUTS,
    H,
    N,
    T,
    assert_equal,
    call,
    gradients,
    random_states,
    random_weights,
    scalar,
)

from shakegen import layers

TWINS = {
    "SimpleRNN": (layers.SimpleRNN, keras.layers.SimpleRNN, {}),
    "LSTM": (layers.LSTM, keras.layers.LSTM, {}),
    "GRU": (layers.GRU, keras.layers.GRU, {}),
    "GRU, reset before": (layers.GRU, keras.layers.GRU, {"reset_after": False}),
}
EACH = pytest.mark.parametrize(("ours", "theirs", "own"), TWINS.values(), ids=TWINS)


def twins(ours, theirs, rng, **arguments):
    their = random_weights(theirs(H, **{**EVERYTHING, **arguments}), rng)
    our = ours(H, **{**EVERYTHING, **arguments})
    our.build((N, None, INPUTS))
    our.set_weights(their.get_weights())
    return our, their


@EACH
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"use_bias": False, "go_backwards": True},
        {"activation": "relu"},
        {"activation": "sigmoid"},
        {"activation": "linear"},
    ],
    ids=str,
)
def test_outputs_and_gradients_are_equal(ours, theirs, own, arguments, rng, compiled_runs):
    our, their = twins(ours, theirs, rng, **own, **arguments)
    x, states = rng.normal(size=(N, T, INPUTS)), random_states(their, rng)
    assert_equal(call(our, x, states, training=True), call(their, x, states))
    (f, _), (g, _) = (scalar(layer, np.random.default_rng(1), training=True) for layer in (our, their))
    arrays = [x, *states, *their.get_weights()]
    assert_equal(gradients(f, arrays), gradients(g, arrays))
    assert len(compiled_runs) == 2
    assert_equal(call(our, x, states), call(their, x, states))
    our.compiled_loop = False
    assert_equal(call(our, x, states, training=True), call(their, x, states))
    assert len(compiled_runs) == 2


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("ours", "theirs", "own"), list(TWINS.values())[1:], ids=list(TWINS)[1:])
@COMPILED
def test_they_are_equal_for_any_gate(ours, theirs, own, activation, rng):
    our, their = twins(ours, theirs, rng, recurrent_activation=activation, **own)
    x = rng.normal(size=(N, T, INPUTS))
    (f, _), (g, _) = (scalar(layer, np.random.default_rng(1), False, training=True) for layer in (our, their))
    assert_equal(gradients(f, [x, *their.get_weights()]), gradients(g, [x, *their.get_weights()]))


@EACH
@pytest.mark.parametrize(
    "arguments",
    [
        {"recurrent_dropout": 0.5, "seed": 3},
        {"unroll": True},
        {"activation": "softsign"},
        {"dropout": 0.5, "seed": 3},
        {"dropout": 0.5, "seed": 3, "unroll": True},
    ],
    ids=str,
)
def test_what_the_loop_does_not_cover_is_equal_too(ours, theirs, own, arguments, rng, compiled_runs):
    our, their = twins(ours, theirs, rng, **own, **arguments)
    x = rng.normal(size=(N, T, INPUTS))
    assert_equal(call(our, x), call(their, x))
    assert_equal(call(our, x, training=True), call(their, x, training=True))
    drops_inputs = list(arguments) == ["dropout", "seed"] and not hasattr(our.cell, "dropout_mask_count")
    assert len(compiled_runs) == drops_inputs


@EACH
@COMPILED
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("state", [False, True])
def test_they_return_what_keras_returns(ours, theirs, own, sequences, state, rng):
    our, their = twins(ours, theirs, rng, return_sequences=sequences, return_state=state, **own)
    x = rng.normal(size=(N, T, INPUTS))
    ours, theirs = (call(layer, x, training=True) for layer in (our, their))
    assert_equal(ours if state else [ours], theirs if state else [theirs])


@EACH
@COMPILED
def test_a_stateful_layer_carries_on(ours, theirs, own, rng):
    our, their = twins(ours, theirs, rng, stateful=True, **own)
    x = rng.normal(size=(2, N, T, INPUTS))
    for part in x:
        assert_equal(call(our, part, training=True), call(their, part, training=True))
    our.reset_state()
    their.reset_state()
    assert_equal(call(our, x[1], training=True), call(their, x[1], training=True))


@EACH
@COMPILED
def test_a_bidirectional_layer_is_equal(ours, theirs, own, rng):
    our, their = (
        keras.layers.Bidirectional(layer(H, dtype="float64", **own), dtype="float64") for layer in (ours, theirs)
    )
    for each in our, their:
        each.build((N, T, INPUTS))
    our.set_weights(their.get_weights())
    x = ops.convert_to_tensor(rng.normal(size=(N, T, INPUTS)), dtype="float64")
    assert_equal([our(x, training=True)], [their(x, training=True)])


@EACH
def test_weight_files_are_interchangeable(ours, theirs, own, rng, tmp_path):
    path = tmp_path / "some.weights.h5"
    models = [keras.Sequential([keras.Input((T, INPUTS)), layer(H, name="same", **own)]) for layer in (ours, theirs)]
    x = rng.normal(size=(N, T, INPUTS)).astype("float32")
    for saved, loaded in (models, models[::-1]):
        for weight in saved.weights:
            weight.assign(rng.normal(size=weight.shape))
        saved.save_weights(path)
        loaded.load_weights(path)
        np.testing.assert_allclose(loaded(x), saved(x), rtol=0, atol=1e-6)


@EACH
def test_a_saved_model_is_read_back(ours, theirs, own, rng, tmp_path):
    path, layer = tmp_path / "model.keras", ours(H, learn_initial_state=True, go_backwards=True, **own)
    model = keras.Sequential([keras.Input((T, INPUTS)), layer])
    model.save(path)
    x = rng.normal(size=(N, T, INPUTS)).astype("float32")
    read = keras.models.load_model(path)
    assert type(read.layers[0]) is ours
    np.testing.assert_array_equal(read(x), model(x))
    assert ours.from_config(layer.get_config()).get_config() == layer.get_config()


@EACH
@COMPILED
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_reduced_precision_is_equal_to_its_rounding(ours, theirs, own, policy, rng):
    our, their = twins(ours, theirs, rng, dtype=policy, **own)
    x = ops.convert_to_tensor(rng.normal(size=(N, T, INPUTS)), dtype="float32")
    for a, b in zip(our(x, training=True), their(x, training=True)):
        assert a.dtype == b.dtype
        tolerance = {"mixed_bfloat16": 5e-2, "mixed_float16": 5e-3}[policy]
        np.testing.assert_allclose(
            ops.convert_to_numpy(ops.cast(a, "float32")), ops.convert_to_numpy(ops.cast(b, "float32")), atol=tolerance
        )


@EACH
@COMPILED
@pytest.mark.parametrize("jit_compile", [False, True])
def test_models_train_alike(ours, theirs, own, jit_compile, rng):
    x, y = rng.normal(size=(4 * N, T, INPUTS)).astype("float32"), rng.normal(size=(4 * N, T, H)).astype("float32")
    start, trained = None, []
    for layer in (ours, theirs):
        model = keras.Sequential([keras.Input((None, INPUTS)), layer(H, return_sequences=True, **own)])
        start = start or model.get_weights()
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=jit_compile)
        model.fit(x, y, batch_size=N, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    assert_equal(*trained, atol=1e-5)
