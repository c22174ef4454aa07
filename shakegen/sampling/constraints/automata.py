"""Deterministic automata over characters, and over symbols of several characters."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from shakegen.sampling.constraints.regular import OTHER, Part, Positions

MOST_STATES = 50_000
MOST_CELLS = 1 << 24  # states times symbols
START = -1  # the position before the first character


class Automaton(NamedTuple):
    """A deterministic automaton over characters; its start is state 0.

    Attributes:
        following: the state after each class of characters, shape (S, C).
        accepting: whether a match ends on entering a state, shape (S,).
        classes: the class of each character of the alphabet.
    """

    following: np.ndarray
    accepting: np.ndarray
    classes: dict[str, int]

    def read(self, text: str, state: int = 0) -> int:
        """The state after a text. A character outside the alphabet counts as one that no pattern names."""
        other = self.classes[OTHER]
        for character in text:
            state = int(self.following[state, self.classes.get(character, other)])
        return state


def determinize(positions: Positions, parts: Iterable[Part], anywhere: bool = False) -> Automaton:
    """The automaton of texts that match one of some parts.

    Args:
        positions: of the parts.
        parts: of which one must match.
        anywhere: a match may begin after any character; else at the start alone, and the state that has no way to a
            match is one without exits to others.

    Raises:
        ValueError: there are too many states.
    """
    parts = [*parts]
    first = frozenset[int]().union(*(part.first for part in parts))
    last = frozenset[int]().union(*(part.last for part in parts))
    classes, examples = classify(positions)
    follow = {**positions.follow, START: first}
    moves: dict[int, dict[int, frozenset[int]]] = {}

    def moves_of(position: int) -> dict[int, frozenset[int]]:
        if position not in moves:
            by_class = {
                kind: frozenset(p for p in follow[position] if example in positions.characters[p])
                for kind, example in enumerate(examples)
            }
            moves[position] = {kind: reached for kind, reached in by_class.items() if reached}
        return moves[position]

    always = frozenset({START} if anywhere else ())
    states = {frozenset({START}): 0}
    rows, queue = [], [frozenset({START})]
    for state in queue:
        reached: list[set[int]] = [set(always) for _ in examples]
        for position in state:
            for kind, more in moves_of(position).items():
                reached[kind] |= more
        row = []
        for target in map(frozenset, reached):
            if target not in states:
                if len(states) == MOST_STATES:
                    raise ValueError(
                        f"the patterns need more than {MOST_STATES:,} states: expected simpler ones, or fewer at a time"
                    )
                states[target] = len(states)
                queue.append(target)
            row.append(states[target])
        rows.append(row)
    accepting = [bool(state & last) for state in states]
    accepting[0] = any(part.empty for part in parts)
    return Automaton(np.array(rows, np.int32), np.array(accepting), classes)


def classify(positions: Positions) -> tuple[dict[str, int], list[str]]:
    """The class of each character: those of a class are in the same positions. And one character of each class."""
    distinct = list(set(positions.characters))
    signatures: dict[tuple[int, ...], list[str]] = {}
    for character in positions.alphabet:
        key = tuple(k for k, characters in enumerate(distinct) if character in characters)
        signatures.setdefault(key, []).append(character)
    classes = {character: k for k, members in enumerate(signatures.values()) for character in members}
    return classes, [members[0] for members in signatures.values()]


def check_size(what: str, automaton: Automaton, symbols: int, most: int = MOST_STATES) -> None:
    """Check that an automaton may be lifted to so many symbols.

    Raises:
        ValueError: it has more than `most` states, or too many for the symbols.
    """
    states, most = len(automaton.following), min(most, MOST_CELLS // symbols)
    if states > most:
        raise ValueError(
            f"{what} needs {states:,} states over {symbols:,} symbols: expected at most {most:,} states; try something "
            "simpler"
        )


def lift(automaton: Automaton, symbols) -> tuple[np.ndarray, np.ndarray]:
    """An automaton over symbols from one over characters.

    Args:
        automaton: its alphabet has all characters of the symbols.
        symbols: V texts of any length, or None.

    Returns:
        The state after each symbol, and the number of matches that end within it, both of shape (S, V).
    """
    texts = [text or "" for text in symbols]
    lengths = np.array([*map(len, texts)])
    kinds = np.fromiter(map(automaton.classes.__getitem__, "".join(texts)), np.int32, lengths.sum())
    begins = np.cumsum(lengths) - lengths
    following = np.repeat(np.arange(len(automaton.following), dtype=np.int32)[:, None], len(texts), axis=1)
    matches = np.zeros(following.shape, np.uint8)
    for place in range(max(lengths)):
        still = np.flatnonzero(lengths > place)
        reached = automaton.following[following[:, still], kinds[begins[still] + place]]
        following[:, still] = reached
        matches[:, still] += automaton.accepting[reached]
    return following, matches
