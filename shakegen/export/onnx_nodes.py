"""Nodes of ONNX, made from the graph that a cell's step writes down."""

from collections.abc import Iterable, Mapping

import numpy as np

from shakegen.cells.operations import VARIANCE
from shakegen.cells.program import translate
from shakegen.cells.symbol import Symbol

NODES = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "maximum": "Max",
    "matmul": "MatMul",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "relu": "Relu",
    "linear": "Identity",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "softplus": "Softplus",
}


class Arrays:
    """The weights of a model, by the names of its nodes' inputs; each array once."""

    def __init__(self):
        self.held: dict[str, np.ndarray] = {}
        self._names: dict[int, str] = {}

    def add(self, array: np.ndarray, name: str | None = None) -> str:
        """The name of an array."""
        if id(array) not in self._names:
            name = name if name and name not in self.held else f"array{len(self.held)}"
            self._names[id(array)], self.held[name] = name, array
        return self._names[id(array)]

    def constant(self, value: float | list[int]) -> str:
        """The name of a number, or of some whole numbers."""
        dtype = np.int64 if isinstance(value, list) else np.float32
        name = f"constant {value}"
        self.held.setdefault(name, np.array(value, dtype))
        return name


class Nodes:
    """A list of nodes that grows.

    Args:
        arrays: of the whole model.
        prefix: of the names of results.
    """

    def __init__(self, arrays: Arrays, prefix: str):
        self.arrays, self._prefix = arrays, prefix
        self.list: list = []

    def add(self, kind: str, *inputs: str, name: str = "", outputs: int = 1, **attributes):
        """Append a node, and give the name of its result; a list of names, if it has several."""
        from onnx import helper

        first = name or f"{self._prefix}/{len(self.list)}"
        names = [first, *(f"{first}.{number}" for number in range(1, outputs))]
        self.list.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names if outputs > 1 else first

    def rename(self, source: str, name: str) -> str:
        """Give a value a second name."""
        return self.add("Identity", source, name=name)

    def compute(
        self, wanted: Iterable[Symbol], known: Mapping[Symbol, str], values: dict[Symbol, np.ndarray]
    ) -> list[str]:
        """Append the nodes that compute symbols, and give their names.

        Args:
            wanted: the symbols.
            known: names of values that are there, such as inputs and states.
            values: of the weights; all that depends on weights alone is computed here.
        """
        return translate(wanted, known, values, self._operate, self._hold)

    def _hold(self, symbol: Symbol, value) -> str:
        """The name of a value that depends on weights alone."""
        if np.ndim(value) == 0:
            return self.arrays.constant(float(value))
        name = symbol.attributes.get("name")
        return self.arrays.add(value, name and f"{self._prefix}/weights/{name}")

    def _operate(self, symbol: Symbol, inputs: list[str]) -> str:
        """Append the nodes of one operation."""
        given = symbol.attributes
        if symbol.operation == "part":
            ends = (self.arrays.constant([given[name]]) for name in ("start", "stop"))
            return self.add("Slice", *inputs, *ends, self.arrays.constant([-1]))
        if symbol.operation == "normalise":
            ones = self.arrays.add(np.ones(symbol.shape[-1], np.float32))
            return self.add("LayerNormalization", *inputs, ones, axis=-1, epsilon=VARIANCE)
        if symbol.operation == "activate":
            kinds = [NODES[name] for name in given["names"]]
            if len(set(kinds)) == 1:
                return self.add(kinds[0], *inputs)
            blocks = self.add("Split", *inputs, outputs=len(kinds), axis=-1, num_outputs=len(kinds))
            gates = [self.add(kind, block) for kind, block in zip(kinds, blocks, strict=True)]
            return self.add("Concat", *gates, axis=-1)
        if symbol.operation == "concat":
            return self.add("Concat", *inputs, axis=-1)
        return self.add(NODES[symbol.operation], *inputs)
