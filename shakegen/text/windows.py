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
        carries_state: whether a sequence continues that of the batch before, unless `begins(number)`.
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

    def begins(self, number: int) -> bool:
        """Whether the sequences of a batch begin with the start state."""
        return not self.carries_state


class Windows(Batches):
    """Batches of windows of a text, to predict each next character.

    Args:
        ids: the training text, shape (characters,); an array, or anything with a length and array indexing.
        length: characters in a window, T.
        batch_size: windows in a batch, N; fewer if the text is short.
        random_state: determines the batches.
        symbol: the kind of the ids, in messages.

    Attributes:
        batch_size: as used.
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
    ):
        check_length(ids, length, "training text", symbol)
        if not is_whole(batch_size, 1):
            raise ValueError(f"the batch size is {batch_size!r}: expected 1 window or more")
        self._ids, self.length, self._random_state = ids, length, random_state
        self.batch_size, self.steps = self._sizes(batch_size)

    @abstractmethod
    def _sizes(self, batch_size: int) -> tuple[int, int]:
        """The batch size, reduced if the text is short, and the number of batches in an epoch."""

    @abstractmethod
    def starts(self, epoch: int, index: int) -> np.ndarray:
        """The first position of each window in a batch of an epoch, shape (N,)."""

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

    def _offset(self, epoch: int, below: int) -> int:
        """A random whole number for an epoch, from 0 to `below` - 1."""
        return int(np.random.default_rng((self._random_state, epoch, 1)).integers(below))


class ShuffledWindows(Windows):
    """Windows in random order. Every epoch has another order, and cuts the text from another random offset.

    Windows lie end to end. Only the first and the last may overlap their neighbours, so that an epoch covers the whole
    text. A last batch that is not full is left out.
    """

    def _sizes(self, batch_size):
        self._windows = -(-(len(self._ids) - 1) // self.length) + 1
        self._block: tuple[int, int, np.ndarray] | None = None
        batch_size = min(batch_size, self._windows)
        return batch_size, self._windows // batch_size

    def windows(self, epoch: int, places: np.ndarray) -> np.ndarray:
        """The first position of the windows at some places in the order of an epoch, shape (n,)."""
        order = Permutation(self._windows, self._random_state, epoch)
        starts = (order(places) - 1) * self.length + 1 + self._offset(epoch, self.length)
        return np.clip(starts, 0, len(self._ids) - 1 - self.length)

    def starts(self, epoch, index):
        together = max(1, TOGETHER // self.batch_size)
        block, within = divmod(index, together)
        cached = self._block  # read once: another thread may ask for other batches
        if cached is None or cached[:2] != (epoch, block):
            batches = np.arange(block * together, min((block + 1) * together, self.steps))
            places = batches[:, None] * self.batch_size + np.arange(self.batch_size)
            cached = self._block = epoch, block, self.windows(epoch, places.ravel()).reshape(places.shape)
        return cached[2][within]


class Streams(Windows):
    """Contiguous streams: backpropagation stops at the end of a window, but the state is carried to the next one.

    The text is cut into N streams, from a new random offset in every epoch; a batch has the next window of each. The
    state starts from zero where `begins` is true: at the beginning of an epoch.
    """

    carries_state = True

    def _sizes(self, batch_size):
        room = len(self._ids) - self.length  # a spare window lets the offset move every cut
        batch_size = max(1, min(batch_size, room // self.length))
        return batch_size, max(1, room // (batch_size * self.length))

    def starts(self, epoch, index):
        spared = len(self._ids) - 1 - self.steps * self.characters
        streams = np.arange(self.batch_size)
        return self._offset(epoch, spared + 1) + (streams * self.steps + index) * self.length

    def begins(self, number: int) -> bool:
        return number % self.steps == 0


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
    def mapped(self):
        """The memory map of the text, or None."""
        return getattr(self._ids, "_mmap", None)


def release(ids) -> None:
    """Give the pages of a memory map back to the system, which keeps them only while it has room."""
    mapped = ids.mapped if isinstance(ids, Recoded) else getattr(ids, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
