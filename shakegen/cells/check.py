"""Whether a cell can be used: its equations are written down, and tried once on random numbers."""

import functools

import numpy as np

from shakegen.cells.cell import Cell
from shakegen.cells.graph import trace
from shakegen.cells.operations import CellError
from shakegen.cells.program import evaluate, order_of

UNITS, INPUTS, BATCH = 4, 3, 2


@functools.cache
def check_cell(cell: Cell) -> None:
    """Refuse a cell whose equations are wrong.

    Raises:
        CellError: they do not fit together, or do not give numbers; the message names the cell and the line.
    """
    small = type(cell)(UNITS, **{name: getattr(cell, name) for name in cell.options()})
    graph, random = trace(small, INPUTS), np.random.default_rng(0)
    trace(cell, INPUTS)  # sizes may be wrong for these units alone
    cell.inputs_of({name: np.empty(weight.shape) for name, weight in cell.weights(INPUTS).items()})
    values = {graph.x: random.normal(size=(BATCH, INPUTS))}
    values |= {symbol: np.zeros((BATCH, UNITS)) for symbol in graph.states.values()}
    values |= {symbol: random.normal(0, 0.3, symbol.shape) for symbol in graph.weights.values()}
    wanted = list(graph.after.values())
    with np.errstate(all="ignore"):
        evaluate(wanted, values)
    for symbol in order_of(wanted):
        if not np.isfinite(values[symbol]).all():
            raise CellError(
                f"the cell {cell.name!r} is wrong in {symbol.line}: from states of zero and random weights it gives "
                "what is not a number; expected finite numbers everywhere"
            )
