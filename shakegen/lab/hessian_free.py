"""Hessian-free optimization (Martens 2010), as used for recurrent networks (Martens & Sutskever 2011).

Every step minimises a quadratic model of the loss around the weights θ, with the Gauss-Newton matrix G for curvature:

    q(δ) = gᵀδ + ½ δᵀ G δ        q_λ(δ) = q(δ) + ½ λ δᵀ (I + μ S) δ

G is never formed: conjugate gradients need only its products with vectors, and a product costs about as much as
two gradients. λ is the damping: it keeps δ where q can be trusted. S is the structural damping of recurrent networks,
the Gauss-Newton matrix of ½ |h|² of the hidden states h: it keeps a step from throwing them about. After every step the
ratio of the fall of the loss to the fall that q promised raises or lowers λ (the heuristic of Levenberg and Marquardt).

Everything here is numpy over flat vectors of weights and any `Objective`; `shakegen.lab.gauss_newton` makes one of a
Keras model and a batch.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from shakegen.checks import is_whole

Product = Callable[[np.ndarray], np.ndarray]


class Objective(Protocol):
    """A loss to be made smaller, as a function of a flat vector of weights θ."""

    def loss(self, theta: np.ndarray) -> float:
        """The loss."""

    def gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss and its gradient g."""

    def curvature(self, theta: np.ndarray, structural: float) -> Product:
        """The product v ↦ (G + structural · S) v with the Gauss-Newton matrix at θ, positive semidefinite."""


@dataclass(frozen=True)
class Iterate:
    """Where conjugate gradients have come: after so many iterations x, and the quadratic's value there."""

    iteration: int
    x: np.ndarray
    value: float


