"""Writing and evaluation, for models of the next symbol and for mixtures of them."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from shakegen.model import evaluation
from shakegen.model.protocols import Blocks, Dynamic, Windows
from shakegen.sampling.generator import TextGenerator

P = ParamSpec("P")
R = TypeVar("R")


def delegate(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """A method of a model that calls one of its `generator`, with the same signature and docstring."""

    @functools.wraps(method)
    def call(self, *arguments: P.args, **options: P.kwargs) -> R:
        return method(self.generator, *arguments, **options)

    return call


class Predictor:
    """A model of the next symbol of a text: it has an `engine`, a step function, and a `vocabulary`."""

    engine: Any
    vocabulary: Any

    @property
    def generator(self) -> TextGenerator:
        """A writer of text with the network; each use gives a new one."""
        return TextGenerator(self.engine, self.vocabulary)

    sample = delegate(TextGenerator.sample)
    samples = delegate(TextGenerator.samples)
    stream = delegate(TextGenerator.stream)
    beams = delegate(TextGenerator.beams)
    stochastic_beams = delegate(TextGenerator.stochastic_beams)
    fill = delegate(TextGenerator.fill)
    draft = delegate(TextGenerator.draft)

    def evaluate(
        self, text: str, on_unknown: str | None = None, protocol: Windows | Dynamic | None = None
    ) -> evaluation.Evaluation:
        """How well the network predicts a text, read in order with the state carried; as `evaluation.evaluate`.

        Args:
            text: any text.
            on_unknown: as for `Vocabulary.encode`.
            protocol: another way to read the text: `Windows()`, or `Dynamic()`: the network learns from it.

        Raises:
            TypeError: it is no text, but a corpus, say: `corpus.vocabulary.decode(corpus.test)` is a part of it.
            UnknownCharacters, UnknownWords, ValueError: as `Vocabulary.encode` does with this `on_unknown`.
            ValueError: the text is too short for the protocol, or a mixture is to learn.
        """
        if not isinstance(text, str):
            raise TypeError(
                f"the text is of the type {type(text).__name__}: expected str, such as "
                "corpus.vocabulary.decode(corpus.test)"
            )
        reading = self.vocabulary.read([text], on_unknown)
        return evaluation.summarise(self.surprisal(reading.ids, protocol)).of_text(reading, self.vocabulary)

    def surprisal(self, ids: np.ndarray, protocol: Windows | Dynamic | None = None) -> Blocks:
        """The surprisals of a text, ids (T,), and hits, as `evaluation.surprisal`, or as a protocol gives them."""
        if protocol is None:
            return evaluation.surprisal(self.engine, ids, self.vocabulary.unknown)
        return protocol.surprisal(self, ids)
