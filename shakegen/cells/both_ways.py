"""A step as symbols in both directions, with all products of its input as one symbol."""

from dataclasses import dataclass

import numpy as np

from shakegen.cells.cell import Cell
from shakegen.cells.gradient import differentiate
from shakegen.cells.graph import trace
from shakegen.cells.plan import sum_seeds
from shakegen.cells.program import depends_on, evaluate, order_of, separate_products
from shakegen.cells.symbol import BATCH, Symbol, input_symbol


@dataclass(frozen=True, eq=False)
class BothWays:
    """A step forward, and the way back from the gradients by the states after it.

    Attributes:
        weights: symbols of the weights, by name.
        x: the products of the input with `kernels`, side by side; if columns are left, then the input itself.
        kernels: symbols of matrices, all made of weights.
        states: symbols of the states before the step, h first.
        after: symbols of the states after it, and then of all other values that it shows, by name.
        d_after: symbols of the gradients by the states after it.
        by_x: the gradient by `x`.
        by_states: the gradients by the states before; None where nothing depends on one.
        slopes: symbols of the step forward that the way back multiplies by, one block for each sequence.
    """

    weights: dict[str, Symbol]
    x: Symbol
    kernels: list[Symbol]
    states: list[Symbol]
    after: dict[str, Symbol]
    d_after: list[Symbol]
    by_x: Symbol
    by_states: list[Symbol | None]
    slopes: list[Symbol]

    def make_kernel(self, values: dict[Symbol, np.ndarray], inputs: int) -> np.ndarray:
        """The matrix that makes `x` of the input, from arrays of the weights; a one for the input itself."""
        kernels = evaluate(self.kernels, dict(values))
        if len(kernels) == 1 and kernels[0].shape[1] == self.x.shape[-1]:
            return kernels[0]
        dtype = next(iter(values.values())).dtype
        missing = self.x.shape[-1] - sum(kernel.shape[1] for kernel in kernels)
        return np.hstack([np.zeros((inputs, 0), dtype), *kernels, np.eye(inputs, missing, dtype=dtype)])


def trace_both_ways(cell: Cell, inputs: int) -> BothWays:
    """Write a cell's step down in both directions.

    Args:
        cell: the recurrent unit.
        inputs: how many numbers an input has.

    Raises:
        CellError: as `trace`.
    """
    graph = trace(cell, inputs)
    names, states = [*graph.after, *graph.shown], list(graph.states.values())
    wanted, x, kernels = separate_products([*graph.after.values(), *graph.shown.values()], graph.x, keep_left=False)
    d_after = [input_symbol(f"d_{name}", BATCH, cell.units) for name in graph.states]
    by = differentiate(sum_seeds(wanted[: len(states)], d_after), [x, *states]).by
    gradients = [by.get(symbol) for symbol in (x, *states)]
    found = [gradient for gradient in gradients if gradient is not None]
    backward = depends_on(found, d_after)
    slopes = dict.fromkeys(
        one for symbol in order_of(found) if symbol in backward for one in symbol.inputs if one not in backward
    )
    return BothWays(
        graph.weights,
        x,
        kernels,
        states,
        dict(zip(names, wanted, strict=True)),
        d_after,
        by[x],
        gradients[1:],
        [one for one in slopes if BATCH in one.shape],
    )
