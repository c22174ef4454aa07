"""A network as a step function with the same bits on every machine: from symbols read to whole frequencies."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from shakegen.cells.graph import trace
from shakegen.cells.program import Program, evaluate, order_of, separate_products, substitute
from shakegen.cells.symbol import Symbol, as_symbol
from shakegen.compression.exact_operations import FUNCTIONS, Products, check_arithmetic, exp, limit, round_constant
from shakegen.inference.layers import layers_of

FREQUENCY = 2.0**30  # of the likeliest symbol; all others have 1 at least


class ExactNetwork:
    """A network of any cell, computed so that no machine, no library and no number of threads changes a bit.

    Every number is a double. The left factors of products keep 20 bits and their sign, a little less than a float32.
    Weights keep what is left for the sum: 20 bits of matrices with 512 rows, 13 of the largest that there may be.

    Args:
        config: the architecture, with the fields of `Config`.
        weights: of the network, by the names and in the shapes of `Config.weight_shapes`.

    Raises:
        Inexact: this machine's arithmetic is not that of IEEE 754.
    """

    def __init__(self, config, weights: Mapping[str, np.ndarray]):
        check_arithmetic()
        self._multiply = Products()
        weights = {name: np.asarray(weight, np.float64) for name, weight in weights.items()}
        self._adds_layers = config.adds_layers
        self._layers = [ExactLayer(*layer, self._multiply) for layer in layers_of(config, weights)]
        self._table = self._layers[0].kernel
        if config.embedding:
            self._table = self._multiply(weights["embedding/embeddings"], self._table)
        self._kernel, self._bias = weights["dense/kernel"], weights["dense/bias"]

    def start(self, streams: int = 1) -> list[np.ndarray]:
        """The states of N streams that have read nothing, (N, H) each."""
        return [np.tile(start, (streams, 1)) for layer in self._layers for start in layer.starts]

    def read(self, ids: np.ndarray, states: list[np.ndarray]) -> list[np.ndarray]:
        """The states after one more symbol in every stream.

        Args:
            ids: shape (N,).
            states: before it.
        """
        after: list[np.ndarray] = []
        x = output = self._table[ids]
        for number, layer in enumerate(self._layers):
            if number:
                x = self._multiply(output, layer.kernel)
            new = layer.step(x, states[len(after) : len(after) + len(layer.starts)])
            output = output + new[0] if number and self._adds_layers else new[0]
            after += new
        return after

    def predict(self, states: list[np.ndarray]) -> np.ndarray:
        """The frequencies of the next symbol, added up: (N, V + 1) whole numbers that begin with 0 and increase."""
        outputs, first = [], 0
        for layer in self._layers:
            outputs.append(states[first])
            first += len(layer.starts)
        logits = self._multiply(sum(outputs[1:], outputs[0]) if self._adds_layers else outputs[-1], self._kernel)
        logits = limit(logits + self._bias)
        sums = np.zeros((len(logits), logits.shape[1] + 1))
        frequencies = np.floor(exp(logits - logits.max(axis=1, keepdims=True)) * FREQUENCY) + 1
        np.cumsum(frequencies, axis=1, out=sums[:, 1:])  # below 2⁵³, so exact
        return sums.astype(np.int64)


class ExactLayer:
    """One recurrent layer.

    Attributes:
        kernel: the matrix by which the input is multiplied before the step.
        starts: the states at the start of a text, (H,) each.
    """

    def __init__(self, cell, weights: Mapping[str, np.ndarray], inputs: int, multiply: Products):
        table: dict[str, Callable] = {**FUNCTIONS, "matmul": multiply}
        graph = trace(cell, inputs)
        states = list(graph.states.values())
        after = round_constants(graph.after.values())
        after, x, kernels = separate_products(after, graph.x, keep_left=False)
        values: dict[Symbol, np.ndarray] = {symbol: weights[name] for name, symbol in graph.weights.items()}
        blocks = evaluate(kernels, values, table)
        beside = x.shape[-1] - sum(block.shape[1] for block in blocks)  # the input itself
        self.kernel = np.ascontiguousarray(np.hstack([*blocks, np.eye(inputs, beside)]))
        self.starts = [weights.get(f"initial_state_{k}", np.zeros(cell.units)) for k in range(len(states))]
        self._program, self._inputs = Program(after, [x, *states], values, table), [x, *states]

    def step(self, x: np.ndarray, states: list[np.ndarray]) -> list[np.ndarray]:
        """The states after a step, from the product of the input with `kernel` and the states before it."""
        after = self._program(dict(zip(self._inputs, [x, *states], strict=True)))
        return [limit(state) for state in after]


def round_constants(wanted: Iterable[Symbol]) -> list[Symbol]:
    """Symbols whose constants are rounded as by `round_constant`."""
    wanted = list(wanted)
    constants = [one for one in order_of(wanted) if one.operation == "constant"]
    return substitute(wanted, {one: as_symbol(round_constant(one.attributes["value"])) for one in constants})
