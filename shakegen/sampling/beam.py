"""Beam search: a search of limited width for the likeliest texts."""

import math
from typing import NamedTuple

import numpy as np

from shakegen.checks import is_number, is_whole
from shakegen.sampling.ancestral import Step
from shakegen.sampling.constraints import Rules
from shakegen.sampling.stopping import StopTexts
from shakegen.sampling.truncation import LOWEST

TINY = 1e-30
MOST = 10_000_000  # width times length: the ids in memory


class Hypothesis(NamedTuple):
    """One text of a search.

    Attributes:
        ids: shape (length,).
        score: the texts are ranked by it; higher is better.
        log_probability: of the ids, given the text read before, in nats.
    """

    ids: np.ndarray
    score: float
    log_probability: float


def beam_search(
    step: Step,
    logits: np.ndarray,
    state: np.ndarray,
    length: int,
    width: int,
    best: int = 1,
    stops: StopTexts | None = None,
    min_length: int = 0,
    length_penalty: float = 0.0,
    rules: Rules | None = None,
) -> list[Hypothesis]:
    """Look for the likeliest texts: each step keeps the best `width` continuations of `width` texts.

    A text that ends in a stop text is frozen: it keeps its place and score while others grow. A wide beam may lose the
    greedy text, so that text always takes part at the end: the best result is never worse.

    Args:
        step: the step function.
        logits: of the first id, shape (1, V).
        state: of one stream, as `step` returned it with these logits.
        length: the number of ids in a text, unless a stop text ends it.
        width: the number of texts that are kept; 1 is greedy.
        best: the number of texts to return.
        stops: the stop texts; none by default.
        min_length: a stop text does not end a text before it has so many ids.
        length_penalty: α ≥ 0; texts are ranked by log-probability / lengthᵅ. 0 ranks by probability, which favours
            early stops, 1 by the mean over the ids.
        rules: what may be written, for one stream; they forbid, and leave all other log-probabilities as they are.

    Returns:
        At most `best` texts, best first. A text without a stop text is shorter than `length` only if every next id was
        forbidden in all beams.

    Raises:
        ValueError: an argument is out of range.
    """
    check_beams(length, width, logits.shape[1], best, length_penalty)
    # With several beams, row 0 is the greedy text, outside their contest. The beams are the rows after it.
    first = int(width > 1)
    beams = Beams(step, logits, state, length, 1 + first, stops, min_length, rules)
    scores = np.zeros(1 + first)
    while beams.read_last():
        totals = beams.logits + (scores - log_sum_exp(beams.logits))[:, None]
        if rules:
            rules.weigh(totals, totals, every=True)
        beams.freeze(totals, scores)
        ranks = rank_scores(totals, beams.lengths(1)[:, None], length_penalty) if length_penalty else totals
        top = find_highest(ranks[first:].ravel(), width)
        if not len(top) and not ranks[:first].max(initial=-np.inf) > -np.inf:
            break
        if first:
            contest, top = top, np.empty(1 + len(top), np.intp)
            top[0] = ranks[0].argmax()
            np.add(contest, totals.shape[1], top[1:])
        scores = totals.ravel()[top]
        beams.advance(*np.divmod(top, totals.shape[1]))
    return beams.hypotheses(rank_scores(scores, beams.lengths(), length_penalty), scores)[:best]


def rank_scores(log_probabilities: np.ndarray, lengths: np.ndarray, penalty: float) -> np.ndarray:
    return log_probabilities / np.maximum(lengths, 1) ** penalty


