"""A number that is not known yet: an operation on it is written down instead of computed."""

import linecache
import numbers
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shakegen.cells.operations import NUMPY, CellError

BATCH = "N"
MACHINERY = {str(Path(__file__).parent / f"{name}.py") for name in ("symbol", "operations", "graph", "cell")}
ELEMENTWISE = ("add", "subtract", "multiply", "divide", "maximum")
OPERATORS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "matmul": "@"}


@dataclass(eq=False)
class Symbol:
    """A number that is not known yet, or a block of them.

    Attributes:
        operation: that gives it; "input" for inputs, states and weights, "constant" for a number.
        inputs: of the operation.
        shape: ("N", width) if each sequence has its own value; (a, b) or (b,) for weights; () for a constant.
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
        """The symbol of the result of an operation."""
        inputs = tuple(as_symbol(argument) for argument in arguments)
        if inputs and all(one.operation == "constant" for one in inputs):  # stays a Python number, of no dtype
            return as_symbol(float(NUMPY[operation](*[one.attributes["value"] for one in inputs], **attributes)))
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
    if isinstance(value, numbers.Real):
        return Symbol("constant", (), (), {"value": float(value)}, calling_line())
    raise CellError(f"a {type(value).__name__} is no part of equations: expected inputs, states, weights or a number")


def input_symbol(name: str, *shape) -> Symbol:
    return Symbol("input", (), shape, {"name": name})


def calling_line() -> str:
    """Where the equations are that are being written down: the first line outside of the modules of this machinery."""
    for frame, number in traceback.walk_stack(sys._getframe(1)):
        if frame.f_code.co_filename not in MACHINERY:
            return name_line(frame.f_code.co_filename, number)
    return ""


def name_line(path: str, number: int) -> str:
    """A line of code, as messages name it."""
    text = linecache.getline(path, number).strip()
    return f"line {number} of {Path(path).name}" + (f" (`{text}`)" if text else "")


def shape_of(operation: str, inputs: tuple[Symbol, ...], attributes: Mapping) -> tuple:
    """The shape of the result of an operation.

    Raises:
        CellError: it cannot be applied to these shapes.
    """
    shapes = [symbol.shape for symbol in inputs]
    first = shapes[0]
    if operation in ELEMENTWISE:
        return broadcast_shape(operation, *shapes)
    if operation == "matmul":
        return product_shape(*shapes)
    if operation == "concat":
        if len({shape[:-1] for shape in shapes}) > 1:
            raise CellError(f"blocks of the shapes {', '.join(map(str, shapes))} do not stand side by side")
        return (*first[:-1], sum(shape[-1] for shape in shapes))
    widths = {
        "matmul_transposed": lambda: (first[0], shapes[1][0]),
        "part": lambda: (*first[:-1], attributes["stop"] - attributes["start"]),
        "zeros": lambda: (*first[:-1], attributes["width"]),
        "row": lambda: first[1:],
    }
    return widths[operation]() if operation in widths else first


def product_shape(left: tuple, weight: tuple) -> tuple:
    if len(weight) != 2 or BATCH in weight or len(left) != 2 or left[1] != weight[0]:
        raise CellError(f"{left} @ {weight} is no product: expected (N, a) @ a weight (a, b)")
    return (left[0], weight[1])


def broadcast_shape(operation: str, left: tuple, right: tuple) -> tuple:
    wide = max(left, right, key=len)
    narrow = right if wide is left else left
    if narrow and (narrow[-1] != wide[-1] or (len(narrow) == len(wide) and narrow != wide)):
        raise CellError(
            f"{left} {OPERATORS.get(operation, operation)} {right} do not fit: expected equal widths, or a number"
        )
    return wide
