"""Texts as ids: the corpus and its contiguous splits. Only numpy."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shakegen import reading
from shakegen.vocabulary import Vocabulary, code_points, describe

CODE_POINTS = 0x110000


@dataclass(frozen=True)
class Corpus:
    """A text as ids, with its vocabulary and its split in three contiguous parts.

    Attributes:
        name: what to call it, as in `models/<name>-<cell>.h5`.
        vocabulary: the `Vocabulary` that the ids belong to.
        ids: the whole text, shape (characters,), unsigned integers of the vocabulary's `dtype`.
        split: the fractions of training, validation and test text; they sum to 1.
        sha256: of the text in UTF-8 with LF line ends.
    """

    name: str
    vocabulary: Vocabulary
    ids: np.ndarray
    sha256: str
    split: tuple[float, float, float] = (0.9, 0.05, 0.05)

    task = "next"

    def __post_init__(self):
        if len(self.split) != 3 or not (min(self.split) >= 0 < self.split[0] and abs(sum(self.split) - 1) < 1e-6):
            raise ValueError(
                f"the split {','.join(map(str, self.split))} is not usable: expected three fractions for training, "
                "validation and test that sum to 1, such as 0.9,0.05,0.05"
            )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def _bounds(self) -> tuple[int, int]:
        train, validation, _ = self.split
        return round(len(self) * train), round(len(self) * (train + validation))

    @property
    def train(self) -> np.ndarray:
        """The ids to learn from: the text's beginning."""
        return self.ids[: self._bounds[0]]

    @property
    def validation(self) -> np.ndarray:
        """The ids that choose the best epoch: those after the training text."""
        return self.ids[slice(*self._bounds)]

    @property
    def test(self) -> np.ndarray:
        """The ids that nothing looks at before the end: the text's last part."""
        return self.ids[self._bounds[1] :]

    @classmethod
    def from_text(cls, text: str, name: str = "text", **options) -> "Corpus":
        """A corpus of a text that is at hand; options as for `Corpus`."""
        return cls.from_bytes(text.encode("utf-8", "surrogatepass"), name, **options)

    @classmethod
    def from_bytes(cls, raw: bytes, name: str = "text", encoding: str = "utf-8", **options) -> "Corpus":
        """A corpus of the bytes of a text file."""
        return cls.from_source(reading.from_bytes(raw, name, encoding=encoding), **options)

    @classmethod
    def from_file(cls, path: str | Path, encoding: str = "utf-8", **options) -> "Corpus":
        """A corpus of a text file, which may have a byte order mark and CR LF line ends.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is empty, or not text in that encoding, or has only one distinct character.
        """
        return cls.from_source(reading.from_file(path, encoding), **options)

    @classmethod
    def from_source(cls, source: reading.Source, **options) -> "Corpus":
        """A corpus of any text that can be read; options as for `Corpus`."""
        vocabulary, ids, sha256 = encode(source)
        return cls(source.name, vocabulary, ids, sha256, **options)


def encode(source: reading.Source) -> tuple[Vocabulary, np.ndarray, str]:
    """The vocabulary of a text, its ids, and the sha256 of it in UTF-8."""
    present, length, sha256 = np.zeros(CODE_POINTS, dtype=bool), 0, hashlib.sha256()
    for block in source.blocks():
        present[ascii_codes(block) if block.isascii() else code_points(block)] = True
        length += len(block)
        sha256.update(block.encode("utf-8", "surrogatepass"))
    vocabulary = learnable(map(chr, np.flatnonzero(present)), source.title)
    table = np.zeros(CODE_POINTS, dtype=vocabulary.dtype)
    table[present] = np.arange(len(vocabulary))
    ids, end = np.empty(length, dtype=vocabulary.dtype), 0
    for block in source.blocks():
        ids[end : end + len(block)] = table[ascii_codes(block) if block.isascii() else code_points(block)]
        end += len(block)
    return vocabulary, ids, sha256.hexdigest()


def ascii_codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("ascii"), np.uint8)


def learnable(symbols: Iterable[str], source: str) -> Vocabulary:
    """The vocabulary of a text, if there is anything to learn from it."""
    symbols = list(symbols)
    if not symbols:
        raise ValueError(f"{source} is empty: expected some text to learn from")
    if len(symbols) == 1:
        raise ValueError(
            f"{source} has only one distinct character, {describe(symbols[0])}: there is nothing to predict in it"
        )
    return Vocabulary(symbols)
