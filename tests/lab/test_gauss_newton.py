"""Gauss-Newton products of networks, against matrices that are formed by finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from shakegen.lab.gauss_newton import KerasObjective
from shakegen.layers import GRU, LSTM, NLSTM, SimpleRNN

CELLS = {"rnn": SimpleRNN, "lstm": LSTM, "gru": GRU, "nlstm": NLSTM}
LOSSES = {
    "squared": keras.losses.MeanSquaredError(dtype="float64"),
    "cross-entropy": keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64"),
}


def made(cell, loss, rng, layers=1):
    """A tiny network, and its loss on a random batch: 5 sequences of 4 steps, 3 outputs a step."""
    keras.utils.set_random_seed(3)
    inputs = hidden = keras.Input((4, 2), dtype="float64")
    for _ in range(layers):
        layer = CELLS[cell](2, return_sequences=True, learn_initial_state=True, dtype="float64")
        layer.compiled_loop = cell == "rnn"  # one is enough to compile
        hidden = layer(hidden)
    model = keras.Model(inputs, keras.layers.Dense(3, dtype="float64")(hidden))
    targets = rng.integers(3, size=(5, 4)) if loss == "cross-entropy" else rng.normal(size=(5, 4, 3))
    objective = KerasObjective(model, LOSSES[loss], rng.normal(size=(5, 4, 2)), targets)
    objective.theta = rng.normal(0, 0.5, size=objective.theta.shape)
    return model, objective


def jacobian(function, theta):
    """All derivatives of an array by a vector, by central differences."""
    steps = 1e-5 * np.eye(len(theta))
    return np.stack([(function(theta + step) - function(theta - step)) / 2e-5 for step in steps], axis=-1)


def explicit(objective, model, inputs, loss):
    """The matrices G and S, formed of Jacobians, each of shape (predictions, numbers, weights)."""
    hidden = [layer.output for layer in model.layers if hasattr(layer, "cell")]
    whole, theta = tf.function(keras.Model(model.input, [model.output, *hidden])), objective.theta

    def outputs(theta):
        objective.theta = theta
        return np.concatenate([values.numpy().reshape(20, -1) for values in whole(inputs)], axis=1)

    p, J = tf.nn.softmax(outputs(theta)[:, :3]).numpy(), jacobian(outputs, theta)
    H = np.broadcast_to(np.eye(3) * 2 / 3, (20, 3, 3))
    if loss == "cross-entropy":
        H = p[:, :, None] * np.eye(3) - p[:, :, None] * p[:, None, :]
    G = np.einsum("nia,nij,njb->ab", J[:, :3], H, J[:, :3]) / 20
    return G, np.einsum("nia,nib->ab", J[:, 3:], J[:, 3:]) / 20


@pytest.mark.parametrize(
    ("cell", "loss", "layers"),
    [("rnn", "squared", 2), ("lstm", "cross-entropy", 1), ("gru", "squared", 1), ("nlstm", "cross-entropy", 1)],
)
def test_products_are_those_with_the_explicit_matrices(cell, loss, layers, rng):
    model, objective = made(cell, loss, rng, layers)
    theta = objective.theta
    G, S = explicit(objective, model, objective._inputs, loss)
    v = rng.normal(size=(2, len(G)))
    for structural in (0.0, 0.7):
        product = objective.curvature(theta, structural)
        assert np.allclose([product(row) for row in v], v @ (G + structural * S), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_those_of_finite_differences(loss, rng):
    _, objective = made("gru", loss, rng)
    theta, v = objective.theta, rng.normal(size=objective.theta.shape)
    value, gradient = objective.gradient(theta)
    slope = (objective.loss(theta + 1e-6 * v) - objective.loss(theta - 1e-6 * v)) / 2e-6
    assert np.isclose(gradient @ v, slope, rtol=1e-6)
    assert np.isclose(value, objective.loss(theta), rtol=1e-12)


def test_the_weights_of_the_model_are_those_set_last(rng):
    model, objective = made("lstm", "squared", rng)
    theta = rng.normal(size=objective.theta.shape)
    objective.theta = theta
    assert np.array_equal(objective.theta, theta)
    assert np.array_equal(np.concatenate([w.ravel() for w in model.get_weights()]), theta)


def test_only_chains_of_recurrent_layers_have_products():
    inputs = keras.Input((4, 2))
    first = SimpleRNN(2, return_sequences=True)(inputs)
    with_dense_between = SimpleRNN(2, return_sequences=True)(keras.layers.Dense(2)(first))
    without_sequences = SimpleRNN(2)(inputs)
    backwards = SimpleRNN(2, return_sequences=True, go_backwards=True)(inputs)
    for outputs in (keras.layers.Dense(2)(inputs), with_dense_between, without_sequences, backwards):
        with pytest.raises(ValueError) as error:
            KerasObjective(keras.Model(inputs, outputs), LOSSES["squared"], np.zeros((1, 4, 2)), np.zeros((1, 4, 2)))
        assert str(error.value) == (
            "the model is no chain of recurrent layers: expected one or more, each right after the other, that read "
            "forward and return sequences"
        )


@pytest.mark.parametrize("option", [{"zoneout": 0.5}, {"recurrent_dropout": 0.5}, {"nested": True}], ids=str)
def test_products_are_symmetric_where_a_layer_drops(option, rng):
    inputs, dropped = keras.Input((4, 2), dtype="float64"), keras.layers.Dropout(0.5, seed=1, dtype="float64")
    nested = option.pop("nested", False)
    hidden = GRU(2, return_sequences=True, seed=1, dtype="float64", **option)(inputs)
    hidden = keras.layers.TimeDistributed(dropped, dtype="float64")(hidden) if nested else hidden
    model = keras.Model(inputs, keras.layers.Dense(3, dtype="float64")(hidden))
    objective = KerasObjective(model, LOSSES["squared"], rng.normal(size=(5, 4, 2)), rng.normal(size=(5, 4, 3)))
    product, (v, w) = objective.curvature(objective.theta, 0.0), rng.normal(size=(2, len(objective.theta)))
    assert np.isclose(v @ product(w), w @ product(v))


LOSSES_OF_OTHER_KINDS = [
    keras.losses.SparseCategoricalCrossentropy(),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0),
    keras.losses.MeanAbsoluteError(),
    keras.losses.MeanSquaredError(reduction="sum"),
    keras.losses.mean_squared_error,
]


@pytest.mark.parametrize("loss", LOSSES_OF_OTHER_KINDS)
def test_only_losses_of_known_curvature(loss):
    inputs = keras.Input((4, 2))
    model = keras.Model(inputs, SimpleRNN(2, return_sequences=True)(inputs))
    with pytest.raises(ValueError) as error:
        KerasObjective(model, loss, np.zeros((1, 4, 2)), np.zeros((1, 4, 2)))
    assert str(error.value) == (
        f"the loss is {type(loss).__name__}: expected MeanSquaredError, or SparseCategoricalCrossentropy with "
        "from_logits=True, as a mean over all predictions"
    )
