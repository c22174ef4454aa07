"""The symbols and the output words of the autocomplete task. Only numpy."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from shakegen.checks import check_ids
from shakegen.text.vocabulary import Vocabulary

SYMBOLS = Vocabulary(" abcdefghijklmnopqrstuvwxyz")
SPACE = 0
PADDING, UNKNOWN, SPECIAL = 0, 1, 2


class Outputs:
    """The words that a network can predict, one output each; output 0 stands for padding, 1 for unknown words.

    Args:
        words: distinct words, usually the most frequent first; word k is output k + 2.

    Raises:
        ValueError: there are no words, or a word is given twice or is not of the letters a to z.
    """

    def __init__(self, words: Iterable[str]):
        self.words = tuple(words)
        if not self.words:
            raise ValueError("there are no words to predict: expected at least one")
        for word in self.words:
            if not isinstance(word, str) or not (word.isascii() and word.isalpha() and word.islower()):
                raise ValueError(f"{word!r} is no word to predict: expected letters a to z only")
        self._ids = {word: number for number, word in enumerate(self.words, SPECIAL)}
        if len(self._ids) != len(self.words):
            raise ValueError("every word to predict must be there once")

    @classmethod
    def most_frequent(cls, counts: Counter, size: int, least: int = 1) -> "Outputs":
        """The `size` words with the highest counts, equals in alphabetical order.

        Words that occur less than `least` times are left out, unless all do.
        """
        order = sorted(counts, key=lambda word: (-counts[word], word))[:size]
        return cls([word for word in order if counts[word] >= least] or order)

    def to_json(self) -> list[str]:
        """The words, ready for JSON."""
        return list(self.words)

    def __len__(self) -> int:
        """The number of outputs: the words, padding and unknown."""
        return len(self.words) + SPECIAL

    def __eq__(self, other) -> bool:
        return isinstance(other, Outputs) and self.words == other.words

    def __hash__(self) -> int:
        return hash(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    @property
    def dtype(self) -> np.dtype:
        """The smallest unsigned integer type for the numbers of the outputs."""
        return np.min_scalar_type(len(self) - 1)

    def encode(self, words: Iterable[str]) -> np.ndarray:
        """The outputs of words, shape (words,); 1 where a word is unknown."""
        get = self._ids.get
        return np.fromiter((get(word, UNKNOWN) for word in words), self.dtype)

    def decode(self, outputs: Iterable[int]) -> list[str]:
        """The words of outputs, "" for padding and `<unknown>` for unknown; ValueError if there is no such output."""
        names, outputs = ("", "<unknown>", *self.words), np.asarray(outputs, np.intp)
        check_ids(outputs, len(self))
        return [names[k] for k in outputs.tolist()]
