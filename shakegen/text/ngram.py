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
        if means.index(min(means)) == len(means) - 1:  # of equal ones the shortest
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
    lower, contexts = np.full(len(held_out), 1 / size), np.zeros(len(held_out) + 1, np.int64)
    text = np.concatenate([train, held_out])
    for n, (keys, _, _, shares) in enumerate(count_ngrams(train, size, orders), 1):
        longer = find_strings(keys, contexts, symbols_before(text, n, size)[len(train) :], size)
        longest, below = (weights[longer[1:]] + saved[contexts[:-1]] * lower for weights, saved in shares)
        yield -np.log2(longest)
        lower, contexts = below, longer


def count_ngrams(ids: np.ndarray, size: int, orders: int) -> Iterator[tuple]:
    """The n-grams of a text, ids below `size`, for n = 1 … orders; `size` stands before the beginning.

    Yields:
        The keys of `number_strings`: the place of an n-gram here is its number, and its number as a context in
        the next n-grams. The context and the last symbol of each. Their `discount`s twice: by their counts, and, for
        those below longer ones, by the number of distinct symbols before them.
    """
    before = np.zeros(len(ids) + 1, np.int64)  # the number of the context at each place; the last follows the text
    keys, longer = number_strings(before, symbols_before(ids, 1, size), size)
    for n in range(1, orders + 1):
        more, longest = number_strings(longer, symbols_before(ids, n + 1, size), size)
        contexts, symbols = np.zeros((2, len(keys)), np.int64)
        contexts[longer[1:]], symbols[longer[1:]] = before[:-1], ids
        continued = np.delete(more, longest[0]) // (size + 1)  # nothing ends before the first symbol
        counts = (np.bincount(grams, minlength=len(keys)) for grams in (longer[1:], continued))
        yield keys, contexts, symbols, [discount(count, contexts, before.max() + 1) for count in counts]
        before, keys, longer = longer, more, longest


def discount(count: np.ndarray, contexts: np.ndarray, among: int) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities of n-grams by discounted counts, and the share that the discounts save in each context.

    Behind them stand 0 and 1, for an n-gram and a context that are not in the text.
    """
    taken = find_discounts(count)[np.minimum(count, 3)]
    total, saved = (np.bincount(contexts, of, among) for of in (count, taken))
    seen = np.maximum(total, 1)
    share = np.where(total > 0, saved / seen, 1)  # nothing follows the end of the text
    return np.append((count - taken) / seen[contexts], 0), np.append(share, 1)


def symbols_before(ids: np.ndarray, n: int, size: int) -> np.ndarray:
    """The symbol n places before each place of a text and before its end, (T + 1,); `size` where there is none."""
    return np.concatenate([np.full(n, size), ids.astype(np.int64)])[: len(ids) + 1]


def number_strings(shorter: np.ndarray, before: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The keys of distinct strings, in order, and the number of each string: the place of its key.

    Args:
        shorter: the numbers of strings.
        before: the symbols before them, V at most, which make them one longer.
        size: V.
    """
    keys, places = sort(shorter * (size + 1) + before)
    is_new, numbers = np.append(True, keys[1:] != keys[:-1]), np.empty_like(keys)
    numbers[places] = np.cumsum(is_new) - 1
    return keys[is_new], numbers


def find_strings(keys: np.ndarray, shorter: np.ndarray, before: np.ndarray, size: int) -> np.ndarray:
    """The numbers of strings among those of `number_strings`; len(keys) for others."""
    wanted, places = sort(shorter * (size + 1) + before)  # looked up in order, neighbours share a cache
    found, numbers = np.searchsorted(keys, wanted), np.empty_like(wanted)
    numbers[places] = np.where(keys[np.minimum(found, len(keys) - 1)] == wanted, found, len(keys))
    return numbers


def sort(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers from 0 in order, and the place where each was."""
    bits = len(keys).bit_length()
    if int(keys.max(initial=0)).bit_length() + bits > WORD:
        places = np.argsort(keys)
        return keys[places], places
    keys = keys << bits | np.arange(len(keys))  # numpy sorts integers far faster than it finds their order
    keys.sort()
    return keys >> bits, keys & ((1 << bits) - 1)


def find_discounts(count: np.ndarray) -> np.ndarray:
    """The discounts of counts of 0, 1, 2, and 3 or more, shape (4,), by Chen & Goodman's estimates."""
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
        self.order, self._levels, known = order, [], np.empty(0)
        for n, (keys, contexts, symbols, shares) in enumerate(count_ngrams(np.asarray(ids), size, order), 1):
            weights, saved = shares[n < order]
            grams = np.argsort(contexts, kind="stable")
            grams = grams[weights[grams] > 0]
            starts = np.searchsorted(contexts[grams], np.arange(len(saved) + 1))
            self._levels.append((known, starts, symbols[grams], weights[grams], saved))
            known = keys

    def probabilities(self, contexts: np.ndarray) -> np.ndarray:
        """Of each symbol after ids, shape (N, n - 1), V before the beginning → (N, V)."""
        size, nodes = self.vocabulary_size, np.zeros(len(contexts), np.int64)
        shares = np.full((len(contexts), size), 1 / size)
        for length, (keys, starts, symbols, weights, saved) in enumerate(self._levels):
            nodes = find_strings(keys, nodes, contexts[:, -length], size) if length else nodes
            shares *= saved[nodes, None]
            for row, node in enumerate(nodes.tolist()):
                span = slice(starts[node], starts[node + 1])
                shares[row, symbols[span]] += weights[span]
        return shares

    def start(self, streams: int = 1) -> np.ndarray:
        """The state of N streams that have read nothing, shape (N, n - 1)."""
        return np.full((streams, self.order - 1), self.vocabulary_size, np.float32)

    def step(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read an id in every stream, shape (N,): the logits, here log-probabilities, (N, V), and the state."""
        logits, state = self.read(ids[None], state)
        return logits[0], state

    def read(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read ids in every stream, shape (T, N): the logits after each, (T, N, V), and the state."""
        check_ids(ids.ravel(), self.vocabulary_size)
        texts = np.concatenate([state.T, ids])
        columns = [texts[k : k + len(ids)] for k in range(1, self.order)]
        contexts = np.array(columns, np.int64).reshape(self.order - 1, ids.size).T
        state[:] = texts[len(ids) :].T
        return np.log(self.probabilities(contexts)).reshape(*ids.shape, self.vocabulary_size), state

    def prime(self, ids: np.ndarray, streams: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Read a text, shape (T,), and give the logits and states from which N streams go on."""
        ids = np.asarray(ids, np.intp)
        check_ids(ids, self.vocabulary_size)
        state, last = self.start(streams), ids[max(0, len(ids) - self.order + 1) :]
        state[:, self.order - 1 - len(last) :] = last
        return np.log(self.probabilities(state.astype(np.int64))), state
