"""The symbols that a model knows, and their ids: characters here; `levels` has the other kinds. Only numpy."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from shakegen.checks import check_ids, is_whole

CODE_POINTS = 0x110000
LARGEST = 1 << 20
UNKNOWN = "\ufffd"  # shows the unknown symbol
ON_UNKNOWN = ("error", "skip", "symbol")


def describe_character(character: str) -> str:
    """A character and its code point, as error messages show it: `'é' (U+00E9)`."""
    return f"{character!r} (U+{ord(character):04X})"


class UnknownCharacters(ValueError):
    """A text has characters that a vocabulary lacks: `characters`, by code point."""

    def __init__(self, characters: Iterable[str]):
        self.characters = sorted(set(characters))
        named = ", ".join(map(describe_character, self.characters[:8]))
        more = len(self.characters) - 8
        super().__init__(
            f"the model never saw {named}{f' and {more} more' if more > 0 else ''}: "
            "use characters of its training text, or skip the unknown ones (`on_unknown='skip'`)"
        )


class Reading(NamedTuple):
    """A text as a vocabulary reads it.

    Attributes:
        ids: shape (symbols,).
        characters: the number of characters that all symbols stand for, unknown ones included.
        first: the number of characters that the first symbol stands for; 0 for a digit, with which one only begins.
        spelling: the cost of spelling each unknown symbol, given that it is unknown, in nats, shape (unknown,).
    """

    ids: np.ndarray
    characters: int
    first: int
    spelling: np.ndarray


class Vocabulary:
    """The characters that a model knows, sorted by code point; the id of a character is its place in that order.

    Args:
        symbols: the distinct characters, in any order.
        unknown: add one symbol, with the last id, for every other character.

    Attributes:
        symbols: the known ones.
        unknown: the id of the unknown symbol, or None.

    Raises:
        ValueError: there is no symbol, one occurs twice, or one is not a single character.
    """

    level, symbol = "char", "character"
    grows = True  # a model for another text may get more symbols
    least = 1  # a symbol must occur so often in a text to be learned

    def __init__(self, symbols: Iterable[str], unknown: bool = False):
        self.symbols = self._in_order(tuple(symbols))
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError("every symbol of a vocabulary must be there once")
        self.unknown = len(self.symbols) if unknown else None

    @staticmethod
    def _in_order(symbols: tuple) -> tuple[str, ...]:
        if not symbols:
            raise ValueError("a vocabulary needs at least one character")
        if any(not isinstance(s, str) or len(s) != 1 for s in symbols):
            raise ValueError("every symbol of a vocabulary must be one character")
        return tuple(sorted(symbols))

    @classmethod
    def learn(cls, blocks: Iterable[str], size: int | None = None, alphabet: Sequence[str] = ()) -> "Vocabulary":
        """A vocabulary of the most frequent symbols of a text in blocks and the unknown symbol, `size` in all.

        Symbols that occur less than `least` times are left out, unless all do.

        Args:
            blocks: the text to count.
            size: by default there are all characters of `alphabet`, without an unknown symbol.
            alphabet: the characters of the text, and of more text that is not counted.

        Raises:
            ValueError: the size is out of range, or the text is empty.
        """
        if size is not None and not is_whole(size, 2, LARGEST):
            raise ValueError(
                f"the vocabulary size is {size!r}: expected 2, a {cls.symbol} and the unknown symbol, to {LARGEST:,}"
            )
        if size is None:
            return cls(alphabet)
        counts = cls.count(blocks)
        ranked = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))[: size - 1]
        return cls([symbol for symbol in ranked if counts[symbol] >= cls.least] or ranked, unknown=True)

    @classmethod
    def count(cls, blocks: Iterable[str]) -> Counter:
        """The number of times that each symbol occurs in a text in blocks."""
        counts = np.zeros(CODE_POINTS, np.int64)
        for block in blocks:
            if block.isascii():
                counts[:128] += np.bincount(np.frombuffer(block.encode("ascii"), np.uint8), minlength=128)
            else:
                counts += np.bincount(code_points(block), minlength=CODE_POINTS)
        return Counter({chr(k): int(counts[k]) for k in np.flatnonzero(counts)})

    def __len__(self) -> int:
        return len(self.symbols) + (self.unknown is not None)

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._known

    def __eq__(self, other) -> bool:
        return type(self) is type(other) and (self.symbols, self.unknown) == (other.symbols, other.unknown)

    def __hash__(self) -> int:
        return hash((self.symbols, self.unknown))

    def __repr__(self) -> str:
        return f"Vocabulary({''.join(self.symbols)!r}{', unknown=True' * (self.unknown is not None)})"

    @property
    def dtype(self) -> np.dtype:
        """The smallest unsigned integer type for every id: one byte up to 256 symbols."""
        return np.min_scalar_type(len(self) - 1)

    def to_json(self) -> list[str | None]:
        """The text of each id, ready for JSON; null has none, such as the unknown symbol. Texts come first."""
        return [*self.symbols, *[None] * (len(self) - len(self.symbols))]

    @classmethod
    def from_json(cls, symbols: list) -> "Vocabulary":
        """The vocabulary of a `to_json`.

        Raises:
            ValueError: the symbols make no vocabulary.
        """
        unknown = symbols[-1:] == [None]
        vocabulary = cls(symbols[:-1] if unknown else symbols, unknown)
        if vocabulary.to_json() != symbols:  # the place of a symbol is its id
            raise ValueError("the characters of a vocabulary must be in the order of their code points")
        return vocabulary

    def encode(self, text: str, on_unknown: str | None = None) -> np.ndarray:
        """The ids of a text, shape (symbols,).

        Args:
            text: any text.
            on_unknown: for symbols that are not in the vocabulary: `"symbol"` reads them as the unknown symbol, or, in
                a vocabulary of subwords, as digits; `"skip"` leaves them out; `"error"` refuses. The default is
                "symbol" if the vocabulary `reads_all`, else "error".

        Raises:
            UnknownCharacters, UnknownWords: the text has unknown symbols and `on_unknown` is `"error"`.
            ValueError: `on_unknown` is `"symbol"` and there is no unknown symbol, or it is none of the three.
        """
        return np.concatenate([np.empty(0, self.dtype), *(ids for ids, _ in self.encode_blocks([text], on_unknown))])

    def _refuse(self, unknown: Iterable[str]) -> ValueError:
        return UnknownCharacters(unknown)

    def encode_blocks(
        self, blocks: Iterable[str], on_unknown: str | None = None
    ) -> Iterator[tuple[np.ndarray, Sequence[str]]]:
        """For each block of a text, its ids and the symbols that were read as unknown; arguments as for `encode`."""
        on_unknown = on_unknown or ("symbol" if self.reads_all else "error")
        if on_unknown not in ON_UNKNOWN:
            raise ValueError(f"on_unknown is {on_unknown!r}: expected one of {', '.join(map(repr, ON_UNKNOWN))}")
        if on_unknown == "symbol" and not self.reads_all:
            raise ValueError(
                "this model has no unknown symbol (`on_unknown='symbol'`): expected error or skip, or a model trained "
                "with `vocabulary_size`"
            )
        for symbols in self.symbols_of(blocks):
            ids = self._look_up(symbols)
            missing = np.flatnonzero(ids == len(self.symbols))
            unknown = [symbols[k] for k in missing.tolist()]
            if unknown and on_unknown == "error":
                raise self._refuse(unknown)
            if unknown and on_unknown == "skip":
                ids, unknown = np.delete(ids, missing), []
            elif unknown:
                ids = self._spell_out(ids, missing, unknown)
            yield ids.astype(self.dtype, copy=False), unknown

    def read(self, blocks: Iterable[str], on_unknown: str | None = None) -> Reading:
        """Encode a text and add the cost of spelling unknown symbols; arguments and errors as for `encode`."""
        parts, characters = [np.empty(0, self.dtype)], 0
        unknown: list[str] = []
        for ids, more in self.encode_blocks(blocks, on_unknown):
            parts.append(ids)
            unknown += more
            characters += int(self._lengths.take(ids).sum()) + sum(map(len, more))
        ids = np.concatenate(parts)
        first = 0 if not len(ids) else len(unknown[0]) if ids[0] == self.unknown else int(self._lengths[ids[0]])
        return Reading(ids, characters, first, np.array([*map(self.spelling, unknown)]))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of a sequence of ids; raises ValueError if one is out of range."""
        points = self._code_points[self.check_ids(ids)]
        return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")

    def check_ids(self, ids: Iterable[int]) -> np.ndarray:
        """Ids as an array; raises ValueError if one is out of range."""
        ids = np.asarray(ids, dtype=np.intp)
        check_ids(ids, len(self))
        return ids

    def symbols_of(self, blocks: Iterable[str]) -> Iterator[Sequence[str]]:
        """The symbols of a text in blocks, known or not. A string is already a sequence of characters."""
        return iter(blocks)

    @property
    def reads_all(self) -> bool:
        """Whether there are ids for any text."""
        return self.unknown is not None

    def spell(self, symbol: str) -> list[int]:
        """The ids that stand for a symbol that is not known: the unknown symbol, or none."""
        return [] if self.unknown is None else [self.unknown]

    def _spell_out(self, ids: np.ndarray, missing: np.ndarray, unknown: list[str]) -> np.ndarray:
        """Ids in which `missing` are the places of unknown symbols, with the ids of `spell` there instead."""
        return ids

    def spelling(self, symbol: str) -> float:
        """The cost of naming a character that is unknown, in nats: all are equally likely."""
        return math.log(CODE_POINTS - len(self.symbols))

    def pending(self, text: str) -> str:
        """The end of a text that belongs to the next symbol; for characters, always empty."""
        return ""

    def unsettled(self, text: str) -> str:
        """The end of a text whose symbols may become others when more text follows; for characters, always empty."""
        return ""

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.symbols)

    @cached_property
    def _code_points(self) -> np.ndarray:
        return code_points("".join(self.symbols) + UNKNOWN)

    @cached_property
    def _lengths(self) -> np.ndarray:
        return np.array([*map(len, self.symbols), *[0] * (len(self) - len(self.symbols))])

    @cached_property
    def _table(self) -> np.ndarray:
        """Ids by code point; unknown code points, and the last entry, have the number of symbols."""
        table = np.full(ord(self.symbols[-1]) + 2, len(self.symbols), np.min_scalar_type(len(self.symbols)))
        table[self._code_points[:-1]] = np.arange(len(self.symbols))
        return table

    @cached_property
    def _ascii_table(self) -> bytes:
        return self._table.take(np.arange(256), mode="clip").tobytes()

    def _look_up(self, symbols: Sequence[str]) -> np.ndarray:
        text = str(symbols)  # as `symbols_of` gave it
        if text.isascii() and self._table.itemsize == 1:
            return np.frombuffer(text.encode("ascii").translate(self._ascii_table), np.uint8)
        return self._table.take(code_points(text), mode="clip")


def code_points(text: str) -> np.ndarray:
    """The code points of a text, shape (characters,), 32 bits each."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
