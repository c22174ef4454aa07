"""Stop texts, and other ends of a text that is being drawn."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from shakegen.checks import is_whole
from shakegen.sampling.constraints import Rules
from shakegen.sampling.constraints.automata import Automaton, determinize, lift
from shakegen.sampling.constraints.regular import Positions

MOST = (1 << 31) - 1  # lines or sentences
ENDS = {"lines": "\n", "sentences": "[^.!?…][.!?…]"}  # patterns


@dataclass(frozen=True)
class StopAfter:
    """The end of a text after so many lines or sentences.

    A line ends with its line end. A sentence ends with the first of . ! ? or … in a row.

    Args:
        number: 1 or more.
        what: "lines" or "sentences".

    Raises:
        ValueError: the number is out of range, or there is no such end.
    """

    number: int
    what: str

    def __post_init__(self):
        if self.what not in ENDS:
            raise ValueError(f"a text is to end after {self.what!r}: expected {' or '.join(map(repr, ENDS))}")
        if not is_whole(self.number, 1, MOST):
            expected = f"{MOST:,} or less" if is_whole(self.number, 1) else "1 or more"
            raise ValueError(f"the number of {self.what} is {self.number!r}: expected {expected}")

    def __str__(self):
        return f"end of {self.what}"


class StopTexts:
    """Finds the ends of texts in the output of streams, across the borders of symbols.

    For each end there is an automaton over the symbols. A node says how much of the end stands at the end of a stream,
    and how often the end was there. The rows of nodes, shape (N, ends, 2), may be copied, reordered and repeated like
    states.

    Args:
        ends: a stop text or a `StopAfter`, or several; there may be none.
        symbols: the text of each id, V in all, of any length.
        seeds: what each stream continues, or one text for all. A sentence may have begun there; a stop text is all new.

    Raises:
        TypeError: one is no text.
        ValueError: a stop text is empty, or no sequence of symbols contains it.
    """

    def __init__(
        self, ends: str | StopAfter | Iterable[str | StopAfter], symbols: Sequence[str], seeds: Sequence[str] = ("",)
    ):
        given = [ends] if isinstance(ends, str | StopAfter) else [*ends] if isinstance(ends, Iterable) else [None]
        if not all(isinstance(end, str | StopAfter) for end in given):
            raise TypeError(f"stop is {ends!r}: expected a text that ends the writing, or several")
        self.ends = tuple(dict.fromkeys(given))
        automata = [make_automaton(end, symbols) for end in self.ends]
        tables = [make_table(*pair, symbols) for pair in zip(self.ends, automata, strict=True)]
        most = max((len(following) for following, _ in tables), default=1)
        self._following = np.zeros((len(tables), most, len(symbols)), np.int32)
        self._matches = np.zeros(self._following.shape, np.uint8)
        for number, (following, matches) in enumerate(tables):
            self._following[number, : len(following)], self._matches[number, : len(matches)] = following, matches
        pairs = [(automaton, isinstance(end, StopAfter)) for end, automaton in zip(self.ends, automata, strict=True)]
        starts = [[one.read(seed[-1:] if counts else "") for one, counts in pairs] for seed in seeds]
        self._starts = np.array(starts, np.int32)
        self._which = np.arange(len(tables))
        self._times = np.array([end.number if isinstance(end, StopAfter) else 1 for end in self.ends], np.int32)

    def __bool__(self) -> bool:
        return bool(self.ends)

    def start(self, streams: int) -> np.ndarray:
        """The nodes of N streams that are to continue their seeds."""
        nodes = np.zeros((streams, len(self.ends), 2), np.int32)
        nodes[:, :, 0] = self._starts
        return nodes

    def advance(self, nodes: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nodes after one more id in each stream, and whether it completed an end, shape (N,)."""
        at = self._which, nodes[:, :, 0], ids[:, None]
        matches = self._matches[at]
        counts = nodes[:, :, 1] + matches
        complete = ((matches > 0) & (counts >= self._times)).any(axis=1)
        return np.stack([self._following[at], counts], axis=2), complete


def make_automaton(end: str | StopAfter, symbols: Sequence[str]) -> Automaton:
    """The automaton of one end, over characters.

    Raises:
        ValueError: the end is empty.
    """
    if end == "":
        raise ValueError("a stop text is empty: expected one character or more")
    positions = Positions({*"".join(symbols), *".!?…"})  # a seed may have marks that no symbol has
    part = positions.add_text(end) if isinstance(end, str) else positions.add_pattern(ENDS[end.what])
    return determinize(positions, [part], anywhere=True)


def make_table(end: str | StopAfter, automaton: Automaton, symbols: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The automaton of an end over the symbols, as `automata.lift` gives it.

    Raises:
        ValueError: no sequence of symbols contains the end.
    """
    following, matches = lift(automaton, symbols)
    seen, new = {0}, [0]
    while new:
        node = new.pop()
        if matches[node].any():
            return following, matches
        new += (more := set(following[node].tolist()) - seen)
        seen |= more
    what = f"stop text {end!r}" if isinstance(end, str) else str(end)
    raise ValueError(f"the model can never write the {what}: expected one of characters that it knows")


def check_min_length(min_length: int) -> None:
    """Check the number of symbols before which no stop text ends a text.

    Raises:
        ValueError: it is no number of symbols.
    """
    if not is_whole(min_length, 0):
        raise ValueError(f"the min-length is {min_length!r}: expected a number of characters, 0 or more")


def until(
    draws: Iterable[np.ndarray], stops: StopTexts, streams: int, min_length: int = 0, rules: Rules | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draw until every stream has completed a stop text.

    Args:
        draws: an iterator over arrays of ids, shape (N,).
        stops: the stop texts.
        streams: N.
        min_length: a stop text does not end a stream before it has so many ids.
        rules: those of the draw; they need not hold in a stream that has ended.

    Yields:
        The ids, and whether each belongs to the text of its stream, both of shape (N,). The stop text belongs to it.
    """
    nodes, live = stops.start(streams), np.ones(streams, bool)
    for count, ids in enumerate(draws, 1):
        yield ids, live
        if stops:
            nodes, complete = stops.advance(nodes, ids)
            if count >= min_length and complete.any():
                live = live & ~complete
                if rules:
                    rules.finished = ~live
                if not live.any():
                    return
