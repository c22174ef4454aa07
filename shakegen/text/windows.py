"""Ids to batches of windows. One-hot exists a batch at a time; ids stay small.

The text may be a memory map of any size: a batch is all that is ever copied of it.
"""

import mmap
from abc import ABC, abstractmethod

import numpy as np

from shakegen.text.permutation import Permutation

TARGETS = ("last", "all")
ALL = slice(None)
TOGETHER = 1024  # windows whose places are computed at a time
RELEASE = 64  # windows read before the pages of a memory map are given back


def check_length(ids: np.ndarray, length: int, part: str = "text") -> None:
    """Refuse a text that is shorter than one window of `length` characters and the one that follows it."""
    if length < 1:
        raise ValueError(f"the window length is {length}: expected 1 character or more")
    if len(ids) <= length:
        raise ValueError(
            f"the {part} has {len(ids)} characters, but a window of {length} and its next character need {length + 1}: "
            "try a longer text or shorter windows (--seq-length)"
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
    options.autotune.enabled = False  # whoever drops an iterator waits for the tuner to wake up, after up to a minute
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(-(-count // batch_size)))
    return dataset.prefetch(2).with_options(options)


class Batches(ABC):
    """The batches of a training run, each made from its number in the run alone.

    Attributes:
        batch_size: sequences in a batch, N.
        length: characters in a sequence, T.
        steps: batches in an epoch.
        carries_state: whether a sequence goes on where that of the batch before ended, unless `begins(number)`.
    """

    batch_size: int
    length: int
    steps: int
    carries_state = False

    @property
    def characters(self) -> int:
        """How many characters are read in a batch, N · T."""
        return self.batch_size * self.length

    @abstractmethod
    def pair(self, number: int, rows: slice = ALL) -> tuple[np.ndarray, np.ndarray]:
        """A batch by its number in the run, or some rows of it: inputs and targets, (N, T) each, int32."""


class Windows(Batches):
    """Batches of windows of a text, to predict each next character.

    Args:
        ids: the training text, shape (characters,); anything that has a length and can be indexed by an array.
        length: characters in a window, T.
        batch_size: windows in a batch, N; fewer where the text is too short for so many.
        random_state: the same one gives the same batches.

    Attributes:
        batch_size: as used.
        steps: batches in an epoch.

    Raises:
        ValueError: the text is too short for one window, or an argument is out of range.
    """

    def __init__(self, ids: np.ndarray, length: int = 64, batch_size: int = 32, random_state: int = 0):
        check_length(ids, length, "training text")
        if batch_size < 1:
            raise ValueError(f"the batch size is {batch_size}: expected 1 window or more")
        self._ids, self.length, self._random_state = ids, length, random_state
        self.batch_size, self.steps = self._sizes(batch_size)

    @abstractmethod
    def _sizes(self, batch_size: int) -> tuple[int, int]:
        """The batch size that the text allows, and the batches in an epoch."""

    @abstractmethod
    def starts(self, epoch: int, index: int) -> np.ndarray:
        """Where the windows of an epoch's batch begin, shape (N,)."""

    def batch(self, number: int, rows: slice = ALL) -> np.ndarray:
        """A batch by its number in the run, or some rows of it, (N, T + 1), int32: inputs and, one further, targets.

        No other rows of the text are read.
        """
        number = int(number)
        if number % max(1, RELEASE // self.batch_size) == 0:
            release(self._ids)
        return cut_windows(self._ids, self.starts(*divmod(number, self.steps))[rows], self.length + 1).astype(np.int32)

    def pair(self, number, rows=ALL):
        windows = self.batch(number, rows)
        return windows[:, :-1], windows[:, 1:]

    def _offset(self, epoch: int, below: int) -> int:
        """A random whole number of an epoch, from 0 up to, but not including, `below`."""
        return int(np.random.default_rng((self._random_state, epoch, 1)).integers(below))


class ShuffledWindows(Windows):
    """Windows in random order, in every epoch another one, and others: the text is cut anew from a random offset.

    Windows lie end to end, but for the first and the last, which keep to the text, so that an epoch's windows cover all
    of it. Those of the last batch, where it is not full, are left out.
    """

    def _sizes(self, batch_size):
        self._windows = -(-(len(self._ids) - 1) // self.length) + 1
        batch_size, self._block = min(batch_size, self._windows), (None, None, None)
        return batch_size, self._windows // batch_size

    def windows(self, epoch: int, places: np.ndarray) -> np.ndarray:
        """Where the windows at some places of an epoch's order begin, shape (n,)."""
        order = Permutation(self._windows, self._random_state, epoch)
        starts = (order(places) - 1) * self.length + 1 + self._offset(epoch, self.length)
        return np.clip(starts, 0, len(self._ids) - 1 - self.length)

    def starts(self, epoch, index):
        together = max(1, TOGETHER // self.batch_size)
        block, within = divmod(index, together)
        found = self._block  # read once: another thread may ask for other batches
        if found[:2] != (epoch, block):
            batches = np.arange(block * together, min((block + 1) * together, self.steps))
            places = batches[:, None] * self.batch_size + np.arange(self.batch_size)
            found = self._block = epoch, block, self.windows(epoch, places.ravel()).reshape(places.shape)
        return found[2][within]


class Streams(Windows):
    """Contiguous streams, for backpropagation truncated at the windows' ends while the state is carried over them.

    The text is cut in N streams, from an offset that is random in every epoch; a batch holds the next window of each.
    The state starts anew where `begins` says so: at the beginning of an epoch.
    """

    carries_state = True

    def _sizes(self, batch_size):
        room = len(self._ids) - self.length  # what is spared lets every cut move by a window's length
        batch_size = max(1, min(batch_size, room // self.length))
        return batch_size, max(1, room // (batch_size * self.length))

    def starts(self, epoch, index):
        spared = len(self._ids) - 1 - self.steps * self.characters
        streams = np.arange(self.batch_size)
        return self._offset(epoch, spared + 1) + (streams * self.steps + index) * self.length

    def begins(self, number: int) -> bool:
        """Whether a batch's windows are the first of their streams."""
        return number % self.steps == 0


class Recoded:
    """A text in the ids of another vocabulary: looked up where it is read, the text itself is not copied.

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
    def mapped(self):
        """The memory map below, if there is one."""
        return getattr(self._ids, "_mmap", None)


def release(ids) -> None:
    """Give the pages of a memory map that were read back to the system, which keeps them as long as it has room."""
    mapped = ids.mapped if isinstance(ids, Recoded) else getattr(ids, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
