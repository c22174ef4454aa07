"""Text to ids and back: the vocabulary, the corpus and its contiguous splits. Only numpy."""

import codecs
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BLOCK = 1 << 20  # characters decoded at a time
CODE_POINTS = 0x110000


def describe(character: str) -> str:
    """A character and its code point, as error messages show it: `'é' (U+00E9)`."""
    return f"{character!r} (U+{ord(character):04X})"


class UnknownCharacters(ValueError):
    """A text has characters that a vocabulary lacks: `characters`, in the order of their code points."""

    def __init__(self, characters: Iterable[str]):
        self.characters = sorted(set(characters))
        named = ", ".join(map(describe, self.characters[:8]))
        more = len(self.characters) - 8
        super().__init__(
            f"the model never saw {named}{f' and {more} more' if more > 0 else ''}: "
            "use characters of its training text, or skip the unknown ones (--on-unknown skip)"
        )


class Vocabulary:
    """The characters that a model knows, sorted by code point; a character's id is its place in that order.

    Args:
        symbols: the distinct characters, in any order.

    Raises:
        ValueError: a symbol is not one character, or stands there twice, or there is none.
    """

    def __init__(self, symbols: Iterable[str]):
        symbols = tuple(symbols)
        if not symbols:
            raise ValueError("a vocabulary needs at least one character")
        if any(not isinstance(s, str) or len(s) != 1 for s in symbols):
            raise ValueError("every symbol of a vocabulary must be one character")
        self.symbols = tuple(sorted(symbols))
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError("every symbol of a vocabulary must be there once")
        self._code_points = np.array([ord(s) for s in self.symbols], dtype=np.uint32)

    def __len__(self) -> int:
        return len(self.symbols)

    def __contains__(self, character: str) -> bool:
        return character in self.symbols

    def __eq__(self, other) -> bool:
        return isinstance(other, Vocabulary) and self.symbols == other.symbols

    def __hash__(self) -> int:
        return hash(self.symbols)

    def __repr__(self) -> str:
        return f"Vocabulary({''.join(self.symbols)!r})"

    @property
    def dtype(self) -> np.dtype:
        """The smallest unsigned integer type that holds every id: one byte up to 256 symbols."""
        return np.min_scalar_type(len(self) - 1)

    def encode(self, text: str, on_unknown: str = "error") -> np.ndarray:
        """The ids of a text, shape (characters,).

        Args:
            text: any text.
            on_unknown: `"error"`, or `"skip"` to leave out characters that are not in the vocabulary.

        Raises:
            UnknownCharacters: the text has such characters and `on_unknown` is `"error"`.
        """
        if on_unknown not in ("error", "skip"):
            raise ValueError(f"on_unknown is {on_unknown!r}: expected 'error' or 'skip'")
        points = code_points(text)
        ids = np.searchsorted(self._code_points, points).clip(max=len(self) - 1)
        known = self._code_points[ids] == points
        if known.all():
            return ids.astype(self.dtype)
        if on_unknown == "error":
            raise UnknownCharacters(map(chr, np.unique(points[~known])))
        return ids[known].astype(self.dtype)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of a sequence of ids."""
        ids = np.asarray(ids, dtype=np.intp)
        return self._code_points[ids].astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def code_points(text: str) -> np.ndarray:
    """The code points of a text, shape (characters,), 32 bits each."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


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
    def from_file(cls, path: str | Path, encoding: str = "utf-8", **options) -> "Corpus":
        """A corpus of a text file, which may have a byte order mark and CR LF line ends.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is empty, or not text in that encoding, or has only one distinct character.
        """
        path = Path(path)
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder: expected a text file")
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            raise FileNotFoundError(
                f"no file {path}: expected a text file or the name of a corpus (see `shakegen corpora list`)"
            ) from None
        return cls.from_bytes(raw, path.stem, str(path), encoding, **options)

    @classmethod
    def from_bytes(cls, raw: bytes, name: str = "text", source: str = "the text", encoding: str = "utf-8", **options):
        """A corpus of the bytes of a text file; `source` is what error messages call it."""
        utf8 = known_encoding(encoding) == "utf-8"
        if utf8:
            raw = raw.removeprefix(codecs.BOM_UTF8)
            refuse_binary(raw, source)
        if utf8 and raw.isascii():
            vocabulary, ids, sha256 = encode_ascii(raw, source)
        else:
            vocabulary, ids, sha256 = encode_blocks(raw, source, encoding)
        return cls(name, vocabulary, ids, sha256, **options)


