"""A cell's step as a graph of operations: written down by running it on symbols, differentiated, evaluated.

Everything that is not the equations themselves comes from this graph: the compiled loop, the way back for connectivity,
the numpy step of cells that have none of their own.
"""

import functools
import linecache
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from shakegen.cells.operations import NUMPY, CellError

BATCH = "N"
HERE = Path(__file__).parent
ELEMENTWISE = ("add", "subtract", "multiply", "divide", "maximum")
OPERATORS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "matmul": "@"}


@dataclass(eq=False)
class Symbol:
    """A number that is not known yet, or a block of them.

    Attributes:
        operation: that gives it; "input" for inputs, states and weights, "constant" for a Python number.
        inputs: of the operation.
        shape: ("N", width) of what each sequence has its own of; (a, b) or (b,) of weights; () of a constant.
        attributes: of the operation, or the name of an input, or the value of a constant.
        line: where the equations say so, such as "line 12 of my_cell.py"; "" where nobody wrote it.
    """

    operation: str
    inputs: tuple["Symbol", ...] = ()
    shape: tuple = ()
    attributes: dict = field(default_factory=dict)
    line: str = ""

    __array_ufunc__ = None  # numpy leaves its operators to ours

    @property
    def name(self) -> str:
        """Of an input."""
        return self.attributes["name"]

    @staticmethod
    def apply(operation: str, *arguments, **attributes) -> "Symbol":
        """The symbol of what an operation gives."""
        inputs = tuple(as_symbol(argument) for argument in arguments)
        return Symbol(operation, inputs, shape_of(operation, inputs, attributes), attributes, calling_line())

    def __add__(self, other):
        return self.apply("add", self, other)

    def __radd__(self, other):
        return self.apply("add", other, self)

    def __sub__(self, other):
        return self.apply("subtract", self, other)

    def __rsub__(self, other):
        return self.apply("subtract", other, self)

    def __mul__(self, other):
        return self.apply("multiply", self, other)

    def __rmul__(self, other):
        return self.apply("multiply", other, self)

    def __truediv__(self, other):
        return self.apply("divide", self, other)

    def __rtruediv__(self, other):
        return self.apply("divide", other, self)

    def __neg__(self):
        return self.apply("multiply", -1.0, self)

    def __matmul__(self, other):
        return self.apply("matmul", self, other)

    def __bool__(self):
        raise CellError("an `if` cannot depend on a number that is not known yet: use maximum, or a cell's option")

    def __iter__(self):
        raise CellError("a block cannot be unpacked by itself: use split(block, parts)")


def as_symbol(value) -> Symbol:
    if isinstance(value, Symbol):
        return value
    if isinstance(value, int | float):
        return Symbol("constant", (), (), {"value": float(value)})
    raise CellError(f"a {type(value).__name__} is no part of equations: expected inputs, states, weights or a number")


def input_symbol(name: str, *shape) -> Symbol:
    return Symbol("input", (), shape, {"name": name})


def calling_line() -> str:
    """Where the equations are that are being written down: the first line outside of the modules of this machinery."""
    frame = sys._getframe(1)
    while frame and frame.f_code.co_filename in MACHINERY:
        frame = frame.f_back
    if frame is None:
        return ""
    return f"line {frame.f_lineno} of {Path(frame.f_code.co_filename).name}" + source_of(frame)


def source_of(frame) -> str:
    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f" (`{text}`)" if text else ""


MACHINERY = {__file__, str(HERE / "operations.py")}


def shape_of(operation: str, inputs: tuple[Symbol, ...], attributes: Mapping) -> tuple:
    """The shape of what an operation gives.

    Raises:
        CellError: it cannot be applied to these shapes.
    """
    shapes = [symbol.shape for symbol in inputs]
    first = shapes[0]
    if operation in ELEMENTWISE:
        return broadcast_shape(operation, *shapes)
    if operation == "matmul":
        weight = shapes[1]
        if len(weight) != 2 or BATCH in weight or len(first) != 2 or first[1] != weight[0]:
            raise CellError(f"{first} @ {weight} is no product: expected (N, a) @ a weight (a, b)")
        return (first[0], weight[1])
    if operation == "matmul_transposed":
        return (first[0], shapes[1][0])
    if operation == "part":
        return (*first[:-1], attributes["stop"] - attributes["start"])
    if operation == "zeros":
        return (*first[:-1], attributes["width"])
    if operation == "row":
        return first[1:]
    if operation == "concat":
        if len({shape[:-1] for shape in shapes}) > 1:
            raise CellError(f"blocks of the shapes {', '.join(map(str, shapes))} do not stand side by side")
        return (*first[:-1], sum(shape[-1] for shape in shapes))
    return first


