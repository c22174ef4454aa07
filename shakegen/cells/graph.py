"""A cell's step as a graph of operations, written down by running it on symbols.

Everything that is not the equations themselves comes from this graph: the compiled loop, the way back for connectivity,
the numpy step, the step in a browser, the nodes of ONNX, the SavedModel, the exact step of `compress`.
"""

import functools
import hashlib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shakegen.cells.operations import CellError
from shakegen.cells.program import order_of, structure_of, substitute
from shakegen.cells.symbol import BATCH, MACHINERY, Symbol, input_symbol, name_line


class MissingName(CellError, AttributeError):
    """The equations name a state or a weight that there is not."""


class Names:
    """States or weights, by name or as attributes: `w["kernel"]`, `w.kernel`."""

    def __init__(self, symbols: Mapping[str, Symbol]):
        vars(self).update(symbols)

    def __getitem__(self, name: str) -> Symbol:
        return getattr(self, name)

    def __getattr__(self, name: str) -> Symbol:
        raise MissingName(f"there is no {name!r} among {', '.join(vars(self))}")


@dataclass(frozen=True, eq=False)
class Graph:
    """A step, written down.

    Attributes:
        x: the symbol of the inputs, ("N", inputs).
        states: symbols of the states before the step, h first, by name.
        weights: symbols of the weights, by name.
        after: symbols of the states after the step, by name.
        shown: symbols that a step returns only to show them, for example gates, by name.
        masks: symbols of random numbers, (N, H) each, of a step in training.
    """

    x: Symbol
    states: dict[str, Symbol]
    weights: dict[str, Symbol]
    after: dict[str, Symbol]
    shown: dict[str, Symbol]
    masks: tuple[Symbol, ...] = ()


@functools.lru_cache(maxsize=256)
def trace(cell, inputs: int) -> Graph:
    """The step of a trained cell; where there is zoneout, each state is its mean in training.

    Args:
        cell: a `Cell`.
        inputs: how many numbers an input has.

    Raises:
        CellError: its equations are wrong; the message names the cell and the line.
    """
    graph = write_down(cell, inputs)
    return replace(graph, after={**graph.after, **mean_states(cell, graph.states, graph.after)})


def mean_states(cell, before: Mapping[str, Symbol], after: Mapping[str, Symbol]) -> dict[str, Symbol]:
    """The states that zoneout acts on, each its mean in training; none where there is no zoneout."""
    kept, names = cell.zoneout, zoned_states(cell) if cell.zoneout else ()
    return {name: kept * before[name] + (1 - kept) * after[name] for name in names}


@functools.lru_cache(maxsize=256)
def trace_training(cell, inputs: int, drop_h: bool = False) -> Graph:
    """The step of a cell in training, whose masks are numbers of each sequence.

    With `drop_h`, the first mask multiplies h on its way into products with weights. Then there is one for each state
    that zoneout acts on: 1 where the state changes, 0 where it stays.

    Args:
        cell: a `Cell`.
        inputs: how many numbers an input has.
        drop_h: whether h is dropped on its way into products with weights.

    Raises:
        CellError: as for `trace`.
    """
    graph, masks = write_down(cell, inputs), []
    after = dict(graph.after)
    if drop_h:
        h = next(iter(graph.states.values()))
        masks.append(input_symbol("mask of h", BATCH, cell.units))
        after = dict(zip(after, drop_into_products(list(after.values()), h, h * masks[0]), strict=True))
    for name in zoned_states(cell) if cell.zoneout else ():
        masks.append(input_symbol(f"mask of {name}", BATCH, cell.units))
        before = graph.states[name]
        after[name] = before + masks[-1] * (after[name] - before)
    return replace(graph, after=after, masks=tuple(masks))


def digest(cell, inputs: int) -> str:
    """The SHA-256 of a cell's equations and of the names of its initializers. Class and file do not count.

    Raises:
        CellError: as for `trace`.
    """
    after = trace(cell, inputs).after
    starts = [(name, name_start(weight.initializer)) for name, weight in cell.weights(inputs).items()]
    return hashlib.sha256(repr((structure_of(after.values()), [*after], starts, cell.study_bias)).encode()).hexdigest()


def name_start(start):
    """An initializer by its name; a function by its own, an object that is called by that of its class."""
    return getattr(start, "__qualname__", type(start).__qualname__) if callable(start) else start


def drop_into_products(wanted: list[Symbol], h: Symbol, dropped: Symbol) -> list[Symbol]:
    """Symbols with a dropped h in place of h in the left factors of all products."""
    products: dict[Symbol, Symbol] = {}
    for one in order_of(wanted):
        if one.operation == "matmul":
            (left,) = substitute([one.inputs[0]], {**products, h: dropped})
            if left is not one.inputs[0]:
                products[one] = left @ one.inputs[1]
    return substitute(wanted, products)