class Beams:
    """The rows of a search: their ids, which of them are finished, and the state of the network.

    The ids are a trail of back-pointers, so that a step costs the same at any length.
    """

    def __init__(self, step, logits, state, length, rows=1, stops=None, min_length=0, rules=None):
        same = np.zeros(rows, np.intp)
        self.logits, self._state, self._step, self._length = logits[same], state[same], step, length
        self._stops, self._min_length = stops, min_length
        self._nodes = stops.start(rows) if stops else np.empty(0, np.intp)
        self.finished, self._lengths = np.zeros(rows, bool), np.zeros(rows)
        self._rules = rules
        if rules:
            rules.reorder(same)
        self._trail, self._ids = [], None

    def read_last(self) -> bool:
        """Read the ids of the last step and return True, unless the search is over."""
        if len(self._trail) == self._length or (self._stops and self.finished.all()):
            return False
        if self._trail:
            self.logits, self._state = self._step(self._ids, self._state)
        return True

    def freeze(self, totals: np.ndarray, scores: np.ndarray) -> None:
        """Give every finished row a single, empty continuation at no cost."""
        if self._stops and self.finished.any():
            totals[self.finished] = -np.inf
            totals[self.finished, 0] = scores[self.finished]

    def lengths(self, after: int = 0) -> np.ndarray:
        """The length of the text in each row, after so many more steps."""
        if self._stops:
            return self._lengths + after * ~self.finished
        return np.full(len(self._state), len(self._trail) + after, float)

    def advance(self, parents: np.ndarray, ids: np.ndarray) -> None:
        """Replace the rows by continuations of them."""
        # In place if the number of rows stays: an engine recognises its own state and need not copy it.
        if len(parents) == len(self._state):
            self._state[...] = self._state.take(parents, 0)
        else:
            self._state = self._state[parents]
        self._ids, written = ids, ids
        if self._stops:
            frozen, self._lengths = self.finished[parents], self.lengths(1)[parents]
            written = np.where(frozen, -1, ids)
            self._nodes, complete = self._stops.advance(self._nodes[parents], ids)
            self.finished = frozen | complete if len(self._trail) + 1 >= self._min_length else frozen
        elif len(parents) != len(self.finished):
            self.finished = np.zeros(len(parents), bool)
        if self._rules:
            self._rules.reorder(parents)
            self._rules.advance(ids)
        self._trail.append((parents, written))

    def hypotheses(self, ranks: np.ndarray, log_probabilities: np.ndarray) -> list[Hypothesis]:
        """The distinct texts of all rows, best first; last, texts that neither a stop text nor the length ended."""
        rows, steps = np.arange(len(ranks)), []
        for parents, ids in reversed(self._trail):
            steps.append(ids[rows])
            rows = parents[rows]
        texts = np.array(steps[::-1], np.intp).reshape(len(steps), len(ranks)).T
        complete = self.finished | (len(self._trail) == self._length)
        distinct: dict[bytes, Hypothesis] = {}
        for row in np.lexsort((-ranks, ~complete)):
            ids = texts[row][texts[row] >= 0]
            if ranks[row] > -np.inf:
                distinct.setdefault(ids.tobytes(), Hypothesis(ids, float(ranks[row]), float(log_probabilities[row])))
        return list(distinct.values())


def log_softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Log-probabilities of softmax(logits / temperature), row by row, shape (N, V) → (N, V).

    All are -inf in a row whose logits are all -inf. A low temperature needs logits of 64 bits.
    """
    shifted = logits - np.maximum(np.maximum.reduce(logits, 1, keepdims=True), LOWEST)
    if temperature != 1:
        shifted /= max(temperature, TINY)
    shifted -= np.log(np.maximum(np.add.reduce(np.exp(shifted), 1, keepdims=True), TINY))
    return shifted


def log_sum_exp(logits: np.ndarray) -> np.ndarray:
    """The logarithm of the sum of exp(logits) in each row, shape (N, V) → (N,): half the work of `log_softmax`."""
    highest = np.maximum(np.maximum.reduce(logits, 1), LOWEST)
    return highest + np.log(np.maximum(np.add.reduce(np.exp(logits - highest[:, None]), 1), TINY))


def find_highest(ranks: np.ndarray, count: int) -> np.ndarray:
    """The places of the highest ranks, at most `count`, in any order, without -inf."""
    top = ranks.argpartition(-count)[-count:] if count < len(ranks) else np.arange(len(ranks))
    highest = ranks[top]
    return top if np.minimum.reduce(highest, initial=np.inf) > -np.inf else top[highest > -np.inf]


def check_beams(length: int, width: int, size: int, best: int = 1, length_penalty: float = 0.0) -> None:
    """Check the numbers of a beam search; `size` is V.

    Raises:
        ValueError: a number is out of range; the message says what was expected.
    """
    if not is_whole(length, 0):
        raise ValueError(f"the length is {length!r}: expected a number of characters, 0 or more")
    if not is_whole(width, 1):
        raise ValueError(f"the beam width is {width!r}: expected 1 (greedy) or more; 10 is usual")
    if width * max(1, length) > MOST:
        raise ValueError(
            f"a beam of width {width} over {length} characters is too large: expected a product of at most {MOST}"
        )
    if math.log(width) > length * math.log(size) * (1 + 1e-9):
        raise ValueError(
            f"the beam width is {width}: expected at most {size**length}, the number of texts of length {length} over "
            f"{size} symbols"
        )
    if not is_whole(best, 1, width):
        raise ValueError(f"the count is {best!r}: expected 1 to as many texts as the beam is wide, {width}")
    if not is_number(length_penalty, 0, 100):
        raise ValueError(f"the length penalty is {length_penalty!r}: expected 0 (none) to 100; 1 ranks by the mean")
