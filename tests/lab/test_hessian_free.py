"""Hessian-free optimization of any objective, step by step."""

import numpy as np
import pytest

from shakegen.lab.hessian_free import HessianFree, conjugate_gradients, space_out


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


BAD = {
    "damping is 0: expected a number above 0": {"damping": 0},
    "structural is -1: expected a number of 0 or more": {"structural": -1},
    "iterations is 0: expected a whole number of 1 or more": {"iterations": 0},
    "iterations is 2.5: expected a whole number of 1 or more": {"iterations": 2.5},
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
