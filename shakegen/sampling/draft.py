"""A text that a network reads as it grows, piece by piece."""

import numpy as np

from shakegen.checks import is_whole
from shakegen.sampling.ancestral import check_draw
from shakegen.sampling.beam import log_softmax


class Draft:
    """A text that a network reads as it grows, made by `TextGenerator.draft`.

    Attributes:
        text: the seed and all that was added.
        length: the number of symbols after the seed.
    """

    def __init__(self, generator, seed: str, on_unknown: str | None = None):
        self._generator, self.text, self.length = generator, seed, 0
        self._logits, self._state = generator._prime(seed, on_unknown)
        self._pending = generator.vocabulary.pending(seed)
        self._before: list[tuple] = []  # each addition, to go back to

    def likeliest(self, top: int = 9, temperature: float = 1.0) -> list[tuple[str, float]]:
        """The symbols that may come next, likeliest first, with their probabilities.

        Raises:
            ValueError: a number is out of range.
        """
        if not is_whole(top, 1):
            raise ValueError(f"top is {top!r}: expected a number of symbols, 1 or more")
        check_draw(0, temperature, 0)
        shares = np.exp(log_softmax(self._logits.astype(float), temperature))[0]
        order = np.argsort(-shares, kind="stable")[:top]
        possible = [k for k in order if self._logits[0, k] > -np.inf]
        decode = self._generator.vocabulary.decode
        return [(decode([k]).removeprefix(self._pending), float(shares[k])) for k in possible]

    def write(self, text: str) -> None:
        """Add to the text.

        Raises:
            UnknownCharacters: the model does not know some characters; nothing is added.
        """
        vocabulary, whole = self._generator.vocabulary, self._pending + text
        pending = vocabulary.pending(whole)
        ids, step = vocabulary.encode(whole.removesuffix(pending)), self._generator._step
        self._before.append((self.text, self.length, self._pending, self._logits.copy(), self._state.copy()))
        for one in ids[:, None]:
            self._logits, self._state = step(one, self._state)
        self._logits = self._generator._exclude(self._logits, pending)
        self._pending, self.length, self.text = pending, self.length + len(ids), self.text + text

    accept = write  # an offer of `likeliest`

    def erase(self) -> None:
        """Take back the last addition, if there is one."""
        if self._before:
            self.text, self.length, self._pending, self._logits, self._state = self._before.pop()
