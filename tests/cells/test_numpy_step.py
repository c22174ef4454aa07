"""The step in numpy of every cell against the equations computed one by one, and how few operations it has."""

import itertools

import numpy as np
import odd_cells
import pytest
from steps import INPUTS, H, draw_weights, read, run

from shakegen import cells
from shakegen.cells.graph import trace
from shakegen.cells.numpy_step import NumpyStep, lay_product
from shakegen.cells.program import evaluate
from shakegen.cells.registry import CELLS

STEPS = 30
VARIANTS = [
    cells.RNN(H, "relu"),
    cells.LSTM(H, layer_norm=True),
    cells.LSTM(H, zoneout=0.2),
    cells.GRU(H, reset_after=False),
    cells.GRU(H, layer_norm=True),
    cells.GRU(H, layer_norm=True, reset_after=False),
    cells.NLSTM(H, depth=1),
    cells.NLSTM(H, depth=3),
    cells.NLSTM(H, cell_activation="relu", zoneout=0.1),
    cells.Mogrifier(H, rank=3),
    cells.SLSTM(H, forget="exp", zoneout=0.3),
    cells.MinGRU(H, positive=True),
]
ODD = [*(kind(H) for kind in odd_cells.ODD), odd_cells.Gallery(H, rank=3)]
ALL = [*(cells.find_cell(name)(H) for name in cells.BUILT_IN), *VARIANTS, *ODD]


