"""The step of any cell in numpy, from its equations, on memory that is laid out once.

A step is made from its layer's weights and gives the engine the factors of its one matrix product: `kernel` and
`input_bias`, which make its input x, and `recurrent_kernel` and `recurrent_bias`, which make, from its output h, the
recurrent part of the pre-activations for the next step; h is `output_scale` times the array that the step writes. The
state also has a memory that starts as `initial_memory`.
"""

import functools
import itertools
import operator
from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from shakegen.cells.graph import trace
from shakegen.cells.lowering import Lowering
from shakegen.cells.operations import NUMPY
from shakegen.cells.places import INPUT, OUTPUT, ROW, Bank, Call, Place, line_up, sort_columns
from shakegen.cells.program import order_of
from shakegen.cells.schedule import Schedule
from shakegen.cells.stages import Stages, call_all
from shakegen.cells.symbol import Symbol

# A text must not depend on how many threads computed it. OpenBLAS rounds alike in 1, 2, 4 and 8 threads if the rows of
# a long product, and the columns of a large one, are multiples of these.
ROWS, LONG = 32, 320
COLUMNS, LARGE = 128, 460_000
SMALL = 1_000_000  # multiplications of a product that OpenBLAS makes of a matrix as it stands
FEWEST = 256  # columns of a block that is worth a product of its own

UFUNCS = {"copy": np.positive, "minimum": np.minimum, "log1p": np.log1p}  # besides those of equations


