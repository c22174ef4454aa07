"""Steps that are tuned by hand against the cells' own equations, and the layers made from equations alone."""

import numpy as np
import odd_cells
import pytest

from shakegen import cells
from shakegen.cells.graph import trace
from shakegen.cells.numpy_step import EquationStep
from shakegen.cells.program import evaluate

H, INPUTS, STEPS = 5, 4, 30
TUNED = [
    cells.RNN(H),
    cells.RNN(H, "relu"),
    cells.LSTM(H),
    cells.GRU(H),
    cells.GRU(H, reset_after=False),
    *(cells.NLSTM(H, depth=depth) for depth in (1, 2, 3)),
]
ODD = [
    odd_cells.MinimalGRU(H),
    odd_cells.Gallery(H),
    odd_cells.Gallery(H, rank=3),
    odd_cells.Copycat(H),
    odd_cells.Partial(H),
]


def draw_weights(cell, rng):
    shapes = {name: weight.shape for name, weight in cell.weights(INPUTS).items()}
    shapes |= {f"initial_state_{k}": (H,) for k in range(len(cell.state_names))}
    return {name: rng.normal(0, 0.5, shape) for name, shape in shapes.items()}


def run(step, weights, x):
    """All that a step shows, along inputs (T, N, INPUTS)."""
    streams = x.shape[1]
    width, rows = step.recurrent_kernel.shape[1], []
    state = np.hstack([np.empty((streams, width)), np.tile(step.initial_memory, (streams, 1))])
    recurrent, memory = state[:, :width], state[:, width:]  # neighbours, as in the engine
    h = np.tile(weights["initial_state_0"] / step.output_scale, (streams, 1))
    advance, views = step.bind(recurrent, memory, h)
    for one in x:
        np.copyto(recurrent, (h * step.output_scale) @ step.recurrent_kernel + step.recurrent_bias)
        advance(one @ step.kernel + step.input_bias)
        rows.append({name: array * factor for name, (array, factor) in views.items()})
    return rows


@pytest.mark.parametrize("cell", TUNED, ids=str)
def test_a_tuned_step_equals_the_equations(cell, rng):
    weights, x = draw_weights(cell, rng), rng.normal(size=(STEPS, 3, INPUTS))
    tuned = cell.numpy_step(weights, INPUTS)
    assert not isinstance(tuned, EquationStep)
    for own, expected in zip(run(tuned, weights, x), run(EquationStep(cell, weights, INPUTS), weights, x), strict=True):
        assert own.keys() <= expected.keys()
        for name, array in own.items():
            np.testing.assert_allclose(array, expected[name], rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", [*TUNED, *ODD], ids=str)
def test_the_step_of_any_cell_is_its_equations(cell, rng):
    weights, x = draw_weights(cell, rng), rng.normal(size=(STEPS, 2, INPUTS))
    graph = trace(cell, INPUTS)
    states = [np.tile(weights[f"initial_state_{k}"], (2, 1)) for k in range(len(cell.state_names))]
    constants = {symbol: weights[name] for name, symbol in graph.weights.items()}
    for one, shown in zip(x, run(EquationStep(cell, weights, INPUTS), weights, x), strict=True):
        values = {**constants, graph.x: one, **dict(zip(graph.states.values(), states, strict=True))}
        wanted = evaluate([*graph.after.values(), *graph.shown.values()], values)
        states = wanted[: len(states)]
        for name, expected in zip([*graph.after, *graph.shown], wanted, strict=True):
            np.testing.assert_allclose(shown[name], expected, rtol=0, atol=1e-12)
