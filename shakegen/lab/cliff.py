"""The cliff in the error surface of one recurrent unit (Pascanu, Mikolov & Bengio 2013, §2.3 and figure 6)."""

from dataclasses import dataclass, fields

import numpy as np

from shakegen.cells.operations import sigmoid
from shakegen.lab import check
from shakegen.lab.result import Result
from shakegen.plotting import Curve, Figure, Heat, Panel

GOOD = 0.01  # an error that counts as solved: the output is within 0.1 of the target
START = 0.5  # x_0
TINY = np.finfo(float).tiny
AREA = ((3.5, 7.0), (-4.0, -1.0))  # of the weight and of the bias: where the surface has its cliff


@dataclass(frozen=True)
class Unit:
    """x_t = w σ(x_{t-1}) + b from x_0 = 0.5, which should give σ(x_T) = target; the error is (σ(x_T) - target)².

    Attributes:
        length: T, the number of steps.
        target: between 0 and 1.

    Raises:
        ValueError: the length is below 1, or the target out of range.
    """

    length: int = 50
    target: float = 0.7

    def __post_init__(self):
        check.require_counts(length=self.length)
        if not 0 < self.target < 1:
            raise ValueError(f"target is {self.target}: expected a number between 0 and 1, as the unit gives")

    def error(self, weight, bias) -> np.ndarray:
        """The error at any weights and biases, arrays of one shape."""
        return self.gradient(weight, bias)[0]

    def gradient(self, weight, bias) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The error and its derivatives by weight and by bias, carried forward in time beside x.

        Args:
            weight, bias: arrays that broadcast to one shape.

        Returns:
            Three arrays of that shape.
        """
        x = np.full(np.broadcast(weight, bias).shape, START)
        by_weight, by_bias = np.zeros_like(x), np.zeros_like(x)
        for _ in range(self.length):
            h = sigmoid(x)
            slope = weight * h * (1 - h)
            x, by_weight, by_bias = weight * h + bias, h + slope * by_weight, 1 + slope * by_bias
        h = sigmoid(x)
        off = h - self.target
        outer = 2 * off * h * (1 - h)
        return off**2, outer * by_weight, outer * by_bias


@dataclass(frozen=True)
class Descent:
    """Gradient descents side by side: every attribute has the shape (steps + 1, ·), the start first.

    Attributes:
        weight, bias: the places.
        error: the error there.
        norm: the norm of the gradient there, before it is clipped.
    """

    weight: np.ndarray
    bias: np.ndarray
    error: np.ndarray
    norm: np.ndarray

    def select(self, number: int) -> "Descent":
        """One of the descents, its attributes of shape (steps + 1,)."""
        return Descent(*(getattr(self, field.name)[:, number] for field in fields(self)))


@np.errstate(over="ignore", invalid="ignore")  # checked for below
def descend(unit: Unit, weight, bias, learning_rate: float, steps: int, clip_norm: float | None = None) -> Descent:
    """Descend from several starts.

    Args:
        unit: the unit whose error falls.
        weight, bias: the starts, arrays (·,).
        learning_rate: a step is the gradient times this.
        steps: the number of steps.
        clip_norm: a longer gradient is shortened to this norm and keeps its direction; None clips nothing.

    Raises:
        ValueError: steps, learning rate or clip_norm is out of range, or a gradient is not finite.
    """
    check.require_counts(steps=steps)
    check.require_positive(learning_rate=learning_rate, clip_norm=1 if clip_norm is None else clip_norm)
    weight, bias, history = np.array(weight, float), np.array(bias, float), []
    for step in range(steps + 1):
        error, *gradient = unit.gradient(weight, bias)
        norm = np.hypot(*gradient)
        if not np.isfinite(norm).all():
            raise ValueError(f"the gradient is no number any more at step {step}: expected a smaller learning rate")
        history.append((weight, bias, error, norm))
        scale = learning_rate * (1 if clip_norm is None else np.minimum(1, clip_norm / np.maximum(norm, TINY)))
        weight, bias = weight - scale * gradient[0], bias - scale * gradient[1]
    return Descent(*map(np.array, zip(*history)))


def surface(unit: Unit, points: int = 161) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (points,), biases (points,), and the error (biases, weights) there, over the `AREA` of the cliff."""
    weights, biases = (np.linspace(*ends, points) for ends in AREA)
    return weights, biases, unit.error(weights[None, :], biases[:, None])


