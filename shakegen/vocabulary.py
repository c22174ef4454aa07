"""The symbols that a model knows, and their ids. Only numpy."""

from collections.abc import Iterable

import numpy as np


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
