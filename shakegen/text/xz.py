"""`xz -9` as a baseline: how many bytes a general compressor needs for text that follows the training text."""

import lzma
import math
from collections.abc import Iterable

from shakegen.text.ngram import COUNTED, PREDICTED
from shakegen.text.splits import PARTS

FAR, STEP = 1 << 16, 4  # bytes read at a time: to the neighbourhood, then to the end, whose error STEP is


def measure(corpus, parts: Iterable[str] = PARTS[1:]) -> dict[str, float]:
    """The bits per character that parts of a `text.Corpus` add to a file of the training text.

    The training text and the part are compressed as one text. The part costs the bytes after those from which the
    training text can be read. Alone it would cost more, for then the compressor would know nothing of the training
    text. The text is in UTF-8, and the dictionary holds all of it. Unknown symbols cost their spelling too, as with a
    network.

    Args:
        corpus: the last 3,000,000 symbols of its training text are compressed, and the first 1,000,000 of a part.
        parts: validation, test or both. Those of fewer than two symbols are left out.
    """
    known, costs = corpus.vocabulary.decode(corpus.train[-COUNTED:]), {}
    for name in parts:
        part, ids = corpus.parts[PARTS.index(name)], getattr(corpus, name)[:PREDICTED]
        if len(ids) > 1:
            bits = count_bits(known, corpus.vocabulary.decode(ids)) * part.symbols / len(ids)
            costs[name] = (bits + part.spelling / math.log(2)) / part.characters
    return costs


def count_bits(known: str, part: str) -> int:
    """The bits that a text adds to one that it follows, both compressed together without the header of a file."""
    before, raw = (text.encode("utf-8", "surrogatepass") for text in (known, part))
    size = max(4096, len(before) + len(raw))  # less memory than of `xz -9`, and the same result
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": size}]
    packed = lzma.compress(before + raw, lzma.FORMAT_RAW, filters=filters)
    end = 0  # of the bytes from which the first text can be read
    for step in (FAR, STEP):
        end = max(0, end - FAR)
        reader = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        length = len(reader.decompress(packed[:end]))
        while length < len(before):
            length += len(reader.decompress(packed[end : end + step]))
            end += step
    return 8 * max(0, len(packed) - end)
