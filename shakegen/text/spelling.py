"""How words that a vocabulary lacks are spelled, and what this costs. Only numpy."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from shakegen.text.vocabulary import CODE_POINTS

UNUSED, FREQUENCY = "none", 1 << 30  # a character of no word


class Spelling:
    """A code that spells words by their characters. It is made from a list of words alone.

    Each character, and the end, is predicted from the four before it, by counts in the list, every word once:
    p(c | context) = (n(c) + 3 k p(c | shorter context)) / (n + 3 k), with k distinct continuations among n. (Witten &
    Bell 1991 have k where this has 3 k. In a list most contexts occur once, and say too much.) Below the empty context,
    all code points and the end are equally likely. The probabilities of all texts sum to 1.

    Attributes:
        characters: all that the words have, sorted; the first, an empty one, is the end.
    """

    ORDER, BACK = 4, 3

    def __init__(self, words: Iterable[str]):
        self._counts: dict[str, Counter] = {}
        for word in words:
            for character, context in self._predictions(word):
                for order in range(self.ORDER + 1):
                    self._counts.setdefault(context[self.ORDER - order :], Counter())[character] += 1
        self._totals = {context: counts.total() for context, counts in self._counts.items()}
        self._costs: dict[tuple[str, str], float] = {}
        self.characters = sorted(self._counts.get("", ()))
        self._frequencies: dict[str, np.ndarray] = {}

    def _predictions(self, word: str) -> Iterator[tuple[str, str]]:
        padded = "\0" * self.ORDER + word
        for position, character in enumerate([*word, ""]):  # an empty character is the end
            yield character, padded[position : position + self.ORDER]

    def probability(self, character: str, context: str) -> float:
        """The probability of a character, or of the end if it is empty, after `ORDER` others; zeros precede a word."""
        share = 1 / (CODE_POINTS + 1)
        for order in range(self.ORDER + 1):
            known = context[self.ORDER - order :]
            if counts := self._counts.get(known):
                weight = self.BACK * len(counts)
                share = (counts[character] + weight * share) / (self._totals[known] + weight)
        return share

    def frequencies(self, before: str) -> np.ndarray:
        """Whole frequencies of each of `characters` and then of all others, added up, after the beginning of a word.

        They begin with 0. Each frequency is 1 or more, and nearly 2³⁰ times the probability. Python's floats and
        integers give the same on every machine.
        """
        context = ("\0" * self.ORDER + before)[-self.ORDER :]
        kept = (context[k:] for k in range(self.ORDER) if context[k:] in self._counts)
        known = next(kept, "")  # only as much as was counted, so that few are kept
        if known not in self._frequencies:
            shares = [self.probability(character, context) for character in self.characters]
            shares.append(self.probability(UNUSED, context) * (CODE_POINTS - len(shares)))
            self._frequencies[known] = np.cumsum([0, *(1 + int(share * FREQUENCY) for share in shares)])
        return self._frequencies[known]

    def nats(self, word: str) -> float:
        """The length of the code of a word."""
        costs = self._costs
        for prediction in self._predictions(word):
            if prediction not in costs:
                costs[prediction] = -math.log(self.probability(*prediction))
        return sum(costs[prediction] for prediction in self._predictions(word))
