"""A recurrent layer forward along one text, and backward for many outputs at once, in numpy.

Forward keeps, for every step, the slopes that the way back multiplies by, shape (H,) each. All outputs share them. On
the way back, a row of every array belongs to one output, and a step takes all rows at once.
"""

import numpy as np

from shakegen.cells.both_ways import trace_both_ways
from shakegen.cells.cell import Cell
from shakegen.cells.program import Program


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
        ways = trace_both_ways(cell, inputs)
        values = {symbol: weights[name] for name, symbol in ways.weights.items()}
        dtype = next(iter(values.values())).dtype
        self.kernel = ways.make_kernel(values, inputs)
        self._ways, self.states = ways, len(ways.states)
        zeros = np.zeros(cell.units, dtype)
        self._starts = [weights.get(f"initial_state_{number}", zeros) for number in range(self.states)]
        gradients = [ways.by_x, *ways.by_states]
        self._passed = [number for number, gradient in enumerate(gradients) if gradient in ways.d_after]
        self._missing = [gradient is None for gradient in gradients]
        after, wanted = [*ways.after.values()][: self.states], [one for one in gradients if one is not None]
        self._forward = Program([*after, *ways.slopes], [ways.x, *ways.states], values)
        self._backward = Program(wanted, [*ways.slopes, *ways.d_after], values)
        self._kept: list[list[np.ndarray]] = []

    def read(self, products: np.ndarray) -> np.ndarray:
        """Go along a text: its products with the kernel, (T, ·), give the outputs, (T, H)."""
        states, outputs, self._kept = self._starts, [], []
        for product in products:
            values = self._forward({self._ways.x: product, **dict(zip(self._ways.states, states, strict=True))})
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
        values = dict(zip(self._ways.slopes, self._kept[step], strict=True))
        gradients = iter(self._backward(values | dict(zip(self._ways.d_after, d_states, strict=True))))
        rows, shapes = len(d_states[0]), [self.kernel.shape[1], *(d.shape[1] for d in d_states)]
        by_inputs = [
            np.zeros((rows, width), d_states[0].dtype) if missing else next(gradients)
            for missing, width in zip(self._missing, shapes, strict=True)
        ]
        for number in self._passed:  # the very arrays that were given, which will be overwritten
            by_inputs[number] = by_inputs[number].copy()
        return by_inputs[0], by_inputs[1:]
