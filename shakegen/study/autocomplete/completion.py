"""From a text as it stands to the words that it may go on with. Only numpy."""

from typing import NamedTuple

import numpy as np

from shakegen.study.autocomplete.corpus import unfinished
from shakegen.study.autocomplete.outputs import SPACE, SPECIAL, SYMBOLS, Outputs
from shakegen.text.reading import text8


class Completion(NamedTuple):
    """A word that a text may go on with.

    Attributes:
        word: the whole word, with what of it is typed already.
        probability: among all the words that the network knows, or among those that match.
    """

    word: str
    probability: float


class Completer:
    """Completes with any network of the autocomplete task; `model.AutocompleteModel` is one.

    Args:
        engine: an `inference.Engine` with its read-out deferred.
        words: its outputs.
        length: the most characters that it reads, the latest; as many as an observation had in training.
    """

    def __init__(self, engine, words: Outputs, length: int):
        self.engine, self.words, self.length = engine, words, length

    def complete(self, text: str = "", top: int = 3, matching: bool = False) -> list[Completion]:
        """The likeliest words that a text may end with once its last word is whole, best first.

        Args:
            text: any text; it is read as words of a to z, and a last word that no space follows as unfinished.
            top: how many words, if there are so many.
            matching: offer only words that begin with what is typed of the last one.

        Raises:
            ValueError: `top` is below 1.
        """
        return self.typing(text).likeliest(top, matching)

    def typing(self, text: str = "") -> "Typing":
        """A text to type on, with suggestions at every key."""
        return Typing(self, text)

    def suggestions(self, logits: np.ndarray, top: int, beginning: str = "") -> list[Completion]:
        """The likeliest words by their logits, shape (outputs,), of those that begin so."""
        if top < 1:
            raise ValueError(f"the number of words is {top}: expected 1 or more")
        logits = logits[SPECIAL:].astype(float)
        if beginning:
            matches = np.array([word.startswith(beginning) for word in self.words.words])
            if not matches.any():
                return []
            logits = np.where(matches, logits, -np.inf)
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        order = np.argsort(-shares, kind="stable")[:top]
        return [Completion(self.words.words[k], float(shares[k])) for k in order if shares[k] > 0]


class Typing:
    """A text that grows and shrinks a character at a time, made by `Completer.typing`.

    Attributes:
        characters: ids of `SYMBOLS`: what was typed, brought to a to z with one space before each word.
    """

    def __init__(self, completer: Completer, text: str = ""):
        self._completer, self._engine, self.characters = completer, completer.engine, unfinished([text]).tolist()
        self._begin, self._state = 0, completer.engine.start()
        self._snapshots: list[tuple[np.ndarray, np.ndarray]] = []
        self._read()

    @property
    def text(self) -> str:
        """The text as it stands, without the space before its first word."""
        return SYMBOLS.decode(self.characters)[1:]

    @property
    def word(self) -> str:
        """What is typed of the last word."""
        return self.text.rpartition(" ")[2]

    def write(self, text: str) -> None:
        """Type more characters."""
        for one in SYMBOLS.encode("".join(text8(filter(None, [text])))).tolist():
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
        """The likeliest words; as `Completer.complete`."""
        logits = self._engine.read_out(self._snapshots[-1][0])[0]
        return self._completer.suggestions(logits, top, self.word if matching else "")

    def _remove(self) -> None:
        self.characters.pop()
        del self._snapshots[len(self.characters) - self._begin :]

    def _read(self) -> None:
        """Bring the network to the text's end; states of all that it has read are kept, to go back to."""
        begin = context(self.characters, self._completer.length)
        if begin != self._begin:
            self._begin, self._snapshots = begin, []
        self._state[:] = self._snapshots[-1][1] if self._snapshots else self._engine.start()
        for one in self.characters[begin + len(self._snapshots) :]:
            results, _ = self._engine.step(np.array([one]), self._state)
            self._snapshots.append((results.copy(), self._state.copy()))


def context(characters: list[int], length: int) -> int:
    """Where the latest whole words begin that are together at most so long, the unfinished one counted."""
    begin = max(0, len(characters) - length)
    return next((k for k in range(begin, len(characters)) if characters[k] == SPACE), begin)
