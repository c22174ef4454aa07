"""From a step function and a vocabulary to text: seeds in, samples and beams out. Only numpy."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from shakegen import sampling


class ScoredText(NamedTuple):
    """A text that a beam search found.

    Attributes:
        text: the new text, without the seed.
        score: what it was ranked by; the higher the better.
        log_probability: of the text given its seed, in nats.
    """

    text: str
    score: float
    log_probability: float


class TextGenerator:
    """Writes with any network that can be stepped; `model.LanguageModel` is one.

    Lengths are counted in the vocabulary's symbols: characters or words. The unknown symbol is never written: it has no
    text. A space at the end of a seed is taken as the beginning of the first word.

    Args:
        engine: has `prime(ids, streams)` and `step(ids, state)`, as `inference.Engine` has them.
        vocabulary: a `vocabulary.Vocabulary`, of characters or words.
    """

    def __init__(self, engine, vocabulary):
        self.engine, self.vocabulary = engine, vocabulary

    def sample(self, seed: str = "", length: int = 200, temperature: float = 1.0, random_state: int = 0, **options):
        """One continuation of a seed text: the new text. Arguments and errors as for `samples`."""
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
        on_unknown: str | None = None,
        **truncations,
    ) -> list[str]:
        """Several continuations of one seed text, drawn side by side.

        Text i depends on `random_state` and i, not on how many there are.

        Args:
            seed: the text to continue, of any length; empty starts from the zero state.
            length: how many new symbols to draw.
            temperature: divides the logits; 0 is greedy, 1 the network's own distribution.
            random_state: the same one gives the same text.
            count: how many texts.
            stop: a text, or several, that a continuation ends with as soon as it has written it.
            min_length: a stop text that ends before so many new symbols is text like any other.
            on_unknown: "error", "skip" or "symbol", for what the model does not know of the seed, as in
                `Vocabulary.encode`.
            truncations: `top_k`, `top_p`, `min_p`, `typical`, applied in that order after the temperature; what they
                mean stands in `sampling.Truncation`.

        Returns:
            The new text of each, without the seed.

        Raises:
            UnknownCharacters, UnknownWords: the seed has such, and they are to be errors.
            ValueError: a number is out of range, or a stop text can never be written.
        """
        options = {"stop": stop, "min_length": min_length, "on_unknown": on_unknown, **truncations}
        draws = self._draws(seed, length, count, temperature, random_state, **options)
        drawn, lengths = np.empty((length, count), self.vocabulary.dtype), np.zeros(count, np.intp)
        for position, (ids, live) in enumerate(draws):
            drawn[position] = ids
            lengths += live
        texts = (self.vocabulary.decode(ids[:end]) for ids, end in zip(drawn.T, lengths, strict=True))
        return [text.removeprefix(self.vocabulary.pending(seed)) for text in texts]

    def stream(self, seed: str = "", length: int = 200, every: int = 1, **options) -> Iterator[str]:
        """The text of `samples` with a count of 1, as it is drawn, in pieces of `every` symbols, in constant memory.

        Arguments and errors as for `samples`.
        """
        draws = self._draws(seed, length, **options)
        pieces = iter(lambda: [ids.item() for ids, _ in itertools.islice(draws, every)], [])
        prefixes = itertools.chain([self.vocabulary.pending(seed)], itertools.repeat(""))
        return (self.vocabulary.decode(ids).removeprefix(prefix) for ids, prefix in zip(pieces, prefixes, strict=False))

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
        on_unknown: str | None = None,
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
        sampling.check_beams(length, width, len(self.vocabulary.symbols), count, length_penalty, no_repeat_ngram)
        rules = {"min_length": min_length, "length_penalty": length_penalty, "no_repeat_ngram": no_repeat_ngram}
        stops, start = self._stops(stop), self._prime(seed, on_unknown)
        found = sampling.beam_search(self._step, *start, length, width, count, stops=stops, **rules)
        return self._scored(found, seed)

    def stochastic_beams(
        self,
        seed: str = "",
        length: int = 200,
        count: int = 10,
        temperature: float = 1.0,
        random_state: int = 0,
        stop=(),
        min_length: int = 0,
        on_unknown: str | None = None,
    ) -> list[ScoredText]:
        """Distinct continuations, drawn without replacement, with their log-probabilities (Kool et al. 2019).

        Arguments as for `samples`; what the scores are good for stands in `sampling.stochastic_beam_search`.
        """
        sampling.check_draw(length, temperature, random_state)
        sampling.check_beams(length, count, len(self.vocabulary.symbols))
        stops, start = self._stops(stop), self._prime(seed, on_unknown)
        rules = {"stops": stops, "min_length": min_length}
        found = sampling.stochastic_beam_search(self._step, *start, length, count, temperature, random_state, **rules)
        return self._scored(found, seed)

    def draft(self, seed: str = "", on_unknown: str | None = None) -> "Draft":
        """A text that begins with a seed, to be written on by whoever likes."""
        return Draft(self, seed, on_unknown)

    def _draws(
        self, seed, length, count=1, temperature=1.0, random_state=0, stop=(), min_length=0, on_unknown=None, **rest
    ):
        if count < 1:
            raise ValueError(f"the count is {count}: expected 1 text or more")
        sampling.check_draw(length, temperature, random_state)
        sampling.Truncation(**rest)
        stops, (logits, state) = self._stops(stop), self._prime(seed, on_unknown, count)
        draws = sampling.ancestral(self._step, logits, state, length, temperature, random_state, **rest)
        return sampling.until(draws, stops, count, min_length)

    def _stops(self, stop) -> sampling.StopTexts:
        return sampling.StopTexts((stop,) if isinstance(stop, str) else stop, self.vocabulary.symbols)

    @property
    def _step(self):
        """The network's step, the unknown symbol impossible."""
        step, unknown = self.engine.step, self.vocabulary.unknown
        if unknown is None:
            return step

        def known(ids, state):
            logits, state = step(ids, state)
            logits[:, unknown] = -np.inf
            return logits, state

        return known

    def _prime(self, seed: str, on_unknown: str | None, streams: int = 1):
        pending = self.vocabulary.pending(seed)
        ids = self.vocabulary.encode(seed.removesuffix(pending), on_unknown)
        logits, state = self.engine.prime(ids, streams)
        return self._possible(logits, pending), state

    def _possible(self, logits, pending: str):
        """The logits of what may be written: no unknown symbol, and only what begins with pending text."""
        if self.vocabulary.unknown is not None:
            logits[:, self.vocabulary.unknown] = -np.inf
        if pending:
            logits[:, [k for k, text in enumerate(self.vocabulary.symbols) if not text.startswith(pending)]] = -np.inf
        return logits

    def _scored(self, found, seed: str) -> list[ScoredText]:
        pending, decode = self.vocabulary.pending(seed), self.vocabulary.decode
        return [ScoredText(decode(h.ids).removeprefix(pending), h.score, h.log_probability) for h in found]


