"""Forms for one vocabulary: their slots, over ids."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from shakegen.sampling.constraints import Rules
from shakegen.sampling.constraints.automata import check_size, determinize, lift
from shakegen.sampling.constraints.regular import Positions
from shakegen.sampling.particles.form import Form, Place
from shakegen.sampling.particles.slot import Slot

MOST_STATES = 3000  # of a pattern


class Bound(NamedTuple):
    """A form for one vocabulary.

    Attributes:
        lead: the text before the first place, after the seed.
        lead_ids: its ids.
        slots: the places.
        texts: what is given after each.
        pending: the space at the end of the text before each that belongs to its first word.
    """

    lead: str
    lead_ids: np.ndarray
    slots: list[Slot]
    texts: list[str]
    pending: list[str]


def bind_form(form: Form, vocabulary, seed: str = "", on_unknown: str | None = None) -> Bound:
    """The slots of a form.

    Raises:
        UnknownCharacters, UnknownWords: a given text has unknown symbols, and `on_unknown` is "error" or None.
        ValueError: nothing that the model can write has the form.
    """
    on_unknown = on_unknown or "error"
    lead, parts = (form.parts[0], form.parts[1:]) if isinstance(form.parts[0], str) else ("", form.parts)
    pending = vocabulary.pending(seed + lead)
    lead_ids = vocabulary.encode((vocabulary.pending(seed) + lead).removesuffix(pending), on_unknown)
    bound = Bound(lead, lead_ids, [], [], [])
    for number, place in enumerate(parts):
        if not isinstance(place, Place):
            continue
        after = parts[number + 1] if parts[number + 1 :] else ""
        text = after if isinstance(after, str) else ""
        later = vocabulary.pending(text)
        given = vocabulary.encode(text.removesuffix(later), on_unknown).astype(np.intp)
        if not len(given) and place.least != place.most:
            raise ValueError(
                f"the place {place} has no symbol after it to end it: expected one that the model knows, or one "
                f"length, as in {{:{place.most}}}"
            )
        bound.slots.append(
            Slot(place.least, place.most, given, *bind_pattern(place, vocabulary, pending), early=place.early)
        )
        bound.texts.append(text)
        bound.pending.append(pending)
        pending = later
    if form.total:
        bound.slots[:] = count_from_start(bound)
    for place, slot in zip((part for part in parts if isinstance(part, Place)), bound.slots, strict=True):
        if not slot.possible[0, 0]:
            raise ValueError(
                f"nothing that the model can write fits in the place {place}: expected another pattern, or another "
                "length"
            )
    return bound


def count_from_start(bound: Bound) -> list[Slot]:
    """The slots whose lengths are those of the whole text up to the end of the given text after them.

    Raises:
        ValueError: the length is too small for what is given.
    """
    slots, lengths, lead = [], [len(slot.given) for slot in bound.slots], len(bound.lead_ids)
    most = bound.slots[-1].most - lead
    for number in reversed(range(len(lengths))):
        slot = bound.slots[number]
        least = max(sum(lengths[:number]), slot.least - lead - lengths[number])
        most = min(slot.most - lead, most) - lengths[number]
        if least > most:
            named = " and ".join(repr(text) for text in (bound.lead, *bound.texts) if text)
            raise ValueError(
                f"the text must have {named}, {lead + sum(lengths)} symbols, but its length is {slot.most}: expected "
                "a larger length"
            )
        slots.append(replace(slot, least=least, most=most, absolute=True))
    return slots[::-1]


def bind_pattern(place: Place, vocabulary, pending: str) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The automaton of a place over ids: the state after each id, and the accepting states. None accepts all.

    Args:
        place: it may have a pattern.
        vocabulary: of the ids.
        pending: the beginning of the first symbol, which stands before the place already.

    Raises:
        ValueError: the pattern cannot be read, or is too large.
    """
    if place.pattern is None and not pending:
        return None, None
    symbols = vocabulary.to_json()
    positions = Positions(set("".join(filter(None, symbols))))
    pattern = r"(?s).*" if place.pattern is None else place.pattern
    automaton = determinize(positions, [positions.add_pattern(pattern)])
    check_size(f"the pattern {pattern!r}", automaton, len(symbols), MOST_STATES)
    written = [text is not None for text in symbols]  # no text has the others
    nowhere = len(automaton.following)
    following = np.where(written, lift(automaton, symbols)[0], nowhere)
    following = np.vstack([following, np.full(len(symbols), nowhere, np.int32)])
    accepting = np.append(automaton.accepting, False)
    if not pending:
        return following, accepting
    begins = [text is not None and text.startswith(pending) for text in symbols]
    rests = [text[len(pending) :] if fits else None for text, fits in zip(symbols, begins, strict=True)]
    first = np.where(begins, lift(automaton, rests)[0][0], nowhere)
    return np.vstack([first, following]) + 1, np.append(False, accepting)


def read_given(rules: Rules, bound: Bound, known: int) -> Rules:
    """Read the given texts of a form, each by itself; the text before the first place after the seed.

    Args:
        rules: of two streams; the first has read the seed, the other nothing.
        bound: the form.
        known: the number of symbols with a text.

    Returns:
        The rules of one stream that has come to the first place.

    Raises:
        ValueError: a constraint forbids a given text.
    """
    start = rules.fork([0])
    start.read_given(bound.lead_ids, bound.lead, known)
    for text, slot in zip(bound.texts, bound.slots, strict=True):
        rules.fork([1]).read_given(slot.given, text, known)
    return start