def encode_ascii(raw: bytes, source: str) -> tuple[Vocabulary, np.ndarray, str]:
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    present = np.zeros(256, dtype=bool)
    for start in range(0, len(raw), BLOCK):
        present[np.frombuffer(raw, np.uint8, min(BLOCK, len(raw) - start), start)] = True
    vocabulary = learnable(map(chr, np.flatnonzero(present)), source)
    table = np.zeros(256, dtype=np.uint8)
    table[present] = np.arange(len(vocabulary))
    return vocabulary, np.frombuffer(raw.translate(table.tobytes()), np.uint8), hashlib.sha256(raw).hexdigest()


def encode_blocks(raw: bytes, source: str, encoding: str) -> tuple[Vocabulary, np.ndarray, str]:
    present, length, sha256 = np.zeros(CODE_POINTS, dtype=bool), 0, hashlib.sha256()
    for block in decoded_blocks(raw, source, encoding):
        present[code_points(block)] = True
        length += len(block)
        sha256.update(block.encode("utf-8", "surrogatepass"))
    vocabulary = learnable(map(chr, np.flatnonzero(present)), source)
    table = np.zeros(CODE_POINTS, dtype=vocabulary.dtype)
    table[present] = np.arange(len(vocabulary))
    ids, end = np.empty(length, dtype=vocabulary.dtype), 0
    for block in decoded_blocks(raw, source, encoding):
        ids[end : end + len(block)] = table[code_points(block)]
        end += len(block)
    return vocabulary, ids, sha256.hexdigest()


def decoded_blocks(raw: bytes, source: str, encoding: str) -> Iterator[str]:
    """The text in blocks, all line ends as LF."""
    reader = io.TextIOWrapper(io.BytesIO(raw), known_encoding(encoding), newline=None)
    try:
        while block := reader.read(BLOCK):
            yield block
    except UnicodeError:
        raise ValueError(undecodable(raw, source, encoding)) from None


def known_encoding(encoding: str) -> str:
    """The usual name of a text encoding."""
    try:
        "".encode(encoding)  # codecs that are no text encodings, such as hex, refuse
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise ValueError(
            f"there is no encoding {encoding!r}: expected a name such as utf-8, utf-16, latin-1 or windows-1252"
        ) from None


def undecodable(raw: bytes, source: str, encoding: str) -> str:
    """One line that says which byte is not of that encoding, and which encoding to try instead."""
    position = 0
    try:
        raw.decode(encoding)
    except UnicodeDecodeError as error:
        position = error.start
    except UnicodeError:  # a codec that names no position, as UTF-16 without a byte order mark
        pass
    return f"{source} is not {encoding} text (byte offset {position}): {likely_encoding(raw, position)}"


def likely_encoding(raw: bytes, position: int) -> str:
    from charset_normalizer import from_bytes

    sample = raw[max(0, position - 32_768) :][:65_536]
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if raw.startswith(mark):
            return f"try --encoding {name}"
    guess = from_bytes(sample).best()
    if guess is None or guess.encoding in ("ascii", "utf_8"):
        return "expected a text file; if it is one, name its encoding with --encoding"
    same_as_common = sample.decode("cp1252", "replace") == sample.decode(guess.encoding, "replace")
    return f"try --encoding {'cp1252' if same_as_common else guess.encoding.replace('_', '-')}"


def refuse_binary(raw: bytes, source: str) -> None:
    position = raw.find(b"\0")
    if position >= 0:
        raise ValueError(
            f"{source} has a zero byte (byte offset {position}), so it is not utf-8 text: "
            + likely_encoding(raw, position)
        )


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
