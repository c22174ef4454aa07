"""The dependence of each output of a network on each character that it read (Madsen 2019). Only numpy.

The connectivity of an output at t with the character at s is the squared L2 norm of the gradient of one of its logits
with respect to the one-hot input at s.
"""

import numpy as np

from shakegen.checks import check_ids
from shakegen.inference.layers import layers_of
from shakegen.inference.threads import MOST, get_blas, multiply
from shakegen.study.connectivity.layer import LayerTrace

BLOCK = 64  # outputs that go back together, in a thread of their own


class Gradients:
    """A network along one text: its outputs, and the way back from any of them.

    Args:
        config: the architecture, with the fields of `Config`.
        weights: of the network, by the names of `Config.weight_shapes`, all of one float type.
        ids: the text, shape (T,), T > 0.

    Raises:
        ValueError: an id is out of range.
    """

    def __init__(self, config, weights: dict[str, np.ndarray], ids: np.ndarray):
        self.config, self.dense = config, (weights["dense/kernel"], weights["dense/bias"])
        get_blas().call(1, self._read, weights, ids)

    def _read(self, weights: dict[str, np.ndarray], ids: np.ndarray) -> None:
        """Read the text. In one thread, for the steps are small, and no number of threads may change a bit."""
        config, embedding = self.config, weights.get("embedding/embeddings")
        self.layers: list[LayerTrace] = []
        self.hidden: np.ndarray
        for layer in (LayerTrace(*one) for one in layers_of(config, weights)):
            if not self.layers:
                table = layer.kernel if embedding is None else embedding @ layer.kernel
                ids = np.asarray(ids, np.intp)
                check_ids(ids, len(table))
                self.hidden = layer.read(table[ids])
            else:
                outputs = layer.read(self.hidden @ layer.kernel)
                self.hidden = outputs + self.hidden if config.adds_layers else outputs
            self.layers.append(layer)
        self.kernels = [layer.kernel for layer in self.layers]
        if embedding is not None:
            self.kernels[0] = same_norms(embedding) @ self.kernels[0]
        self.kernels[0] = same_norms(self.kernels[0])

    def logits(self, positions=slice(None)) -> np.ndarray:
        """The logits after each character, shape (T, outputs), or at some positions."""
        kernel, bias = self.dense
        return multiply(self.hidden[positions], kernel) + bias

    def connectivity(self, targets: np.ndarray, block: int = BLOCK) -> np.ndarray:
        """The squared norm of the gradient of each output's chosen logit by each one-hot input.

        Args:
            targets: which logit, for every output, shape (T,).
            block: how many outputs go back together.

        Returns:
            Shape (T, T): row t is the output at t, column s the input at s; zero where s > t.

        Raises:
            ValueError: a target is out of range.
        """
        targets = np.asarray(targets)
        check_ids(targets, self.dense[0].shape[1])
        count = len(self.hidden)
        norms, seeds = np.zeros((count, count), self.hidden.dtype), self.dense[0][:, targets].T

        def go_back(first):
            self._go_back(first, seeds[first : first + block], norms[first : first + block])

        get_blas().share(MOST, go_back, range(0, count, block))
        return norms

    def _go_back(self, first: int, seeds: np.ndarray, norms: np.ndarray) -> None:
        """Fill the rows of outputs first, first + 1 …; those after the step at hand wait at the arrays' beginnings."""
        carried = [[np.zeros_like(seeds) for _ in range(layer.states)] for layer in self.layers]
        for step in reversed(range(first + len(seeds))):
            self._go_back_once(step, first, seeds, carried, norms)

    def _go_back_once(self, step: int, first: int, seeds, carried, norms: np.ndarray) -> None:
        live = slice(max(0, step - first), None)
        hidden = np.zeros_like(seeds[live])
        if step >= first:
            hidden[0] = seeds[step - first]
        for number in reversed(range(len(self.layers))):
            states = [state[live] for state in carried[number]]
            states[0] = states[0] + hidden
            delta, before = self.layers[number].go_back(step, states)
            for state, gradient in zip(carried[number], before, strict=True):
                state[live] = gradient
            below = delta @ self.kernels[number].T
            hidden = below + hidden if self.config.adds_layers and number else below
        norms[live, step] = np.square(hidden).sum(axis=1)


def same_norms(table: np.ndarray) -> np.ndarray:
    """A matrix B of no more rows than columns with ‖B v‖ = ‖A v‖ for every v."""
    rows, columns = table.shape
    return np.asarray(np.linalg.qr(table, mode="r")) if rows > columns else table
