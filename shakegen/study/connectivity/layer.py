"""A recurrent layer forward along one text, and backward for many outputs at once, in numpy.

Forward keeps, for every step, the slopes that the way back multiplies by, shape (H,) each. All outputs share them. On
the way back, a row of every array belongs to one output, and a step takes all rows at once.
"""

import numpy as np

from shakegen.cells.cell import Cell
from shakegen.cells.gradient import differentiate
from shakegen.cells.graph import trace
from shakegen.cells.plan import sum_seeds
from shakegen.cells.program import Program, depends_on, evaluate, order_of, separate_products
from shakegen.cells.symbol import BATCH, input_symbol


class LayerTrace:
    """One recurrent layer along one text.

    Args:
        cell: the recurrent unit.
        weights: of the layer, by name.
        inputs: how many numbers an input has.

    Attributes:
        kernel: the factor of the input at every step, (inputs, ·).
        states: how many vectors (H,) are carried from step to step, h first.
    """

    def __init__(self, cell: Cell, weights: dict[str, np.ndarray], inputs: int):
        graph = trace(cell, inputs)
        values = {symbol: weights[name] for name, symbol in graph.weights.items()}
        dtype = next(iter(values.values())).dtype
        after, self._x, kernels = separate_products(list(graph.after.values()), graph.x, keep_left=False)
        self.kernel = columns_of(evaluate(kernels, dict(values)), inputs, self._x.shape[-1], dtype)
        self._before, self.states = list(graph.states.values()), len(after)
        zeros = np.zeros(cell.units, dtype)
        self._starts = [weights.get(f"initial_state_{number}", zeros) for number in range(self.states)]

        self._d_after = [input_symbol(f"d_{name}", BATCH, cell.units) for name in graph.states]
        by = differentiate(sum_seeds(after, self._d_after), [self._x, *self._before]).by
        gradients = [by.get(symbol) for symbol in (self._x, *self._before)]
        states = set(self._d_after)
        self._passed = [number for number, gradient in enumerate(gradients) if gradient in states]
        self._missing = [gradient is None for gradient in gradients]
        wanted = [gradient for gradient in gradients if gradient is not None]
        backward = depends_on(wanted, self._d_after)
        order = [symbol for symbol in order_of(wanted) if symbol in backward]
        slopes = dict.fromkeys(one for symbol in order for one in symbol.inputs if one not in backward)
        self._slopes = [one for one in slopes if BATCH in one.shape]
        known = [self._x, *self._before]
        self._forward = Program([*after, *self._slopes], known, values)
        self._backward = Program(wanted, [*self._slopes, *self._d_after], values)
        self._kept: list[list[np.ndarray]] = []

    def read(self, products: np.ndarray) -> np.ndarray:
        """Go along a text: its products with the kernel, (T, ·), give the outputs, (T, H)."""
        states, outputs, self._kept = self._starts, [], []
        for product in products:
            values = self._forward({self._x: product, **dict(zip(self._before, states, strict=True))})
            states = values[: self.states]
            outputs.append(states[0])
            self._kept.append(values[self.states :])
        return np.array(outputs)

    def go_back(self, step: int, d_states: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
        """One step back.

        Args:
            step: its number.
            d_states: the gradients by the states after it, (rows, H) each.

        Returns:
            The gradient by the products with the kernel, (rows, ·), and those by the states before the step.
        """
        values = dict(zip(self._slopes, self._kept[step], strict=True))
        gradients = iter(self._backward(values | dict(zip(self._d_after, d_states, strict=True))))
        rows, shapes = len(d_states[0]), [self.kernel.shape[1], *(d.shape[1] for d in d_states)]
        by_inputs = [
            np.zeros((rows, width), d_states[0].dtype) if missing else next(gradients)
            for missing, width in zip(self._missing, shapes, strict=True)
        ]
        for number in self._passed:  # the very arrays that were given, which will be overwritten
            by_inputs[number] = by_inputs[number].copy()
        return by_inputs[0], by_inputs[1:]


def columns_of(kernels: list[np.ndarray], rows: int, columns: int, dtype) -> np.ndarray:
    """Weights side by side, and a one for the symbol itself where more columns are wanted than they have."""
    missing = columns - sum(kernel.shape[1] for kernel in kernels)
    return np.hstack([np.zeros((rows, 0), dtype), *kernels, np.eye(rows, missing, dtype=dtype)])
