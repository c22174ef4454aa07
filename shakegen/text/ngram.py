"""n-grams as a baseline: how well counts of the training text predict text that was not counted. Only numpy."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from shakegen.checks import check_ids
from shakegen.text.splits import PARTS

COUNTED = 3_000_000  # symbols: the last ones of the training text
PREDICTED = 1_000_000  # symbols: the first ones of another part
ORDERS = 12  # symbols of the longest n-gram that is tried
WORD = 63  # bits of a positive integer


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
    order is 0 and there are no bits. Of a long part the first 1,000,000 symbols are predicted.
    """
    train = np.asarray(corpus.train[-COUNTED:])
    found = {name: np.asarray(getattr(corpus, name)[:PREDICTED]) for name in parts}
    first, ends = len(found["validation"]), np.cumsum([len(ids) for ids in found.values()])[:-1]
    if len(train) < 2 or not first:
        return 0, {}
    order, best = choose(train, np.concatenate(list(found.values())), len(corpus.vocabulary), first)
    return order, {name: bits for name, bits in zip(found, np.split(best, ends), strict=True) if len(bits)}


def choose(train: np.ndarray, held_out: np.ndarray, size: int, first: int) -> tuple[int, np.ndarray]:
    """The order of the n-grams that predict the first symbols of a text best, and their bits of all, shape (S,).

    Once two orders in a row are worse than a shorter one, longer ones are not tried. Arguments as for `predict`.
    """
    means, best = [], np.empty(0)
    for bits in predict(train, held_out, size, ORDERS):
        means.append(bits[:first].mean())
        if means[-1] == min(means):
            best = bits
        if min(means[-2:]) > min(means):
            break
    return int(np.argmin(means)) + 1, best


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
        owner = np.empty(len(number), np.int64)  # the context of each n-gram
        owner[grams] = owners
        yield -np.log2(interpolate(number, owner, grams[predicted], owners[predicted], lower))
        contexts, longer = longer, number_pairs(longer, padded[orders - order :][: len(longer)], size + 1)
        last = np.full(len(longer), -1)
        last[longer[1:][counted]] = np.arange(len(train))
        continuations = np.bincount(grams[last[last >= 0]], minlength=len(number))
        lower = interpolate(continuations, owner, grams[predicted], owners[predicted], lower)


def number_pairs(first: np.ndarray, second: np.ndarray, size: int) -> np.ndarray:
    """Numbers from 0 for distinct pairs, in their order; the second of each is below `size`."""
    keys, bits = first * size + second, len(first).bit_length()
    if int(keys.max()).bit_length() + bits > WORD:
        return np.unique(keys, return_inverse=True)[1]
    keys = keys << bits | np.arange(len(keys))  # numpy sorts integers far faster than it finds their order
    keys.sort()
    places, keys = keys & ((1 << bits) - 1), keys >> bits
    numbers = np.zeros_like(keys)
    numbers[places[1:]] = np.cumsum(keys[1:] != keys[:-1])
    return numbers


def interpolate(count, owner, grams, contexts, lower) -> np.ndarray:
    """The probabilities of symbols by discounted counts, and by `lower` for the share that the discounts save.

    Args:
        count: of each n-gram, shape (n-grams,).
        owner: the context of each n-gram, shape (n-grams,).
        grams: the n-gram that ends at each position to predict, shape (S,).
        contexts: the context of each of them, shape (S,).
        lower: their probabilities by shorter n-grams, shape (S,).
    """
    discount = find_discounts(count)[np.minimum(count, 3)]
    total, saved = np.bincount(owner, count)[contexts], np.bincount(owner, discount)[contexts]
    known = ((count - discount)[grams] + saved * lower) / np.maximum(total, 1)
    return np.where(total > 0, known, lower)


def find_discounts(count: np.ndarray) -> np.ndarray:
    """What is taken from counts of 0, 1, 2, and 3 or more, shape (4,): Chen & Goodman's estimates."""
    n = np.bincount(np.minimum(count, 5), minlength=6)[:5].astype(float)
    share = n[1] / max(n[1] + 2 * n[2], 1)
    taken = [0.0, *(k - (k + 1) * share * n[k + 1] / n[k] if n[k] else k / 2 for k in (1, 2, 3))]
    return np.clip(taken, [0, 0.1, 0.1, 0.1], [0, 0.9, 1.9, 2.9])


class KneserNey:
    """An n-gram model of a text as a step function, like `inference.Engine`: interpolated, modified Kneser-Ney.

    Its probabilities are those of `predict`. The state is the last n - 1 ids; V stands before the beginning.

    Args:
        ids: the text, shape (T,), below V.
        size: V, of the vocabulary.
        order: n.
    """

    def __init__(self, ids: np.ndarray, size: int, order: int):
        self.vocabulary_size = self.outputs = size
        self.order, self._levels = order, []
        ids = np.asarray(ids, np.int64)
        padded = np.concatenate([np.full(order, size), ids])
        keys, contexts = np.zeros(1, np.int64), np.zeros(len(ids), np.int64)  # of no symbols at first
        for length in range(order):
            grams, own, counts = np.unique(contexts * size + ids, return_inverse=True, return_counts=True)
            before = padded[order - length - 1 :][: len(ids)]
            if length < order - 1:
                counts = np.bincount(np.unique(own * (size + 1) + before) // (size + 1))
            owners, symbols = np.divmod(grams, size)
            discount, total = find_discounts(counts)[np.minimum(counts, 3)], np.bincount(owners, counts)
            starts, saved = np.searchsorted(owners, np.arange(len(keys) + 1)), np.bincount(owners, discount)
            self._levels.append((keys, starts, symbols, (counts - discount) / total[owners], saved / total))
            keys, contexts = np.unique(contexts * (size + 1) + before, return_inverse=True)

    def probabilities(self, contexts: np.ndarray) -> np.ndarray:
        """Of each symbol after ids, shape (N, n - 1), V before the beginning → (N, V)."""
        shares = np.full((len(contexts), self.vocabulary_size), 1 / self.vocabulary_size)
        live, nodes = np.arange(len(contexts)), np.zeros(len(contexts), np.int64)
        for length, (keys, starts, symbols, weights, saved) in enumerate(self._levels):
            if length:
                wanted = nodes * (self.vocabulary_size + 1) + contexts[live, -length]
                nodes = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
                seen = keys[nodes] == wanted
                live, nodes = live[seen], nodes[seen]
            for row, node in zip(live.tolist(), nodes.tolist(), strict=True):
                span = slice(starts[node], starts[node + 1])
                shares[row] *= saved[node]
                shares[row, symbols[span]] += weights[span]
        return shares

    def start(self, streams: int = 1) -> np.ndarray:
        """The state of N streams that have read nothing, shape (N, n - 1)."""
        return np.full((streams, self.order - 1), self.vocabulary_size, np.float32)

    def step(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read an id in every stream, shape (N,): the logits, here log-probabilities, (N, V), and the state."""
        check_ids(ids, self.vocabulary_size)
        if self.order > 1:
            state[:, :-1] = state[:, 1:].copy()
            state[:, -1] = ids
        return np.log(self.probabilities(state.astype(np.int64))), state

    def prime(self, ids: np.ndarray, streams: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Read a text, shape (T,), and give the logits and states from which N streams go on."""
        check_ids(ids, self.vocabulary_size)
        state, last = self.start(streams), ids[max(0, len(ids) - self.order + 1) :]
        state[:, self.order - 1 - len(last) :] = last
        return np.log(self.probabilities(state.astype(np.int64))), state
