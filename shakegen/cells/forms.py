"""The forms that values of equations take for numpy, and the nodes that are made of them."""

from dataclasses import dataclass, field

import numpy as np

from shakegen.cells.symbol import BATCH, Symbol

LARGEST_FACTOR = 1 << 20  # a number that a node is yet to be multiplied by; others are multiplied at once


@dataclass(eq=False)
class Linear:
    """Σ left @ matrix + bias; the matrix None is a one.

    Attributes:
        node: the Affine that has been made of it.
    """

    terms: dict[Symbol, np.ndarray | None]
    bias: np.ndarray
    node: "Affine | None" = field(default=None)

    def matrix(self, left: Symbol) -> np.ndarray:
        weight = self.terms[left]
        return np.eye(left.shape[-1], dtype=self.bias.dtype) if weight is None else weight

    def times(self, factor) -> "Linear":
        """The form times a number, or a vector of one for each column."""
        if isinstance(factor, float) and factor == 1:
            return self
        factor = np.asarray(factor, self.bias.dtype)
        return Linear({left: self.matrix(left) * factor for left in self.terms}, self.bias * factor)

    def plus(self, other: "Linear") -> "Linear":
        terms = dict(self.terms)
        for left in other.terms:
            terms[left] = self.matrix(left) + other.matrix(left) if left in terms else other.terms[left]
        return Linear(terms, self.bias + other.bias)

    def part(self, start: int, stop: int) -> "Linear":
        terms: dict = {left: self.matrix(left)[:, start:stop] for left in self.terms}
        return Linear(terms, self.bias[start:stop])


@dataclass(frozen=True, eq=False)
class Affine:
    """factor · node + offset."""

    node: Symbol
    factor: float = 1.0
    offset: float = 0.0


class Forms:
    """Makes nodes of values, and changes values without any node where that is possible.

    Attributes:
        dtype: of the weights.
        outer: the nodes of the operation "columns", sums of products with the input and with h that are known before
            the step. Each has its Linear as the attribute `form`.
    """

    def __init__(self, x: Symbol, h: Symbol, dtype):
        self._x, self._h, self.dtype = x, h, dtype
        self._nodes: dict[tuple, Symbol] = {}
        self.outer: list[Symbol] = []

    def _scale(self, value, factor: float):
        if isinstance(value, list):
            return [self._scale(one, factor) for one in value]
        if isinstance(value, Linear) and value.node is None:
            return value.times(factor)
        value = self._affine(value)
        product = value.factor * factor
        if not 1 / LARGEST_FACTOR <= abs(product) <= LARGEST_FACTOR:
            return self._make("multiply", self._plain(value), factor)
        return Affine(value.node, product, value.offset * factor)

    def _cut(self, value, start: int, stop: int):
        if isinstance(value, Linear) and value.node is None:
            return value.part(start, stop)
        if isinstance(value, list):
            begin = 0
            for block in value:
                width = self._width(block)
                if begin <= start and stop <= begin + width:
                    return self._cut(block, start - begin, stop - begin)
                begin += width
        value = self._affine(value)
        if (start, stop) == (0, self._width(value)):
            return value
        node = self._node("part", [value.node], stop - start, start=start, stop=stop)
        return Affine(node, value.factor, value.offset)

    def _affine(self, value, factor: float = 1.0) -> Affine:
        """A value as an Affine; of a Linear, the node is chosen to need this factor."""
        if isinstance(value, Affine):
            return value
        if isinstance(value, list):
            nodes = [self._plain(one) for one in value]
            return Affine(self._node("concat", nodes, sum(node.shape[-1] for node in nodes)))
        if value.node is None:
            value.node = Affine(self._compute(value.times(1 / factor)), factor)
        return value.node

    def _compute(self, form: Linear) -> Symbol:
        """A node for the sum of the products with x and h, which are known before the step, and the others."""
        outer = {left: form.matrix(left) for left in form.terms if left in (self._x, self._h)}
        inner = {left: form.matrix(left) for left in form.terms if left not in outer}
        width, nodes = len(form.bias), []
        if outer or not inner:
            own = Linear(dict(outer) or {self._x: np.zeros((self._x.shape[-1], width), self.dtype)}, form.bias)
            nodes.append(Symbol("columns", (), (BATCH, width), {"form": own}))
            self.outer += nodes
        if inner:
            own = Linear(dict(inner), form.bias * 0 if outer else form.bias)
            nodes.append(Symbol("columns", tuple(inner), (BATCH, width), {"form": own}))
        return nodes[0] if len(nodes) == 1 else self._make("add", *nodes).node

    def _shift(self, value: Affine, negate: bool = False) -> tuple[Symbol, float]:
        """A node and a factor, without an offset; the factor negated if that costs nothing."""
        if not value.offset:
            return value.node, value.factor
        if negate:
            return self._make("subtract", -value.offset / value.factor, value.node).node, -value.factor
        return self._make("add", value.node, value.offset / value.factor).node, value.factor

    def _plain(self, value) -> Symbol:
        node, factor = self._shift(self._affine(value))
        return node if factor == 1 else self._make("multiply", node, factor).node

    def _make(self, operation: str, *inputs) -> Affine:
        """An elementwise operation of nodes, numbers and vectors."""
        return Affine(self._node(operation, list(inputs), max(map(self._width, inputs))))

    def _node(self, operation: str, inputs: list, width: int, **attributes) -> Symbol:
        """The node of an operation, once for the same inputs.

        The attribute `arguments` has numbers and arrays, and None for each node.
        """
        same = tuple(one if isinstance(one, float | Symbol) else id(one) for one in inputs)
        key = (operation, same, tuple(attributes.items()))
        if key not in self._nodes:
            symbols = tuple(one for one in inputs if isinstance(one, Symbol))
            own = {
                "arguments": tuple(None if isinstance(one, Symbol) else one for one in inputs),
                "attributes": attributes,
            }
            self._nodes[key] = Symbol(operation, symbols, (BATCH, width), own)
        return self._nodes[key]

    @staticmethod
    def _width(value) -> int:
        if isinstance(value, float):
            return 0
        if isinstance(value, list):
            return sum(Forms._width(one) for one in value)
        if isinstance(value, Linear):
            return len(value.bias)
        return (value.node if isinstance(value, Affine) else value).shape[-1]
