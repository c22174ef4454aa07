"""The autocomplete task: at every character, the whole word that it is part of. Only numpy.

A text of words over a to z is cut in observations of at most so many characters, packed in order with as many whole
words as fit, each word with the space before it. Every character of a word, and that space, is labelled with the word
(Madsen 2019, "Visualizing memorization in RNNs", https://doi.org/10.23915/distill.00016).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from shakegen.study.autocomplete.outputs import PADDING, SPACE, SPECIAL, SYMBOLS, Outputs

BLOCK = 1 << 17  # words that are strings at a time


@dataclass(frozen=True, eq=False)
class Observations:
    """A text of words, cut in observations; observation k is `characters[starts[k]:starts[k + 1]]`.

    Attributes:
        characters: ids of `SYMBOLS`, shape (characters,), each word with one space before it.
        targets: the output of every word, shape (words,).
        starts: where observations begin, and the text's end, shape (observations + 1,).
        first_words: the number of each observation's first word, and of all words, shape (observations + 1,).
        length: the most characters in an observation, T.
    """

    characters: np.ndarray
    targets: np.ndarray
    starts: np.ndarray
    first_words: np.ndarray
    length: int

    @classmethod
    def pack(cls, characters: np.ndarray, words: Outputs, length: int) -> "Observations":
        """Cut a text: every observation takes as many whole words as fit, one after the other.

        Args:
            characters: as `encode_text` gives them, no word of more than `length - 1` letters.
            words: the outputs.
            length: T.
        """
        bounds = word_bounds(characters)
        starts, firsts = greedy(bounds, length)
        targets = np.concatenate([words.encode(block) for block in words_of(characters, bounds)])
        return cls(characters, targets, starts, firsts, length)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Observations as a network reads them.

        Args:
            rows: numbers of observations, shape (N,); -1 for one that is all padding.

        Returns:
            Ids of characters (N, T), int32, and outputs (N, T), int32. What follows an observation is labelled as
            padding and reads as spaces; it cannot change the predictions before it.
        """
        rows = np.asarray(rows)
        ends = np.where(rows < 0, 0, self.starts[rows + 1])
        positions = self.starts[rows][:, None] + np.arange(self.length)
        inside = positions < ends[:, None]
        characters = np.where(inside, self.characters[np.minimum(positions, len(self.characters) - 1)], SPACE)
        words = np.cumsum((characters == SPACE) & inside, axis=1) + self.first_words[rows][:, None] - 1
        outputs = np.where(inside, self.targets[np.clip(words, 0, len(self.targets) - 1)], PADDING)
        return characters.astype(np.int32), outputs.astype(np.int32)

    def has_known_words(self, rows: np.ndarray) -> bool:
        """Whether any word of some observations is an output."""
        rows = np.asarray(rows)
        spans = zip(self.first_words[rows], self.first_words[rows + 1], strict=True)
        return any((self.targets[first:end] >= SPECIAL).any() for first, end in spans)

    def texts(self, rows: Iterable[int]) -> list[str]:
        """Observations as text, each with the space before its first word."""
        return [SYMBOLS.decode(self.characters[self.starts[k] : self.starts[k + 1]]) for k in rows]


def word_bounds(characters: np.ndarray) -> np.ndarray:
    """Where each word's space is, and the text's end, shape (words + 1,)."""
    return np.append(np.flatnonzero(characters == SPACE), len(characters))


def greedy(bounds: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Where observations begin, in characters and in words, each with the end at its end."""
    begins, words, firsts = bounds.data, len(bounds) - 1, [0]
    most = length // 2 + 2  # a word has a letter and its space
    while firsts[-1] < words:
        first = firsts[-1]
        end = bisect_right(begins, begins[first] + length, first, min(first + most, words + 1))
        firsts.append(end - 1)
    return bounds[firsts], np.array(firsts)


def words_of(characters: np.ndarray, bounds: np.ndarray) -> Iterator[list[str]]:
    """All words, block by block."""
    for first in range(0, len(bounds) - 1, BLOCK):
        begin, end = bounds[first], bounds[min(first + BLOCK, len(bounds) - 1)]
        yield as_ascii(characters[begin:end]).decode("ascii").split()


def as_ascii(characters: np.ndarray) -> bytes:
    return np.frombuffer("".join(SYMBOLS.symbols).encode("ascii"), np.uint8)[characters].tobytes()
