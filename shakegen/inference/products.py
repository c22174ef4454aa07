"""The matrix products of a network, laid out for the engine.

One matrix product per layer and character: the product of a layer's output h with its recurrent kernel is kept, in the
state, for the next character, so the same product also makes the next layer's input, or the logits. A one beside h
carries the biases. Residual connections add up outputs, and so do products: there the outputs of all layers below stand
beside h too. Where there are many outputs and few steps whose logits matter, the product with the read-out is put off.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from shakegen.cells.numpy_step import NumpyStep, pad_product
from shakegen.inference.layers import layers_of
from shakegen.inference.threads import multiply


class Layer(NamedTuple):
    """A layer, and where its numbers stand in a row of the state.

    Attributes:
        step: of its cell.
        matrix: the right factor of (1, h); where layers add up, of (1, h of the layers below, h).
        upward: the columns of it that make the inputs of the layer above, or the logits.
        product: the places of the whole product.
        forward: those of the inputs of the layer above, or of the logits.
        recurrent: those of the recurrent part of its next step, and of the memory behind it.
    """

    step: NumpyStep
    matrix: np.ndarray
    upward: np.ndarray
    product: slice
    forward: slice
    recurrent: slice


class Products:
    """The weights of a network as the engine multiplies them. Nothing in it changes.

    Args:
        config, weights, defer_read_out: as for `Engine`.

    Attributes:
        table: the input of the first layer's step for each id, shape (V, ·).
        layers: from below.
        start: the row of a state that has read nothing, shape (S,).
        results: the places of the logits in it, or of the input of the read-out.
        deferred: whether the read-out is put off.
        read_out: its kernel and bias.
        outputs: the number of logits.
    """

    def __init__(self, config, weights: Mapping[str, np.ndarray], defer_read_out: bool):
        dense = weights["dense/kernel"], weights["dense/bias"]
        self._adds_layers, self._units, self.deferred = config.adds_layers, config.units, defer_read_out
        self.outputs, self.read_out = len(dense[1]), dense
        steps, outputs = [], []  # and the outputs of each layer before the text, as its product meets them
        for cell, own, size in layers_of(config, weights):
            steps.append(NumpyStep(cell, own, size))
            h = own.get("initial_state_0", np.zeros(config.units, dense[0].dtype))
            outputs.append(h / steps[-1].output_scale)
        inputs = steps[0].kernel
        if config.embedding:
            inputs = weights["embedding/embeddings"] @ inputs
        self.table = inputs + steps[0].input_bias
        self.layers: list[Layer] = []
        followers = [(above.kernel, above.input_bias) for above in steps[1:]]
        followers.append((dense[0][:, :0], dense[1][:0]) if defer_read_out else dense)
        start, first = [], 0
        for number, (step, (kernel, bias)) in enumerate(zip(steps, followers, strict=True)):
            below = number if self._adds_layers else 0
            matrix = np.ascontiguousarray(make_matrix(step, kernel, bias, below), self.table.dtype)
            one_h = np.concatenate([[1], *outputs[number - below : number + 1]])
            start += [one_h @ matrix[: len(one_h)], step.initial_memory]
            memory = first + matrix.shape[1]
            recurrent = memory - step.recurrent_kernel.shape[1]
            forward, end = recurrent - kernel.shape[1], memory + len(step.initial_memory)
            upward = matrix[:, forward - first : recurrent - first]
            places = slice(first, memory), slice(forward, recurrent), slice(recurrent, end)
            self.layers.append(Layer(step, matrix, upward, *places))
            first = end
        self.results = self.layers[-1].forward
        if defer_read_out:
            beside = np.concatenate(outputs if self._adds_layers else outputs[-1:])
            self.results = slice(first, first + len(beside))
            kernel = np.vstack([dense[0]] * (len(beside) // config.units)) * steps[-1].output_scale
            self.read_out = kernel, dense[1]
            start.append(beside)
        self.start = np.concatenate(start).astype(self.table.dtype)

    def make_outputs(self, shape: tuple) -> list[tuple[np.ndarray, np.ndarray]]:
        """Memory for the outputs of each layer, in rows of some shape: the left factor of its matrix, and h within it.

        It has ones at first. Numbers beside h meet zeros.
        """
        sizes, places = [len(layer.matrix) for layer in self.layers], [1] * len(self.layers)
        if self._adds_layers:
            whole = np.ones((*shape, sizes[-1]), self.table.dtype)
            memory, places = [whole[..., :size] for size in sizes], [1 + k * self._units for k in range(len(sizes))]
        else:
            memory = [np.ones((*shape, size), self.table.dtype) for size in sizes]
        return [(one_h, one_h[..., k : k + self._units]) for one_h, k in zip(memory, places, strict=True)]

    def find_results(self, one_h: np.ndarray) -> np.ndarray:
        """The logits, or the inputs of the read-out, from left factors of the last layer's matrix, a row for each."""
        width = self.results.stop - self.results.start
        return one_h[:, 1 : 1 + width] if self.deferred else multiply(one_h, self.layers[-1].upward)


def make_matrix(step: NumpyStep, kernel: np.ndarray, bias: np.ndarray, below: int) -> np.ndarray:
    """The matrix of a layer: rows for 1, for h of so many layers below, and for h; columns that go up, then back."""
    back = np.zeros_like(step.recurrent_kernel)
    rows = [np.concatenate([bias, step.recurrent_bias])[None]]
    rows += [np.hstack([kernel, back]) * step.output_scale] * below
    rows.append(np.hstack([kernel, step.recurrent_kernel]) * step.output_scale)
    return pad_product(np.vstack(rows), in_front=True)
