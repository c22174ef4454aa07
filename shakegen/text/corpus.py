"""Texts as ids: the corpus and its contiguous parts. Only numpy."""

import hashlib
import io
import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from shakegen import __version__
from shakegen.text import encoding, id_cache, reading, splits
from shakegen.text.encoding import Part
from shakegen.text.vocabulary import Vocabulary
from shakegen.text.word_vocabulary import VOCABULARIES

WORDS = 16_384  # the vocabulary's size where words are the symbols
LEAST_CACHED = 4_000_000  # characters; the ids of a smaller text are made sooner than found


@dataclass(frozen=True, eq=False)
class Corpus:
    """A text as ids, with its vocabulary and its split in three contiguous parts.

    `from_text`, `from_bytes`, `from_file` and `from_source` make one. Their options:

    - level: "char" or "word", what the symbols are; what a word is stands in `words`.
    - vocabulary_size: keep so many symbols, the most frequent of the training text and one that stands for all others.
      By default 16,384 words; or all characters of the whole text, without an unknown symbol.
    - split: three shares that sum to 1, or three numbers of characters, one of which may be `"*"`, the rest.
    - cache: whether the ids of a text of four million characters or more are kept from one run to the next, in
      `cache.cache_folder()`, in at most 4 GiB.

    Attributes:
        name: what to call it, as in `models/<name>-<cell>.h5`.
        vocabulary: the `Vocabulary` that the ids belong to.
        ids: of the parts, one after the other, shape (symbols,), read-only integers of the vocabulary's `dtype`.
        sha256: of the whole text in UTF-8 with LF line ends.
        split: the shares, or the sizes in characters, of training, validation and test text.
        parts: what is in each of the three.
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
        """What a network for it predicts."""
        return self.vocabulary

    @property
    def level(self) -> str:
        """What the symbols are: char or word."""
        return self.vocabulary.level

    @property
    def characters(self) -> int:
        """How many characters the parts have together."""
        return sum(part.characters for part in self.parts)

    @property
    def train(self) -> np.ndarray:
        """The ids to learn from: the text's beginning."""
        return self.ids[: self.parts[0].symbols]

    @property
    def validation(self) -> np.ndarray:
        """The ids that choose the best epoch: those after the training text."""
        return self.ids[self.parts[0].symbols :][: self.parts[1].symbols]

    @property
    def test(self) -> np.ndarray:
        """The ids that nothing looks at before the end: the text's last part."""
        return self.ids[self.parts[0].symbols + self.parts[1].symbols :]

    def origin(self) -> dict:
        """What a model remembers of the corpus that it learned from, ready for JSON."""
        about = {"name": self.name, "sha256": self.sha256, "length": self.characters, "split": list(self.split)}
        return about | {"validation": self.parts[1]._asdict()}

    def check_parts(self) -> None:
        """Refuse a part that was asked for, but has too few symbols to predict one from another.

        Raises:
            ValueError: there is such a part; the message says which and why.
        """
        for name, share, part in zip(splits.PARTS, self.split, self.parts, strict=True):
            if share and part.symbols < 2:
                raise ValueError(
                    f"{self.name} has {self.characters:,} characters, too few for the split "
                    f"{','.join(map(str, self.split))}: its {name} text has {part.symbols} {self.vocabulary.symbol}s, "
                    f"and 2 are needed to predict one from the other; try a longer text, or --split 1,0,0"
                )

    @classmethod
    def from_text(cls, text: str, name: str = "text", **options) -> "Corpus":
        """A corpus of a text that is at hand; options as for `Corpus`."""
        return cls.from_bytes(text.encode("utf-8", "surrogatepass"), name, **options)

    @classmethod
    def from_bytes(cls, raw: bytes, name: str = "text", encoding: str = "utf-8", **options) -> "Corpus":
        """A corpus of the bytes of a text file; options as for `Corpus`."""
        return cls.from_source(reading.from_bytes(raw, name, encoding=encoding), **options)

    @classmethod
    def from_file(cls, path: str | Path, encoding: str = "utf-8", **options) -> "Corpus":
        """A corpus of a text file, which may have a byte order mark and CR LF line ends; options as for `Corpus`.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is empty, or not text in that encoding, or has only one distinct character, or is too short
                for the split, or an option is out of range.
        """
        return cls.from_source(reading.from_file(path, encoding), **options)

    @classmethod
    def from_source(
        cls,
        source: reading.Source,
        level: str = "char",
        vocabulary_size: int | None = None,
        split: splits.Split = splits.USUAL,
        cache: bool = True,
    ) -> "Corpus":
        """A corpus of any text that can be read; options as for `Corpus`, errors as for `from_file`.

        It is read in blocks, two or three times; only its ids are ever in memory as a whole, and where they are in the
        cache, not even they.
        """
        if level not in VOCABULARIES:
            raise ValueError(f"there is no level {level!r}: expected one of {', '.join(VOCABULARIES)}")
        if vocabulary_size is None and level == "word":
            vocabulary_size = WORDS
        options = level, vocabulary_size, splits.checked(split)
        digest = source.digest() if cache else None
        name = cached_name(digest, options)
        if cache and (found := restored(name)):
            return cls(source.name, *found)
        text = encoding.measure(source)
        vocabulary, sizes = encoding.learned(source, text, *options)

        def write(file: BinaryIO) -> dict:
            parts = encoding.encode(source, vocabulary, sizes, file)
            if cache and source.digest() != digest:
                raise encoding.changed(source)
            described = {"vocabulary": vocabulary.to_json(), "level": level, "sha256": text.sha256, "parts": parts}
            described |= {"split": options[2] if splits.is_shares(options[2]) else sizes}
            return described | {"dtype": vocabulary.dtype.str, "vocabulary_size": len(vocabulary)}

        if cache and text.length >= LEAST_CACHED:
            id_cache.save(name, write)
            if found := restored(name):
                return cls(source.name, *found)
        memory = io.BytesIO()
        described = write(memory)
        ids = np.frombuffer(memory.getbuffer(), vocabulary.dtype)
        ids.flags.writeable = False
        return cls(source.name, vocabulary, ids, text.sha256, tuple(described["split"]), tuple(described["parts"]))


def cached_name(digest: str | None, options: tuple) -> str:
    """What ids are called in the cache: all that they depend on, in one number."""
    known = json.dumps([__version__, digest, options, unicodedata.unidata_version])
    return f"{hashlib.sha256(known.encode()).hexdigest()[:32]}.ids"


def restored(name: str) -> tuple | None:
    """What the cache knows of a corpus: all but its name; None where it knows nothing, or nothing of use."""
    found = id_cache.load(name)
    if found is None:
        return None
    about, ids = found
    try:
        vocabulary = VOCABULARIES[about["level"]].from_json(about["vocabulary"])
        parts = tuple(Part(int(symbols), int(characters), float(nats)) for symbols, characters, nats in about["parts"])
        split, sha256 = splits.checked(about["split"]), str(about["sha256"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    whole = len(parts) == 3 and sum(part.symbols for part in parts) == len(ids) and min(map(min, parts)) >= 0
    if not whole or len(vocabulary) != about["vocabulary_size"] or vocabulary.dtype != ids.dtype:
        return None
    return vocabulary, ids, sha256, split, parts
