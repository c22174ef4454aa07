"""What happens while a network trains: `SampleText` for any Keras model, and the parts of `shakegen train`."""

import math
import sys
import time
import traceback
from collections.abc import Callable

import keras
import numpy as np
from rich import console, progress

from shakegen import evaluation, sampling
from shakegen.inference import Engine
from shakegen.network import KerasSteps, named_weights
from shakegen.writing import Writer

LN2 = math.log(2)


class SampleText(keras.callbacks.Callback):
    """After each epoch, print a text that the network writes.

    It never harms a training run: it has its own random numbers, prints what the terminal can show, and reports an
    error of its own instead of raising it.

    Args:
        vocabulary: the `Vocabulary` of the model's one-hot input and output, of size V.
        seed: the text to continue; what is not in the vocabulary is read as its unknown symbol, or else left out.
        length: how many symbols to draw.
        temperature: 0 is greedy, 1 the network's own distribution.
        random_state: of the draws; the epoch's number is added.
        source: gives, for the model, an object with `prime` and `step` as `inference.Engine` has them. By default
            `KerasSteps`, for any model from one-hot windows (N, T, V), or ids (N, T), to probabilities or logits of the
            next character, (N, V) or (N, T, V).
        stream: where to print, "stdout" or "stderr".
        beam_width: search for the likeliest text with so many beams, instead of drawing one; temperature and random
            state then play no part.
        options: more of `writing.Writer.samples` (`stop`, `min_length`, `top_k`, `top_p`, `min_p`, `typical`), or with
            beams of `Writer.beams` (`stop`, `min_length`, `length_penalty`, `no_repeat_ngram`).

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        vocabulary,
        seed: str = "\n",
        length: int = 200,
        temperature: float = 0.8,
        random_state: int = 0,
        source: Callable | None = None,
        stream: str = "stdout",
        beam_width: int | None = None,
        **options,
    ):
        super().__init__()
        sampling.check(length, temperature, random_state)
        sampling.StopTexts(options.get("stop", ()), vocabulary.symbols)
        others = {name: value for name, value in options.items() if name not in ("stop", "min_length")}
        if beam_width is None:
            sampling.Truncation(**others)
        else:
            sampling.check_beams(length, beam_width, len(vocabulary.symbols), **others)
        self.beam_width, self.options = beam_width, options
        self.vocabulary, self.seed, self.length = vocabulary, seed, length
        self.temperature, self.random_state = temperature, random_state
        self.on_unknown = "skip" if vocabulary.unknown is None else "symbol"
        self.source, self.stream = source or KerasSteps, stream
        self._steps = None

    def on_train_begin(self, logs=None):
        self._steps = None

    def on_epoch_end(self, epoch, logs=None):
        # Whatever goes wrong in a sample, hours of training must not be lost to it.
        try:
            show(f"{self.draw(epoch)}\n", getattr(sys, self.stream))
        except Exception:
            show(f"SampleText failed, training goes on:\n{traceback.format_exc()}", sys.stderr)

    def draw(self, epoch: int = 0) -> str:
        """The seed and its continuation, as written by the model as it is now."""
        if self._steps is None or self.source is not KerasSteps:
            self._steps = self.source(self.model)
        writer, options = Writer(self._steps, self.vocabulary), {**self.options, "on_unknown": self.on_unknown}
        if self.beam_width is not None:
            return self.seed + writer.beams(self.seed, self.length, self.beam_width, **options)[0].text
        return self.seed + writer.sample(self.seed, self.length, self.temperature, self.random_state + epoch, **options)


def show(text: str, file) -> None:
    """Print what the file's encoding can express, `?` for the rest."""
    encoding = getattr(file, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=file, flush=True)


class Budget(keras.callbacks.Callback):
    """A run of so many epochs or minutes, with the learning rate annealed to just that.

    The rate rises linearly over the first 2 % of the run, then falls along a cosine to 1 % of its peak.

    Args:
        peak: the highest learning rate.
        steps: batches in an epoch.
        epochs: how many to train; None where the time decides.
        minutes: how long to train, from now on; None where the epochs decide.

    Attributes:
        interrupted: set it to end the run after the batch at hand.
        reserve: seconds that what follows the last batch will take; the minutes include it.
    """

    RISE, FLOOR = 0.02, 0.01

    def __init__(self, peak: float, steps: int, epochs: int | None = None, minutes: float | None = None):
        super().__init__()
        self.peak, self.steps, self.epochs, self.minutes = peak, steps, epochs, minutes
        self.interrupted, self.reserve = False, 0.0
        self._done, self._began = 0, time.monotonic()

    @property
    def progress(self) -> float:
        """What share of the run is over, 0 to 1."""
        if self.minutes is None:
            return self._done / (self.steps * self.epochs)
        return min(1.0, (time.monotonic() - self._began) / max(1e-6, 60 * self.minutes - self.reserve))

    def rate(self, progress: float) -> float:
        """The learning rate at a share of the run."""
        if progress < self.RISE:
            return self.peak * (progress + 1e-3) / (self.RISE + 1e-3)
        cosine = (1 + math.cos(math.pi * (progress - self.RISE) / (1 - self.RISE))) / 2
        return self.peak * (self.FLOOR + (1 - self.FLOOR) * cosine)

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate = self.rate(self.progress)

    def on_train_batch_end(self, batch, logs=None):
        self._done += 1
        if self.interrupted or self.progress >= 1 or not math.isfinite(logs["loss"]):
            self.model.stop_training = True