def zoned_states(cell) -> tuple[str, ...]:
    """The names of the states that zoneout acts on."""
    return cell.state_names if cell.zoned is None else cell.zoned


def write_down(cell, inputs: int) -> Graph:
    """A cell's step as its equations have it, without zoneout; raises CellError as `trace` does."""
    unknown = set(zoned_states(cell)) - set(cell.state_names)
    if unknown:
        raise CellError(
            f"zoneout of the cell {cell.name!r} acts on {min(unknown)!r}: expected one of its states, "
            f"{', '.join(cell.state_names)}"
        )
    x = input_symbol("x", BATCH, inputs)
    states = {name: input_symbol(name, BATCH, cell.units) for name in cell.state_names}
    if len(states) < len(cell.state_names):
        raise CellError(
            f"two states of the cell {cell.name!r} have one name: expected another for each, not "
            f"{', '.join(cell.state_names)}"
        )
    weights = {name: input_symbol(name, *weight.shape) for name, weight in cell.weights(inputs).items()}
    for name, symbol in weights.items():
        if len(symbol.shape) not in (1, 2) or min(symbol.shape) < 1 or name.startswith("initial_state"):
            raise CellError(
                f"the weight {name!r} of the cell {cell.name!r} has the shape {symbol.shape}: expected (rows, columns) "
                "or (columns,), and a name that does not begin with initial_state"
            )
    try:
        given = cell.step(x, Names(states), Names(weights))
    except Exception as error:  # any mistake in the equations, which somebody else wrote
        raise CellError(f"the cell {cell.name!r} is wrong in {failing_line(error)}: {error}") from error
    if not isinstance(given, dict):
        raise CellError(
            f"the step of the cell {cell.name!r} returns {type(given).__name__}: expected a dictionary of its states, "
            f"{', '.join(states)}, and of any gates to show"
        )
    check_step(cell, x, states, weights, given)
    after = {name: given[name] for name in states}
    return Graph(x, states, weights, after, {name: symbol for name, symbol in given.items() if name not in states})


def check_step(cell, x: Symbol, states: Mapping[str, Symbol], weights: Mapping[str, Symbol], given: Mapping) -> None:
    """Refuse a step that forgets a state, or whose states cannot be those of the next step."""
    for name, symbol in given.items():
        if not isinstance(symbol, Symbol) or BATCH not in symbol.shape:
            raise CellError(
                f"the step of the cell {cell.name!r} returns {name!r} that no input or state leads to: expected "
                "a block of numbers for each sequence"
            )
    for name in states:
        if name not in given:
            raise CellError(
                f"the step of the cell {cell.name!r} forgets the state {name!r}: expected it in what it returns, "
                f"{', '.join(given)}"
            )
        if given[name].shape != (BATCH, cell.units):
            raise CellError(
                f"the cell {cell.name!r} is wrong in {given[name].line or 'its step'}: its state {name!r} becomes "
                f"{given[name].shape}, expected {(BATCH, cell.units)}"
            )
    used = set(order_of([given[name] for name in states]))
    if x not in used:
        raise CellError(f"no state of the cell {cell.name!r} depends on its input: expected x in the equations")
    for name, symbol in weights.items():
        if symbol not in used:
            raise CellError(
                f"no state of the cell {cell.name!r} depends on its weight {name!r}: expected it in the equations, or "
                "a method weights(self, inputs) without it"
            )


def failing_line(error: BaseException) -> str:
    """The line of the equations that an error comes from."""
    places = [one for one in traceback.walk_tb(error.__traceback__) if one[0].f_code.co_filename not in MACHINERY]
    if not places:
        return "its step"
    frame, number = places[-1]
    return name_line(frame.f_code.co_filename, number)


def find_kinds(cell, inputs: int) -> dict[str, str]:
    """The kind of values of each name that a step shows: a "memory", a "gate" (a σ), or a "value"."""
    graph = trace(cell, inputs)
    kinds = {name: "gate" if is_sigmoid(symbol) else "value" for name, symbol in graph.shown.items()}
    return {**dict.fromkeys(graph.after, "value"), **dict.fromkeys(cell.memories, "memory"), **kinds}


def is_sigmoid(symbol: Symbol, start: int = 0) -> bool:
    """Whether a symbol, from a column on, is a logistic function, by itself or as a block of gates side by side."""
    if symbol.operation == "part":
        return is_sigmoid(symbol.inputs[0], start + symbol.attributes["start"])
    names = symbol.attributes.get("names", (symbol.operation,))
    return names[start * len(names) // symbol.shape[-1]] == "sigmoid"
