"""Stop texts: they end a text that is being drawn."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from shakegen.checks import is_whole
from shakegen.sampling.constraints import Rules


class StopTexts:
    """Finds stop texts in the output of streams, across the borders of symbols.

    An automaton matches each text (Knuth, Morris & Pratt 1977): a node says how much of the text is at the end of a
    stream. The rows of nodes, shape (N, texts), may be copied, reordered and repeated like states.

    Args:
        texts: a stop text, or several; there may be none.
        symbols: the text of each id, V in all, of any length.

    Raises:
        TypeError: one is no text.
        ValueError: a stop text is empty, or no sequence of symbols contains it.
    """

    def __init__(self, texts: str | Iterable[str], symbols: Sequence[str]):
        given = [texts] if isinstance(texts, str) else [*texts] if isinstance(texts, Iterable) else [None]
        if not all(isinstance(text, str) for text in given):
            raise TypeError(f"stop is {texts!r}: expected a text that ends the writing, or several")
        self.texts = tuple(dict.fromkeys(given))
        longest = max(map(len, self.texts), default=1)
        self._following = np.zeros((len(self.texts), longest, len(symbols)), np.int32)
        self._completes = np.zeros(self._following.shape, bool)
        self._which = np.arange(len(self.texts))
        for number, text in enumerate(self.texts):
            if not text:
                raise ValueError("a stop text is empty: expected one character or more")
            self._fill(number, text, symbols)
            if not self._reachable(number):
                raise ValueError(
                    f"the model can never write the stop text {text!r}: expected one of characters that it knows"
                )

    def __bool__(self) -> bool:
        return bool(self.texts)

    def start(self, streams: int) -> np.ndarray:
        """The nodes of N empty streams."""
        return np.zeros((streams, len(self.texts)), np.int32)

    def advance(self, nodes: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nodes after one more id in each stream, and whether it completed a stop text, shape (N,)."""
        at = self._which, nodes, ids[:, None]
        return self._following[at], self._completes[at].any(axis=1)

    def _fill(self, number: int, text: str, symbols: Sequence[str]) -> None:
        fallback = compute_borders(text)
        relevant = [(k, symbol) for k, symbol in enumerate(symbols) if not set(text).isdisjoint(symbol)]
        for start in range(len(text)):
            for k, symbol in relevant:
                node, complete = start, False
                for character in symbol:
                    while node and text[node] != character:
                        node = fallback[node]
                    node += text[node] == character
                    if node == len(text):
                        node, complete = fallback[node], True
                self._following[number, start, k], self._completes[number, start, k] = node, complete

    def _reachable(self, number: int) -> bool:
        seen, new = {0}, [0]
        while new:
            node = new.pop()
            if self._completes[number, node].any():
                return True
            new += (following := set(self._following[number, node].tolist()) - seen)
            seen |= following
        return False


def compute_borders(text: str) -> list[int]:
    """For each prefix of a text, by its length, the length of its longest proper prefix that is also a suffix."""
    borders = [0, 0]
    for character in text[1:]:
        border = borders[-1]
        while border and text[border] != character:
            border = borders[border]
        borders.append(border + (text[border] == character))
    return borders


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
