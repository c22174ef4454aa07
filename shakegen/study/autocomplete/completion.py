"""Words that may complete a text. Only numpy."""

from typing import NamedTuple

import numpy as np

from shakegen.checks import is_whole
from shakegen.study.autocomplete.corpus import encode_text
from shakegen.study.autocomplete.outputs import SPACE, SPECIAL, SYMBOLS, Outputs
from shakegen.text.reading import text8


class Completion(NamedTuple):
    """A word that may complete a text."""

    word: str  # whole, with the letters that are typed already
    probability: float  # among all known words, or among the matching ones


class Typing:
    """A text that grows and shrinks a character at a time, read by a network of the autocomplete task.

    Args:
        engine: an `inference.Engine` with its read-out deferred.
        words: its outputs.
        length: how many of the latest characters it reads at most; as many as an observation had in training.
        text: any text to begin with; it is read as words of a to z. The last word is unfinished if no space follows.

    Attributes:
        characters: the text as ids of `SYMBOLS`, words of a to z with one space before each.
    """

    def __init__(self, engine, words: Outputs, length: int, text: str = ""):
        self._engine, self._words, self._length = engine, words, length
        self.characters = encode_text([text]).tolist()
        self._begin, self._state = 0, engine.start()
        self._snapshots: list[tuple[np.ndarray, np.ndarray]] = []
        self._read()

    @property
    def text(self) -> str:
        """The text as it stands, without the space before its first word."""
        return SYMBOLS.decode(self.characters)[1:]

    @property
    def word(self) -> str:
        """The letters of the last word so far."""
        return self.text.rpartition(" ")[2]

    def write(self, text: str) -> None:
        """Type more characters."""
        for one in SYMBOLS.encode("".join(text8([text]))).tolist():
            if one != SPACE or self.characters[-1] != SPACE:
                self.characters.append(one)
                self._read()

    def erase(self) -> None:
        """Take the last character back, if there is one."""
        if len(self.characters) > 1:
            self._remove()
            self._read()

    def accept(self, word: str) -> None:
        """Put a word, and a space, in the place of the unfinished one."""
        for _ in self.word:
            self._remove()
        self.write(word + " ")

    def likeliest(self, top: int = 3, matching: bool = False) -> list[Completion]:
        """The likeliest words to complete the last one, best first; as `AutocompleteModel.complete`."""
        if not is_whole(top, 1):
            raise ValueError(f"the number of words is {top!r}: expected 1 or more")
        logits, words = self._engine.read_out(self._snapshots[-1][0])[0][SPECIAL:].astype(float), self._words.words
        if matching:
            logits[[not word.startswith(self.word) for word in words]] = -np.inf
            if np.isneginf(logits).all():
                return []
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        order = np.argsort(-shares, kind="stable")[:top]
        return [Completion(words[k], float(shares[k])) for k in order if shares[k] > 0]

    def _remove(self) -> None:
        self.characters.pop()
        del self._snapshots[len(self.characters) - self._begin :]

    def _read(self) -> None:
        """Read up to the end of the text; the states on the way are kept, to go back to."""
        begin = max(0, len(self.characters) - self._length)
        whole = (k for k in range(begin, len(self.characters)) if self.characters[k] == SPACE)
        begin = next(whole, begin)  # of the first whole word that fits
        if begin != self._begin:
            self._begin, self._snapshots = begin, []
        self._state[:] = self._snapshots[-1][1] if self._snapshots else self._engine.start()
        for one in self.characters[begin + len(self._snapshots) :]:
            results, _ = self._engine.step(np.array([one]), self._state)
            self._snapshots.append((results.copy(), self._state.copy()))
