"""The Nested LSTM's laws: what it computes, from which weights, and what it refuses."""

import keras
import numpy as np
import pytest
from keras import ops
from recurrent import (
    EVERYTHING,
    INPUTS,
    ROUNDING,
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

from shakegen.layers import NLSTM, NLSTMCell


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def naive_step(x, h, c, weights, candidate):
    """Output and new memories of the LSTM whose memory c[0] is, if there are more, the LSTM of the memories c[1:]."""
    W, U, b = weights[:3]
    i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=1)
    x_tilde = sigmoid(i) * candidate(g)
    h_tilde = sigmoid(f) * c[0]
    if len(c) == 1:
        memory, inner = h_tilde + x_tilde, []
    else:
        memory, inner = naive_step(x_tilde, h_tilde, c[1:], weights[3:], np.tanh)
    return sigmoid(o) * np.tanh(memory), [memory, *inner]


def naive_forward(x, states, weights):
    """[outputs, h, c_0, …]: x (N, T, inputs), states [h, c_0, …], weights [W, U, b] of each level in turn."""
    h, c = states[0], states[1:]
    outputs = []
    for t in range(x.shape[1]):
        h, c = naive_step(x[:, t], h, c, weights, candidate=lambda g: g)
        outputs.append(h)
    return [np.stack(outputs, axis=1), h, *c]


@pytest.mark.usefixtures("in_the_compiled_loop")
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_it_computes_what_the_paper_says(depth, rng):
    layer = random_weights(NLSTM(H, depth, **EVERYTHING), rng)
    x, states = rng.normal(size=(N, T, INPUTS)), random_states(layer, rng)
    for training in False, True:
        computed = call(layer, x, states, training=training)
        assert_equal(computed, naive_forward(x, states, layer.get_weights()))
    zeros = [np.zeros((N, H))] * (depth + 1)
    assert_equal(call(layer, x), naive_forward(x, zeros, layer.get_weights()))


@pytest.mark.usefixtures("in_the_compiled_loop")
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_every_gradient_is_the_finite_difference(depth, rng):
    layer = random_weights(NLSTM(H, depth, **EVERYTHING), rng)
    arrays = [rng.normal(size=(N, T, INPUTS)), *random_states(layer, rng), *layer.get_weights()]
    f, coefficients = scalar(layer, rng, training=True)

    def naive_scalar():
        returned = naive_forward(arrays[0], arrays[1 : depth + 2], arrays[depth + 2 :])
        return sum(np.sum(r * c) for r, c in zip(returned, coefficients))

    for array, gradient in zip(arrays, gradients(f, arrays)):
        differences = np.empty_like(array)
        for index in np.ndindex(array.shape):
            middle, step = array[index], 1e-5
            array[index] = middle + step
            above = naive_scalar()
            array[index] = middle - step
            differences[index] = (above - naive_scalar()) / (2 * step)
            array[index] = middle
        np.testing.assert_allclose(gradient, differences, rtol=0, atol=max(ROUNDING, 1e-8))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"use_bias": False},
        {"unroll": True},
        {"go_backwards": True},
        {"activation": "relu", "recurrent_activation": "hard_sigmoid", "cell_activation": "relu"},
        {"dropout": 0.4, "seed": 1},
        {"dropout": 0.4, "recurrent_dropout": 0.3, "seed": 1},
    ],
    ids=lambda arguments: ",".join(arguments) or "default",
)
def test_depth_1_with_a_tanh_candidate_is_the_lstm(arguments, rng):
    lstm_arguments = {name: value for name, value in arguments.items() if name != "cell_activation"}
    lstm = random_weights(keras.layers.LSTM(H, **EVERYTHING, **lstm_arguments), rng)
    nlstm = random_weights(NLSTM(H, 1, **{"cell_activation": "tanh"} | arguments, **EVERYTHING), rng)
    nlstm.set_weights(lstm.get_weights())
    assert_equal(nlstm.get_weights(), lstm.get_weights(), atol=0)

    arrays = [rng.normal(size=(N, T, INPUTS)), *random_states(lstm, rng), *lstm.get_weights()]
    ours, theirs = (
        gradients(scalar(layer, np.random.default_rng(1), training=True)[0], arrays) for layer in (nlstm, lstm)
    )
    assert_equal(ours, theirs)
    x, states = arrays[0], arrays[1:3]
    for mask in None, np.array([[True, True, False, True, True, True], [False, True, True, True, False, False]]):
        assert_equal(call(nlstm, x, states, mask, training=True), call(lstm, x, states, mask, training=True))


def test_depth_1_starts_from_the_weights_of_the_lstm():
    def initializers():
        return {
            "kernel_initializer": keras.initializers.GlorotUniform(seed=1),
            "recurrent_initializer": keras.initializers.Orthogonal(seed=2),
            "bias_initializer": keras.initializers.RandomNormal(seed=3),
        }

    lstm, nlstm = keras.layers.LSTM(H, **initializers()), NLSTM(H, 1, **initializers())
    for layer in lstm, nlstm:
        layer.build((None, None, INPUTS))
    assert_equal(nlstm.get_weights(), lstm.get_weights(), atol=0)