def conjugate_gradients(
    product: Product, b: np.ndarray, start: np.ndarray, iterations: int, tolerance: float = 5e-4
) -> Iterator[Iterate]:
    """Minimise φ(x) = ½ xᵀAx - bᵀx, that is, solve Ax = b (Hestenes & Stiefel 1952).

    Args:
        product: v ↦ Av; A is symmetric and positive definite.
        b, start: vectors.
        iterations: the most that are made.
        tolerance: stop when, over the last tenth of the iterations, but ten at least, φ has fallen by less than this
            share of its value each (Martens 2010, §4.4).

    Yields:
        An `Iterate` for the start and after every iteration; φ never rises.
    """
    x = np.array(start, float)
    r = b - product(x)
    p, square, values = r, r @ r, [-0.5 * x @ (r + b)]
    yield Iterate(0, x, values[0])
    smallest = np.finfo(float).eps ** 2 * (b @ b)
    for k in range(1, iterations + 1):
        if square <= smallest:
            return
        Ap = product(p)
        bend = p @ Ap
        if not 0 < bend < math.inf:  # to the precision of its products, A is not positive definite, or no number
            return
        step = square / bend
        x, r = x + step * p, r - step * Ap
        square, before = r @ r, square
        p = r + square / before * p
        values.append(-0.5 * x @ (r + b))
        yield Iterate(k, x, values[-1])
        back = max(10, k // 10)
        if k > back and values[k] < 0 and (values[k] - values[k - back]) / values[k] < back * tolerance:
            return


def space_out(iterates: Iterator[Iterate], growth: float = 1.3) -> list[Iterate]:
    """The last of many iterates and, before it, one at about every power of `growth` (Martens 2010, §4.6)."""
    kept: list[Iterate] = []
    due = 1.0
    for iterate in iterates:
        if iterate.iteration >= due:
            kept.append(iterate)
            due = max(iterate.iteration + 1, math.ceil(due * growth))
    return kept if kept and kept[-1] is iterate else [*kept, iterate]


@dataclass(frozen=True)
class Update:
    """The outcome of one step.

    Attributes:
        loss: before the step.
        reached: after it, on the same batch.
        damping: the λ it was made with.
        ratio: the fall of the loss over the fall that the quadratic model without damping promised; NaN where it
            promised none.
        iterations: of conjugate gradients.
        scale: the factor of the direction; 0 where no multiple made the loss smaller and θ stays.
        losses, products: how many losses and products with the curvature it took, beside one gradient.
    """

    loss: float
    reached: float
    damping: float
    ratio: float
    iterations: int
    scale: float
    losses: int
    products: int


class HessianFree:
    """The optimizer, which remembers its damping and its last direction from step to step.

    Args:
        damping: λ at first.
        structural: μ, how much of λ's damping is structural; 0 for none.
        iterations: the most of conjugate gradients in a step.
        decay: conjugate gradients start from the last direction times this.

    Raises:
        ValueError: a value is out of range.
    """

    RAISE, LOWER = 3 / 2, 2 / 3  # Martens 2010, §4.1: of λ where the ratio is below 1/4, and above 3/4
    SHRINK, ENOUGH, TRIES = 0.8, 0.01, 40  # of the line search, which ends at a sufficient decrease (Armijo 1966)

    def __init__(self, damping: float = 1.0, structural: float = 0.0, iterations: int = 100, decay: float = 0.95):
        for name, value, fits, expected in (
            ("damping", damping, damping > 0, "a number above 0"),
            ("structural", structural, structural >= 0, "a number of 0 or more"),
            ("iterations", iterations, is_whole(iterations, 1), "a whole number of 1 or more"),
            ("decay", decay, 0 <= decay < 1, "a number from 0 up to, but not including, 1"),
        ):
            if not fits:
                raise ValueError(f"{name} is {value}: expected {expected}")
        self.damping, self.structural, self.iterations, self.decay = damping, structural, iterations, decay
        self._direction: np.ndarray | None = None

    def step(self, theta: np.ndarray, objective: Objective) -> tuple[np.ndarray, Update]:
        """One step from θ on an objective: the new θ and an account of the step.

        Raises:
            ValueError: the loss or its gradient is not finite.
        """
        measure, losses = count_calls(objective.loss)
        loss, g = objective.gradient(theta)
        if not (math.isfinite(loss) and np.isfinite(g).all()):
            raise ValueError("the loss or its gradient is not finite: expected a start from which both are")
        undamped, products = count_calls(objective.curvature(theta, self.structural * self.damping))
        direction, reached, iterations = self._find_direction(theta, measure, undamped, g)
        scale, reached = self._line_search(theta, measure, direction, loss, reached, g)
        delta = scale * direction
        promised = g @ delta + 0.5 * delta @ objective.curvature(theta, 0.0)(delta) if scale else 0.0
        ratio = (reached - loss) / promised if promised < 0 else math.nan
        count = len(products) + bool(scale)
        update = Update(loss, reached, self.damping, ratio, iterations, scale, len(losses), count)
        self._adjust(ratio)
        return theta + delta, update

    def _find_direction(self, theta, loss, undamped, g):
        """The direction that conjugate gradients find, gone back to an earlier one while that gives a smaller loss."""
        begin = np.zeros_like(g) if self._direction is None else self.decay * self._direction
        iterates = conjugate_gradients(lambda v: undamped(v) + self.damping * v, -g, begin, self.iterations)
        *earlier, best = space_out(iterates)
        self._direction, iterations = best.x, best.iteration
        reached = loss(theta + best.x)
        for iterate in reversed(earlier):
            candidate = loss(theta + iterate.x)
            if not candidate < reached and math.isfinite(reached):
                break
            best, reached = iterate, candidate
        return best.x, reached, iterations

    def _line_search(self, theta, measure, direction, loss, reached, g):
        scale, slope = 1.0, min(0.0, g @ direction)
        for _ in range(self.TRIES):
            if reached <= loss + self.ENOUGH * scale * slope:
                return scale, reached
            scale *= self.SHRINK
            reached = measure(theta + scale * direction)
        self._direction = None
        return 0.0, loss

    def _adjust(self, ratio):
        if ratio > 3 / 4:
            self.damping *= self.LOWER
        elif not ratio >= 1 / 4:
            self.damping *= self.RAISE


def count_calls(function: Callable) -> tuple[Callable, list]:
    """The function, and a list that gets an entry at each of its calls."""
    calls: list[None] = []

    def count(*arguments):
        calls.append(None)
        return function(*arguments)

    return count, calls
