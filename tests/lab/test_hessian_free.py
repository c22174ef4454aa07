import keras
import numpy as np
import pytest
import tensorflow as tf

from shakegen.lab.gauss_newton import KerasObjective
from shakegen.lab.hessian_free import HessianFree, conjugate_gradients, space_out
from shakegen.layers import GRU, LSTM, NLSTM, SimpleRNN


@pytest.fixture
def definite(rng):
    """A symmetric, positive definite matrix."""
    square = rng.normal(size=(12, 12))
    return square @ square.T + 0.1 * np.eye(12)


def test_conjugate_gradients_solve(definite, rng):
    b = rng.normal(size=12)
    *_, last = conjugate_gradients(lambda v: definite @ v, b, rng.normal(size=12), 40, tolerance=0)
    assert np.allclose(definite @ last.x, b)


def test_conjugate_gradients_take_as_many_iterations_as_there_are_eigenvalues(rng):
    basis, _ = np.linalg.qr(rng.normal(size=(12, 12)))
    A, b = basis * np.repeat([1.0, 4.0, 9.0], 4) @ basis.T, rng.normal(size=12)
    *_, third = conjugate_gradients(lambda v: A @ v, b, np.zeros(12), 3)
    assert third.iteration == 3
    assert np.allclose(A @ third.x, b)


def test_conjugate_gradients_say_the_quadratics_value_and_never_raise_it(definite, rng):
    b = rng.normal(size=12)
    found = list(conjugate_gradients(lambda v: definite @ v, b, rng.normal(size=12), 9))
    assert np.allclose([i.value for i in found], [0.5 * i.x @ definite @ i.x - b @ i.x for i in found])
    assert np.all(np.diff([i.value for i in found]) < 0)
    assert [i.iteration for i in found] == list(range(10))


