"""Equations lowered for numpy: fewer and cheaper operations, for any cell.

A value of the equations becomes one of three forms. A `Linear` is a sum of products with weights: sums, parts and
scales of it only change the weights. An `Affine` is a node times a number plus a number: most numbers that equations
multiply by and add cancel or meet, so few of them are ever computed. A σ is ½ + ½ tanh(z/2). A list is blocks side by
side. Nodes are symbols of operations that are left to compute.
"""

import math
from collections import Counter
from typing import Any

import numpy as np

from shakegen.cells.forms import Affine, Forms, Linear
from shakegen.cells.graph import Graph
from shakegen.cells.program import evaluate, order_of
from shakegen.cells.symbol import BATCH, Symbol

LARGE_EXPONENT = 80.0  # exp of it is a number


class Lowering(Forms):
    """The values of a graph in these forms.

    Args:
        graph: the step of a cell.
        weights: arrays by the names of the weights.
    """

    def __init__(self, graph: Graph, weights: dict[str, np.ndarray]):
        values: dict[Symbol, Any] = {symbol: weights[name] for name, symbol in graph.weights.items()}
        super().__init__(graph.x, next(iter(graph.states.values())), next(iter(values.values())).dtype)
        wanted = [*graph.after.values(), *graph.shown.values()]
        order = order_of(wanted)
        evaluate([one for one in order if BATCH not in one.shape], values)
        self._uses = Counter(one for symbol in order for one in symbol.inputs) + Counter(wanted)
        values[graph.x] = Linear({graph.x: None}, np.zeros(graph.x.shape[-1], self.dtype))
        values |= {state: Affine(state) for state in graph.states.values()}
        for symbol in order:
            if symbol not in values:
                values[symbol] = self._lower(symbol, [values[one] for one in symbol.inputs])
        self._values = values

    def plain(self, symbol: Symbol) -> Symbol:
        """The node that is a symbol's value."""
        return self._plain(self._values[symbol])

    def scaled(self, symbol: Symbol) -> tuple[Symbol, float]:
        """A node, and the number by which it is multiplied to give a symbol's value."""
        return self._shift(self._affine(self._values[symbol]))

    def _lower(self, symbol: Symbol, inputs: list):
        operation, attributes = symbol.operation, symbol.attributes
        lower = getattr(self, f"_{operation}", None)
        if lower is not None:
            return lower(symbol, *inputs)
        if operation in ("tanh", "sigmoid", "relu", "linear"):
            return self._activation(operation, inputs[0])
        nodes = [one if isinstance(one, float | np.ndarray) else self._plain(one) for one in inputs]
        return Affine(self._node(operation, nodes, symbol.shape[-1], **attributes))

    def _activation(self, name: str, value):
        if name == "tanh":
            return self._make("tanh", self._plain(value))
        if name == "sigmoid":
            half = self._scale(value, 0.5)
            return Affine(self._make("tanh", self._plain(half)).node, 0.5, 0.5)
        return self._limit(value, 0.0) if name == "relu" else value

    def _activate(self, symbol, value):
        names = symbol.attributes["names"]
        width = symbol.shape[-1] // len(names)
        blocks = [self._cut(value, k * width, (k + 1) * width) for k in range(len(names))]
        results = [self._activation(name, block) for name, block in zip(names, blocks, strict=True)]
        return results if len(results) > 1 else results[0]

    def _part(self, symbol, value):
        return self._cut(value, symbol.attributes["start"], symbol.attributes["stop"])

    def _concat(self, symbol, *blocks):
        return list(blocks)

    def _matmul(self, symbol, left, weight):
        total, start = Linear({}, np.zeros(weight.shape[1], self.dtype)), 0
        for block in left if isinstance(left, list) else [left]:
            width = self._width(block)
            rows = weight[start : start + width]
            if isinstance(block, Linear) and block.terms.get(self._x, rows) is None and len(block.terms) == 1:
                total = total.plus(Linear({self._x: rows}, block.bias @ rows))
            else:
                value = self._affine(block)
                factor, offset = (np.asarray(one, self.dtype) for one in (value.factor, value.offset))
                total = total.plus(Linear({value.node: rows * factor}, offset * rows.sum(axis=0)))
            start += width
        return total

    def _add(self, symbol, a, b, sign=1.0):
        a, b = (self._share(one, value) for one, value in zip(symbol.inputs, (a, b), strict=True))
        if isinstance(a, float | np.ndarray):
            a, b, sign = self._scale(b, sign), a, 1.0
        if isinstance(b, float) and isinstance(a, Affine):
            return Affine(a.node, a.factor, a.offset + sign * b)
        if isinstance(b, float | np.ndarray):
            b = np.broadcast_to(np.asarray(sign * b, self.dtype), (self._width(a),))
            if isinstance(a, Linear):
                return a.plus(Linear({}, b))
            node, factor = self._shift(a)
            return Affine(self._make("add", node, b / np.asarray(factor, self.dtype)).node, factor)
        if isinstance(a, Linear) and isinstance(b, Linear):
            return a.plus(b.times(sign))
        a, b = self._match(a, b)
        b = Affine(b.node, sign * b.factor, sign * b.offset)
        if a.factor != 1 and b.factor == 1:
            a, b = b, a
        offset = a.offset + b.offset
        if abs(a.factor) == abs(b.factor):
            operation = "add" if a.factor == b.factor else "subtract"
            if operation == "subtract" and a.factor < 0:
                a, b = b, a
            return Affine(self._make(operation, a.node, b.node).node, a.factor, offset)
        other = self._make("multiply", b.node, b.factor / a.factor).node
        return Affine(self._make("add", a.node, other).node, a.factor, offset)

    def _subtract(self, symbol, a, b):
        return self._add(symbol, a, b, -1.0)

    def _multiply(self, symbol, a, b):
        if isinstance(a, float | np.ndarray):
            a, b = b, a
        if isinstance(b, float):
            return self._scale(a, b)
        if isinstance(b, np.ndarray):
            if isinstance(a, Linear) and a.node is None:
                return a.times(b)
            node, factor = self._shift(self._affine(a))
            return self._make("multiply", node, b * np.asarray(factor, self.dtype))
        if isinstance(a, Linear):
            a, b = b, a
        if isinstance(b, Linear) and not isinstance(a, Linear):
            a = self._affine(a)
            b = self._affine(b, 1 / a.factor)
        a, b = self._affine(a), self._affine(b)
        negative = a.factor * b.factor < 0
        (a, f), (b, g) = self._shift(a, negative and bool(a.offset)), self._shift(b, negative and not a.offset)
        return self._scale(self._make("multiply", a, b), f * g)

    def _divide(self, symbol, a, b):
        if isinstance(b, float):
            return self._scale(a, 1 / b) if b else self._make("divide", self._plain(a), b)
        if isinstance(b, np.ndarray):
            node, factor = self._shift(self._affine(a))
            return Affine(self._make("divide", node, b).node, factor)
        b, g = self._shift(self._affine(b))
        if isinstance(a, float):
            return self._scale(self._make("divide", 1.0, b), a / g)
        a, f = (a, 1.0) if isinstance(a, np.ndarray) else self._shift(self._affine(a))
        return self._scale(self._make("divide", a, b), f / g)

    def _maximum(self, symbol, a, b):
        if isinstance(a, float | np.ndarray):
            a, b = b, a
        if isinstance(b, float):
            return self._limit(a, b)
        return self._make("maximum", self._plain(a), b if isinstance(b, np.ndarray) else self._plain(b))

    def _sqrt(self, symbol, value):
        node, factor = self._shift(self._affine(value))
        if factor <= 0:
            return self._make("sqrt", self._plain(value))
        return self._scale(self._make("sqrt", node), math.sqrt(factor))

    def _softplus(self, symbol, value):
        """log(1 + exp(z)), which is z itself for large ones; numpy's logaddexp takes ten times as long."""
        z = self._plain(value)
        exponential = self._make("exp", self._make("minimum", z, LARGE_EXPONENT).node).node
        return self._make("maximum", self._make("log1p", exponential).node, z)

    def _limit(self, value, least: float):
        value = self._affine(value)
        if value.factor < 0:
            value = Affine(self._plain(value))
        return Affine(
            self._make("maximum", value.node, (least - value.offset) / value.factor).node, value.factor, value.offset
        )

    def _share(self, symbol: Symbol, value):
        """A value to be summed up; products that are needed elsewhere too are computed once."""
        shared = isinstance(value, list) or (isinstance(value, Linear) and self._uses[symbol] > 1)
        return self._affine(value) if shared else value

    def _match(self, a, b) -> tuple[Affine, Affine]:
        """Two values; a product that no node is made of yet gets the other's factor."""
        if isinstance(a, Linear):
            b = self._affine(b)
            return self._affine(a, b.factor), b
        return a, self._affine(b, a.factor)