class NumpyStep:
    """The step of any cell, from its equations.

    Args:
        cell: a `Cell`.
        weights: of the layer, by the names of `cell.weights`, and `initial_state_k` where they are learned.
        inputs: how many numbers an input has.
    """

    def __init__(self, cell, weights: dict[str, np.ndarray], inputs: int):
        graph = trace(cell, inputs)
        lowering = Lowering(graph, weights)
        self._dtype = lowering.dtype
        (h, *others), (output, *after) = graph.states.values(), graph.after.values()
        node, self.output_scale = lowering.scaled(output)
        self._after = {state: lowering.plain(symbol) for state, symbol in zip(others, after, strict=True)}
        self._shown = {name: lowering.scaled(symbol) for name, symbol in graph.shown.items()}
        if h in order_of([node, *self._after.values(), *(shown for shown, _ in self._shown.values())]):
            node, self.output_scale = lowering.plain(output), 1.0
            self._after = {h: node, **self._after}
        self._output, self._names = node, {symbol: name for name, symbol in graph.states.items()}
        self._lay_out(lowering.outer, graph.x, h)
        starts = [
            weights.get(f"initial_state_{k}", np.zeros(cell.units, self._dtype))
            for k, state in enumerate(graph.states.values())
            if state in self._after
        ]
        self.initial_memory = np.concatenate([np.zeros(0, self._dtype), *starts])
        self._compiled: dict[tuple[bool, bool], Compiled] = {}

    def _lay_out(self, outer: list[Symbol], x: Symbol, h: Symbol) -> None:
        """Give columns of the products with h and with x, and states, their places; and make the matrices."""
        nodes = sort_columns(outer, [self._output, *self._after.values()])
        with_h, with_x = ([node for node in nodes if left in form_of(node).terms] for left in (h, x))
        both = [node for node in with_h if node in with_x]
        with_h, with_x = sorted(with_h, key=both.__contains__), sorted(with_x, key=lambda node: node not in both)
        self.kernel, self.input_bias = matrix_of(with_x, x, self._dtype), bias_of(with_x, self._dtype)
        self.recurrent_kernel, self.recurrent_bias = matrix_of(with_h, h, self._dtype), bias_of(with_h, self._dtype)
        width = sum(node.shape[-1] for node in both)
        if width:
            self.recurrent_bias[-width:] = 0  # it has been added to x
        self._places = line_up(INPUT, with_x) | line_up(ROW, [*with_h, *self._after])
        first = len(self.recurrent_bias) - width
        total, term = Place(ROW, first, first + width), Place(INPUT, 0, width)
        self._sum = [Call("add", [total, term], {}, total)] if width else []

    @property
    def _widths(self) -> list[int]:
        """Of the given memory of a step: `row`, `x` and `h` of `bind`."""
        return [len(self.recurrent_bias) + len(self.initial_memory), len(self.input_bias), self._output.shape[-1]]

    def _compile(self, single: bool, watched: bool) -> "Compiled":
        """The calls of a step for one stream or for several, and the places of all that it shows."""
        widths = self._widths
        targets = [(node, self._places[state]) for state, node in self._after.items()]
        targets.append((self._output, Place(OUTPUT, 0, widths[OUTPUT])))
        shown = {self._names[state]: (self._places[state], 1.0) for state in self._after}
        shown.setdefault(next(iter(self._names.values())), (targets[-1][1], self.output_scale))
        if watched:
            for name, (node, factor) in self._shown.items():
                place = Place(len(widths), 0, node.shape[-1])
                targets.append((node, place))
                widths.append(place.stop)
                shown[name] = place, factor
        return self.compile_part(targets, self._places, widths, self._sum, single, shown)

    def compile_part(self, targets, places, widths, calls=(), single=False, shown=MappingProxyType({})) -> "Compiled":
        """The calls for some targets, from values whose places are known."""
        widths = [*widths]
        banks = self._find_banks([node for node, _ in targets], places, widths)
        return Compiled(Schedule(targets, places, banks, widths, calls, self._dtype, single), shown)

    @functools.cached_property
    def stages(self) -> Stages:
        """The step in three stages, for many steps in a row."""
        return Stages(self._output, self._after, self._places, self._widths, self.compile_part, self._sum)

    @functools.cached_property
    def recurrent_product(self) -> np.ndarray:
        """The right factor of (1, h) for the recurrent part of the next step, behind columns of zeros."""
        return pad_product(np.vstack([self.recurrent_bias, self.recurrent_kernel * self.output_scale]), in_front=True)

    @functools.cached_property
    def largest_product(self) -> int:
        """How many numbers the largest matrix has by which the step itself multiplies; 0 if it has none."""
        targets = [*self._after.values(), self._output]
        return max((bank.kernel.size for bank in self._find_banks(targets, self._places, [*self._widths])), default=0)

    def _find_banks(self, wanted: list[Symbol], places: dict[Symbol, Place], widths: list[int]) -> list[Bank]:
        """The products within the step, one for all that have the same factors."""
        groups: dict[tuple, list[Symbol]] = {}
        for node in order_of(wanted, places):
            if node.operation == "columns":
                groups.setdefault(node.inputs, []).append(node)
        banks = []
        for lefts, group in groups.items():
            nodes = sort_columns(group, wanted)
            rows = [matrix_of(nodes, left, self._dtype) for left in lefts]
            kernel = pad_product(np.vstack([*rows, bias_of(nodes, self._dtype)]))
            factor, product = (Place(len(widths) + k, 0, width) for k, width in enumerate(kernel.shape))
            places = line_up(factor.memory, lefts)
            widths += kernel.shape
            banks.append(Bank(nodes, kernel, factor, product, [places[left] for left in lefts]))
        return banks

    def bind(self, x: np.ndarray, row: np.ndarray, h: np.ndarray, watched: bool = False):
        """Lay the step over memory, of one stream (·) or of several (N, ·).

        Args:
            x: the input's product with `kernel`, plus `input_bias`; overwritten.
            row: the product of the last h with `recurrent_kernel`, plus `recurrent_bias`, and the memory behind it;
                overwritten, the memory by that after the step.
            h: where the output goes.
            watched: whether anybody looks at the values that the step shows.

        Returns:
            Functions and their arguments, to be called one after the other; and arrays to read after that, by the
            letters of the equations, each with the factor that it is to be multiplied by: h and memories, and if
            watched also gates and all else that the equations show.
        """
        kind = h.ndim == 1, watched
        if kind not in self._compiled:
            self._compiled[kind] = self._compile(*kind)
        return self._compiled[kind].bind(row, x, h)


