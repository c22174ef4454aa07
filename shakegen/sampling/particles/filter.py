"""Sequential Monte Carlo: many texts grow side by side, weights say how well each fits, and the best multiply."""

from collections.abc import Sequence

import numpy as np

from shakegen.sampling.constraints import Rules
from shakegen.sampling.particles.contexts import Contexts, learn_contexts
from shakegen.sampling.particles.lookahead import Lookahead
from shakegen.sampling.particles.slot import Slot, Table
from shakegen.sampling.particles.swarm import Filled, Swarm

WORK = 100_000_000  # multiplications of the look-ahead
MOST_CONTEXTS = 2000
GIVEN = 1 << 24  # numbers that look-aheads keep for given texts, one for each symbol and context
CELLS = 1 << 23  # rows times symbols that are drawn side by side


def fill_slots(
    step,
    logits: np.ndarray,
    state: np.ndarray,
    slots: Sequence[Slot],
    particles: int = 64,
    count: int = 1,
    temperature: float = 1.0,
    random_state: int = 0,
    rules: Rules | None = None,
    known: int | None = None,
) -> list[Filled | None]:
    """Draw texts from the distribution of the network, given that they fill slots, by particles.

    Each of `count` texts comes from a run of its own. A run has K particles. Each symbol is drawn from p(symbol)
    ψ(symbol), where p is the network's distribution and ψ is what a small Markov chain expects of the rest of the slot
    (`Lookahead`); the weights correct for ψ and for all that the chain does not know. Particles that have come equally
    far are resampled among themselves when their effective number is below half of them. At the end one is drawn.

    Gordon, Salmond & Smith (1993) resample; Whiteley & Lee (2014) look ahead by ψ, "twisted particle filters"; Zhao et
    al. (2024) do so with language models, where p(symbol) ψ(symbol) is learned by a network.

    Args:
        step, logits, state: as for `ancestral`, of one stream.
        slots: one after the other.
        particles: K.
        count: the number of texts.
        temperature: divides the logits; above 0.
        random_state: text i depends on it and on i alone.
        rules: what may be written, for one stream. Their weights multiply the probability of a text and are not
            renormalised.
        known: ids from here on are read in given texts, but cost nothing there; by default none.

    Returns:
        The texts, drawn from p(text) given the slots, as K grows. None for a run in which no particle was left.
    """
    logits, state, size = logits.copy(), state.copy(), logits.shape[1]  # later steps may reuse their memory
    tables = [Table(slot, size) for slot in slots]
    # The chain begins at the state of the seed, as the particles do.
    contexts = learn_contexts(step, logits, state, limit_contexts(tables, size), temperature, random_state)
    lookaheads = look_ahead(tables, contexts)
    filled: list[Filled | None] = []
    runs = max(1, CELLS // (particles * size))
    for first in range(0, count, runs):
        numbers = range(first, min(count, first + runs))
        own = rules and rules.fork([0] * particles * len(numbers))
        swarm = Swarm(step, logits, state, particles, numbers, temperature, random_state, own, contexts, known)
        for lookahead in lookaheads:
            swarm.fill(lookahead)
        filled += swarm.finish()
    return filled


def limit_contexts(tables: list[Table], size: int) -> int:
    """The number of contexts whose look-ahead is affordable."""
    work = sum(len(table.states) * min(table.slot.most + 1, 128) for table in tables) * size
    given = sum(len(table.given) for table in tables)
    return max(2, min(MOST_CONTEXTS, WORK // max(1, work), GIVEN // max(1, given)))


def look_ahead(tables: list[Table], contexts: Contexts) -> list[Lookahead]:
    """The look-ahead of each slot; where lengths count from the beginning of the text, with that of the next."""
    lookaheads: list[Lookahead] = []
    for table in reversed(tables):
        later = None
        if lookaheads and lookaheads[-1].table.slot.absolute:
            later = lookaheads[-1].at_start(contexts.read(table.given), table.slot.most + len(table.given) + 2)
        lookaheads.append(Lookahead(table, contexts, later))
    return lookaheads[::-1]
