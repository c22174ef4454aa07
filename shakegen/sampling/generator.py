"""From a step function and a vocabulary to text: seeds in, samples and beams out. Only numpy."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from shakegen.checks import check_seed, check_seeds, is_whole, refuse_unknown
from shakegen.sampling.ancestral import ancestral, check_draw
from shakegen.sampling.beam import beam_search, check_beams
from shakegen.sampling.constraints import Constraint, DeadEnd, NoRepeat, Rules
from shakegen.sampling.constraints.constraint import list_all
from shakegen.sampling.draft import Draft
from shakegen.sampling.particles import fill_form
from shakegen.sampling.stochastic import stochastic_beam_search
from shakegen.sampling.stopping import StopTexts, check_min_length, until
from shakegen.sampling.truncation import KEEP as TRUNCATIONS, Truncation

OPTIONS = (
    "length", "temperature", "random_state", "count", "stop", "min_length", "on_unknown", "constraints", "perplexity",
)  # fmt: skip


class ScoredText(NamedTuple):
    """One text of a beam search.

    Attributes:
        text: the new text, without the seed.
        score: the texts are ranked by it; higher is better.
        log_probability: of the text given its seed, in nats.
    """

    text: str
    score: float
    log_probability: float


class TextGenerator:
    """Writes text with any step function and its vocabulary.

    Lengths count symbols of the vocabulary: characters, subwords or words. The unknown symbol is never written, because
    it has no text. A space at the end of a seed is the beginning of the first word.

    Args:
        engine: has `prime(ids, streams)` and `step(ids, state)` like `inference.Engine`.
        vocabulary: a `vocabulary.Vocabulary`, of any of them.
    """

    def __init__(self, engine, vocabulary):
        self.engine, self.vocabulary = engine, vocabulary

    def sample(self, seed: str = "", length: int = 200, temperature: float = 1.0, random_state: int = 0, **options):
        """The new text of one continuation of one seed. Arguments and errors as for `samples`."""
        refuse_several(seed, options)
        return self.samples(seed, length, temperature, random_state, **options)[0]

    def samples(
        self,
        seed: str | Sequence[str] = "",
        length: int = 200,
        temperature: float = 1.0,
        random_state: int = 0,
        count: int = 1,
        stop=(),
        min_length: int = 0,
        on_unknown: str | None = None,
        constraints: Constraint | Iterable[Constraint] = (),
        perplexity: float | None = None,
        **truncations,
    ) -> list[str]:
        """Several continuations of one seed text, or one of each of several, drawn side by side.

        Text i depends only on its seed, `random_state` and i.

        Args:
            seed: the text to continue, of any length; empty starts from the zero state. Several are continued once.
            length: the number of new symbols to draw.
            temperature: divides the logits; 0 is greedy, 1 the network's own distribution. Two numbers go from the
                first to the second along the text.
            random_state: determines the texts.
            count: the number of texts; with several seeds, their number counts instead.
            stop: a text or a `StopAfter`, or several; a continuation ends as soon as it has written one.
            min_length: a stop text does not end a continuation before it has so many new symbols.
            on_unknown: "error", "skip" or "symbol", for unknown symbols of the seed, as in `Vocabulary.encode`.
            constraints: what may be written, from `shakegen.sampling.constraints`; they apply before the temperature.
            perplexity: steer the temperature, from 1 on, so that each text has this perplexity per symbol under the
                network; then no temperature may be given.
            truncations: `top_k`, `top_p`, `min_p`, `typical`, as for `Truncation`, applied in this order after the
                temperature.

        Returns:
            The new text of each, without the seed.

        Raises:
            UnknownCharacters, UnknownWords: the seed has unknown symbols and `on_unknown` is "error".
            ValueError: a number is out of range, or a stop text can never be written.
            DeadEnd: the constraints leave nothing to write; a ValueError.
        """
        options = {"stop": stop, "min_length": min_length, "on_unknown": on_unknown, "constraints": constraints}
        options |= {"perplexity": perplexity, **truncations}
        draws = self._draws(seed, length, count, temperature, random_state, **options)
        seeds = [seed] * count if isinstance(seed, str) else [*seed]
        drawn, lengths = np.empty((length, len(seeds)), self.vocabulary.dtype), np.zeros(len(seeds), np.intp)
        for position, (ids, live) in enumerate(draws):
            drawn[position] = ids
            lengths += live
        texts = (self.vocabulary.decode(ids[:end]) for ids, end in zip(drawn.T, lengths, strict=True))
        return [text.removeprefix(self.vocabulary.pending(one)) for one, text in zip(seeds, texts, strict=True)]

    def stream(self, seed: str = "", length: int = 200, every: int = 1, **options) -> Iterator[str]:
        """The text of `samples` with a count of 1, in pieces of `every` symbols as they are drawn, in constant memory.

        Arguments and errors as for `samples`.
        """
        refuse_several(seed, options)
        if not is_whole(every, 1):
            raise ValueError(f"every is {every!r}: expected a number of symbols in a piece, 1 or more")
        pieces = cut(self._draws(seed, length, **options), every)
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
        constraints: Constraint | Iterable[Constraint] = (),
    ) -> list[ScoredText]:
        """The likeliest continuations by beam search, best first.

        The likeliest texts of a character-level network soon loop; `no_repeat_ngram` prevents that.

        Args:
            seed, length, stop, min_length, on_unknown: as for `samples`.
            width: the number of texts kept at each step; 1 is greedy.
            count: the number of texts to return.
            length_penalty: α; texts are ranked by log-probability / lengthᵅ.
            no_repeat_ngram: n; no n symbols in a row occur twice in a continuation; 0 allows repeats.
            constraints: what may be written; they leave the probabilities of what they allow as they are. The score
                and the log-probability have the penalty of a `RepetitionPenalty` in them.

        Raises:
            UnknownCharacters, UnknownWords, ValueError: as for `samples`.
        """
        check_beams(length, width, len(self.vocabulary.symbols), count, length_penalty)
        check_min_length(min_length)
        (logits, state), stops = self._prime(seed, on_unknown), self._stops(stop, [seed])
        rules = self._rules([*list_all(constraints), *NoRepeat.unless_zero(no_repeat_ngram)], [seed])
        hypotheses = beam_search(
            self._step, logits, state, length, width, count, stops, min_length, length_penalty, rules
        )
        return self._score_texts(hypotheses, seed)

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
        constraints: Constraint | Iterable[Constraint] = (),
    ) -> list[ScoredText]:
        """Distinct continuations, drawn without replacement, with their log-probabilities (Kool et al. 2019).

        Arguments and errors as for `samples`; the scores are those of `stochastic_beam_search`.
        """
        check_draw(length, temperature, random_state, count)
        check_beams(length, count, len(self.vocabulary.symbols))
        check_min_length(min_length)
        (logits, state), stops = self._prime(seed, on_unknown), self._stops(stop, [seed])
        rules = self._rules(constraints, [seed])
        hypotheses = stochastic_beam_search(
            self._step, logits, state, length, count, temperature, random_state, stops, min_length, rules
        )
        return self._score_texts(hypotheses, seed)

    fill = fill_form

    def draft(self, seed: str = "", on_unknown: str | None = None) -> Draft:
        """A text that begins with a seed and that the caller continues."""
        return Draft(self, seed, on_unknown)

    def _draws(
        self,
        seed,
        length,
        count=1,
        temperature=1.0,
        random_state=0,
        stop=(),
        min_length=0,
        on_unknown=None,
        constraints=(),
        perplexity=None,
        **rest,
    ):
        check_draw(length, temperature, random_state, count, changes=True)
        check_min_length(min_length)
        refuse_unknown("sampling", rest, (*OPTIONS, *TRUNCATIONS))
        Truncation(**rest)
        if isinstance(seed, str):
            logits, state = self._prime(seed, on_unknown, count)
        else:
            check_seeds(seed)
            logits, state = map(np.concatenate, zip(*(self._prime(one, on_unknown) for one in seed), strict=True))
        seeds = [seed] * count if isinstance(seed, str) else seed
        rules, stops = self._rules(constraints, seeds), self._stops(stop, seeds)
        draws = ancestral(self._step, logits, state, length, temperature, random_state, rules, perplexity, **rest)
        return until(draws, stops, len(logits), min_length, rules)

    def _rules(self, constraints, seeds: Sequence[str]) -> Rules:
        """The rules of streams that have read their seeds."""
        pending = self.vocabulary.pending
        return Rules(constraints, self.vocabulary.to_json(), [one.removesuffix(pending(one)) for one in seeds])

    def _stops(self, stop, seeds: Sequence[str]) -> StopTexts:
        return StopTexts(stop, self.vocabulary.symbols, seeds)

    @property
    def _step(self):
        """The step of the network, with symbols impossible that have no text, such as the unknown one."""
        step, known = self.engine.step, len(self.vocabulary.symbols)
        if known == len(self.vocabulary):
            return step

        def step_known(ids, state):
            logits, state = step(ids, state)
            logits = np.array(logits)  # those of the step are not ours to change
            logits[:, known:] = -np.inf
            return logits, state

        return step_known

    def _prime(self, seed: str, on_unknown: str | None, streams: int = 1) -> tuple[np.ndarray, np.ndarray]:
        check_seed(seed)
        pending = self.vocabulary.pending(seed)
        ids = self.vocabulary.encode(seed.removesuffix(pending), on_unknown)
        logits, state = self.engine.prime(ids, streams)
        return self._exclude(logits, pending), state

    def _exclude(self, logits, pending: str):
        """Logits without the symbols that have no text, or do not begin with the pending text."""
        logits = np.array(logits)
        logits[:, len(self.vocabulary.symbols) :] = -np.inf
        if pending:
            logits[:, [k for k, text in enumerate(self.vocabulary.symbols) if not text.startswith(pending)]] = -np.inf
        return logits

    def _score_texts(self, hypotheses, seed: str) -> list[ScoredText]:
        pending, decode = self.vocabulary.pending(seed), self.vocabulary.decode
        return [ScoredText(decode(h.ids).removeprefix(pending), h.score, h.log_probability) for h in hypotheses]


def cut(draws: Iterable[tuple[np.ndarray, np.ndarray]], every: int) -> Iterator[list[int]]:
    """The ids of one stream in pieces; those before a dead end come, too."""
    piece: list[int] = []
    try:
        for ids, _ in draws:
            piece.append(ids.item())
            if len(piece) == every:
                yield piece
                piece = []
    except DeadEnd:
        if piece:
            yield piece
        raise
    if piece:
        yield piece


def refuse_several(seed, options: Mapping) -> None:
    """Refuse several seeds, and a number of texts, where one text is written."""
    check_seed(seed)
    if "count" in options:
        raise ValueError(f"count is {options['count']!r}, but this is one text: leave it out, or call `samples`")
