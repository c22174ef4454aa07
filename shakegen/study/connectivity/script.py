"""A text as a model reads it, with the true outputs along it. Only numpy."""

from dataclasses import dataclass

import numpy as np

from shakegen.study.autocomplete.corpus import encode_text
from shakegen.study.autocomplete.outputs import SPACE, SPECIAL, SYMBOLS, UNKNOWN


@dataclass(frozen=True)
class Script:
    """A text of T symbols for a model.

    Attributes:
        ids: of the symbols, shape (T,).
        characters: the symbols, each as text.
        truths: the true output at each position, shape (T,); -1 where it is not known.
        outputs: the text of every output; None for an output without text.
        what: the kind of an output, "word" or "next character".
    """

    ids: np.ndarray
    characters: list[str]
    truths: np.ndarray
    outputs: list[str | None]
    what: str


def of_words(words, text: str) -> Script:
    """A text in which every character, and the space before, should give its word."""
    ids = encode_text([text])
    whole = SYMBOLS.decode(ids)
    each = words.encode(whole.split()).astype(int)
    each = np.append(np.where(each == UNKNOWN, -1, each), -1)  # a space at the end is before a word yet to come
    outputs = [None] * SPECIAL + list(words.words)
    return Script(ids, list(whole), each[np.cumsum(ids == SPACE) - 1], outputs, "word")


def of_symbols(vocabulary, text: str, on_unknown: str | None) -> Script:
    """A text in which every symbol should give the next."""
    ids = vocabulary.encode(text, on_unknown)
    texts = [vocabulary.decode([k]) for k in range(len(vocabulary))]
    known = len(vocabulary.symbols)
    outputs = texts[:known] + [None] * (len(texts) - known)
    truths = np.append(ids[1:].astype(int), -1)
    truths[truths >= known] = -1
    return Script(ids, [texts[k] for k in ids], truths, outputs, f"next {vocabulary.symbol}")