def broadcast_shape(operation: str, left: tuple, right: tuple) -> tuple:
    wide = max(left, right, key=len)
    narrow = right if wide is left else left
    if narrow and (narrow[-1] != wide[-1] or (len(narrow) == len(wide) and narrow != wide)):
        raise CellError(
            f"{left} {OPERATORS.get(operation, operation)} {right} do not fit: expected equal widths, or a number"
        )
    return wide


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
        shown: symbols of what a step shows of itself, such as gates, by name.
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


class Program:
    """Symbols to compute again and again, from other values of the same inputs.

    Args:
        wanted: the symbols.
        known: symbols that are given each time.
        constants: values of further inputs, such as weights; all that depends on these alone is computed once.
        table: the operations, by name.
    """

    def __init__(self, wanted, known, constants: Mapping = MappingProxyType({}), table: Mapping = NUMPY):
        self.wanted, constants = list(wanted), dict(constants)
        known, self._calls = set(known), []
        varying = depends_on(self.wanted, known)
        for symbol in order_of(self.wanted, [*known, *constants]):
            if symbol in varying:
                self._calls.append((symbol, table[symbol.operation], symbol.inputs, symbol.attributes))
            else:
                evaluate([symbol], constants, table)
        self._constants = constants

    def __call__(self, values: Mapping) -> list:
        """The values of the wanted symbols, from those of the known ones."""
        values = {**self._constants, **values}
        for symbol, function, inputs, attributes in self._calls:
            values[symbol] = function(*[values[one] for one in inputs], **attributes)
        return [values[symbol] for symbol in self.wanted]


def evaluate(wanted: Iterable[Symbol], values: dict[Symbol, object], table: Mapping[str, Callable] = NUMPY) -> list:
    """Values of symbols.

    Args:
        wanted: the symbols.
        values: of the inputs; all that is computed on the way is added.
        table: the operations, by name.
    """
    wanted = list(wanted)
    for symbol in order_of(wanted, values):
        if symbol.operation == "constant":
            values[symbol] = symbol.attributes["value"]
        else:
            inputs = [values[one] for one in symbol.inputs]
            values[symbol] = table[symbol.operation](*inputs, **symbol.attributes)
    return [values[symbol] for symbol in wanted]


def order_of(wanted: Iterable[Symbol], known: Iterable[Symbol] = ()) -> list[Symbol]:
    """The symbols that the wanted ones are computed from, and these, each after its inputs; but for known ones."""
    done, order, stack = set(known), [], list(wanted)
    while stack:
        symbol = stack[-1]
        if symbol in done:
            stack.pop()
            continue
        waiting = [one for one in symbol.inputs if one not in done]
        if waiting:
            stack += waiting
        else:
            order.append(symbol)
            done.add(symbol)
            stack.pop()
    return order


def depends_on(wanted: Iterable[Symbol], sources: Iterable[Symbol]) -> set[Symbol]:
    """The symbols on the way to the wanted ones that depend on some sources, these included."""
    reached = set(sources)
    for symbol in order_of(wanted):
        if reached.intersection(symbol.inputs):
            reached.add(symbol)
    return reached


def substitute(wanted: Iterable[Symbol], replacements: dict[Symbol, Symbol]) -> list[Symbol]:
    """The wanted symbols with others in the place of some that they are made of; symbols that stay are the same."""
    wanted, new = list(wanted), dict(replacements)
    for symbol in order_of(wanted, new):
        inputs = tuple(new[one] for one in symbol.inputs)
        same = inputs == symbol.inputs
        new[symbol] = symbol if same else Symbol(symbol.operation, inputs, symbol.shape, symbol.attributes, symbol.line)
    return [new[symbol] for symbol in wanted]


def separate_products(wanted: list[Symbol], left: Symbol, keep_left: bool) -> tuple[list[Symbol], Symbol, list[Symbol]]:
    """Replace all products of a symbol with weights by parts of one symbol that is known.

    Args:
        wanted: what is to be computed.
        left: the symbol.
        keep_left: whether it may itself be used besides; else it becomes a part too, as its product with a one.

    Returns:
        The wanted symbols; the symbol of the products side by side; the weights, by which the columns are made. Where
        the symbol itself was a part, that comes last, as many columns as it has, and has no weight.
    """
    order = order_of(wanted)
    products = [one for one in order if one.operation == "matmul" and one.inputs[0] is left]
    itself = left in wanted or any(left in one.inputs for one in order if one not in products)
    parts = [*products, *([] if keep_left or not itself else [left])]
    whole = input_symbol(f"products of {left.name}", BATCH, sum(part.shape[-1] for part in parts))
    replacements, start = {}, 0
    for part in parts:
        stop = start + part.shape[-1]
        replacements[part] = whole.apply("part", whole, start=start, stop=stop)
        start = stop
    return substitute(wanted, replacements), whole, [product.inputs[1] for product in products]
