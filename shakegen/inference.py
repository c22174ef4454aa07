"""The forward pass of every cell in numpy: `(ids, state) → (logits, state)`.

One matrix product per layer and character: the product of a layer's output h with its recurrent kernel is kept, in the
state, for the next character, so the same product also makes the next layer's input, or the logits. A one beside h
carries the biases. A sigmoid is ½ + ½ tanh(x/2) with the inner ½ folded into the weights, so that one tanh covers all
gates; where h is a product with a gate, the outer ½ is folded into the weights that h meets next.
"""

import numpy as np


class Rnn:
    """h = tanh(x W + h U + b)."""

    def __init__(self, kernel, recurrent_kernel, bias):
        self.units = len(recurrent_kernel)
        self.kernel, self.input_bias = kernel, bias
        self.recurrent_kernel, self.recurrent_bias = recurrent_kernel, np.zeros_like(bias)
        self.memory, self.output_scale = 0, 1.0

    def bind(self, recurrent, memory, h):
        add, tanh = np.add, np.tanh

        def advance(x):
            add(recurrent, x, recurrent)
            tanh(recurrent, h)

        return advance


class Lstm:
    """c = σ(f) ⊙ c + σ(i) ⊙ tanh(g), h = σ(o) ⊙ tanh(c) (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    The gates stand in the order o i f g, so that g is c's neighbour and (i, f) ⊙ (g, c) is one product.
    """

    def __init__(self, kernel, recurrent_kernel, bias):
        self.units = len(recurrent_kernel)
        self.kernel, self.recurrent_kernel, self.input_bias = map(self._arranged, (kernel, recurrent_kernel, bias))
        self.recurrent_bias = np.zeros_like(self.input_bias)
        self.memory, self.output_scale = self.units, 0.5

    @staticmethod
    def _arranged(weights):
        i, f, g, o = np.split(weights, 4, axis=-1)
        return np.concatenate([o / 2, i / 2, f / 2, g], axis=-1)

    def bind(self, recurrent, memory, h):
        units, one, half = self.units, constant(1, h), constant(0.5, h)
        gates, o, i_f = recurrent[..., : 3 * units], recurrent[..., :units], recurrent[..., units : 3 * units]
        g_c = spanning(recurrent[..., 3 * units :], memory)
        products = np.empty(i_f.shape, i_f.dtype)
        new, kept = products[..., :units], products[..., units:]
        add, multiply, tanh = np.add, np.multiply, np.tanh

        def advance(x):
            add(recurrent, x, recurrent)
            tanh(recurrent, recurrent)
            add(gates, one, gates)
            multiply(i_f, g_c, products)
            add(new, kept, memory)
            multiply(memory, half, memory)
            tanh(memory, h)
            multiply(h, o, h)

        return advance


class Gru:
    """h = z ⊙ h + (1 - z) ⊙ tanh(x W + r ⊙ (h U + b)) (Cho et al. 2014; the reset gate after the product)."""

    def __init__(self, kernel, recurrent_kernel, bias):
        self.units = units = len(recurrent_kernel)
        halves = np.repeat(np.array([0.5, 0.5, 1], kernel.dtype), units)
        self.kernel, self.input_bias = kernel * halves, bias[0] * halves
        self.recurrent_kernel, self.recurrent_bias = recurrent_kernel / 2, bias[1] / 2
        self.memory, self.output_scale = units, 1.0

    def bind(self, recurrent, memory, h):
        units, one, half = self.units, constant(1, h), constant(0.5, h)
        gates, inner = recurrent[..., : 2 * units], recurrent[..., 2 * units :]
        z, r = gates[..., :units], gates[..., units:]
        add, multiply, subtract, tanh = np.add, np.multiply, np.subtract, np.tanh

        def advance(x):
            add(gates, x[..., : 2 * units], gates)
            tanh(gates, gates)
            add(gates, one, gates)
            multiply(r, inner, inner)
            add(inner, x[..., 2 * units :], inner)
            tanh(inner, inner)
            subtract(memory, inner, memory)
            multiply(memory, z, memory)
            multiply(memory, half, memory)
            add(memory, inner, memory)
            h[...] = memory

        return advance


CELLS = {"rnn": Rnn, "lstm": Lstm, "gru": Gru}


