"""Whether a cell can be used: its equations are written down, and tried once on random numbers."""

import dataclasses
import functools

import numpy as np

from shakegen.cells.cell import Cell
from shakegen.cells.graph import Graph, trace
from shakegen.cells.operations import CellError
from shakegen.cells.program import evaluate, order_of

FEW, BATCH = 64, 2  # inputs or units, and sequences, to try


@functools.lru_cache(maxsize=64)
def check_cell(cell: Cell, inputs: int) -> None:
    """Refuse a cell whose equations are wrong.

    Args:
        cell: the recurrent unit.
        inputs: how many numbers an input has.

    Raises:
        CellError: they do not fit together, or do not give numbers; the message names the cell and the line.
    """
    graph = trace(cell, inputs)
    weights = cell.weights(inputs)
    if any(set(weights) != set(cell.weights(few)) for few in (1, 2)):
        raise CellError(
            f"the weights of the cell {cell.name!r} depend on the number of inputs: expected the same names for any"
        )
    cell.inputs_of(weights)
    if max(inputs, cell.units) > FEW:
        try:
            cell = dataclasses.replace(cell, units=min(cell.units, FEW))
            graph = trace(cell, min(inputs, FEW))
        except ValueError:  # the equations are for other sizes
            return
    try_numbers(cell, graph)


def try_numbers(cell: Cell, graph: Graph) -> None:
    """Refuse equations that give no finite numbers, from states of zero and random weights."""
    random = np.random.default_rng(0)
    values = {graph.x: random.normal(size=(BATCH, graph.x.shape[1]))}
    values |= {symbol: np.zeros((BATCH, cell.units)) for symbol in graph.states.values()}
    values |= {symbol: random.normal(0, 0.3, symbol.shape) for symbol in graph.weights.values()}
    wanted = list(graph.after.values())
    with np.errstate(all="ignore"):
        evaluate(wanted, values)
    for symbol in order_of(wanted):
        if not np.isfinite(values[symbol]).all():
            raise CellError(
                f"the cell {cell.name!r} is wrong in {symbol.line}: states of zero and random weights give no "
                "number; expected finite numbers everywhere"
            )
