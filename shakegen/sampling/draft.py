"""A text that a network reads as it grows, piece by piece."""

from typing import NamedTuple

import numpy as np

from shakegen.checks import check_seed, is_whole
from shakegen.sampling.ancestral import check_draw
from shakegen.sampling.beam import log_softmax


class Read(NamedTuple):
    """What a network has read of a text.

    Attributes:
        length: symbols after the seed.
        pending: the space at its end that belongs to the next word, which is not read yet.
        logits, state: of the network then.
    """

    length: int
    pending: str
    logits: np.ndarray
    state: np.ndarray


class Draft:
    """A text that a network reads as it grows, made by `TextGenerator.draft`.

    Text may come letter by letter: a word at the end is read anew when it grows. An offer that was accepted stays.

    Attributes:
        text: the seed and all that was added.
    """

    def __init__(self, generator, seed: str, on_unknown: str | None = None):
        check_seed(seed)
        self._generator, self.text = generator, seed
        self._on_unknown = "skip" if on_unknown == "skip" else None  # what is typed may be a part of a word
        settled, tail, pending = self._cut(seed)
        if on_unknown == "skip":  # what is skipped now is not to be read later
            settled, tail = settled + tail, ""
        ids, joined = (generator.vocabulary.encode(part, on_unknown) for part in (settled, tail))
        logits, state = generator.engine.prime(ids, 1)
        before = "" if tail else pending
        self._settled = Read(-len(joined), before, np.array(logits), state)  # before the last word
        self._now, self._tail = self._read(self._settled, joined, pending), tail + pending if tail else ""
        self._offered: dict[str, int] = {}
        self._before: list[tuple] = []  # each addition, to go back to

    @property
    def length(self) -> int:
        """The number of symbols after the seed; it may fall where letters join."""
        return self._now.length

    def likeliest(self, top: int = 9, temperature: float = 1.0) -> list[tuple[str, float]]:
        """The symbols that may come next, likeliest first, with their probabilities.

        Raises:
            ValueError: a number is out of range.
        """
        if not is_whole(top, 1):
            raise ValueError(f"top is {top!r}: expected a number of symbols, 1 or more")
        check_draw(0, temperature, 0)
        pending = self._now.pending
        logits = self._generator._exclude(self._now.logits, pending)
        shares = np.exp(log_softmax(logits.astype(float), temperature))[0]
        order = np.argsort(-shares, kind="stable")[:top]
        possible = [int(k) for k in order if logits[0, k] > -np.inf]
        texts = [self._generator.vocabulary.decode([k]).removeprefix(pending) for k in possible]
        self._offered |= zip(texts, possible, strict=True)
        return [(text, float(shares[k])) for text, k in zip(texts, possible, strict=True)]

    def write(self, text: str) -> None:
        """Add to the text.

        Raises:
            UnknownCharacters: the model does not know some of it; nothing is added.
        """
        vocabulary, before = self._generator.vocabulary, self._settled
        settled, tail, pending = self._cut(before.pending + self._tail + text)
        ids, joined = (vocabulary.encode(part, self._on_unknown) for part in (settled, tail))
        self._keep(text)
        self._settled = self._read(before, ids, "" if tail else pending)
        self._now, self._tail = self._read(self._settled, joined, pending), tail + pending if tail else ""

    def accept(self, offer: str) -> None:
        """Add an offer of `likeliest`, as the one symbol that it is."""
        if offer not in self._offered:
            self.write(offer)
            return
        number = self._offered[offer]
        self._keep(offer)
        self._now = self._settled = self._read(self._now, np.array([number]), "")
        self._tail = ""

    def erase(self) -> None:
        """Take back the last addition, if there is one."""
        if self._before:
            self.text, self._now, self._settled, self._tail = self._before.pop()
            self._offered = {}

    def _cut(self, text: str) -> tuple[str, str, str]:
        """A text in three parts: what is read for good, what may be read anew, and the space that is pending."""
        pending, tail = self._generator.vocabulary.pending(text), self._generator.vocabulary.unsettled(text)
        tail = "" if pending and not tail.isspace() else tail
        return text.removesuffix(pending).removesuffix(tail), tail, pending

    def _keep(self, text: str) -> None:
        """Keep all as it is, before a text is added."""
        self._before.append((self.text, self._now, self._settled, self._tail))
        self.text, self._offered = self.text + text, {}

    def _read(self, before: Read, ids: np.ndarray, pending: str) -> Read:
        """Read more symbols; a space after them is pending."""
        if not len(ids) and pending == before.pending:
            return before
        logits, state, step = before.logits, before.state.copy(), self._generator._step
        for one in ids[:, None]:
            logits, state = step(one, state)
        return Read(before.length + len(ids), pending, np.array(logits), state)