def test_conjugate_gradients_stop_where_little_is_gained(rng):
    eigenvalues, b = np.logspace(-4, 0, 300), rng.normal(size=300)
    few, many = (
        list(conjugate_gradients(lambda v: eigenvalues * v, b, np.zeros(300), 300, tolerance))
        for tolerance in (2e-2, 2e-3)
    )
    assert 11 < len(few) < len(many) < 301
    for found, tolerance in ((few, 2e-2), (many, 2e-3)):
        back = max(10, (len(found) - 1) // 10)
        gained = (found[-1].value - found[-1 - back].value) / found[-1].value
        assert gained < back * tolerance


def test_conjugate_gradients_stop_at_the_solution_and_at_a_flat_direction():
    A = np.diag([1.0, 0.0])
    solved = list(conjugate_gradients(lambda v: A @ v, np.array([2.0, 0.0]), np.zeros(2), 50))
    assert np.array_equal(solved[-1].x, [2, 0])
    assert len(list(conjugate_gradients(lambda v: A @ v, np.array([0.0, 1.0]), np.zeros(2), 50))) == 1


def test_the_iterates_kept_are_ever_farther_apart(definite, rng):
    found = list(conjugate_gradients(lambda v: definite @ v, rng.normal(size=12), np.zeros(12), 12, tolerance=0))
    assert [i.iteration for i in space_out(iter(found[:12]))] == [1, 2, 3, 4, 6, 8, 11]
    assert [i.iteration for i in space_out(iter(found[:10]))] == [1, 2, 3, 4, 6, 8, 9]
    assert [i.iteration for i in space_out(iter(found[:1]))] == [0]


class Quadratic:
    """½ θᵀAθ - bᵀθ, whose curvature is said to be `believed` instead of A where that is given."""

    def __init__(self, A, b, believed=None):
        self.A, self.b, self.believed = A, b, A if believed is None else believed

    def loss(self, theta):
        return 0.5 * theta @ self.A @ theta - self.b @ theta

    def gradient(self, theta):
        return self.loss(theta), self.A @ theta - self.b

    def curvature(self, theta, structural):
        return lambda v: self.believed @ v + structural * v


def test_with_hardly_any_damping_one_step_solves_a_quadratic(definite, rng):
    problem = Quadratic(definite, rng.normal(size=12))
    theta, update = HessianFree(damping=1e-12).step(rng.normal(size=12), problem)
    assert np.allclose(theta, np.linalg.solve(definite, problem.b), atol=1e-4)
    assert update.reached == problem.loss(theta)
    assert np.isclose(update.ratio, 1)


@pytest.mark.parametrize("structural", [0.0, 2.0])
def test_the_direction_minimises_the_damped_model(definite, rng, structural):
    problem, theta = Quadratic(definite, rng.normal(size=12)), rng.normal(size=12)
    optimizer = HessianFree(damping=3.0, structural=structural, iterations=12)
    after, update = optimizer.step(theta, problem)
    damped = definite + 3.0 * (1 + structural) * np.eye(12)
    assert np.allclose(after, theta - np.linalg.solve(damped, definite @ theta - problem.b), atol=1e-3)
    assert (update.damping, update.scale) == (3.0, 1.0)


@pytest.mark.parametrize(
    ("trust", "factor"), [(1.0, 2 / 3), (0.5, 2 / 3), (4.0, 3 / 2), (1.6, 1.0)], ids=["true", "steep", "flat", "half"]
)
def test_damping_follows_how_far_the_model_is_right(definite, rng, trust, factor):
    """Where A is believed to be A/trust, a step promises q and gives q (2 - trust)."""
    problem = Quadratic(definite, rng.normal(size=12), definite / trust)
    optimizer = HessianFree(damping=1e-9)
    _, update = optimizer.step(rng.normal(size=12), problem)
    if update.scale == 1:
        assert np.isclose(update.ratio, 2 - trust, atol=1e-3)
    assert np.isclose(optimizer.damping, factor * 1e-9)


class Wrong(Quadratic):
    """A quadratic with a gradient that points downhill."""

    def gradient(self, theta):
        loss, gradient = super().gradient(theta)
        return loss, -gradient


def test_a_step_that_cannot_help_is_not_taken_and_raises_the_damping(definite, rng):
    theta, optimizer = rng.normal(size=12), HessianFree(damping=1.0)
    after, update = optimizer.step(theta, Wrong(definite, np.ones(12)))
    assert np.array_equal(after, theta)
    assert update.scale == 0
    assert update.reached == update.loss
    assert np.isnan(update.ratio)
    assert optimizer.damping == 1.5


class Rosenbrock:
    """Two squares, 1 - x and 10 (y - x²), that Gauss-Newton steps without damping would overshoot."""

    def residuals(self, theta):
        x, y = theta
        return np.array([1 - x, 10 * (y - x * x)])

    def loss(self, theta):
        return 0.5 * float(np.sum(self.residuals(theta) ** 2))

    def gradient(self, theta):
        return self.loss(theta), self.jacobian(theta).T @ self.residuals(theta)

    def jacobian(self, theta):
        return np.array([[-1.0, 0.0], [-20 * theta[0], 10.0]])

    def curvature(self, theta, structural):
        J = self.jacobian(theta)
        return lambda v: J.T @ (J @ v)


def test_no_step_raises_the_loss_on_its_batch_and_the_minimum_is_found():
    theta, optimizer, problem = np.array([-1.2, 1.0]), HessianFree(damping=1.0), Rosenbrock()
    for _ in range(60):
        theta, update = optimizer.step(theta, problem)
        assert update.reached <= update.loss
    assert np.allclose(theta, [1, 1], atol=1e-4)


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


@pytest.mark.parametrize("loss", [keras.losses.SparseCategoricalCrossentropy(), keras.losses.MeanAbsoluteError()])
def test_only_losses_of_known_curvature(loss):
    inputs = keras.Input((4, 2))
    model = keras.Model(inputs, SimpleRNN(2, return_sequences=True)(inputs))
    with pytest.raises(ValueError) as error:
        KerasObjective(model, loss, np.zeros((1, 4, 2)), np.zeros((1, 4, 2)))
    assert str(error.value) == (
        f"the loss is {type(loss).__name__}: expected MeanSquaredError, or SparseCategoricalCrossentropy with "
        "from_logits=True"
    )


BAD = {
    "damping is 0: expected a number above 0": {"damping": 0},
    "structural is -1: expected a number of 0 or more": {"structural": -1},
    "iterations is 0: expected a whole number of 1 or more": {"iterations": 0},
    "decay is 1: expected a number from 0 up to, but not including, 1": {"decay": 1},
}


@pytest.mark.parametrize(("message", "values"), BAD.items())
def test_settings_out_of_range(message, values):
    with pytest.raises(ValueError) as error:
        HessianFree(**values)
    assert str(error.value) == message


def test_a_start_without_a_finite_loss(definite):
    with pytest.raises(ValueError) as error, np.errstate(invalid="ignore"):
        HessianFree().step(np.full(12, np.inf), Quadratic(np.eye(12), np.ones(12)))
    assert str(error.value) == "the loss or its gradient is not finite: expected a start from which both are"


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_a_curvature_that_overflows_moves_nothing_and_raises_the_damping(definite, rng, odd):
    theta, optimizer = rng.normal(size=12), HessianFree(damping=1.0)
    broken = definite.copy()
    broken[3, 5] = odd
    with np.errstate(invalid="ignore"):
        after, _ = optimizer.step(theta, Quadratic(definite, np.ones(12), broken))
    assert np.array_equal(after, theta)
    assert optimizer.damping == 1.5
    assert np.isfinite(optimizer.step(theta, Quadratic(definite, np.ones(12)))[0]).all(), "the next step goes on"