@dataclass(frozen=True)
class Cliff(Result):
    """Two descents from one start, a row for each of some steps, and the success of random starts.

    Attributes:
        rows: the first step and the last, some between, and the steps around the longest gradients.
        plain, clipped: all steps of the two descents, without and with clipping.
        weights, biases, surface: the results of `surface`.
        solved: the share of random starts from which a descent ends with an error below `GOOD`, by the descent's name.
    """

    plain: Descent
    clipped: Descent
    weights: np.ndarray
    biases: np.ndarray
    surface: np.ndarray
    solved: dict[str, float]

    def figure(self) -> Figure:
        (left, right), (bottom, top) = AREA
        heat = Heat(self.surface[::-1], "error", extent=(left, right, bottom, top))
        descents = {"unclipped": self.plain, "clipped": self.clipped}
        paths = [draw_path(name, descent) for name, descent in descents.items()]
        errors = [
            Curve(name, range(len(d.error)), d.error, note=f"{self.solved[name]:.0%} of starts arrive")
            for name, d in descents.items()
        ]
        return Figure(
            "Gradient descent at the cliff of one recurrent unit",
            [Panel("weight", "bias", paths, heat=heat, title="The error surface"), Panel("step", "error", errors)],
        )


def draw_path(name: str, descent: Descent) -> Curve:
    """A descent over the surface; where it leaves the surface, it ends on the border."""
    points = np.stack([descent.weight, descent.bias], axis=1)
    low, high = np.array(AREA).T
    outside = np.flatnonzero(((points < low) | (points > high)).any(axis=1))
    note = f"error {descent.error[-1]:.2g}"
    if len(outside):
        first = outside[0]
        begin, end = points[max(first - 1, 0)], points[first]
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(end > high, (high - begin) / (end - begin), (low - begin) / (end - begin))
        share = np.where((end > high) | (end < low), shares, 1).min()
        points = np.concatenate([points[:first], [begin + share * (end - begin)]])
        note = f"out at step {first}, {note}"
    return Curve(name, points[:, 0], points[:, 1], note=note, mark=0)


def cliff(
    weight: float = 5.0,
    bias: float = -2.2,
    learning_rate: float = 0.3,
    clip_norm: float = 0.5,
    steps: int = 100,
    length: int = 50,
    target: float = 0.7,
    starts: int = 500,
    random_state: int = 0,
) -> Cliff:
    """Watch gradient descent fall off a cliff in the error.

    One recurrent unit, with one weight and one bias, should give a number after many steps. Where its memory of the
    start tips over, the error has a wall. The gradient there is so long that one step throws away all progress; a
    clipped gradient does not. The table shows both descents side by side.

    Examples:
        shakegen lab cliff --out cliff.svg
        shakegen lab cliff --clip-norm 0.1 --learning-rate 1

    Args:
        weight: weight that the descents start from.
        bias: bias that the descents start from.
        learning_rate: learning rate of gradient descent.
        clip_norm: largest norm of a clipped gradient.
        steps: steps of gradient descent.
        length: steps of the recurrent unit.
        target: number that the unit should give after its last step.
        starts: random starts to descend from as well.
        random_state: seed of the random starts.

    Raises:
        ValueError: a value is out of range, or a gradient is not finite.
    """
    for name, value, (low, high) in zip(("weight", "bias"), (weight, bias), AREA):
        if not low <= value <= high:
            raise ValueError(f"the {name} to start from is {value}: expected {low:g} to {high:g}, where the cliff is")
    check.require_counts(starts=starts)
    unit, random = Unit(length, target), np.random.default_rng(random_state)
    low, high = np.array(AREA).T
    weights, biases = np.concatenate([[(weight, bias)], random.uniform(low, high, (starts, 2))]).T
    plain = descend(unit, weights, biases, learning_rate, steps)
    clipped = descend(unit, weights, biases, learning_rate, steps, clip_norm)
    descents = {"unclipped": plain, "clipped": clipped}
    solved = {name: float(np.mean(descent.error[-1, 1:] < GOOD)) for name, descent in descents.items()}
    plain, clipped = plain.select(0), clipped.select(0)
    return Cliff(select_rows(plain, clipped), plain, clipped, *surface(unit), solved)


def select_rows(plain: Descent, clipped: Descent) -> list[dict]:
    """The steps of the table, with both descents side by side."""
    last = len(plain.error) - 1
    steps = {round(last * k / 10) for k in range(11)}
    for descent in (plain, clipped):
        steepest = int(np.argmax(descent.norm))
        steps |= {step for step in range(steepest - 1, steepest + 2) if 0 <= step <= last}
    names = {"weight": "weight", "bias": "bias", "error": "error", "gradient_norm": "norm"}
    rows: list[dict] = []
    for step in sorted(steps):
        rows.append({"step": step})
        for prefix, descent in (("", plain), ("clipped_", clipped)):
            rows[-1] |= {f"{prefix}{name}": float(getattr(descent, field)[step]) for name, field in names.items()}
    return rows