@pytest.mark.parametrize("cell", ALL, ids=str)
@pytest.mark.parametrize("streams", [1, 3])
def test_the_step_of_any_cell_is_its_equations(cell, streams, rng):
    weights, x = draw_weights(cell, rng), rng.normal(size=(STEPS, streams, INPUTS))
    graph = trace(cell, INPUTS)
    states = [np.tile(weights[f"initial_state_{k}"], (streams, 1)) for k in range(len(cell.state_names))]
    constants, step = (
        {symbol: weights[name] for name, symbol in graph.weights.items()},
        NumpyStep(cell, weights, INPUTS),
    )
    for one, shown, output in zip(x, run(step, weights, x), read(step, weights, x, cut=11), strict=True):
        values = {**constants, graph.x: one, **dict(zip(graph.states.values(), states, strict=True))}
        wanted = evaluate([*graph.after.values(), *graph.shown.values()], values)
        states = wanted[: len(states)]
        assert list(shown) == list(dict.fromkeys([*shown, *graph.after, *graph.shown]))
        for name, expected in zip([*graph.after, *graph.shown], wanted, strict=True):
            np.testing.assert_allclose(shown[name], expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(output, states[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", ALL, ids=str)
@pytest.mark.parametrize("streams", [1, 3])
def test_nobody_watching_changes_no_state(cell, streams, rng):
    weights, x = draw_weights(cell, rng), rng.normal(size=(STEPS, streams, INPUTS))
    step = NumpyStep(cell, weights, INPUTS)
    alone, watched = (run(step, weights, x, watched=watched) for watched in (False, True))
    for one, other in zip(alone, watched, strict=True):
        assert set(one) == set(cell.state_names)
        for name, array in one.items():
            np.testing.assert_array_equal(array, other[name])


@pytest.mark.parametrize("streams", [1, 2, 7, 40])
@pytest.mark.parametrize("columns", [30, 1000, 2500])
def test_a_product_in_blocks_of_columns_is_the_product(streams, columns, rng):
    x, kernel = (rng.normal(size=shape).astype(np.float32) for shape in ((streams, 300), (300, columns)))
    out = np.empty((streams, columns + 3), np.float32)[:, 3:]  # as within a row of the state
    function, arguments = lay_product(x, kernel, out)
    function(*arguments)
    np.testing.assert_allclose(out, x @ kernel, rtol=0, atol=1e-3)


def count_calls(cell, rng):
    step = NumpyStep(cell, draw_weights(cell, rng), INPUTS)
    row = np.zeros(len(step.recurrent_bias) + len(step.initial_memory))
    return len(step.bind(np.zeros(len(step.input_bias)), row, np.zeros(H))[0])


def test_neighbours_are_computed_together(rng):
    """An LSTM: a sum, a tanh of all gates, + 1 of three, (i, f) ⊙ (g, c), their sum, its half, its tanh, times o."""
    assert count_calls(cells.LSTM(H), rng) == 8


class Rich(odd_cells.Gallery):
    """Values to show that no state needs."""

    name = "test-rich"

    def step(self, x, s, w):
        given = super().step(x, s, w)
        return given | {f"more {k}": cells.exp(given["gate"] * k) for k in range(2, 5)}


def test_values_to_show_cost_nothing_unless_watched(rng):
    odd, rich = (count_calls(kind(H), np.random.default_rng(0)) for kind in (odd_cells.Gallery, Rich))
    assert odd == rich


class Swap(cells.Cell):
    """States that are each computed from the other, and one that turns round."""

    name = "test-swap"

    @property
    def state_names(self):
        return ("h", "a", "b", "c")

    def weights(self, inputs):
        return {"kernel": cells.Weight((inputs, self.units))}

    def step(self, x, s, w):
        first, rest = cells.split(s.c, [1, self.units - 1])
        a, b = cells.tanh(s.b) + s.h, cells.sigmoid(s.a) * 3 - s.h
        return {"h": cells.relu(s.h - x @ w.kernel) / -2 + 0 * s.c, "a": a, "b": b, "c": cells.concat(rest, first)}


class Numbers(cells.Cell):
    """Sums, products and quotients with numbers and vectors of either sign, on either side."""

    name = "test-numbers"

    def weights(self, inputs):
        return {"kernel": cells.Weight((inputs, 2 * self.units)), "v": cells.Weight((self.units,), "ones")}

    def step(self, x, s, w):
        z, y = cells.split((x - 0.5) @ w.kernel, 2)
        g, k = cells.sigmoid(-3 * z), 1 - cells.sigmoid(y)
        a = (1 - g) * s.h + g / 2 * (w.v - k) - (2 - k * w.v) / (3 + g)
        b = cells.maximum(w.v, -2 * g + 1) / 4 + cells.sqrt(2 * g) - 1 / (1 + k) + cells.maximum(-g, -0.3)
        c = w.v / (1 + g) + g / w.v + (g + k) * (g - k) - (z + y) * z + cells.softplus(90 * y) / 100 + 1e-9 * k * 1e8
        return {"h": cells.tanh(a - b + c), "g": g, "k": -k}


for kind in (Rich, Swap, Numbers):
    del CELLS[kind.name]  # other tests see the cells of the package alone


@pytest.mark.parametrize("kind", [Swap, Numbers])
@pytest.mark.parametrize("streams", [1, 3])
def test_awkward_equations(kind, streams, rng):
    test_the_step_of_any_cell_is_its_equations(kind(H), streams, rng)
    test_nobody_watching_changes_no_state(kind(H), streams, rng)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("streams", [1, 3])
def test_random_equations(seed, streams):
    """Chains of random operations on states and products, so that results are put into memory in many ways."""
    random = np.random.default_rng(seed)

    class Random(cells.Cell):
        name = f"test-random-{seed}"

        @property
        def state_names(self):
            return ("h", "a", "b")

        def weights(self, inputs):
            square = cells.Weight((self.units, 2 * self.units))
            return {"kernel": cells.Weight((inputs, 2 * self.units)), "square": square}

        def step(self, x, s, w):
            draw = np.random.default_rng(seed)
            values = [*cells.split(x @ w.kernel, 2), *cells.split(s.h @ w.square, 2), s.h, s.a, s.b]
            unary = (cells.tanh, cells.sigmoid, cells.relu, lambda z: 1 - z, lambda z: z * 0.3 - 0.1)
            binary = (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, cells.maximum)
            for k in itertools.count():
                first, second = (values[draw.integers(len(values))] for _ in range(2))
                operation = (unary, binary)[k % 2][draw.integers(4 + (k % 2 == 0))]
                values.append(operation(first, second) if k % 2 else operation(first))
                if k == 20:
                    break
            inner = cells.split(cells.tanh(values[-1]) @ w.square, 2)
            ends = (inner[0] + values[0], values[-2] + inner[1] * values[2], values[-3])
            return {name: cells.tanh(value) for name, value in zip(("h", "a", "b"), ends, strict=True)} | {
                "shown": values[-4]
            }

    test_the_step_of_any_cell_is_its_equations(Random(H), streams, random)
    test_nobody_watching_changes_no_state(Random(H), streams, random)
