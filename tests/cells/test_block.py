"""The block around a cell: its equations in plain numpy, and the cells that it is in special cases."""

import numpy as np
import pytest
from steps import run

from shakegen import cells
from shakegen.cells.block import Block
from shakegen.cells.graph import find_kinds, trace
from shakegen.cells.numpy_step import NumpyStep
from shakegen.cells.registry import find_cell

H, STEPS, STREAMS = 6, 20, 3
CELLS = [cells.MinGRU(H), cells.LSTM(H), cells.LSTM(H, zoneout=0.3), cells.SLSTM(H, zoneout=0.2), cells.RGLRU(H)]
EVERY_CELL = pytest.mark.parametrize("cell", CELLS, ids=str)


def draw_weights(equations, rng):
    return {name: rng.normal(0, 0.5, shape) for name, shape in equations.shapes(H, False).items()}


def states_of(equations, weights, x):
    """All states after each step, by name, from states of zero, along inputs (T, N, H)."""
    zeros = {f"initial_state_{k}": np.zeros(H) for k in range(len(equations.state_names))}
    weights = {**weights, **zeros}
    return run(NumpyStep(equations, weights, H), weights, x, watched=False)


def norm(z):
    return (z - z.mean(axis=-1, keepdims=True)) / np.sqrt(z.var(axis=-1, keepdims=True) + 1e-5)


@EVERY_CELL
@pytest.mark.parametrize("convolution", [0, 1, 4])
@pytest.mark.parametrize("mlp", [0, 2])
def test_a_block_is_its_equations_over_whole_sequences(cell, convolution, mlp, rng):
    block, x = Block(H, cell, convolution, mlp), rng.normal(size=(STEPS, STREAMS, H))
    w = draw_weights(block, rng)
    z = norm(x) * w["block_norm"]
    if convolution:
        padded = np.concatenate([np.zeros((convolution - 1, STREAMS, H)), z])
        z = sum(padded[k : k + STEPS] * w["block_convolution"][k] for k in range(convolution))
    bare = states_of(cell, {name: w[name] for name in cell.weights(H)}, z)
    y = x + [states["h"] for states in bare]
    if mlp:
        a, b = np.split((norm(y) * w["block_mlp_norm"]) @ w["block_up"], 2, axis=-1)
        y = y + (a / (1 + np.exp(-a)) * b) @ w["block_down"]
    found = states_of(block, w, x)
    np.testing.assert_allclose([states["output"] for states in found], y, rtol=0, atol=1e-12)
    for one, other in zip(found, bare, strict=True):
        for name in one.keys() & other.keys():
            np.testing.assert_allclose(one[name], other[name], rtol=0, atol=1e-12)


@EVERY_CELL
def test_values_are_of_the_kinds_that_they_are_of_in_the_cell_alone(cell):
    kinds = find_kinds(Block(H, cell, 3, 1), H)
    assert kinds == {"output": "value", "delay_1": "value", "delay_2": "value", **find_kinds(cell, H)}


def test_an_input_of_another_width_is_refused():
    with pytest.raises(cells.CellError, match="do not fit: expected equal widths, or a number"):
        trace(Block(H, cells.MinGRU(H), 4, 2), H + 1)


def test_a_state_of_the_cell_that_is_called_as_one_of_the_block_is_refused():
    named = type("Named", (cells.MinGRU,), {"name": "test-named", "state_names": ("h", "delay_1")})(H)
    assert Block(H, named, 1, 1).state_names == ("output", "h", "delay_1")
    with pytest.raises(cells.CellError) as error:
        Block(H, named, 2, 1)
    assert str(error.value) == (
        "the cell 'test-named' has a state that its block has too: expected other names than output, delay_1 and so on"
    )


class Crooked(cells.Cell):
    """A cell whose states have other widths."""

    def step(self, x, s, w):
        return {"h": x @ w.kernel}


def test_a_wrong_cell_in_it_is_named():
    wrong = type("Wrong", (Crooked,), {"name": "test-wrong", "gates": ("a", "b")})(H)
    with pytest.raises(cells.CellError, match=r"^the cell 'test-wrong' is wrong in line"):
        trace(Block(H, wrong, 0, 1), H)


GATES = {
    "rnn": set(), "lstm": {"i", "f", "o"}, "gru": {"z", "r"}, "rglru": {"r", "i"}, "ugrnn": {"g"}, "mingru": {"z"},
}  # fmt: skip


@pytest.mark.parametrize("cell", GATES)
def test_gates_are_what_is_a_logistic_function_however_it_is_cut(cell):
    kinds = find_kinds(find_cell(cell)(H), H)
    assert {name for name, kind in kinds.items() if kind == "gate"} == GATES[cell]
