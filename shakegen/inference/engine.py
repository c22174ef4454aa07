"""The forward pass of a whole network in numpy: `(ids, state) → (logits, state)`.

One matrix product per layer and character: the product of a layer's output h with its recurrent kernel is kept, in the
state, for the next character, so the same product also makes the next layer's input, or the logits. A one beside h
carries the biases. Residual connections add up outputs, and so do products: there the outputs of all layers below stand
beside h too. Where there are many outputs and few steps whose logits matter, the product with the read-out is put off.
"""

import functools
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from shakegen.cells.numpy_step import NumpyStep, lay_product, pad_product
from shakegen.checks import check_ids
from shakegen.inference.layers import layers_of
from shakegen.inference.reading import ROWS, Recurrence, make_recurrent
from shakegen.inference.threads import Pace, get_blas

SEVERAL = 128  # characters of a seed; with fewer, the first reading takes longer to prepare than it saves
SHARED = 1 << 18  # multiplications; OpenBLAS computes smaller products in one thread


class Engine:
    """A trained network as a step function, one character for any number of streams at a time.

    The state is one array of shape (N, S), a row per stream: rows may be copied, reordered and repeated as one likes
    (`state[rows]` is how a beam search does it). Only the engine knows the meaning of the numbers in a row.

    Args:
        config: the architecture, with the fields of `Config`.
        weights: of the network, by the names and in the shapes of `Config.weight_shapes`, all of one float type.
        defer_read_out: give the input of `read_out`, few numbers (N, F), instead of logits.

    Attributes:
        vocabulary_size: V, the number of ids.
        outputs: the number of logits.
    """

    def __init__(self, config, weights: Mapping[str, np.ndarray], defer_read_out: bool = False):
        self._adds_layers, self._deferred = config.adds_layers, defer_read_out
        dense, layers, starts = (weights["dense/kernel"], weights["dense/bias"]), [], []
        for cell, own, size in layers_of(config, weights):
            layers.append(NumpyStep(cell, own, size))
            starts.append(own.get("initial_state_0", np.zeros(config.units, dense[0].dtype)))
        inputs = layers[0].kernel
        if config.embedding:
            inputs = weights["embedding/embeddings"] @ inputs
        self._table = inputs + layers[0].input_bias
        self.vocabulary_size, self._dtype = len(self._table), self._table.dtype
        self._layers, self._units, self._products = layers, config.units, []
        self._spans: list[tuple[int, int, int, int, int]] = []
        followers = [(above.kernel, above.input_bias) for above in layers[1:]]
        followers.append((dense[0][:, :0], dense[1][:0]) if defer_read_out else dense)
        self.outputs, start = len(dense[1]), []
        for number, (layer, (kernel, bias)) in enumerate(zip(layers, followers, strict=True)):
            product = self._product(layer, kernel, bias, below=number if self._adds_layers else 0)
            outputs = starts[: number + 1] if self._adds_layers else starts[number : number + 1]
            one_h = np.concatenate([[1], *(h0 / layer.output_scale for h0 in outputs)])
            start += [one_h @ product[: len(one_h)], layer.initial_memory]
            first = self._spans[-1][-1] if self._spans else 0
            recurrent = first + product.shape[1]
            forward = recurrent - layer.recurrent_kernel.shape[1]
            begin = forward - kernel.shape[1]
            self._products.append(np.ascontiguousarray(product, self._dtype))
            self._spans.append((first, begin, forward, recurrent, recurrent + len(layer.initial_memory)))
        self._result = slice(*self._spans[-1][1:3])
        if defer_read_out:
            beside = np.concatenate(
                [h0 / layers[-1].output_scale for h0 in (starts if self._adds_layers else starts[-1:])]
            )
            end = self._spans[-1][-1]
            self._result = slice(end, end + len(beside))
            self._dense = np.vstack([dense[0]] * (len(beside) // config.units)) * layers[-1].output_scale, dense[1]
            start.append(beside)
        self._start = np.concatenate(start).astype(self._dtype)
        self._bound: np.ndarray | None = None  # the state that the views below are laid over
        self._run: Callable[[np.ndarray], None]
        self._paces: dict[tuple[int, bool], Pace | None] = {}  # by the number of streams, and whether they only read
        self._recurrent: dict[int, np.ndarray] = {}  # what (1, h) of each layer meets, where a text is read
        self._results: np.ndarray

    @staticmethod
    def _product(layer, kernel, bias, below: int) -> np.ndarray:
        """What (1, h of as many layers below as are added up, h) meets: to the layer above, or the logits, and back."""
        back = np.zeros_like(layer.recurrent_kernel)
        rows = [np.concatenate([bias, layer.recurrent_bias])[None]]
        rows += [np.hstack([kernel, back]) * layer.output_scale] * below
        rows.append(np.hstack([kernel, layer.recurrent_kernel]) * layer.output_scale)
        return pad_product(np.vstack(rows), in_front=True)

    def start(self, streams: int = 1) -> np.ndarray:
        """The state of N streams that have read nothing, shape (N, S)."""
        return np.tile(self._start, (streams, 1))

    def step(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read one character in every stream.

        Args:
            ids: shape (N,), integers below V.
            state: shape (N, S), from `start` or an earlier step. It is consumed: its memory serves the new state.

        Returns:
            The logits, shape (N, outputs), or with `defer_read_out` the input of `read_out`, shape (N, F), valid
            until the next step, and the state, shape (N, S).

        Raises:
            ValueError: an id is out of range.
        """
        check_ids(ids, self.vocabulary_size)
        if state is not self._bound:
            self._bind(state)
        self._run(ids)
        return self._results, state

    def prime(self, ids: np.ndarray, streams: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Read a text, shape (T,), once, and give the logits and states from which N streams go on.

        Returns:
            As `step`; for an empty text, the logits of a network whose layers all give their initial outputs.

        Raises:
            ValueError: an id is out of range.
        """
        ids, state = np.asarray(ids, np.intp), self.start()
        check_ids(ids, self.vocabulary_size)
        if len(ids) < SEVERAL:
            for one in ids[:, None]:
                self.step(one, state)
        else:
            for _ in self._read_blocks(ids[:, None], state):
                pass
        state = np.repeat(state, streams, axis=0)
        return state[:, self._result], state

    def read(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read several characters in every stream: what `step` gives for each, to rounding, in less time.

        Args:
            ids: shape (T, N), integers below V.
            state: as for `step`.

        Returns:
            The results of all steps, shape (T, N, outputs), or with `defer_read_out` (T, N, F), and the state, (N, S).

        Raises:
            ValueError: an id is out of range.
        """
        ids = np.asarray(ids, np.intp)
        check_ids(ids.ravel(), self.vocabulary_size)
        width = self._result.stop - self._result.start
        blocks = [self._find_results(outputs) for outputs in self._read_blocks(ids, state)]
        return np.concatenate([np.empty((0, width), self._dtype), *blocks]).reshape(*ids.shape, width), state

    def _read_blocks(self, ids: np.ndarray, state: np.ndarray) -> Iterator[np.ndarray]:
        """Read ids of shape (T, N), layer by layer, a block of steps at a time; the state follows.

        Yields:
            What the last product meets, a row for each step and stream.
        """
        streams = len(state)
        rows = state[0] if streams == 1 else state
        recurrences = []
        for number, (layer, (_, _, forward, _, end)) in enumerate(zip(self._layers, self._spans, strict=True)):
            if number not in self._recurrent:
                self._recurrent[number] = make_recurrent(layer)
            recurrences.append(Recurrence(layer, self._recurrent[number], rows[..., forward:end]))
        pace, steps = self._find_pace(streams, reading=True), max(1, ROWS // streams)
        for begin in range(0, len(ids), steps):
            some = ids[begin : begin + steps].ravel()
            inputs, outputs = self._table.take(some, 0), None
            for number, recurrence in enumerate(recurrences):
                outputs, one_h, h = self._lay_out(outputs, some.shape, number)
                recurrence.read(inputs, h, pace)
                if number + 1 < len(recurrences):
                    inputs = self._multiply(number, one_h)
                elif begin + steps >= len(ids):
                    state[:, self._result] = self._find_results(one_h[-streams:])
            yield one_h

    def read_out(self, results: np.ndarray) -> np.ndarray:
        """The logits of a step that ran with `defer_read_out`, shape (N, F) → (N, outputs)."""
        kernel, bias = self._dense
        logits = results @ kernel
        logits += bias
        return logits

    def activations(self, ids: np.ndarray, names=None, state: np.ndarray | None = None) -> list[dict[str, np.ndarray]]:
        """Record gates and states while the network reads a text.

        Args:
            ids: the text, shape (T,).
            names: the gates and states to record; all by default.
            state: of one stream, shape (1, S), to go on from, as for `step`; by default that of `start`.

        Returns:
            For each layer, arrays (T, H) by the letters of its cell's equations: the output h; of an lstm the gates i f
            o, the candidate g and the memory c; of an nlstm the same for every level, i0 … c0, i1 …; of a gru the gates
            z r and the candidate g. Gates are between 0 and 1. Each row is for one character.

        Raises:
            ValueError: an id is out of range.
        """
        check_ids(ids, self.vocabulary_size)
        activations: list[dict[str, tuple[list[np.ndarray], int]]] = []

        def watch(views):
            views = {name: view for name, view in views.items() if names is None or name in names}
            kept: dict[str, tuple[list[np.ndarray], int]] = {
                name: ([], array.shape[-1]) for name, (array, _) in views.items()
            }
            activations.append(kept)

            def record():
                for name, (array, factor) in views.items():
                    kept[name][0].append(array * factor)

            return record

        self._bind(self.start() if state is None else state, watch)
        for one in np.asarray(ids, np.intp)[:, None]:
            self._run(one)
        self._bound = None
        return [
            {name: np.reshape(rows, (len(ids), width)) for name, (rows, width) in kept.items()} for kept in activations
        ]

    def _bind(self, state: np.ndarray, watch: Callable | None = None) -> None:
        """Lay views over a state and compile the list of calls that advance it.

        Args:
            watch: makes, from the arrays that a layer shows, a function to call after each of its steps.
        """
        single = len(state) == 1
        rows = state[0] if single else state
        x = np.empty((len(state), self._table.shape[1]), self._dtype)
        layer_input, calls = (x[0] if single else x), []
        take, copyto = self._table.take, np.copyto
        outputs = None
        for number, (layer, product, (first, begin, forward, recurrent, end)) in enumerate(
            zip(self._layers, self._products, self._spans, strict=True)
        ):
            outputs, one_h, h = self._lay_out(outputs, rows.shape[:-1], number)
            steps, views = layer.bind(layer_input, rows[..., forward:end], h, watch is not None)
            calls += steps
            if watch is not None:
                calls.append((watch(views), ()))
            calls.append(lay_product(one_h, product, rows[..., first:recurrent]))
            layer_input = rows[..., begin:forward]
        results = rows[..., self._result]
        if self._deferred:
            calls.append((copyto, (results, one_h[..., 1 : 1 + results.shape[-1]])))

        def run(ids):
            take(ids, 0, x, "clip")
            for function, arguments in calls:
                function(*arguments)

        pace = self._find_pace(len(state))
        self._bound, self._results = state, state[:, self._result]
        self._run = functools.partial(pace.run, run) if pace else run

    def _lay_out(self, outputs: np.ndarray | None, shape: tuple, number: int) -> tuple[np.ndarray, ...]:
        """Memory for (1, h) of a layer, for rows of some shape: ones at first; what is beside h meets zeros.

        Args:
            outputs: those of the layers below; None for the first one.

        Returns:
            The outputs, what the layer's product meets, and h within it.
        """
        below = number if self._adds_layers else 0
        if outputs is None or not self._adds_layers:
            outputs = np.ones((*shape, len(self._products[-1 if self._adds_layers else number])), self._dtype)
        h = outputs[..., 1 + below * self._units : 1 + (below + 1) * self._units]
        return outputs, outputs[..., : len(self._products[number])], h

    def _multiply(self, number: int, one_h: np.ndarray) -> np.ndarray:
        """The inputs of the layer above, or the logits, from (1, h) of a layer, a row for each."""
        first, begin, forward, *_ = self._spans[number]
        return one_h @ self._products[number][:, begin - first : forward - first]

    def _find_results(self, one_h: np.ndarray) -> np.ndarray:
        """The results of the network, from (1, h) of its last layer, a row for each."""
        width = self._result.stop - self._result.start
        return one_h[:, 1 : 1 + width] if self._deferred else self._multiply(len(self._layers) - 1, one_h)

    def _find_pace(self, streams: int, reading: bool = False) -> Pace | None:
        """What chooses the number of threads for so many streams; None where BLAS always uses one."""
        key, products = (streams, reading), self._recurrent.values() if reading else self._products
        if key not in self._paces:
            shared = streams * max(product.size for product in products) >= SHARED and get_blas().threads > 1
            self._paces[key] = Pace(get_blas()) if shared else None
        return self._paces[key]
