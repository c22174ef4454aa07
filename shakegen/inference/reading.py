"""A network reads many symbols in a row, layer by layer.

Only the product with h waits for the step before it. The products that make the inputs of a layer, and the logits, are
one for many steps, and each layer in turn has its recurrent weights in the cache to itself.
"""

import functools
import itertools
import math
from collections.abc import Callable

import numpy as np

from shakegen.cells.numpy_step import NumpyStep, lay_product
from shakegen.inference.threads import SHARED, Pace, get_blas

ROWS = 256  # steps times streams that one layer takes before the next one does


class Recurrence:
    """One layer, laid over its part of a state.

    Args:
        step: of the layer.
        row: the recurrent part of the pre-activations, and the memory behind it, of one stream (·) or of several (N,
            ·); overwritten.
    """

    def __init__(self, step: NumpyStep, row: np.ndarray):
        self._stages, self._row, self._largest = step.stages, row, step.largest_product
        product = step.recurrent_product
        units, width = step.recurrent_kernel.shape
        early, kept = self._stages.widths
        self._x, self._early, one_h, products = (
            np.ones((*row.shape[:-1], size), row.dtype) for size in (len(step.input_bias), early, *product.shape)
        )
        self._kept = one_h[..., 1 : 1 + units] if width else np.empty((*row.shape[:-1], kept), row.dtype)
        self._calls = self._stages.bind(row, self._x, self._kept, self._early)
        if width:
            direct = width == product.shape[1] and row.ndim == 1
            self._calls.append(lay_product(one_h, product, row[..., :width] if direct else products))
            if not direct:
                self._calls.append((np.copyto, (row[..., :width], products[..., -width:])))

    def read(self, inputs: np.ndarray, outputs: np.ndarray, pace: Pace | None) -> None:
        """Read products with the inputs, shape (T · N, ·), and write the outputs, (T · N, H).

        A pace chooses the number of threads.
        """
        stages, calls, copyto = self._stages, self._calls, np.copyto
        early = self._compute(stages.compute_early, inputs, self._row)
        kept = np.empty((len(inputs), self._kept.shape[-1]), inputs.dtype) if stages.is_late else outputs
        first, second = (self._x, inputs), (self._early, early)
        if not stages.reads_input:
            first, second = second, first
        own_first, own_second, own_kept = first[0], second[0], self._kept

        def advance(first, second, kept):
            copyto(own_first, first)
            if second is not None:
                copyto(own_second, second)
            for function, arguments in calls:
                function(*arguments)
            copyto(kept, own_kept)

        if pace:
            advance = functools.partial(pace.run, advance)
        streams = self._row.shape[:-1]
        shape = (len(inputs) // math.prod(streams), *streams)
        given, more, taken = (one.reshape(*shape, one.shape[1]) for one in (first[1], second[1], kept))
        both = stages.reads_input and early.shape[1]
        for step in zip(given, more if both else itertools.repeat(None, len(given)), taken, strict=True):
            advance(*step)
        if stages.is_late:
            self._compute(stages.compute_late, inputs, outputs, early, kept)

    def _compute(self, stage: Callable, inputs: np.ndarray, *others: np.ndarray):
        """Compute a stage of all steps at once, each of its products in one thread."""
        if len(inputs) * self._largest < SHARED:
            return stage(inputs, *others)
        return get_blas().call(1, stage, inputs, *others)
