"""From a step function and a vocabulary to text: seeds in, samples and beams out. Only numpy."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from shakegen import sampling


class ScoredText(NamedTuple):
    """A text that a beam search found.

    Attributes:
        text: the new characters, without the seed.
        score: what it was ranked by; the higher the better.
        log_probability: of the text given its seed, in nats.
    """

    text: str
    score: float
    log_probability: float


class Writer:
    """Writes with any network that can be stepped; `model.LanguageModel` is one.

    Args:
        engine: has `prime(ids, streams)` and `step(ids, state)`, as `inference.Engine` has them.
        vocabulary: has `encode`, `decode` and `symbols`, as `text.Vocabulary` has them.
    """

    def __init__(self, engine, vocabulary):
        self.engine, self.vocabulary = engine, vocabulary

    def sample(self, seed: str = "", length: int = 200, temperature: float = 1.0, random_state: int = 0, **options):
        """One continuation of a seed text: its new characters. Arguments and errors as for `samples`."""
        return self.samples(seed, length, temperature, random_state, **options)[0]

    def samples(
        self,
        seed: str = "",
        length: int = 200,
        temperature: float = 1.0,
        random_state: int = 0,
        count: int = 1,
        stop=(),
        min_length: int = 0,
        on_unknown: str = "error",
        **truncations,
    ) -> list[str]:
        """Several continuations of one seed text, drawn side by side.

        Text i depends on `random_state` and i, not on how many there are.

        Args:
            seed: the text to continue, of any length; empty starts from the zero state.
            length: how many new characters to draw.
            temperature: divides the logits; 0 is greedy, 1 the network's own distribution.
            random_state: the same one gives the same text.
            count: how many texts.
            stop: a text, or several, that a continuation ends with as soon as it has written it.
            min_length: a stop text that ends before so many new characters is text like any other.
            on_unknown: "error" or "skip", for characters of the seed that the model never saw.
            truncations: `top_k`, `top_p`, `min_p`, `typical`, applied in that order after the temperature; what they
                mean stands in `sampling.Truncation`.

        Returns:
            The new characters of each, without the seed.

        Raises:
            UnknownCharacters: the seed has characters that the model never saw.
            ValueError: a number is out of range, or a stop text can never be written.
        """
        options = {"stop": stop, "min_length": min_length, "on_unknown": on_unknown, **truncations}
        draws = self._draws(seed, length, count, temperature, random_state, **options)
        drawn, lengths = np.empty((length, count), self.vocabulary.dtype), np.zeros(count, np.intp)
        for position, (ids, live) in enumerate(draws):
            drawn[position] = ids
            lengths += live
        return [self.vocabulary.decode(ids[:end]) for ids, end in zip(drawn.T, lengths, strict=True)]

    def stream(self, seed: str = "", length: int = 200, every: int = 1, **options) -> Iterator[str]:
        """The text of `samples` with a count of 1, as it is drawn, in pieces of `every` symbols, in constant memory.

        Arguments and errors as for `samples`.
        """
        draws = self._draws(seed, length, **options)
        pieces = iter(lambda: [ids.item() for ids, _ in itertools.islice(draws, every)], [])
        return map(self.vocabulary.decode, pieces)

    def beams(
        self,
        seed: str = "",
        length: int = 200,
        width: int = 10,
        count: int = 1,
        stop=(),
        min_length: int = 0,
        length_penalty: float = 0.0,
        no_repeat_ngram: int = 0,
        on_unknown: str = "error",
    ) -> list[ScoredText]:
        """The likeliest continuations that a beam search finds, best first.

        The likeliest texts of a character-level network loop soon; `no_repeat_ngram` breaks that.

        Args:
            seed, length, stop, min_length, on_unknown: as for `samples`.
            width: how many texts are kept at each step; 1 is greedy.
            count: how many of them to return.
            length_penalty: α; texts are ranked by log-probability / lengthᵅ.
            no_repeat_ngram: n; no n symbols in a row stand twice in a continuation; 0 allows it.

        Raises:
            As `samples`.
        """
        sampling.check_beams(length, width, len(self.vocabulary), count, length_penalty, no_repeat_ngram)
        rules = {"min_length": min_length, "length_penalty": length_penalty, "no_repeat_ngram": no_repeat_ngram}
        stops, start = self._stops(stop), self._prime(seed, on_unknown)
        found = sampling.beam_search(self.engine.step, *start, length, width, count, stops=stops, **rules)
        return self._scored(found)

    def stochastic_beams(
        self,
        seed: str = "",
        length: int = 200,
        count: int = 10,
        temperature: float = 1.0,
        random_state: int = 0,
        stop=(),
        min_length: int = 0,
        on_unknown: str = "error",
    ) -> list[ScoredText]:
        """Distinct continuations, drawn without replacement, with their log-probabilities (Kool et al. 2019).

        Arguments as for `samples`; what the scores are good for stands in `sampling.stochastic_beam_search`.
        """
        sampling.check(length, temperature, random_state)
        sampling.check_beams(length, count, len(self.vocabulary))
        stops, start = self._stops(stop), self._prime(seed, on_unknown)
        rules = {"stops": stops, "min_length": min_length}
        found = sampling.stochastic_beam_search(
            self.engine.step, *start, length, count, temperature, random_state, **rules
        )
        return self._scored(found)

    def draft(self, seed: str = "", on_unknown: str = "error") -> "Draft":
        """A text that begins with a seed, to be written on by whoever likes."""
        return Draft(self, seed, on_unknown)

    def _draws(
        self, seed, length, count=1, temperature=1.0, random_state=0, stop=(), min_length=0, on_unknown="error", **rest
    ):
        if count < 1:
            raise ValueError(f"the count is {count}: expected 1 text or more")
        sampling.check(length, temperature, random_state)
        sampling.Truncation(**rest)
        stops, (logits, state) = self._stops(stop), self._prime(seed, on_unknown, count)
        draws = sampling.ancestral(self.engine.step, logits, state, length, temperature, random_state, **rest)
        return sampling.until(draws, stops, count, min_length)

    def _stops(self, stop) -> sampling.StopTexts:
        return sampling.StopTexts((stop,) if isinstance(stop, str) else stop, self.vocabulary.symbols)

    def _prime(self, seed: str, on_unknown: str, streams: int = 1):
        return self.engine.prime(self.vocabulary.encode(seed, on_unknown), streams)

    def _scored(self, found) -> list[ScoredText]:
        return [ScoredText(self.vocabulary.decode(h.ids), h.score, h.log_probability) for h in found]


class Draft:
    """A text that a network reads as it grows, made by `Writer.draft`."""

    def __init__(self, writer: Writer, seed: str, on_unknown: str = "error"):
        self._writer = writer
        self._logits, self._state = writer._prime(seed, on_unknown)

    def likeliest(self, top: int = 9, temperature: float = 1.0) -> list[tuple[str, float]]:
        """The symbols that may come next, likeliest first, with their probabilities."""
        shares = np.exp(sampling.log_softmax(sampling.tempered(self._logits, temperature)))[0]
        order = np.argsort(-shares, kind="stable")[:top]
        return [(self._writer.vocabulary.decode([k]), float(shares[k])) for k in order]

    def write(self, text: str) -> None:
        """Add to the text.

        Raises:
            UnknownCharacters: it has characters that the model never saw; nothing was added.
        """
        for one in self._writer.vocabulary.encode(text)[:, None]:
            self._logits, self._state = self._writer.engine.step(one, self._state)