class Compiled:
    """The calls of a step, prepared so that a bind takes no time: where particles wait, each step has a new state.

    Args:
        schedule: the calls.
        shown: by name, the places of values to show, and the factors by which they are to be multiplied.
    """

    def __init__(self, schedule: Schedule, shown: dict[str, tuple[Place, float]]):
        self._places, self._widths, self._constants, self._calls = schedule.places, schedule.widths, [], []
        numbers = {place: k for k, place in enumerate(itertools.chain(*self._places))}
        for call in schedule.calls:
            own = []
            for one in call.arguments:
                if not isinstance(one, Place):
                    self._constants.append(one)
                own.append(numbers[one] if isinstance(one, Place) else len(numbers) + len(self._constants) - 1)
            self._calls.append((*function_of(call), operator.itemgetter(*own, numbers[call.place])))
        self._shown = {name: (numbers[place], factor) for name, (place, factor) in shown.items()}

    def bind(self, *given: np.ndarray) -> tuple[list[tuple[Callable, tuple]], dict[str, tuple[np.ndarray, float]]]:
        """The functions and arguments over memory that is given, and over some of its own."""
        like, arrays = given[OUTPUT], []
        own = [np.ones((*like.shape[:-1], width), like.dtype) for width in self._widths[len(given) :]]
        for memory, places in zip((*given, *own), self._places, strict=True):
            # One view for each place: numpy is quickest if a result stands in the very array that is an argument.
            width = memory.shape[-1]
            arrays += [memory if stop - start == width else memory[..., start:stop] for _, start, stop in places]
        arrays += self._constants
        calls = [make(*get(arrays)) if make else (function, get(arrays)) for function, make, get in self._calls]
        return calls, {name: (arrays[number], factor) for name, (number, factor) in self._shown.items()}


def function_of(call: Call) -> tuple[Callable, Callable | None]:
    """A function that takes arguments and the array for its result; or else a maker of one, and its arguments."""
    function, attributes = UFUNCS.get(call.operation) or NUMPY[call.operation], call.attributes
    if call.block:
        function, make = function_of(call._replace(block=0))

        def repeat(*arrays):
            blocks = [one.reshape(*one.shape[:-1], -1, call.block) if one.ndim else one for one in arrays]
            return make(*blocks) if make else (function, blocks)

        return function, repeat
    if call.operation == "matmul":
        return function, lay_product
    if not isinstance(function, np.ufunc):
        return function, lambda *arrays: (lambda: np.copyto(arrays[-1], function(*arrays[:-1], **attributes)), ())
    if call.operation in ("maximum", "minimum"):  # they take their result by name only
        return function, lambda a, b, out: (lambda: function(a, b, out=out), ())
    return function, None


def form_of(node: Symbol):
    return node.attributes["form"]


def matrix_of(nodes: list[Symbol], left: Symbol, dtype) -> np.ndarray:
    """The matrices by which a left factor makes columns, side by side."""
    return np.hstack([np.zeros((left.shape[-1], 0), dtype), *(form_of(node).matrix(left) for node in nodes)])


def bias_of(nodes: list[Symbol], dtype) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *(form_of(node).bias for node in nodes)])


def pad_product(kernel: np.ndarray, in_front: bool = False) -> np.ndarray:
    """A factor of products with rows of zeros below it and columns of zeros beside it, behind or in front."""
    rows, columns = kernel.shape
    below = -rows % ROWS * (rows > LONG)
    beside = -columns % COLUMNS * ((rows + below) * columns >= LARGE)
    return np.ascontiguousarray(np.pad(kernel, ((0, below), (beside, 0) if in_front else (0, beside))))


def lay_product(factor: np.ndarray, kernel: np.ndarray, out: np.ndarray) -> tuple[Callable, tuple]:
    """The quickest call of a matrix product for one stream or for several: a function, and its arguments.

    OpenBLAS copies a large matrix before it multiplies, which takes longer than the product where there are few
    streams. Small products it makes of the matrix as it stands. So a large one is made in blocks of columns.
    """
    if factor.ndim == 1:
        return np.dot, (factor, kernel, out)
    width, columns = SMALL // max(1, factor.size) // ROWS * ROWS, kernel.shape[1]
    if columns <= width or width < FEWEST:
        return np.matmul, (factor, kernel, out)
    blocks = [slice(start, start + width) for start in range(0, columns, width)]
    return call_all, ([(np.matmul, (factor, kernel[:, block], out[:, block])) for block in blocks],)
