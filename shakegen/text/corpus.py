"""Texts as ids: the corpus and its contiguous parts. Only numpy."""

import functools
import hashlib
import importlib.metadata
import io
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shakegen.text import encoding, id_cache, reading, splits
from shakegen.text.encoding import Part
from shakegen.text.levels import VOCABULARIES
from shakegen.text.vocabulary import Vocabulary

LEAST_CACHED = 4_000_000  # characters; a smaller text is encoded faster than its ids are loaded

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


@dataclass(frozen=True, eq=False)
class Corpus:
    """A text as ids, with its vocabulary and its split into three contiguous parts.

    `from_text`, `from_bytes`, `from_file` and `from_source` make one. Their options:

    - level: "char", "subword" or "word", the kind of symbols: `vocabulary`, `subword_vocabulary`, `word_vocabulary`.
    - vocabulary_size: the number of symbols: the most frequent ones of the training text, and one for all others. By
      default, all characters of the whole text without an unknown symbol; or the words that occur twice in the
      training text, at most 16,383; or the subwords of pairs that occur 100 times, at most 4,096.
    - vocabulary: the one to read the text with, such as that of a model; then level and vocabulary_size are not used.
    - split: three shares that sum to 1, or three numbers of characters, one of which may be `"*"`, the rest.
    - cache: keep the ids of a text of four million characters or more for the next run, in `cache_folder()`, in at
      most 4 GiB.

    Attributes:
        name: of the corpus, as in `models/<name>-<cell>.h5`.
        vocabulary: the `Vocabulary` of the ids.
        ids: of the parts, one after the other, shape (symbols,), read-only integers of the vocabulary's `dtype`.
        sha256: of the whole text in UTF-8 with LF line ends.
        split: the shares, or the sizes in characters, of training, validation and test text.
        parts: the counts for each of the three.
    """

    name: str
    vocabulary: Vocabulary
    ids: np.ndarray
    sha256: str
    split: tuple[float, float, float]
    parts: tuple[Part, Part, Part]

    task = "next"

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def output_vocabulary(self) -> Vocabulary:
        """The outputs of a network for this corpus."""
        return self.vocabulary

    @property
    def level(self) -> str:
        """The kind of symbols: char, subword or word."""
        return self.vocabulary.level

    @property
    def characters(self) -> int:
        """The number of characters in all parts."""
        return sum(part.characters for part in self.parts)

    @property
    def train(self) -> np.ndarray:
        """The ids to learn from: the beginning of the text."""
        return self.ids[: self.parts[0].symbols]

    @property
    def validation(self) -> np.ndarray:
        """The ids that choose the best epoch. They follow the training text."""
        return self.ids[self.parts[0].symbols :][: self.parts[1].symbols]

    @property
    def test(self) -> np.ndarray:
        """The ids for the final evaluation: the last part of the text."""
        return self.ids[self.parts[0].symbols + self.parts[1].symbols :]

    def origin(self) -> dict:
        """The description of the corpus that a model file keeps, ready for JSON."""
        about = {"name": self.name, "sha256": self.sha256, "length": self.characters, "split": list(self.split)}
        return about | {"validation": self.parts[1]._asdict()}

    def check_parts(self) -> None:
        """Check that each part of the split has enough symbols to predict one from another.

        Raises:
            ValueError: a part has too few; the message names it.
        """
        for name, share, part in zip(splits.PARTS, self.split, self.parts, strict=True):
            if share and part.symbols < 2:
                raise ValueError(
                    f"{self.name} has {self.characters:,} characters, too few for the split "
                    f"{','.join(map(str, self.split))}: its {name} text has {part.symbols} {self.vocabulary.symbol}s, "
                    f"and 2 are needed to predict one from the other; try a longer text, or `split=(1, 0, 0)`"
                )

    @classmethod
    def from_text(cls, text: str, name: str = "text", **options) -> "Corpus":
        """The corpus of a string; options as for `Corpus`."""
        if not isinstance(text, str):
            raise TypeError(f"the text is {text!r}: expected a string; from_file reads a file")
        return cls.from_source(reading.from_text(text, name), **options)

    @classmethod
    def from_bytes(cls, raw: bytes, name: str = "text", encoding: str = "utf-8", **options) -> "Corpus":
        """The corpus of the bytes of a text file; options as for `Corpus`."""
        return cls.from_source(reading.from_bytes(raw, name, encoding=encoding), **options)

    @classmethod
    def from_file(cls, path: str | Path, encoding: str = "utf-8", **options) -> "Corpus":
        """The corpus of a text file; options as for `Corpus`. A byte order mark and CR LF line ends are read correctly.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is empty, is not text in that encoding, has only one distinct character, or is too
                short for the split; or an option is out of range.
        """
        return cls.from_source(reading.from_file(path, encoding), **options)

    @classmethod
    def from_source(
        cls,
        source: reading.Source,
        level: str = "char",
        vocabulary_size: int | None = None,
        split: splits.Split = splits.DEFAULT,
        cache: bool = True,
        vocabulary: Vocabulary | None = None,
    ) -> "Corpus":
        """The corpus of any source; options as for `Corpus`, errors as for `from_file`.

        The text is read in blocks, two or three times. Only its ids are in memory as a whole; if they are cached, they
        are mapped instead.
        """
        if level not in VOCABULARIES:
            raise ValueError(f"there is no level {level!r}: expected one of {', '.join(VOCABULARIES)}")
        if not isinstance(vocabulary, Vocabulary | None):
            raise TypeError(f"the vocabulary is {vocabulary!r:.60}: expected one such as model.vocabulary")
        split = splits.normalize_split(split)
        known = (level, vocabulary_size) if vocabulary is None else (vocabulary.level, vocabulary.to_json())
        digest = source.digest() if cache else None
        name = id_cache.make_name([digest_rules(), digest, (*known, split)], "ids")
        if cache and (cached := load_cached(name)):
            return cls(source.name, *cached)
        text = encoding.measure(source)
        sizes = encoding.cut_sizes(source, text, split)
        if vocabulary is None:
            training = encoding.read_part(source, sizes, 0)
            vocabulary = VOCABULARIES[level].learn(training, vocabulary_size, text.alphabet)

        def write(file: "SupportsWrite[memoryview]") -> dict:
            parts = encoding.encode(source, vocabulary, sizes, file)
            if cache and source.digest() != digest:
                raise encoding.changed_text(source)
            return {
                "vocabulary": vocabulary.to_json(),
                "level": vocabulary.level,
                "sha256": text.sha256,
                "parts": parts,
                "split": split if splits.is_shares(split) else sizes,
                "dtype": vocabulary.dtype.str,
                "vocabulary_size": len(vocabulary),
            }

        if cache and text.length >= LEAST_CACHED:
            id_cache.save(name, write)
            if cached := load_cached(name):
                return cls(source.name, *cached)
        memory = io.BytesIO()
        description = write(memory)
        ids = np.frombuffer(memory.getbuffer().toreadonly(), vocabulary.dtype)
        return cls(source.name, vocabulary, ids, text.sha256, tuple(description["split"]), tuple(description["parts"]))


