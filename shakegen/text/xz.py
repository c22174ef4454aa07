"""`xz -9` as a baseline: how many bytes a general compressor needs for text that follows the training text."""

import lzma
import math
from collections.abc import Iterable

from shakegen.text.ngram import MOST
from shakegen.text.splits import PARTS


def measure(corpus, parts: Iterable[str] = PARTS[1:]) -> dict[str, float]:
    """The bits per character that parts of a `text.Corpus` add to a file of the training text.

    A part costs xz(training text + part) - xz(training text). Alone it would cost more, for then the compressor would
    know nothing of the training text. The text is in UTF-8, and the dictionary holds all of it. Unknown symbols cost
    their spelling too, as with a network.

    Args:
        corpus: the last 3,000,000 symbols of its training text are compressed, and as many of a part.
        parts: validation, test or both. Those of fewer than two symbols are left out.
    """
    wanted = {name: getattr(corpus, name)[:MOST] for name in parts}
    wanted = {name: ids for name, ids in wanted.items() if len(ids) > 1}
    known = corpus.vocabulary.decode(corpus.train[-MOST:])
    before, costs = count_bits(known) if wanted else 0, {}
    for name, ids in wanted.items():
        part = corpus.parts[PARTS.index(name)]
        bits = (count_bits(known + corpus.vocabulary.decode(ids)) - before) * part.symbols / len(ids)
        costs[name] = (bits + part.spelling / math.log(2)) / part.characters
    return costs


def count_bits(text: str) -> int:
    """The size of a text, compressed without the header of a file."""
    raw = text.encode("utf-8", "surrogatepass")
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": max(4096, len(raw))}]  # less memory, the same size
    return 8 * len(lzma.compress(raw, lzma.FORMAT_RAW, filters=filters))