class KeepBest(keras.callbacks.Callback):
    """Score the validation text after each epoch, with the state carried, and keep the weights of the best epoch.

    Adds `validation_loss` (nats/symbol) to the epoch's logs. Without validation text the training loss decides.

    Args:
        config: of the model.
        budget: of the run; it is told how long scoring takes.
        validation: ids, shape (characters,).
        keep: called with the weights, by name, and the history, one dictionary an epoch, when an epoch is the best yet.
    """

    TRIAL = 20  # characters a stream, to estimate how long scoring takes

    def __init__(self, config, budget: Budget, validation: np.ndarray, keep: Callable[[dict, list], None]):
        super().__init__()
        self.config, self.budget, self.validation, self.keep = config, budget, validation, keep
        self.streams = min(256, 1 + len(validation) // 1000)
        self.history, self.best = [], math.inf

    def on_train_begin(self, logs=None):
        trial = self.validation[: 1 + self.streams * self.TRIAL]
        if len(trial) > 1:
            self._score(named_weights(self.config, self.model), trial)
            self.budget.reserve *= len(self.validation) / len(trial)

    def _score(self, weights, ids) -> float:
        began = time.monotonic()
        with np.errstate(over="ignore", invalid="ignore"):  # a run that diverged ends in `on_epoch_end`
            found = evaluation.estimate(Engine(self.config, weights), ids, self.streams)
        self.budget.reserve = time.monotonic() - began
        return found.nats_per_symbol

    def on_epoch_end(self, epoch, logs=None):
        weights = named_weights(self.config, self.model)
        entry = {"epoch": epoch + 1, "loss": float(logs["loss"])}
        if len(self.validation) > 1:
            entry["validation_loss"] = logs["validation_loss"] = self._score(weights, self.validation)
        loss = entry.get("validation_loss", entry["loss"])
        if not math.isfinite(loss + entry["loss"]):
            return
        self.history.append(entry)
        if loss < self.best:
            self.best = loss
            self.keep(weights, self.history)


class Progress(keras.callbacks.Callback):
    """Epoch, bits/char, characters/s and time left, on standard error: a bar on a terminal, elsewhere a line an epoch.

    Args:
        budget: of the run.
        symbols: read in a batch, N · T.
        level: what they are: char or word.
    """

    def __init__(self, budget: Budget, symbols: int, level: str = "char"):
        super().__init__()
        self.budget, self.symbols, self.unit = budget, symbols, level
        self.units = {"char": "characters", "word": "words"}[level]
        self._bar = self._task = None
        self._epoch, self._batches, self._began = "", 0, 0.0

    def on_train_begin(self, logs=None):
        if sys.stderr.isatty():
            self._bar = progress.Progress(
                progress.TextColumn("{task.description}"),
                progress.BarColumn(bar_width=None),
                progress.TimeRemainingColumn(),
                console=console.Console(stderr=True),
                transient=True,
                expand=True,
            )
            self._task = self._bar.add_task("compiling", total=1.0)
            self._bar.start()

    def on_train_end(self, logs=None):
        self.close()

    def close(self) -> None:
        """Take the bar down; the lines that it stood under remain."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = f"epoch {epoch + 1}" + (f"/{self.budget.epochs}" if self.budget.epochs else "")
        self._batches, self._began = 0, time.monotonic()

    @property
    def _rate(self) -> str:
        return f"{self._batches * self.symbols / (time.monotonic() - self._began):,.0f} {self.units}/s"

    def on_train_batch_end(self, batch, logs=None):
        self._batches += 1
        if self._bar is not None:
            text = f"{self._epoch}  {logs['loss'] / LN2:.2f} bits/{self.unit}  {self._rate}"
            self._bar.update(self._task, completed=self.budget.progress, description=text)

    def on_epoch_end(self, epoch, logs=None):
        losses = f"training {logs['loss'] / LN2:.3f}"
        if "validation_loss" in logs:
            losses += f", validation {logs['validation_loss'] / LN2:.3f}"
        show(f"{self._epoch}: {losses} bits/{self.unit}, {self._rate}", sys.stderr)
