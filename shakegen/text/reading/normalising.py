"""Lower case and the alphabet of text8, applied block by block as if the text were one piece."""

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np

from shakegen.text.reading.source import Source

LONGEST_WORD = 1000  # characters searched backwards for a place where a text may be cut

DIGITS = dict(zip(b"0123456789", b"zero one two three four five six seven eight nine".split()))
KEPT = {*b"abcdefghijklmnopqrstuvwxyz", *DIGITS}
TO_TEXT8 = bytes(c if c in KEPT else ord(" ") for c in bytes(range(256)).lower())
SPACE = ord(" ")


def normalize_source(source: Source, lowercase: bool = False, normalize: str | None = None) -> Source:
    """A source in lower case, or normalised by the rules of `text8`.

    Raises:
        ValueError: there is no such normalisation.
    """
    if normalize not in (None, "text8"):
        raise ValueError(f"there is no normalisation {normalize!r}: expected text8")
    steps = [("lowercase", lower_blocks)] * lowercase + [("text8", text8)] * (normalize is not None)
    if not steps:
        return source

    def blocks():
        text = source.blocks()
        for _, step in steps:
            text = step(text)
        return text

    def digest():
        names = " ".join(name for name, _ in steps)
        return hashlib.sha256(f"{names} of {source.digest()}".encode()).hexdigest()

    return Source(source.name, source.title, blocks, digest)


def lower_blocks(blocks: Iterable[str]) -> Iterator[str]:
    """A text in lower case, as by `str.lower`.

    A capital sigma becomes ς or σ depending on the letters around it. So the text is cut only where no letter depends
    on the other side, unless a word is longer than `LONGEST_WORD`.
    """
    kept = ""
    for block in blocks:
        text = kept + block
        end = next((i for i in range(len(text), max(0, len(text) - LONGEST_WORD), -1) if ends_words(text[i - 1])), None)
        if end is None:
            end = len(text) if len(text) > LONGEST_WORD else 0
        text, kept = text[:end], text[end:]
        if text:
            yield text.lower()
    if kept:
        yield kept.lower()


def ends_words(character: str) -> bool:
    """Whether a letter after this character is lowered as if it were the first of the text."""
    return f"A{character}Σ".lower().endswith("σ")


def text8(blocks: Iterable[str]) -> Iterator[str]:
    """A text in the alphabet of text8, a to z and space, by Mahoney's rules.

    A to Z become lower case, and each digit becomes its English name between spaces. Every other character becomes a
    space, accented letters too. Spaces in a row become one. (M. Mahoney, About the test data,
    mattmahoney.net/dc/textdata.html.)
    """
    spaced = False
    for block in filter(None, blocks):
        raw = block.encode("ascii", "replace").translate(TO_TEXT8)
        for digit, name in DIGITS.items():
            raw = raw.replace(bytes([digit]), b" %b " % name)
        spaces = np.frombuffer(raw, np.uint8) == SPACE
        twice = spaces.copy()
        twice[0] &= spaced
        twice[1:] &= spaces[:-1]
        spaced = bool(spaces[-1])
        text = np.frombuffer(raw, np.uint8)[~twice].tobytes().decode("ascii")
        if text:
            yield text