@functools.cache
def digest_rules() -> str:
    """A sha256 of the rules that make ids of bytes: the code of this room, and what runs it."""
    try:
        pieces = importlib.metadata.version("tokenizers")
    except importlib.metadata.PackageNotFoundError:
        pieces = None
    sha256 = hashlib.sha256(f"{sys.version_info[:3]} {unicodedata.unidata_version} {pieces}".encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        sha256.update(path.read_bytes())
    return sha256.hexdigest()


def load_cached(name: str) -> tuple | None:
    """The fields of a cached corpus but for its name; None if it is not in the cache, or damaged."""
    cached = id_cache.load(name)
    if cached is None:
        return None
    about, ids = cached
    try:
        vocabulary = VOCABULARIES[about["level"]].from_json(about["vocabulary"])
        parts = tuple(Part(int(symbols), int(characters), float(nats)) for symbols, characters, nats in about["parts"])
        split, sha256 = splits.normalize_split(about["split"]), str(about["sha256"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    whole = len(parts) == 3 and sum(part.symbols for part in parts) == len(ids) and min(map(min, parts)) >= 0
    if not whole or len(vocabulary) != about["vocabulary_size"] or vocabulary.dtype != ids.dtype:
        return None
    return vocabulary, ids, sha256, split, parts
