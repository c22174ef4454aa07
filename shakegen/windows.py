"""Ids to batches of windows, as `tf.data` pipelines. One-hot exists a batch at a time; ids stay small."""

import numpy as np

TARGETS = ("last", "all")


def check_length(ids: np.ndarray, length: int, part: str = "text") -> None:
    """Refuse a text that is shorter than one window of `length` characters and the one that follows it."""
    if length < 1:
        raise ValueError(f"the window length is {length}: expected 1 character or more")
    if len(ids) <= length:
        raise ValueError(
            f"the {part} has {len(ids)} characters, but a window of {length} and its next character need {length + 1}: "
            "try a longer text or shorter windows (--seq-length)"
        )


def cut(ids: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """The windows that begin at `starts`, shape (N, length)."""
    return ids[np.asarray(starts)[:, None] + np.arange(length)]


def one_hot_windows(
    ids: np.ndarray,
    vocabulary,
    length: int = 40,
    stride: int = 3,
    batch_size: int = 64,
    targets: str = "last",
    random_state: int | None = None,
):
    """The textbook's windows: every `stride` characters one of `length`, one-hot, to predict what follows.

    Args:
        ids: the text, shape (characters,).
        vocabulary: its `Vocabulary`, of size V.
        length: characters in a window, T.
        stride: characters from one window's start to the next one's.
        batch_size: windows in a batch, N; the last batch may have fewer.
        targets: "last", the character after the window, or "all", the next character at every position.
        random_state: None keeps the text's order; a number shuffles the windows, anew in each pass.

    Returns:
        A `tf.data.Dataset` of pairs of float32: windows (N, T, V), and targets (N, V) or (N, T, V).

    Raises:
        ValueError: the text is too short for one window, or an argument is out of range.
    """
    import tensorflow as tf

    check_length(ids, length)
    if targets not in TARGETS:
        raise ValueError(f"targets is {targets!r}: expected 'last' or 'all'")
    if stride < 1 or batch_size < 1:
        raise ValueError(f"stride {stride} and batch size {batch_size}: expected 1 or more of each")
    starts = np.arange(0, len(ids) - length, stride)
    passes = 0

    def batches():
        nonlocal passes
        order = starts
        if random_state is not None:
            order = np.random.default_rng((random_state, passes)).permutation(starts)
            passes += 1
        for begin in range(0, len(order), batch_size):
            windows = cut(ids, order[begin : begin + batch_size], length + 1)
            yield windows[:, :-1], (windows[:, -1] if targets == "last" else windows[:, 1:])

    size = len(vocabulary)
    following = (None,) if targets == "last" else (None, length)
    signature = tf.TensorSpec((None, length), ids.dtype), tf.TensorSpec(following, ids.dtype)

    def one_hot(windows, following):
        return tf.one_hot(tf.cast(windows, tf.int32), size), tf.one_hot(tf.cast(following, tf.int32), size)

    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature).map(one_hot)
    return dataset.apply(tf.data.experimental.assert_cardinality(-(-len(starts) // batch_size))).prefetch(2)


class TrainingWindows:
    """The windows of a training run: in every epoch others, without overlap, in an order made from its number alone.

    An epoch lays windows end to end from a random offset and shuffles them: any batch of any epoch can be made again.

    Args:
        ids: the training text, shape (characters,).
        length: characters in a window, T.
        batch_size: windows in a batch, N; fewer where the text is too short for one batch.
        random_state: of offsets and orders.

    Attributes:
        batch_size: as used.
        steps: batches in an epoch.

    Raises:
        ValueError: the text is too short for one window.
    """

    def __init__(self, ids: np.ndarray, length: int = 64, batch_size: int = 32, random_state: int = 0):
        check_length(ids, length, "training text")
        if batch_size < 1:
            raise ValueError(f"the batch size is {batch_size}: expected 1 window or more")
        self._ids, self._length, self._random_state = ids, length, random_state
        self._windows = max(1, (len(ids) - 1) // length - 1)
        self.batch_size = min(batch_size, self._windows)
        self.steps = self._windows // self.batch_size
        self._starts = -1, None

    @property
    def characters(self) -> int:
        """How many characters are predicted in a batch, N · T."""
        return self.batch_size * self._length

    def starts(self, epoch: int) -> np.ndarray:
        """Where the windows of an epoch begin, shape (windows,), in the order of training."""
        if self._starts[0] != epoch:
            random = np.random.default_rng((self._random_state, epoch))
            offset = random.integers(len(self._ids) - self._windows * self._length)
            self._starts = epoch, random.permutation(self._windows).astype(np.int64) * self._length + offset
        return self._starts[1]

    def batch(self, number: int) -> np.ndarray:
        """A batch by its number in the run, shape (N, T + 1), int32: inputs and, one further, targets."""
        epoch, index = divmod(int(number), self.steps)
        chosen = self.starts(epoch)[index * self.batch_size : (index + 1) * self.batch_size]
        return cut(self._ids, chosen, self._length + 1).astype(np.int32)

    def dataset(self):
        """All batches of all epochs, one after the other, as a `tf.data.Dataset` of (inputs, targets), (N, T) each."""
        import tensorflow as tf

        shape = self.batch_size, self._length + 1

        def pair(number):
            windows = tf.ensure_shape(tf.numpy_function(self.batch, [number], tf.int32), shape)
            return windows[:, :-1], windows[:, 1:]

        return tf.data.Dataset.counter().map(pair).prefetch(2)
