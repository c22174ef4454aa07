"""From a text to ids, block by block: its vocabulary, its parts, and the ids of each part. Only numpy."""

import hashlib
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shakegen.text import reading, splits
from shakegen.text.vocabulary import CODE_POINTS, Vocabulary, code_points, describe_character

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


class Part(NamedTuple):
    """Counts for one part of a text.

    Attributes:
        symbols: the number of ids.
        characters: the number of characters that they stand for.
        spelling: the cost of spelling the unknown symbols, in nats; 0 for training text, which is not scored.
    """

    symbols: int = 0
    characters: int = 0
    spelling: float = 0.0


class TextSummary(NamedTuple):
    """Length in characters, sha256 of the text in UTF-8, and the distinct characters by code point."""

    length: int
    sha256: str
    alphabet: list[str]


def measure(source: reading.Source) -> TextSummary:
    """Read a text once to find its length, its sha256 and its characters."""
    present, seen, length, sha256 = np.zeros(CODE_POINTS, dtype=bool), b"", 0, hashlib.sha256()
    for block in source.blocks():
        raw = block.encode("utf-8", "surrogatepass")
        if block.isascii():
            seen += bytes(set(raw.translate(None, seen)))
        else:
            present[code_points(block)] = True
        length += len(block)
        sha256.update(raw)
    present[list(seen)] = True
    return TextSummary(length, sha256.hexdigest(), [chr(k) for k in np.flatnonzero(present)])


def cut_sizes(source: reading.Source, text: TextSummary, split) -> tuple[int, ...]:
    """The sizes of the parts of a text in characters.

    Raises:
        ValueError: a network cannot learn from the text, or it is too short for the split, or most of it unused.
    """
    if not text.length:
        raise ValueError(f"{source.title} is empty: expected some text to learn from")
    if len(text.alphabet) == 1:
        raise ValueError(
            f"{source.title} has only one distinct character, {describe_character(text.alphabet[0])}: "
            "there is nothing to predict in it"
        )
    sizes = splits.compute_sizes(split, text.length, source.title)
    splits.check_use(split, sizes, text.length, source.title)
    return sizes


def encode(
    source: reading.Source, vocabulary: Vocabulary, sizes: tuple[int, ...], file: "SupportsWrite[memoryview]"
) -> list[Part]:
    """Write the ids of the parts of a text to a file. No symbol crosses the end of a part."""
    parts = [Part(), Part(), Part()]
    for number, pieces in itertools.groupby(cut_parts(source, sizes), key=lambda piece: piece[0]):
        symbols, spelling = 0, 0.0
        for ids, unknown in vocabulary.encode_blocks(piece for _, piece in pieces):
            file.write(ids.data)
            symbols += len(ids)
            spelling += sum(map(vocabulary.spelling, unknown)) if number else 0.0
        parts[number] = Part(symbols, sizes[number], spelling)
    return parts


def cut_parts(source: reading.Source, sizes: tuple[int, ...]) -> Iterator[tuple[int, str]]:
    """The blocks of a text, cut where a part ends, each with the number of its part."""
    number, left = 0, sizes[0]
    for block in source.blocks():
        begin = 0
        while begin < len(block):
            while not left:
                number += 1
                if number == len(sizes):
                    return
                left = sizes[number]
            piece = block[begin : begin + left]
            begin, left = begin + len(piece), left - len(piece)
            yield number, piece
    if left or any(sizes[number + 1 :]):
        raise changed_text(source)


def read_part(source: reading.Source, sizes: tuple[int, ...], number: int) -> Iterator[str]:
    """The text of one part, in blocks."""
    pieces = itertools.takewhile(lambda piece: piece[0] <= number, cut_parts(source, sizes))
    return (piece for part, piece in pieces if part == number)


def changed_text(source: reading.Source) -> ValueError:
    return ValueError(f"{source.title} changed while it was read: expected a text that stays as it is; try again")
