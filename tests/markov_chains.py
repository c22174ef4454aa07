"""Small Markov chains as networks, and the exact distribution of texts that fill slots."""

import itertools
import math

import numpy as np

SYMBOLS = 3


class Chain:
    """A network that looks at the last two symbols; at the start both are `SYMBOLS`."""

    def __init__(self, random_state: int = 1, order: int = 2):
        random, size = np.random.default_rng(random_state), SYMBOLS + 1
        self._shares = random.dirichlet(np.full(SYMBOLS, 0.7), (1 if order == 1 else size, size))
        self._order = order
        self.state = np.full((1, 2), SYMBOLS)
        self.logits = np.log(self._after(self.state))

    def _after(self, state):
        return self._shares[state[:, 0] if self._order == 2 else 0, state[:, 1]]

    def step(self, ids, state):
        state = np.stack([state[:, 1], ids], axis=1)
        return np.log(self._after(state)), state

    def log_probability(self, ids) -> float:
        total, state = 0.0, self.state
        for one in ids:
            total += math.log(self._after(state)[0, one])
            state = np.array([[state[0, 1], one]])
        return total


def list_texts(slots, start=()):
    """Every text that fills slots, as the ids in each slot and all ids, by the definition of a slot."""
    if not slots:
        return [((), start)]
    slot, given, texts = slots[0], tuple(slots[0].given.tolist()), []
    before = len(start) if slot.absolute else 0
    for count in range(max(0, slot.least - before), slot.most - before + 1):
        for place in itertools.product(range(SYMBOLS), repeat=count):
            if ends_first(place + given, given, slot.least - before if slot.early else 0) and matches(slot, place):
                later = list_texts(slots[1:], start + place + given)
                texts += [((place, *places), whole) for places, whole in later]
    return texts


def ends_first(text, given, since: int) -> bool:
    begins = [at for at in range(max(0, since), len(text)) if text[at : at + len(given)] == given]
    return not given or begins == [len(text) - len(given)]


def matches(slot, place) -> bool:
    if slot.following is None:
        return True
    state = 0
    for one in place:
        state = slot.following[state, one]
    return bool(slot.accepting[state])


def compute_exactly(chain, slots) -> dict:
    """The probability of each text, by the ids in its slots."""
    return {places: math.exp(chain.log_probability(whole)) for places, whole in list_texts(slots)}
