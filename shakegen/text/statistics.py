"""Statistics of a text: its characters, and how well earlier characters predict the next. Only numpy."""

from collections.abc import Iterator

import numpy as np

from shakegen.text import ngram, xz

BLOCK = 1 << 22  # positions read at a time
BUCKET = 1 << 23  # n-grams sorted at a time
WORD = 63  # bits of an integer that holds characters of an n-gram
LINE = 100  # characters of a line that are shown
FAR = 10_000  # the first and the last line are searched in so many characters at either end


def describe(corpus) -> dict:
    """The statistics of a `text.Corpus` of characters, ready for JSON."""
    counts = dict(zip(corpus.vocabulary.symbols, count_ids(corpus.ids, len(corpus.vocabulary)).tolist()))
    first, last = find_end_lines(
        corpus.vocabulary.decode(corpus.ids[:FAR]), corpus.vocabulary.decode(corpus.ids[-FAR:])
    )
    return {
        "name": corpus.name,
        "sha256": corpus.sha256,
        "characters": len(corpus),
        "bytes": sum(len(symbol.encode("utf-8", "surrogatepass")) * n for symbol, n in counts.items()),
        "lines": counts.get("\n", 0),
        "train": len(corpus.train),
        "validation": len(corpus.validation),
        "test": len(corpus.test),
        "first_line": first,
        "last_line": last,
        "vocabulary_size": len(corpus.vocabulary),
        "counts": counts,
        "bits_per_character": entropies(corpus.ids, len(corpus.vocabulary)),
        "ngram": (best := ngram.find_best(corpus)) and best._asdict(),
        "xz_bits_per_character": xz.measure(corpus, ["validation"]).get("validation"),
    }


def find_end_lines(beginning: str, end: str) -> tuple[str, str]:
    """The first and the last line that are not empty; long ones are cut."""
    first = beginning.lstrip("\n").partition("\n")[0]
    last = end.rstrip("\n").rpartition("\n")[2]
    return first if len(first) <= LINE else f"{first[:LINE]}…", last if len(last) <= LINE else f"…{last[-LINE:]}"


def count_ids(ids: np.ndarray, size: int) -> np.ndarray:
    """The number of times that each id occurs, shape (size,)."""
    total = np.zeros(size, np.int64)
    for begin in range(0, len(ids), BLOCK):
        total += np.bincount(ids[begin : begin + BLOCK], minlength=size)
    return total


def entropies(ids: np.ndarray, size: int, orders: int = 6) -> list[float]:
    """The entropy of each next character given the k before it, for k = 0 … orders - 1, in bits per character.

    H(X | k before) = -Σ n(c x)/T log₂(n(c x)/n(c)), over all contexts c of k characters and next characters x. The
    counts n are those of the text itself: the plug-in estimate (Shannon 1951 calls it F with index k + 1). For a short
    text it is too small at high orders, where most contexts occur once. The text is read as a ring, its end followed
    by its beginning: so every order sees every character, and the entropy never rises with the order.

    All n-grams of `orders` characters are counted by sorting, one bucket of first characters at a time. Sorted n-grams
    with an equal beginning are neighbours, so the same sort gives all lower orders. This needs some hundred megabytes,
    or 16 bytes for each distinct n-gram with the same first character.

    Args:
        ids: the text, shape (T,), whole numbers below `size`, T ≥ 1.
        size: of the vocabulary, V.
        orders: the number of orders.
    """
    sums = np.zeros(orders + 1)  # Σ n log₂ n over the n-grams of 0, 1, … characters
    sums[0] = len(ids) * np.log2(len(ids))
    bits = max(1, int(size - 1).bit_length())
    for first, last in split_buckets(count_ids(ids, size)):
        words, number = count_ngrams(pack_ngrams(ids, first, last, bits, orders))
        for length in range(1, orders + 1):
            total = np.add.reduceat(number, find_prefixes(words, bits, length, orders))
            sums[length] += total @ np.log2(total)
    return np.maximum((sums[:-1] - sums[1:]) / len(ids), 0.0).tolist()


def split_buckets(number: np.ndarray) -> Iterator[tuple[int, int]]:
    """Split the ids into ranges that occur at most `BUCKET` times together; a more frequent id is alone."""
    first = 0
    while first < len(number):
        fitting = int(np.searchsorted(np.cumsum(number[first:]), BUCKET, "right"))
        last = first + max(1, fitting)
        if number[first:last].any():
            yield first, last
        first = last


def pack_ngrams(ids: np.ndarray, first: int, last: int, bits: int, length: int) -> Iterator[np.ndarray]:
    """All n-grams whose first id is at least `first` and below `last`, packed in integers, shape (words, n-grams)."""
    in_word = WORD // bits
    for begin in range(0, len(ids), BLOCK):
        end = min(begin + BLOCK, len(ids))
        part = np.concatenate([ids[begin:end], np.take(ids, np.arange(end, end + length - 1), mode="wrap")])
        at = np.flatnonzero((part[: end - begin] >= first) & (part[: end - begin] < last))
        words = np.zeros((-(-length // in_word), len(at)), np.int64)
        for k in range(length):
            words[k // in_word] = words[k // in_word] << bits | part[at + k]
        yield words


def count_ngrams(parts: Iterator[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The distinct n-grams of several parts, sorted, shape (words, distinct), and how often each occurs."""
    total = merge_counts(np.concatenate(take_parts(BUCKET, parts), 1))
    while batch := take_parts(BUCKET, parts):
        new = merge_counts(np.concatenate(batch, 1))
        total = merge_counts(*(np.concatenate(pair, -1) for pair in zip(total, new)))
    return total


def take_parts(positions: int, parts: Iterator[np.ndarray]) -> list[np.ndarray]:
    """The next parts, until together they have so many n-grams or no part is left."""
    taken = []
    for part in parts:
        taken.append(part)
        positions -= part.shape[1]
        if positions <= 0:
            break
    return taken


def merge_counts(words: np.ndarray, number: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The distinct n-grams, sorted, and their counts. Each n-gram given counts `number` times, by default once."""
    if number is None and len(words) == 1:
        words = np.sort(words)
    else:
        order = np.lexsort(words[::-1])
        words, number = words[:, order], None if number is None else number[order]
    new = np.ones(words.shape[1], bool)
    new[1:] = (words[:, 1:] != words[:, :-1]).any(0)
    at = np.flatnonzero(new)
    return words[:, at], np.diff(at, append=len(new)) if number is None else np.add.reduceat(number, at)


def find_prefixes(words: np.ndarray, bits: int, length: int, whole: int) -> np.ndarray:
    """Where a new prefix begins in sorted n-grams; a prefix is the first `length` of `whole` characters."""
    in_word = WORD // bits
    differs = np.zeros(words.shape[1], bool)
    differs[0] = True
    for begin, word in zip(range(0, length, in_word), words):
        held, common = min(in_word, whole - begin), min(in_word, length - begin)
        prefix = word >> bits * (held - common)
        differs[1:] |= prefix[1:] != prefix[:-1]
    return np.flatnonzero(differs)
