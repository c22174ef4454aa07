"""From ids to batches of windows. Only one batch at a time is one-hot.

The text may be a memory map of any size: only batches of it are copied.
"""

import math
import mmap
from abc import ABC, abstractmethod

import numpy as np

from shakegen.checks import is_whole
from shakegen.text.permutation import Permutation

TARGETS = ("last", "all")
ALL = slice(None)
TOGETHER = 1024  # starts of windows computed at a time
LEFT_OUT = 0.1  # of the passages, at most, unless they have one window
RELEASE = 64  # windows read before the pages of a memory map are released


def check_length(
    ids: np.ndarray, length: int, part: str = "text", symbol: str = "character", option: str = "seq_length"
) -> None:
    """Check that a text has at least one window of `length` symbols and the symbol after it.

    Args:
        ids: the text.
        length: of a window.
        part, symbol: the part of the text and the kind of its symbols, in the message.
        option: the name of the length where the caller set it.

    Raises:
        ValueError: the text is too short, or the length is below 1.
    """
    if not is_whole(length, 1):
        raise ValueError(f"the window length is {length!r}: expected 1 {symbol} or more")
    if len(ids) <= length:
        raise ValueError(
            f"the {part} has {len(ids)} {symbol}s, but a window of {length} and its next {symbol} need {length + 1}: "
            f"try a longer text or shorter windows (`{option}`)"
        )


