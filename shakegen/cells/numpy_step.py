"""Steps of cells in numpy, on memory that is laid out once: the contract, and the step that any cell has.

A step is made from its layer's weights and gives the engine the factors of its one matrix product: `kernel` and
`input_bias`, which make its input x, and `recurrent_kernel` and `recurrent_bias`, which make, from its output h, the
recurrent part of the pre-activations for the next step; h is `output_scale` times the array that the step writes. The
state also has a memory that starts as `initial_memory`. `bind` lays views over all of it and gives the function that
advances the cell by one step, and arrays to read between a step and the product that follows it: by the letters of
the equations, gates, candidates, memories and h, each with the factor that it is to be multiplied by.

A sigmoid is ½ + ½ tanh(z/2). The steps that are tuned by hand fold the inner ½ into the weights: one tanh covers all
gates.
"""

import numpy as np

from shakegen.cells.graph import trace
from shakegen.cells.program import Program, evaluate, separate_products

# A text must not depend on how many threads computed it. OpenBLAS rounds alike in 1, 2, 4 and 8 threads if the rows of
# a long product, and the columns of a large one, are multiples of these.
ROWS, LONG = 32, 320
COLUMNS, LARGE = 128, 460_000


class EquationStep:
    """The step of any cell, from its equations.

    Args:
        cell: a `Cell`.
        weights: of the layer, by the names of `cell.weights`, and `initial_state_k` where they are learned.
        inputs: how many numbers an input has.
    """

    output_scale = 1.0

    def __init__(self, cell, weights: dict[str, np.ndarray], inputs: int):
        graph = trace(cell, inputs)
        values = {symbol: weights[name] for name, symbol in graph.weights.items()}
        dtype = next(iter(values.values())).dtype
        self._states, self._names = list(graph.states.values()), [*graph.after, *graph.shown]
        wanted = [*graph.after.values(), *graph.shown.values()]
        self._widths = [symbol.shape[-1] for symbol in graph.shown.values()]
        wanted, self._x, kernels = separate_products(wanted, graph.x, keep_left=False)
        wanted, self._product, recurrent_kernels = separate_products(wanted, self._states[0], keep_left=True)
        self.kernel = columns_of(evaluate(kernels, dict(values)), inputs, self._x.shape[-1], dtype)
        self.recurrent_kernel = columns_of(
            evaluate(recurrent_kernels, dict(values)), cell.units, self._product.shape[-1], dtype
        )
        self.input_bias, self.recurrent_bias = np.zeros_like(self.kernel[0]), np.zeros_like(self.recurrent_kernel[0])
        zeros = np.zeros(cell.units, dtype)
        starts = [weights.get(f"initial_state_{number}", zeros) for number in range(len(self._states))]
        self.initial_memory = np.concatenate(starts)
        self._program = Program(wanted, [self._x, self._product, *self._states], values)
        self._views = [
            number for number, symbol in enumerate(wanted) if symbol.operation in ("input", "part", "linear")
        ]

    def bind(self, recurrent, memory, h):
        program, states, units = self._program, self._states, h.shape[-1]
        memories = [memory[..., k * units : (k + 1) * units] for k in range(len(states))]
        known = {self._product: recurrent, **dict(zip(states, memories, strict=True))}
        views = {
            name: np.empty((*h.shape[:-1], width), h.dtype)
            for name, width in zip(self._names[len(states) :], self._widths, strict=True)
        }
        targets, copyto = [*memories, *views.values()], np.copyto

        def advance(x):
            values = program({self._x: x, **known})
            for number in self._views:  # these values are about to be overwritten
                values[number] = values[number].copy()
            for target, value in zip(targets, values, strict=True):
                copyto(target, value)
            copyto(h, memories[0])

        shown = {**dict(zip(self._names, memories, strict=False)), **views}
        return advance, {name: (array, 1) for name, array in shown.items()}


def columns_of(kernels: list[np.ndarray], rows: int, columns: int, dtype) -> np.ndarray:
    """Weights side by side, and a one for the symbol itself where more columns are wanted than they have."""
    missing = columns - sum(kernel.shape[1] for kernel in kernels)
    return np.hstack([np.zeros((rows, 0), dtype), *kernels, np.eye(rows, missing, dtype=dtype)])


def arrange_gates(weights: np.ndarray) -> np.ndarray:
    """Keras's gates i f g o in the order o i f g, halved but for g."""
    i, f, g, o = np.split(weights, 4, axis=-1)
    return np.concatenate([o / 2, i / 2, f / 2, g], axis=-1)


def pad_product(kernel: np.ndarray, in_front: bool = False) -> np.ndarray:
    """A factor of products with rows of zeros below it and columns of zeros beside it, behind or in front."""
    rows, columns = kernel.shape
    below, beside = -rows % ROWS * (rows > LONG), -columns % COLUMNS * (kernel.size >= LARGE)
    return np.ascontiguousarray(np.pad(kernel, ((0, below), (beside, 0) if in_front else (0, beside))))


def product_of(like: np.ndarray):
    """The quickest matrix product for one stream or for several."""
    return np.dot if like.ndim == 1 else np.matmul


def constant(value: float, like: np.ndarray) -> np.ndarray:
    """A scalar as an array: numpy converts a Python number anew in every call."""
    return np.array(value, like.dtype)


def join_neighbours(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """One view over two views that are neighbours in the last axis of one array."""
    width = left.shape[-1] + right.shape[-1]
    return np.lib.stride_tricks.as_strided(left, (*left.shape[:-1], width), left.strides)
