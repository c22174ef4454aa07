"""Forms for one vocabulary: their slots, over ids."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from shakegen.sampling.constraints import Rules
from shakegen.sampling.constraints.regular import Positions, determinize, lift
from shakegen.sampling.particles.form import Form, Place
from shakegen.sampling.particles.slot import Slot, Table

MOST_STATES, MOST_CELLS = 3000, 1 << 24  # of a pattern; and times symbols


class Bound(NamedTuple):
    """A form for one vocabulary.

    Attributes:
        beginning: the text before the first place, with the seed.
        slots: the places.
        texts: what is given after each.
        pending: the space at the end of the text before each that belongs to its first word.
    """

    beginning: str
    slots: list[Slot]
    texts: list[str]
    pending: list[str]


def bind_form(form: Form, vocabulary, seed: str = "", on_unknown: str | None = None) -> Bound:
    """The slots of a form.

    Raises:
        UnknownCharacters, UnknownWords: a given text has unknown symbols, and `on_unknown` is "error".
        ValueError: nothing that the model can write has the form.
    """
    parts, seed = ([*form.parts[1:]], seed + form.parts[0]) if isinstance(form.parts[0], str) else ([*form.parts], seed)
    bound, pending = Bound(seed, [], [], []), vocabulary.pending(seed)
    for number, place in enumerate(parts):
        if not isinstance(place, Place):
            continue
        after = parts[number + 1] if parts[number + 1 :] else ""
        text = after if isinstance(after, str) else ""
        later = vocabulary.pending(text)
        given = vocabulary.encode(text.removesuffix(later), on_unknown).astype(np.intp)
        bound.slots.append(
            Slot(place.least, place.most, given, *bind_pattern(place, vocabulary, pending), early=place.early)
        )
        bound.texts.append(text)
        bound.pending.append(pending)
        pending = later
    if form.total:
        bound.slots[:] = count_from_start(bound)
    for place, slot in zip((part for part in parts if isinstance(part, Place)), bound.slots, strict=True):
        if not Table(slot, len(vocabulary)).possible[0, 0]:
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
    slots, before = [], 0
    lengths = [len(slot.given) for slot in bound.slots]
    for number, slot in enumerate(bound.slots):
        least, most = max(before, slot.least - lengths[number]), slot.most - sum(lengths[number:])
        if least > most:
            named = " and ".join(repr(text) for text in bound.texts if text)
            raise ValueError(
                f"the text must have {named}, {sum(lengths)} symbols, but its length is {slot.most}: expected a larger "
                "length"
            )
        slots.append(replace(slot, least=least, most=most, absolute=True))
        before += lengths[number]
    return slots


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
    states = len(automaton.following)
    if states > MOST_STATES or states * len(symbols) > MOST_CELLS:
        raise ValueError(
            f"the pattern {pattern!r} needs {states:,} states over {len(symbols):,} symbols: expected at most "
            f"{min(MOST_STATES, MOST_CELLS // len(symbols)):,} states; try a simpler one"
        )
    following, accepting = lift(automaton, symbols)[0], automaton.accepting
    if not pending:
        return following, accepting
    begins = [text is not None and text.startswith(pending) for text in symbols]
    rests = [text[len(pending) :] if fits else None for text, fits in zip(symbols, begins, strict=True)]
    first = np.where(begins, lift(automaton, rests)[0][0] + 1, states + 1)
    nowhere = np.full(len(symbols), states + 1)
    return np.vstack([first, following + 1, nowhere]), np.concatenate([[False], accepting, [False]])


def refuse_contradictions(bound: Bound, constraints, vocabulary) -> None:
    """Refuse constraints that forbid a text of the form.

    Raises:
        ValueError: a constraint forbids a given text.
    """
    for one in constraints:
        for text, slot in zip(bound.texts, bound.slots, strict=True):
            rules, own = Rules([one], vocabulary.to_json()), np.zeros((1, len(vocabulary)))
            for drawn in slot.given[slot.given != vocabulary.unknown]:
                if rules.weigh(own, own.copy(), every=True)[0, drawn] == -np.inf:
                    raise ValueError(f"{one} contradicts {text!r}, which must be written: leave one of them out")
                rules.advance(np.array([drawn]))