def cut_windows(ids: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
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
    """The textbook's windows: one of `length` characters every `stride` characters, one-hot, to predict the next ones.

    Args:
        ids: the text, shape (characters,).
        vocabulary: its `Vocabulary`, of size V.
        length: characters in a window, T.
        stride: characters from the start of a window to the start of the next.
        batch_size: windows in a batch, N; the last batch may have fewer.
        targets: "last", the character after the window, or "all", the next character at every position.
        random_state: None keeps the order of the text; a number shuffles the windows, differently in each pass.

    Returns:
        A `tf.data.Dataset` of pairs of float32: windows (N, T, V), and targets (N, V) or (N, T, V).

    Raises:
        ValueError: the text is too short for one window, or an argument or an id is out of range.
    """
    import tensorflow as tf

    check_length(ids, length, option="length")
    if targets not in TARGETS:
        raise ValueError(f"targets is {targets!r}: expected 'last' or 'all'")
    for name, value in (("stride", stride), ("batch size", batch_size)):
        if not is_whole(value, 1):
            raise ValueError(f"the {name} is {value!r}: expected 1 or more")
    if random_state is not None and not is_whole(random_state, 0, math.inf):
        raise ValueError(f"the random state is {random_state!r}: expected a whole number, 0 or more, or None")
    vocabulary.check_ids(ids)
    count, passes = len(range(0, len(ids) - length, stride)), 0

    def batches():
        nonlocal passes
        shuffled = None if random_state is None else Permutation(count, random_state, passes)
        passes += shuffled is not None
        for begin in range(0, count, batch_size):
            places = np.arange(begin, min(begin + batch_size, count))
            windows = cut_windows(ids, stride * (places if shuffled is None else shuffled(places)), length + 1)
            yield windows[:, :-1], (windows[:, -1] if targets == "last" else windows[:, 1:])

    size = len(vocabulary)
    following = (None,) if targets == "last" else (None, length)
    signature = tf.TensorSpec((None, length), ids.dtype), tf.TensorSpec(following, ids.dtype)

    def one_hot(windows, following):
        return tf.one_hot(tf.cast(windows, tf.int32), size), tf.one_hot(tf.cast(following, tf.int32), size)

    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature).map(one_hot)
    options = tf.data.Options()
    options.autotune.enabled = False  # a dropped iterator would wait up to a minute for the tuner to wake up
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(-(-count // batch_size)))
    return dataset.prefetch(2).with_options(options)


class Batches(ABC):
    """The batches of a training run. A batch is a function of its number in the run.

    Attributes:
        batch_size: sequences in a batch, N.
        length: characters in a sequence, T.
        steps: batches in an epoch.
        carries_state: whether a sequence continues that of its row in the batch before, unless it `begins`.
    """

    batch_size: int
    length: int
    steps: int
    carries_state = False

    @property
    def characters(self) -> int:
        """The number of characters in a batch, N · T."""
        return self.batch_size * self.length

    @abstractmethod
    def pair(self, number: int, rows: slice = ALL) -> tuple[np.ndarray, np.ndarray]:
        """A batch, or some rows of it, by its number in the run: inputs and targets, (N, T) each, int32."""

    def begins(self, number: int, rows: slice = ALL) -> np.ndarray:
        """Which sequences of a batch, or of some rows of it, begin with the start state, (N,)."""
        return np.ones(self.batch_size, bool)[rows]


class Passages(Batches):
    """Batches of windows of a text, to predict each next character.

    The text is cut into passages of K windows. Each row of the batches reads one passage after the other, a window in
    each batch. Passages come in random order; every epoch has another order, and cuts the text from another random
    offset. Only the first and the last passage overlap their neighbours. Passages that do not fill all rows are left
    out. At the start of an epoch most rows begin within a passage, and read its first windows at the end.

    Args:
        ids: the training text, shape (characters,); an array, or anything with a length and array indexing.
        length: characters in a window, T.
        batch_size: windows in a batch, N; fewer if the text is short.
        random_state: determines the batches.
        symbol: the kind of the ids, in messages.
        passage: windows in a passage, K. For a short text there are fewer, so that no more than a tenth is left out,
            if possible. With 1, all windows are in random order.

    Attributes:
        batch_size, passage: as used.
        steps: batches in an epoch.

    Raises:
        ValueError: the text is too short for one window, or an argument is out of range.
    """

    def __init__(
        self,
        ids: np.ndarray,
        length: int = 64,
        batch_size: int = 32,
        random_state: int = 0,
        symbol: str = "character",
        passage: int = 1,
    ):
        check_length(ids, length, "training text", symbol)
        for name, value in (("batch size", batch_size), ("passage", passage)):
            if not is_whole(value, 1):
                raise ValueError(f"the {name} is {value!r}: expected 1 window or more")
        self._ids, self.length, self._random_state = ids, length, random_state
        most = max(1, min(passage, (len(ids) - 1) // (length * batch_size)))

        def count(k):
            return -(-(len(ids) - 1) // (k * length)) + 1

        fitting = (k for k in range(most, 1, -1) if count(k) % batch_size <= LEFT_OUT * count(k))
        self.passage = next(fitting, 1)
        self._characters, self._passages = self.passage * length, count(self.passage)
        self.batch_size = min(batch_size, self._passages)
        self.steps = self._passages // self.batch_size * self.passage
        self.carries_state = self.passage > 1
        # Rows begin their passages at different batches, so that about as many begin in each.
        self._ahead = np.arange(self.batch_size) * self.passage // self.batch_size
        self._known: tuple[int, int, np.ndarray] | None = None

    def batch(self, number: int, rows: slice = ALL) -> np.ndarray:
        """A batch, or some rows of it, by its number in the run, (N, T + 1), int32; targets are inputs shifted by one.

        Only these rows of the text are read.
        """
        number = int(number)
        if number % max(1, RELEASE // self.batch_size) == 0:
            release(self._ids)
        return cut_windows(self._ids, self.starts(*divmod(number, self.steps))[rows], self.length + 1).astype(np.int32)

    def pair(self, number, rows=ALL):
        windows = self.batch(number, rows)
        return windows[:, :-1], windows[:, 1:]

    def begins(self, number, rows=ALL):
        index = number % self.steps
        return ((index + self._ahead) % self.passage == 0)[rows] | (index == 0)

    def starts(self, epoch: int, index: int) -> np.ndarray:
        """The first position of each window in a batch of an epoch, shape (N,)."""
        together = max(1, TOGETHER // self.batch_size)
        block, within = divmod(index, together)
        known = self._known  # read once: another thread may ask for other batches
        if known is None or known[:2] != (epoch, block):
            batches = np.arange(block * together, min((block + 1) * together, self.steps))
            known = self._known = epoch, block, self._find_starts(epoch, batches[:, None])
        return known[2][within]

    def _find_starts(self, epoch: int, batches: np.ndarray) -> np.ndarray:
        """The first positions of the windows of some batches, (B, 1), of an epoch, (B, N)."""
        turn, window = np.divmod((batches + self._ahead) % self.steps, self.passage)
        order = Permutation(self._passages, self._random_state, epoch)
        places = order((turn * self.batch_size + np.arange(self.batch_size)).ravel()).reshape(turn.shape)
        offset = int(np.random.default_rng((self._random_state, epoch, 1)).integers(self._characters))
        first = np.clip((places - 1) * self._characters + 1 + offset, 0, len(self._ids) - 1 - self._characters)
        return first + window * self.length


class Recoded:
    """A text in the ids of another vocabulary. Ids are looked up when they are read; the text is not copied.

    Args:
        ids: the text, shape (characters,).
        table: the new id of each old one, shape (V,).
    """

    def __init__(self, ids: np.ndarray, table: np.ndarray):
        self._ids, self._table = ids, table

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, key):
        return Recoded(self._ids[key], self._table) if isinstance(key, slice) else self._table[self._ids[key]]

    @property
    def _mmap(self):
        """The memory map of the text, or None."""
        return getattr(self._ids, "_mmap", None)


def release(ids) -> None:
    """Give the pages of a memory map back to the system, which keeps them only while it has room."""
    mapped = getattr(ids, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