class Draft:
    """A text that a network reads as it grows, made by `TextGenerator.draft`.

    Attributes:
        length: how many symbols were added to the seed.
    """

    def __init__(self, generator: TextGenerator, seed: str, on_unknown: str | None = None):
        self._generator, self.length = generator, 0
        self._pending = generator.vocabulary.pending(seed)
        self._logits, self._state = generator._prime(seed, on_unknown)

    def likeliest(self, top: int = 9, temperature: float = 1.0) -> list[tuple[str, float]]:
        """The symbols that may come next, likeliest first, with their probabilities."""
        shares = np.exp(sampling.log_softmax(sampling.apply_temperature(self._logits, temperature)))[0]
        order = np.argsort(-shares, kind="stable")[:top]
        possible = [k for k in order if self._logits[0, k] > -np.inf]
        decode = self._generator.vocabulary.decode
        return [(decode([k]).removeprefix(self._pending), float(shares[k])) for k in possible]

    def write(self, text: str) -> None:
        """Add to the text.

        Raises:
            UnknownCharacters: it has characters that the model never saw; nothing was added.
        """
        vocabulary, text = self._generator.vocabulary, self._pending + text
        pending = vocabulary.pending(text)
        ids, step = vocabulary.encode(text.removesuffix(pending)), self._generator._step
        for one in ids[:, None]:
            self._logits, self._state = step(one, self._state)
        self._logits = self._generator._possible(self._logits, pending)
        self._pending, self.length = pending, self.length + len(ids)
