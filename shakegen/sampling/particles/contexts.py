"""A small Markov chain that imitates a network: it looks ahead where the network would take too long."""

from dataclasses import dataclass

import numpy as np

from shakegen.sampling.beam import log_softmax

STREAMS, STEPS = 64, 128  # of the text that the chain is learned from
ORDER = 5  # symbols in the longest context
OFTEN = 4  # a longer context must occur so often to be kept
PRIOR = 1.0  # the weight of the next shorter context, in occurrences
SMALLEST = 1e-9  # of a probability
NUMBERS = 1 << 23  # probabilities in memory while it is learned


@dataclass(frozen=True)
class Contexts:
    """A Markov chain of variable order. Its S contexts are the last symbols of a text, as many as are known.

    Attributes:
        following: the context after each symbol, shape (S, V); context 0 is the empty one.
        probabilities: of the next symbol in each context, shape (S, V).
    """

    following: np.ndarray
    probabilities: np.ndarray

    def read(self, ids) -> int:
        """The context at the end of a text."""
        context = 0
        for one in ids:
            context = int(self.following[context, one])
        return context


def learn_contexts(step, logits, state, most: int, temperature: float = 1.0, random_state: int = 0) -> Contexts:
    """Learn a chain from a text that the network writes, and from all its probabilities there.

    Args:
        step, logits, state: as for `ancestral`, of one stream.
        most: the largest number of contexts.
        temperature: divides the logits.
        random_state: determines the text.

    Returns:
        Its contexts are the most frequent ones of up to `ORDER` symbols.
    """
    random, size = np.random.default_rng((random_state, 0, 1)), logits.shape[1]
    steps = max(8, min(STEPS, NUMBERS // (STREAMS * size)))
    state, logits = np.repeat(state, STREAMS, axis=0), np.repeat(logits, STREAMS, axis=0)
    ids, shares = np.empty((steps, STREAMS), np.intp), np.empty((steps, STREAMS, size), np.float32)
    for number in range(steps):
        if number:
            logits, state = step(ids[number - 1], state)
        shares[number] = np.exp(log_softmax(logits.astype(float), temperature))
        ids[number] = draw(shares[number], random.random(STREAMS))
    return count_contexts(ids, shares, most)


def draw(weights: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Draw one column of each row in proportion to weights (N, V), by uniform numbers (N,)."""
    sums = weights.cumsum(axis=1, dtype=float)
    drawn = (sums <= uniform[:, None] * sums[:, -1:]).sum(axis=1)
    # Rounding may lead beyond the last column with a weight.
    last = weights.shape[1] - 1 - (weights[:, ::-1] > 0).argmax(axis=1)
    return np.minimum(drawn, last)


def count_contexts(ids: np.ndarray, shares: np.ndarray, most: int) -> Contexts:
    """The chain of texts (T, N), given the probabilities before each of their symbols, shape (T, N, V)."""
    steps, size = len(ids), shares.shape[2]
    root = shares.reshape(-1, size).mean(axis=0, dtype=float)
    numbers: dict[tuple, int] = {(): 0}
    means = [root]
    for order in range(1, min(ORDER, steps - 1) + 1):
        windows = np.stack([ids[k : steps - order + k].ravel() for k in range(order)], axis=1)
        found, places, counts = np.unique(windows, axis=0, return_inverse=True, return_counts=True)
        after = shares[order:].reshape(-1, size)
        by_place = np.argsort(places.ravel(), kind="stable")
        starts = np.concatenate([[0], np.cumsum(counts)])
        for k in np.argsort(-counts, kind="stable").tolist():
            context = tuple(found[k].tolist())
            if len(numbers) == most or (order > 1 and counts[k] < OFTEN):
                break
            if context[1:] in numbers and context[:-1] in numbers:
                shorter = numbers[context[1:]]
                total = after[by_place[starts[k] : starts[k + 1]]].sum(axis=0, dtype=float)
                means.append((total + PRIOR * means[shorter]) / (counts[k] + PRIOR))
                numbers[context] = len(numbers)
    return Contexts(link_contexts(numbers, size), np.maximum(means, SMALLEST).astype(np.float32))


def link_contexts(numbers: dict[tuple, int], size: int) -> np.ndarray:
    """The context after each context and symbol: the longest known end of both."""
    longer: dict[tuple, list[tuple[int, int]]] = {}
    for context, number in numbers.items():
        if context:
            longer.setdefault(context[:-1], []).append((context[-1], number))
    following = np.zeros((len(numbers), size), np.int32)
    for context, number in numbers.items():  # shorter ones first
        if context:
            following[number] = following[numbers[context[1:]]]
        for symbol, after in longer.get(context, ()):
            following[number, symbol] = after
    return following
