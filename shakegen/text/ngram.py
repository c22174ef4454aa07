"""n-grams as a baseline: how well counts of the training text predict text that was not counted. Only numpy."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from shakegen.text.splits import PARTS

MOST = 3_000_000  # symbols that are counted: the last ones of the training text
ORDERS = 12  # symbols of the longest n-gram that is tried


class Baseline(NamedTuple):
    """The best n-gram model of a corpus.

    Attributes:
        order: symbols of its n-grams, n.
        bits_per_character: on the validation text, which chose the order; unknown words are spelled.
    """

    order: int
    bits_per_character: float

    def __str__(self) -> str:
        return f"the best n-gram model, n = {self.order}, needs {self.bits_per_character:.3f} bits/char"


def find_best(corpus) -> Baseline | None:
    """The best n-gram model of a `text.Corpus`; None if there is nothing to count or to predict."""
    part = corpus.parts[1]
    order, bits = predict_parts(corpus, ["validation"])
    if not order:
        return None
    spelling = part.spelling / np.log(2)
    return Baseline(order, float((bits["validation"].mean() * part.symbols + spelling) / part.characters))


def predict_parts(corpus, parts: Iterable[str] = PARTS[1:]) -> tuple[int, dict[str, np.ndarray]]:
    """The order of the best n-gram model of a `text.Corpus`, and its bits for each symbol of some parts.

    The validation text chooses the order: it is the first part. Without it, or with a training text of one symbol, the
    order is 0 and there are no bits. Of a long part the first 3,000,000 symbols are predicted.
    """
    train, found = np.asarray(corpus.train[-MOST:]), {name: np.asarray(getattr(corpus, name)[:MOST]) for name in parts}
    first, ends = len(found["validation"]), np.cumsum([len(ids) for ids in found.values()])[:-1]
    if len(train) < 2 or not first:
        return 0, {}
    means, best = [], np.empty(0)
    for bits in predict(train, np.concatenate(list(found.values())), len(corpus.vocabulary), ORDERS):
        means.append(bits[:first].mean())
        if means[-1] == min(means):
            best = bits
        if min(means[-2:]) > min(means):  # two in a row are worse than a shorter one
            break
    return int(np.argmin(means)) + 1, {
        name: bits for name, bits in zip(found, np.split(best, ends), strict=True) if len(bits)
    }


def predict(train: np.ndarray, held_out: np.ndarray, size: int, orders: int) -> Iterator[np.ndarray]:
    """The bits of each symbol by n-gram models of the text before it, for n = 1, 2, … , shape (S,).

    The models are interpolated and modified Kneser-Ney (Chen & Goodman 1998): an n-gram's count is lowered by one of
    three discounts, and what this saves goes to the (n - 1)-gram, whose count is the number of distinct symbols before
    it. Below the unigram stands a uniform distribution.

    Args:
        train: ids that are counted, shape (T,), below `size`.
        held_out: ids that follow them, shape (S,); the contexts of the first reach back into `train`.
        size: of the vocabulary, V.
        orders: the longest n.
    """
    ids = np.concatenate([train, held_out]).astype(np.int64)
    counted, predicted = slice(0, len(train)), slice(len(train), None)
    padded = np.concatenate([np.full(orders + 1, size), ids])  # `size` stands before the beginning
    contexts = np.zeros(len(ids) + 1, np.int64)  # a number for each distinct context; the last one follows the text
    longer, lower = number_pairs(contexts, padded[orders:], size + 1), np.full(len(held_out), 1 / size)
    for order in range(1, orders + 1):
        grams, owners = longer[1:], contexts[:-1]  # an n-gram is a context of the next position
        number = np.bincount(grams[counted], minlength=grams.max() + 1)
        yield -np.log2(interpolate(number, grams, owners, predicted, lower))
        contexts, longer = longer, number_pairs(longer, padded[orders - order :][: len(longer)], size + 1)
        last = np.full(len(longer), -1)
        last[longer[1:][counted]] = np.arange(len(train))
        continuations = np.bincount(grams[last[last >= 0]], minlength=len(number))
        lower = interpolate(continuations, grams, owners, predicted, lower)


def number_pairs(first: np.ndarray, second: np.ndarray, size: int) -> np.ndarray:
    """Numbers from 0 for distinct pairs; the second of each is below `size`."""
    return np.unique(first * size + second, return_inverse=True)[1]


def interpolate(count, grams, contexts, predicted: slice, lower) -> np.ndarray:
    """The probabilities of symbols by discounted counts, and by `lower` for the share that the discounts save.

    Args:
        count: of each n-gram, shape (n-grams,).
        grams: the n-gram that ends at each position of the text, shape (T + S,).
        contexts: the context of each position, shape (T + S,).
        predicted: the positions to predict, S.
        lower: their probabilities by shorter n-grams, shape (S,).
    """
    discount = find_discounts(count)[np.minimum(count, 3)]
    owner = np.zeros(len(count), np.int64)
    owner[grams] = contexts
    total = np.bincount(owner, count)
    saved = np.bincount(owner, discount)
    gram, context = grams[predicted], contexts[predicted]
    seen = np.maximum(total[context], 1)
    known = ((count - discount)[gram] + saved[context] * lower) / seen
    return np.where(total[context] > 0, known, lower)


def find_discounts(count: np.ndarray) -> np.ndarray:
    """What is taken from counts of 0, 1, 2, and 3 or more, shape (4,): Chen & Goodman's estimates."""
    n = np.bincount(np.minimum(count, 5), minlength=6)[:5].astype(float)
    share = n[1] / max(n[1] + 2 * n[2], 1)
    taken = [0.0, *(k - (k + 1) * share * n[k + 1] / n[k] if n[k] else k / 2 for k in (1, 2, 3))]
    return np.clip(taken, [0, 0.1, 0.1, 0.1], [0, 0.9, 1.9, 2.9])
