"""A cell's step as a graph of operations, written down by running it on symbols.

Everything that is not the equations themselves comes from this graph: the compiled loop, the way back for connectivity,
the numpy step of cells that have none of their own.
"""

import functools
import linecache
from dataclasses import dataclass
from pathlib import Path

from shakegen.cells.operations import CellError
from shakegen.cells.symbol import BATCH, MACHINERY, Symbol, input_symbol


class Names(dict):
    """States or weights, by name or as attributes: `w["kernel"]`, `w.kernel`."""

    def __getattr__(self, name: str):
        if name not in self:
            raise CellError(f"there is no {name!r} among {', '.join(self)}")
        return self[name]


@dataclass(frozen=True, eq=False)
class Graph:
    """A step, written down.

    Attributes:
        x: the symbol of the inputs, ("N", inputs).
        states: symbols of the states before the step, h first, by name.
        weights: symbols of the weights, by name.
        after: symbols of the states after the step, by name.
        shown: symbols that a step returns only to show them, for example gates, by name.
    """

    x: Symbol
    states: dict[str, Symbol]
    weights: dict[str, Symbol]
    after: dict[str, Symbol]
    shown: dict[str, Symbol]


@functools.lru_cache(maxsize=256)
def trace(cell, inputs: int) -> Graph:
    """Write a cell's step down.

    Args:
        cell: a `Cell`.
        inputs: how many numbers an input has.

    Raises:
        CellError: its equations are wrong; the message names the cell and the line.
    """
    x = input_symbol("x", BATCH, inputs)
    states = Names({name: input_symbol(name, BATCH, cell.units) for name in cell.state_names})
    weights = Names({name: input_symbol(name, *weight.shape) for name, weight in cell.weights(inputs).items()})
    try:
        given = cell.step(x, states, weights)
    except CellError as error:
        raise CellError(f"the cell {cell.name!r} is wrong in {failing_line(error)}: {error}") from None
    if not isinstance(given, dict) or not all(isinstance(value, Symbol) for value in given.values()):
        raise CellError(
            f"the step of the cell {cell.name!r} returns {type(given).__name__}: expected a dictionary of its states, "
            f"{', '.join(states)}, and of any gates to show"
        )
    for name in states:
        if name not in given:
            raise CellError(
                f"the step of the cell {cell.name!r} forgets the state {name!r}: expected it in what it returns, "
                f"{', '.join(given)}"
            )
        if given[name].shape != (BATCH, cell.units):
            raise CellError(
                f"the cell {cell.name!r} is wrong in {given[name].line}: its state {name!r} becomes "
                f"{given[name].shape}, expected {(BATCH, cell.units)}"
            )
    after = {name: given[name] for name in states}
    return Graph(x, dict(states), dict(weights), after, {n: s for n, s in given.items() if n not in states})


def failing_line(error: BaseException) -> str:
    """The line of the equations that an error comes from."""
    frames, position = [], error.__traceback__
    while position:
        if position.tb_frame.f_code.co_filename not in MACHINERY:
            frames.append(position)
        position = position.tb_next
    frame, number = frames[-1].tb_frame, frames[-1].tb_lineno
    text = linecache.getline(frame.f_code.co_filename, number).strip()
    return f"line {number} of {Path(frame.f_code.co_filename).name} (`{text}`)"
