"""Steps that are tuned by hand against the cells' own equations, and the layers made from equations alone."""

import numpy as np
import odd_cells
import pytest
from steps import INPUTS, H, draw_weights, run

from shakegen import cells
from shakegen.cells.graph import trace
from shakegen.cells.numpy_step import EquationStep
from shakegen.cells.program import evaluate

STEPS = 30
TUNED = [
    cells.RNN(H),
    cells.RNN(H, "relu"),
    cells.LSTM(H),
    cells.GRU(H),
    cells.GRU(H, reset_after=False),
    *(cells.NLSTM(H, depth=depth) for depth in (1, 2, 3)),
]
ODD = [*(kind(H) for kind in odd_cells.ODD), odd_cells.Gallery(H, rank=3)]


@pytest.mark.parametrize("cell", TUNED, ids=str)
def test_a_tuned_step_equals_the_equations(cell, rng):
    weights, x = draw_weights(cell, rng), rng.normal(size=(STEPS, 3, INPUTS))
    tuned = cell.make_numpy_step(weights, INPUTS)
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