def test_the_weights_come_level_by_level_from_the_outermost():
    layer = NLSTM(H, depth=3)
    layer.build((None, None, INPUTS))
    assert [weight.name for weight in layer.weights] == [
        *("kernel", "recurrent_kernel", "bias"),
        *("kernel_1", "recurrent_kernel_1", "bias_1"),
        *("kernel_2", "recurrent_kernel_2", "bias_2"),
    ]
    inner = [(H, 4 * H), (H, 4 * H), (4 * H,)]
    assert [weight.shape for weight in layer.weights] == [(INPUTS, 4 * H), *inner[1:], *inner, *inner]


def test_600_inputs_600_units_and_depth_2_make_5_764_800_weights():
    layer = NLSTM(600, recurrent_initializer="zeros")
    layer.build((None, None, 600))
    assert layer.count_params() == 5_764_800


def test_no_two_levels_start_alike():
    layer = NLSTM(H, depth=3, bias_initializer="random_normal")
    layer.build((None, None, H))
    weights = layer.get_weights()
    for outer, middle, inner in weights[0::3], weights[1::3], weights[2::3]:
        assert not np.array_equal(outer, middle)
        assert not np.array_equal(middle, inner)


@pytest.mark.parametrize("opened", [True, False])
def test_unit_forget_bias_opens_the_forget_gate_of_every_level(opened):
    layer = NLSTM(H, depth=3, unit_forget_bias=opened)
    layer.build((None, None, INPUTS))
    for bias in layer.get_weights()[2::3]:
        assert bias.tolist() == [0] * H + [int(opened)] * H + [0] * 2 * H


def test_no_bias_is_a_bias_of_zero(rng):
    bare = random_weights(NLSTM(H, 3, use_bias=False, **EVERYTHING), rng)
    layer = random_weights(NLSTM(H, 3, bias_initializer="zeros", unit_forget_bias=False, **EVERYTHING), rng)
    kernels = bare.get_weights()
    zero = np.zeros(4 * H)
    layer.set_weights([*kernels[:2], zero, *kernels[2:4], zero, *kernels[4:], zero])
    x = rng.normal(size=(N, T, INPUTS))
    assert_equal(call(bare, x), call(layer, x))


@pytest.mark.parametrize("arguments", [{"recurrent_dropout": 0.5}, {"dropout": 0.5, "implementation": 1}])
def test_dropout_acts_in_training_only_and_repeats_with_its_seed(arguments, rng):
    x, states = rng.normal(size=(N, T, INPUTS)), list(rng.normal(size=(4, N, H)))
    weights = random_weights(NLSTM(H, 3), rng).get_weights()

    def outputs(training, **arguments):
        layer = NLSTM(H, 3, dtype="float64", **arguments)
        layer.build(x.shape)
        layer.set_weights(weights)
        return ops.convert_to_numpy(call(layer, x, states, training=training))

    np.testing.assert_allclose(outputs(False, seed=1, **arguments), outputs(True), atol=ROUNDING)
    assert np.array_equal(outputs(True, seed=1, **arguments), outputs(True, seed=1, **arguments))
    assert not np.allclose(outputs(True, seed=1, **arguments), outputs(True, seed=2, **arguments))
    assert not np.allclose(outputs(True, seed=1, **arguments), outputs(True))


@pytest.mark.parametrize("layer", [NLSTM, NLSTMCell])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "`units` must be an integer of at least 1. Received: 0"),
        ({"units": 2.5}, "`units` must be an integer of at least 1. Received: 2.5"),
        ({"units": "12"}, "`units` must be an integer of at least 1. Received: '12'"),
        ({"units": True}, "`units` must be an integer of at least 1. Received: True"),
        ({"units": 4, "depth": 0}, "`depth` must be an integer of at least 1. Received: 0"),
        ({"units": 4, "depth": 1.0}, "`depth` must be an integer of at least 1. Received: 1.0"),
        ({"units": 4, "depth": None}, "`depth` must be an integer of at least 1. Received: None"),
    ],
)
def test_a_bad_size_is_refused_in_one_line(layer, arguments, message):
    with pytest.raises(ValueError) as refusal:
        layer(**arguments)
    assert str(refusal.value) == message


def test_cudnn_cannot_be_asked_for():
    assert NLSTM(H, use_cudnn=False).use_cudnn is False
    with pytest.raises(ValueError) as refusal:
        NLSTM(H, use_cudnn=True)
    assert str(refusal.value) == "`use_cudnn` must be 'auto' or False: cuDNN has no Nested LSTM. Received: True"


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_number_of_states_is_checked(count, rng):
    states = [np.zeros((N, H))] * count
    with pytest.raises(ValueError) as refusal:
        call(NLSTM(H, depth=2), rng.normal(size=(N, T, INPUTS)), states)
    expected = f"An NLSTM of depth 2 has 3 states (h, c0, c1). Received: {count}"
    assert expected in str(refusal.value)


def test_a_numpy_integer_is_an_integer():
    layer = NLSTM(np.int64(H), np.int32(3))
    assert type(layer.units) is type(layer.depth) is int
    assert layer.state_size == [H] * 4
