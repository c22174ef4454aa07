"""The forward pass of a whole network in numpy: `(ids, state) → (logits, state)`."""

import functools
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from shakegen.cells.numpy_step import lay_product
from shakegen.cells.stages import call_all
from shakegen.checks import check_ids
from shakegen.inference.products import Products
from shakegen.inference.reading import ROWS, Recurrence
from shakegen.inference.threads import MOST, SHARED, Pace, cut_rows, get_blas, multiply

SEVERAL = 128  # characters of a seed; with fewer, the first reading takes longer to prepare than it saves


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
        self._products = Products(config, weights, defer_read_out)
        self.vocabulary_size, self.outputs = len(self._products.table), self._products.outputs
        self._bound: np.ndarray | None = None  # the state that the calls below are laid over
        self._run: Callable[[np.ndarray], None]
        self._results: np.ndarray
        self._paces: dict[tuple, Pace] = {}  # by the arguments of `_find_pace`, and the threads that there are

    def start(self, streams: int = 1) -> np.ndarray:
        """The state of N streams that have read nothing, shape (N, S)."""
        return np.tile(self._products.start, (streams, 1))

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
        return state[:, self._products.results], state

    def read(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read several characters in every stream: to rounding, the results of as many steps, in less time.

        Args:
            ids: shape (T, N), integers below V.
            state: as for `step`.

        Returns:
            The results of all steps, shape (T, N, outputs), or with `defer_read_out` (T, N, F), and the state, (N, S).

        Raises:
            ValueError: an id is out of range.
        """
        ids, products = np.asarray(ids, np.intp), self._products
        check_ids(ids.ravel(), self.vocabulary_size)
        none = np.empty((0, products.results.stop - products.results.start), products.table.dtype)

        def read(some):
            blocks = self._read_blocks(ids[:, some], state[some])
            found = np.concatenate([none, *(products.find_results(outputs) for outputs in blocks)])
            return found.reshape(*ids[:, some].shape, none.shape[1])

        if len(state) == 1 or not self._is_large(min(ids.size, ROWS)):
            return read(slice(None)), state
        return np.concatenate(get_blas().share(MOST, read, self._cut(len(state))), 1), state

    def _read_blocks(self, ids: np.ndarray, state: np.ndarray) -> Iterator[np.ndarray]:
        """Read ids of shape (T, N), layer by layer, a block of steps at a time; the state follows.

        Yields:
            The left factors of the last layer's matrix, a row for each step and stream.
        """
        if not ids.size:
            return
        products, streams = self._products, len(state)
        rows = state[0] if streams == 1 else state
        recurrences = [Recurrence(layer.step, rows[..., layer.recurrent]) for layer in products.layers]
        pace, steps = self._find_pace(1, reading=True) if streams == 1 else None, max(1, ROWS // streams)
        for begin in range(0, len(ids), steps):
            some = ids[begin : begin + steps].ravel()
            inputs, memory = products.table.take(some, 0), products.make_outputs(some.shape)
            for layer, recurrence, (one_h, h) in zip(products.layers, recurrences, memory, strict=True):
                recurrence.read(inputs, h, pace)
                if layer is not products.layers[-1]:
                    inputs = multiply(one_h, layer.upward)
            if begin + steps >= len(ids):
                state[:, products.results] = products.find_results(one_h[-streams:])
            yield one_h

    def read_out(self, results: np.ndarray) -> np.ndarray:
        """The logits of steps that ran with `defer_read_out`, shape (..., F) → (..., outputs)."""
        kernel, bias = self._products.read_out
        logits = multiply(results.reshape(-1, len(kernel)), kernel).reshape(*results.shape[:-1], self.outputs)
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
        ids = np.asarray(ids, np.intp)
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
        self._bound = None  # another step of this state is not to be watched
        for one in ids[:, None]:
            self._run(one)
        return [
            {name: np.reshape(rows, (len(ids), width)) for name, (rows, width) in kept.items()} for kept in activations
        ]

    def _bind(self, state: np.ndarray, watch: Callable | None = None) -> None:
        """Lay views over a state and compile the list of calls that advance it.

        Args:
            watch: makes, from the arrays that a layer shows, a function to call after each of its steps.
        """
        products, streams = self._products, len(state)
        x = np.empty((streams, products.table.shape[1]), products.table.dtype)
        parts = self._cut(streams) if watch is None else [slice(None)]
        calls = [self._lay(x[some], state[some], watch) for some in parts]
        take, first, pace = products.table.take, calls[0], self._find_pace(streams, len(parts))

        def run(ids):
            take(ids, 0, x, "clip")
            for function, arguments in first:
                function(*arguments)

        def run_parts(ids):
            take(ids, 0, x, "clip")
            if pace:
                pace.run(call_all, calls)
            else:
                for part in calls:
                    call_all(part)

        self._run = run_parts if len(parts) > 1 else functools.partial(pace.run, run) if pace else run
        self._bound, self._results = state, state[:, products.results]  # last: only now can it take a step

    def _lay(self, x: np.ndarray, state: np.ndarray, watch: Callable | None) -> list[tuple[Callable, tuple]]:
        """The calls that advance some streams by a step, from the inputs x of the first layer."""
        products = self._products
        layer_input, rows = (x[0], state[0]) if len(state) == 1 else (x, state)
        calls: list[tuple[Callable, tuple]] = []
        for layer, (one_h, h) in zip(products.layers, products.make_outputs(rows.shape[:-1]), strict=True):
            steps, views = layer.step.bind(layer_input, rows[..., layer.recurrent], h, watch is not None)
            calls += steps
            if watch is not None:
                calls.append((watch(views), ()))
            calls.append(lay_product(one_h, layer.matrix, rows[..., layer.product]))
            layer_input = rows[..., layer.forward]
        if products.deferred:
            results = rows[..., products.results]
            calls.append((np.copyto, (results, one_h[..., 1 : 1 + results.shape[-1]])))
        return calls

    def _cut(self, streams: int) -> list[slice]:
        """Parts of so many streams that threads can share."""
        return cut_rows(streams, sum(layer.matrix.size for layer in self._products.layers))

    def _is_large(self, streams: int, reading: bool = False) -> bool:
        """Whether BLAS would compute a product of so many streams in several threads."""
        matrices = (one.step.recurrent_product if reading else one.matrix for one in self._products.layers)
        largest = max(matrix.size for matrix in matrices)
        return streams * max(largest, *(one.step.largest_product for one in self._products.layers)) >= SHARED

    def _find_pace(self, streams: int, parts: int = 1, reading: bool = False) -> Pace | None:
        """The chooser of the number of threads for so many streams; None where there is nothing to choose."""
        threads = get_blas().threads if self._is_large(streams, reading) else 1
        if threads == 1:
            return None
        key = streams, parts, reading, threads
        if key not in self._paces:
            call = get_blas().share if parts > 1 else get_blas().call
            self._paces[key] = Pace(call, threads if streams == 1 else min(threads, parts))
        return self._paces[key]
