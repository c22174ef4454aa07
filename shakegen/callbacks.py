"""Keras callbacks that show text while a network trains; `SampleText` is for any Keras model."""

import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable

import keras

from shakegen import checks, sampling
from shakegen.network.keras_steps import KerasSteps
from shakegen.sampling.constraints import NoRepeat
from shakegen.sampling.generator import TextGenerator
from shakegen.sampling.truncation import KEEP as TRUNCATIONS
from shakegen.streams import is_terminal, show
from shakegen.study.autocomplete.completion import Typing

BEAMS = ("length_penalty", "no_repeat_ngram")


class ShowText(keras.callbacks.Callback, ABC):
    """After each epoch, print what `draw` makes of the network; the base of the callbacks below.

    It never harms a training run: it prints only characters that the terminal can show, and reports its own errors
    instead of raising them.

    Args:
        stream: where to print, "stdout" or "stderr"; None prints nothing and only sets `text`.

    Attributes:
        text: the last one; None before the end of the first epoch, and after an error.

    Raises:
        ValueError: there is no such stream.
    """

    def __init__(self, stream: str | None):
        super().__init__()
        if stream not in ("stdout", "stderr", None):
            raise ValueError(f"the stream is {stream!r}: expected 'stdout', 'stderr' or None")
        self.stream, self.text = stream, None

    def on_epoch_end(self, epoch, logs=None):
        # No error in a sample may cost hours of training.
        self.text = None
        try:
            self.text = self.draw(epoch)
        except Exception:
            show(f"{type(self).__name__} failed, training goes on:\n{traceback.format_exc()}", sys.stderr)
        else:
            file = getattr(sys, self.stream) if self.stream else None
            # On a terminal, Keras's progress bar has not ended its line.
            show("\n" * (self.stream == "stdout" and is_terminal(file)) + f"{self.text}\n", file)

    @abstractmethod
    def draw(self, epoch: int) -> str:
        """The text by the network as it is now."""


class SampleText(ShowText):
    """After each epoch, print a text that the network writes, with random numbers of its own.

    Args:
        vocabulary: the `Vocabulary` of the model's one-hot input and output, of size V.
        seed: the text to continue; symbols outside the vocabulary become its unknown symbol, or are left out if it has
            none.
        length: the number of symbols to draw.
        temperature: 0 is greedy, 1 the network's own distribution.
        random_state: of the draws; the number of the epoch is added.
        source: makes, from the model, an object with `prime` and `step` like those of `inference.Engine`. The default,
            `KerasSteps`, serves any model from one-hot windows (N, T, V) or ids (N, T) to probabilities or logits of
            the next character, (N, V) or (N, T, V).
        stream: as for `ShowText`.
        beam_width: search for the likeliest text with this many beams instead of drawing one; temperature and random
            state then have no effect.
        options: more of `TextGenerator.samples` (`stop`, `min_length`, `top_k`, `top_p`, `min_p`, `typical`), or with
            beams of `TextGenerator.beams` (`stop`, `min_length`, `length_penalty`, `no_repeat_ngram`).

    Raises:
        TypeError, ValueError: an argument is of another kind, or out of range.
    """

    def __init__(
        self,
        vocabulary,
        seed: str = "\n",
        length: int = 200,
        temperature: float = 0.8,
        random_state: int = 0,
        source: Callable | None = None,
        stream: str | None = "stdout",
        beam_width: int | None = None,
        **options,
    ):
        super().__init__(stream)
        sampling.check_draw(length, temperature, random_state, changes=beam_width is None)
        options["stop"] = sampling.StopTexts(options.get("stop", ()), vocabulary.symbols).ends
        sampling.check_min_length(options.get("min_length", 0))
        others = {name: value for name, value in options.items() if name not in ("stop", "min_length")}
        known = TRUNCATIONS if beam_width is None else BEAMS
        checks.refuse_unknown("sampling", others, ("stop", "min_length", *known))
        if beam_width is None:
            sampling.Truncation(**others)
        else:
            NoRepeat.unless_zero(others.pop("no_repeat_ngram", 0))
            sampling.check_beams(length, beam_width, len(vocabulary.symbols), **others)
        checks.check_seed(seed)
        options["on_unknown"] = "symbol" if vocabulary.reads_all else "skip"
        self.beam_width, self.options = beam_width, options
        self.vocabulary, self.seed, self.length = vocabulary, seed, length
        self.temperature, self.random_state = temperature, random_state
        self.source, self._steps = source or KerasSteps, None

    def set_model(self, model):
        super().set_model(model)
        self._steps = None

    def draw(self, epoch: int = 0) -> str:
        """The seed and its continuation by the model as it is now."""
        if self._steps is None or self.source is not KerasSteps:
            self._steps = self.source(self.model)
        generator = TextGenerator(self._steps, self.vocabulary)
        if self.beam_width is not None:
            return self.seed + generator.beams(self.seed, self.length, self.beam_width, **self.options)[0].text
        random_state = self.random_state + epoch
        return self.seed + generator.sample(self.seed, self.length, self.temperature, random_state, **self.options)


class CompleteText(ShowText):
    """After each epoch, print the words that a network of the autocomplete task expects at the end of a text.

    Args:
        source: makes, from the model, an `inference.Engine` with a deferred read-out.
        words: the network's outputs.
        seed: the text.
        length: the number of characters to read at most.
        stream: as for `ShowText`.
    """

    TOP = 5

    def __init__(self, source: Callable, words, seed: str, length: int, stream: str | None = "stderr"):
        super().__init__(stream)
        self.source, self.words, self.seed, self.length = source, words, seed, length

    def draw(self, epoch: int = 0) -> str:
        """The seed, and the likeliest words with their shares."""
        words = Typing(self.source(self.model), self.words, self.length, self.seed).likeliest(self.TOP)
        return f"{self.seed.strip()}| {', '.join(f'{word} {share:.0%}' for word, share in words)}"