class Engine:
    """A trained network as a step function, one character for any number of streams at a time.

    The state is one array of shape (N, S), a row per stream: rows may be copied, reordered and repeated as one likes
    (`state[rows]` is how a beam search does it). What the numbers in a row are is the engine's own business.

    Args:
        cell: a name in `CELLS`.
        weights: of the network, by the names and in the shapes of `Config.weight_shapes`, all of one float type.

    Attributes:
        vocabulary_size: V, the number of ids and of logits.
    """

    def __init__(self, cell: str, weights: dict[str, np.ndarray]):
        count = sum(name.endswith("/recurrent_kernel") for name in weights)
        layers = []
        for number in range(1, count + 1):
            prefix = f"layer{number}/"
            parts = {name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)}
            layers.append(CELLS[cell](**parts))
        first = layers[0]
        inputs = first.kernel
        if "embedding/embeddings" in weights:
            inputs = weights["embedding/embeddings"] @ inputs
        self._table = inputs + first.input_bias
        self.vocabulary_size, self._dtype = len(self._table), self._table.dtype
        self._layers, self._products, self._spans, end = layers, [], [], 0
        followers = [(above.kernel, above.input_bias) for above in layers[1:]]
        followers.append((weights["dense/kernel"], weights["dense/bias"]))
        for layer, (kernel, bias) in zip(layers, followers, strict=True):
            product = np.concatenate([kernel, layer.recurrent_kernel], axis=1) * layer.output_scale
            biases = np.concatenate([bias, layer.recurrent_bias])
            self._products.append(np.ascontiguousarray(np.vstack([product, biases]), self._dtype))
            forward, recurrent = end + kernel.shape[1], end + product.shape[1]
            self._spans.append((end, forward, recurrent, recurrent + layer.memory))
            end = self._spans[-1][-1]
        self._bound, self._run, self._logits = None, None, None

    def start(self, streams: int = 1) -> np.ndarray:
        """The state of N streams that have read nothing, shape (N, S)."""
        state = np.zeros((streams, self._spans[-1][-1]), self._dtype)
        for product, (begin, _, recurrent, _) in zip(self._products, self._spans, strict=True):
            state[:, begin:recurrent] = product[-1]
        return state

    def step(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read one character in every stream.

        Args:
            ids: shape (N,), integers below V.
            state: shape (N, S), from `start` or an earlier step. It is consumed: its memory serves the new state.

        Returns:
            The logits of the next character, shape (N, V), valid until the next step, and the state, shape (N, S).
        """
        if state is not self._bound:
            self._bind(state)
        self._run(ids)
        return self._logits, state

    def prime(self, ids: np.ndarray, streams: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Read a text, shape (T,), once, and give what N streams that all have read it go on from.

        Returns:
            The logits of the next character, shape (N, V), and the state, shape (N, S); of an empty text, those of a
            network whose outputs are all zero.
        """
        state = self.start()
        for one in np.asarray(ids, np.intp)[:, None]:
            self.step(one, state)
        state = np.repeat(state, streams, axis=0)
        begin, forward = self._spans[-1][:2]
        return state[:, begin:forward], state

    def score(self, ids: np.ndarray, streams: int = 1) -> tuple[float, float]:
        """How well the network predicts a text, shape (T,), T > 1.

        The text is read in order with the state carried; with N streams it is cut in N contiguous parts that are read
        side by side, each from the start state.

        Returns:
            The mean negative log-likelihood of a character given those before it, in nats, and the share of characters
            that were the likeliest.
        """
        rows = -(-(len(ids) - 1) // streams)
        inputs, targets = np.zeros((2, streams * rows), np.intp)
        inputs[: len(ids) - 1], targets[: len(ids) - 1] = ids[:-1], ids[1:]
        counts = np.clip(len(ids) - 1 - rows * np.arange(streams), 0, rows)
        state, nats, hits = self.start(streams), 0.0, 0
        every = np.arange(streams)
        inputs, targets = inputs.reshape(streams, rows), targets.reshape(streams, rows)
        for t in range(rows):
            logits, state = self.step(inputs[:, t], state)
            highest = logits.max(axis=1)
            right = logits[every, targets[:, t]]
            surprisal = np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest - right
            live = counts > t
            nats += surprisal[live].sum(dtype=float)
            hits += np.count_nonzero(right[live] == highest[live])
        return nats / (len(ids) - 1), hits / (len(ids) - 1)

    def _bind(self, state: np.ndarray) -> None:
        """Lay views over a state and compile the list of calls that advance it."""
        single = len(state) == 1
        rows = state[0] if single else state
        x = np.empty((len(state), self._table.shape[1]), self._dtype)
        layer_input, calls = (x[0] if single else x), []
        for layer, product, (begin, forward, recurrent, end) in zip(
            self._layers, self._products, self._spans, strict=True
        ):
            h = np.ones((*rows.shape[:-1], layer.units + 1), self._dtype)
            advance = layer.bind(rows[..., forward:recurrent], rows[..., recurrent:end], h[..., :-1])
            calls.append((advance, layer_input, h, product, rows[..., begin:recurrent]))
            layer_input = rows[..., begin:forward]
        take, matmul = self._table.take, np.dot if single else np.matmul

        def run(ids):
            take(ids, 0, x, "clip")
            for advance, inputs, h, product, out in calls:
                advance(inputs)
                matmul(h, product, out)

        begin, forward = self._spans[-1][:2]
        self._bound, self._run, self._logits = state, run, state[:, begin:forward]


def constant(value: float, like: np.ndarray) -> np.ndarray:
    """A scalar as an array: numpy converts a Python number anew in every call."""
    return np.array(value, like.dtype)


def spanning(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """One view over two views that are neighbours in the last axis of one array."""
    width = left.shape[-1] + right.shape[-1]
    return np.lib.stride_tricks.as_strided(left, (*left.shape[:-1], width), left.strides)
