"""Statistics of a text: its characters, and how well earlier characters predict the next. Only numpy."""

import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from shakegen.text import ngram, xz

BLOCK = 1 << 22  # positions read at a time
CACHED = 1 << 16  # positions whose n-grams are packed at a time; they stay in the processor's cache
BUCKET = 1 << 22  # n-grams sorted at a time
DISTINCT = 1 << 23  # distinct n-grams held at a time, if they differ in their first character
WORD = 63  # bits of an integer that holds characters of an n-gram
LINE = 100  # characters of a line that are shown
FAR = 10_000  # the first and the last line are searched in so many characters at either end


def describe(corpus) -> dict:
    """The statistics of a `text.Corpus` of characters, ready for JSON."""
    with ThreadPoolExecutor(2) as others:  # xz and numpy's sorting let several threads run at once
        packed, counted = others.submit(xz.measure, corpus, ["validation"]), others.submit(ngram.find_best, corpus)
        bits, best = entropies(corpus.ids, len(corpus.vocabulary)), counted.result()
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
        "bits_per_character": bits,
        "ngram": best and best._asdict(),
        "xz_bits_per_character": packed.result().get("validation"),
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

    All n-grams of `orders` characters are counted by sorting. Sorted n-grams with an equal beginning are neighbours, so
    the same sort gives all lower orders. Too many distinct n-grams to hold are counted in two parts: n-grams that begin
    with one half of the characters, then the others. This needs some hundred megabytes, or 16 bytes for each
    distinct n-gram with the same first character.

    Args:
        ids: the text, shape (T,), whole numbers below `size`, T ≥ 1.
        size: of the vocabulary, V.
        orders: the number of orders.
    """
    sums = np.zeros(orders + 1)  # Σ n log₂ n over the n-grams of 0, 1, … characters
    sums[0] = len(ids) * np.log2(len(ids))
    bits, ranges = max(1, int(size - 1).bit_length()), [(0, size)]
    while ranges:
        first, last = ranges.pop()
        counted = count_ngrams(pack_ngrams(ids, first, last, bits, orders), DISTINCT if last - first > 1 else len(ids))
        if counted is None:
            middle = find_middle(count_ids(ids, size), first, last)
            ranges += [(middle, last), (first, middle)]
            continue
        words, number = counted
        for length in range(1, orders + 1) if len(number) else ():
            total = np.add.reduceat(number, find_prefixes(words, bits, length, orders))
            sums[length] += total @ np.log2(total)
    return np.maximum((sums[:-1] - sums[1:]) / len(ids), 0.0).tolist()


def find_middle(number: np.ndarray, first: int, last: int) -> int:
    """The id between `first` and `last`, neither of them, that cuts their symbols in two parts of about equal size."""
    total = np.cumsum(number[first:last])
    return first + min(max(int(np.searchsorted(total, total[-1] / 2)), 1), last - first - 1)


def pack_ngrams(ids: np.ndarray, first: int, last: int, bits: int, length: int) -> Iterator[np.ndarray]:
    """All n-grams whose first id is at least `first` and below `last`, packed in integers, shape (words, n-grams)."""
    in_word = WORD // bits
    for begin in range(0, len(ids), CACHED):
        end = min(begin + CACHED, len(ids))
        after = np.take(ids, np.arange(end, end + length - 1), mode="wrap")
        part = np.concatenate([ids[begin:end], after], dtype=np.int64)
        words = np.zeros((-(-length // in_word), end - begin), np.int64)
        for k in range(length):
            word = words[k // in_word]
            word <<= bits
            word |= part[k : k + end - begin]
        chosen = (part[: end - begin] >= first) & (part[: end - begin] < last)
        yield words if chosen.all() else words[:, chosen]


def count_ngrams(parts: Iterator[np.ndarray], most: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The distinct n-grams of several parts, sorted, shape (words, distinct), and how often each occurs.

    None if there are more than `most` distinct ones; then not all parts have been read.
    """
    total: list[tuple[np.ndarray, np.ndarray]] = []
    for batch in gather(merge_counts(np.concatenate(batch, 1)) for batch in gather(parts)):
        total = [merge_counts(*(np.concatenate(several, -1) for several in zip(*total, *batch)))]
        if total[0][0].shape[1] > most:
            return None
    return total[0]


def gather(parts: Iterator) -> Iterator[list]:
    """Lists of parts with `BUCKET` n-grams together, or a few more; the last list may have fewer."""
    taken, positions = [], 0
    for part in parts:
        taken.append(part)
        positions += part[0].shape[-1]
        if positions >= BUCKET:
            yield taken
            taken, positions = [], 0
    if taken:
        yield taken


def merge_counts(words: np.ndarray, number: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The distinct n-grams, sorted, and their counts. Each n-gram given counts `number` times, by default once.

    The given array may be sorted in place.
    """
    if number is None and len(words) == 1:
        words.sort()
    else:
        order = np.lexsort(words[::-1])
        words, number = words[:, order], None if number is None else number[order]
    new = np.ones(words.shape[1], bool)
    new[1:] = functools.reduce(np.logical_or, (word[1:] != word[:-1] for word in words))
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
