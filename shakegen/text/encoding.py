"""From a text to ids: its alphabet or its words, its parts, and the ids of each, block by block. Only numpy."""

import hashlib
import itertools
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from shakegen.text import reading, splits
from shakegen.text.vocabulary import CODE_POINTS, Vocabulary, code_points, describe
from shakegen.text.word_vocabulary import VOCABULARIES


class Part(NamedTuple):
    """What of a text is in one of its parts.

    Attributes:
        symbols: how many ids.
        characters: how many these stand for.
        spelling: what it takes to spell the unknown ones of them, in nats; of training text, which nobody scores, 0.
    """

    symbols: int = 0
    characters: int = 0
    spelling: float = 0.0


class Measured(NamedTuple):
    """What one pass over a text tells.

    Attributes:
        length: in characters.
        sha256: of the text in UTF-8.
        alphabet: its distinct characters, in the order of their code points.
    """

    length: int
    sha256: str
    alphabet: list[str]


def measure(source: reading.Source) -> Measured:
    """Read a text once, and tell its length, its sha256 and its characters."""
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
    return Measured(length, sha256.hexdigest(), [chr(k) for k in np.flatnonzero(present)])


def learned(
    source: reading.Source, text: Measured, level: str, size: int | None, split
) -> tuple[Vocabulary, tuple[int, int, int]]:
    """The vocabulary of a text, if there is anything to learn from it, and the sizes of its parts in characters."""
    if not text.length:
        raise ValueError(f"{source.title} is empty: expected some text to learn from")
    if len(text.alphabet) == 1:
        raise ValueError(
            f"{source.title} has only one distinct character, {describe(text.alphabet[0])}: "
            "there is nothing to predict in it"
        )
    sizes = splits.sizes(split, text.length, source.title)
    if size is None:
        return Vocabulary(text.alphabet), sizes
    return VOCABULARIES[level].learn(part_of(source, sizes, 0), size), sizes


def encode(source: reading.Source, vocabulary: Vocabulary, sizes: tuple[int, int, int], file: BinaryIO) -> list[Part]:
    """Write the ids of a text's parts to a file; no symbol reaches across the end of a part."""
    parts = [Part(), Part(), Part()]
    for number, pieces in itertools.groupby(cut(source, sizes), key=lambda piece: piece[0]):
        symbols, spelling = 0, 0.0
        for ids, unknown in vocabulary.encode_blocks(piece for _, piece in pieces):
            file.write(ids)
            symbols += len(ids)
            spelling += sum(map(vocabulary.spelling, unknown)) if number else 0.0
        parts[number] = Part(symbols, sizes[number], spelling)
    return parts


def cut(source: reading.Source, sizes: tuple[int, int, int]) -> Iterator[tuple[int, str]]:
    """The blocks of a text, cut where its parts end, each with the number of its part."""
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
        raise changed(source)


def part_of(source: reading.Source, sizes: tuple[int, int, int], number: int) -> Iterator[str]:
    """The text of one part, in blocks."""
    pieces = itertools.takewhile(lambda piece: piece[0] <= number, cut(source, sizes))
    return (piece for part, piece in pieces if part == number)


def changed(source: reading.Source) -> ValueError:
    return ValueError(f"{source.title} changed while it was read: expected a text that stays as it is; try again")
