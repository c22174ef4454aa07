"""What a training run is made of, and what is kept of it."""

import contextlib
import hashlib
import json
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from shakegen.callbacks import CompleteText, SampleText, show
from shakegen.inference import Engine
from shakegen.model import LanguageModel
from shakegen.model.model_file import Training
from shakegen.network.build import build, named_weights
from shakegen.network.config import Config
from shakegen.network.dropout import ScaledDropout
from shakegen.study.autocomplete.corpus import WordCorpus
from shakegen.text import windows
from shakegen.text.corpus import Corpus
from shakegen.training import checkpoint, finetuning
from shakegen.training.learner import Crossentropy, Learner
from shakegen.training.logs import run_logs
from shakegen.training.optimizer import make_optimizer
from shakegen.training.progress import SYMBOLS, Progress
from shakegen.training.recipe import Recipe
from shakegen.training.run import REPORT, Diverged, Position, Run
from shakegen.training.signals import Interrupted, stopping_on_signals
from shakegen.training.validation import Validation
from shakegen.training.workers.replicas import Replicas, sum_once
from shakegen.training.workers.strategy import Strategy

VALIDATION = 8  # symbols are learned from for each one, at least, that is validated on


class Ended(ValueError):
    """The run to resume has had all that it was given."""


@dataclass
class Saving:
    """Where a run is written to.

    Attributes:
        path: a model file, or None.
        every: minutes between checkpoints; 0: the model alone is written, after every epoch.
        notes: anything that JSON can hold, to keep in the checkpoints.
    """

    path: Path | None
    every: float
    notes: dict | None


class Trainer:
    """A run, put together from what it is about.

    Args:
        corpus: the text.
        config: the network.
        recipe: how it learns.
        base: a model whose weights the run starts from, or None.
        saving: where it is written to.
        started: the `time.monotonic()` when it began.
        strategy: of the processes that train.
    """

    def __init__(
        self,
        corpus: Corpus,
        config: Config,
        recipe: Recipe,
        base: LanguageModel | None,
        saving: Saving,
        started: float,
        strategy: Strategy,
    ):
        if config.level != corpus.level:
            raise ValueError(
                f"the corpus has the level {corpus.level}, the network {config.level}: expected the same, as of "
                f"Config(level={corpus.level!r})"
            )
        self.corpus, self.config, self.recipe, self.saving, self.strategy = corpus, config, recipe, saving, strategy
        self.vocabulary = self._vocabulary(base)
        batches = self._batches()
        corpus.check_parts()
        self.replicas = Replicas(batches, strategy)
        with self.replicas.scope():
            self._make_network(base)
        checkpoint.draw_apart(self.network, self.replicas)
        most = min(REPORT, batches.steps * batches.characters) // VALIDATION
        every = 60 * saving.every or math.inf
        score, learner = self._validation(most), Learner(self.network, self.replicas)
        self.run = Run(learner, batches, recipe, self._weights, score, self._save, started, every)

    def _make_network(self, base: LanguageModel | None) -> None:
        """Make what is trained, as it begins."""
        self.network = network = self._network()
        if base is not None:
            network.set_weights(list(self._transplanted(base).values()))
        optimizer = make_optimizer(self.recipe)
        if self.replicas.count > 1:
            sum_once(optimizer)
        network.compile(optimizer, self._loss(), jit_compile=False)
        optimizer.build(network.trainable_variables)

    def _vocabulary(self, base: LanguageModel | None):
        return finetuning.extended(base.vocabulary, self.corpus.vocabulary) if base else self.corpus.vocabulary

    def _batches(self) -> windows.Batches:
        kind = windows.Streams if self.recipe.stateful else windows.ShuffledWindows
        recipe = self.recipe
        return kind(self._ids(self.corpus.train), recipe.seq_length, recipe.batch_size, recipe.random_state)

    def _network(self) -> keras.Model:
        """What is trained, not compiled; its weights are those of the network that is kept, in the same order."""
        streams = self.replicas.width if self.recipe.stateful else None
        sizes = len(self.vocabulary), self.recipe.random_state
        return build(self.config, *sizes, streams, self._dtype, dropout=self._dropout)

    @property
    def _dropout(self) -> type[keras.layers.Dropout]:
        """The usual dropout depends on how long the run is; one that was asked for does not."""
        return ScaledDropout if self.config.dropout is None else keras.layers.Dropout

    @property
    def _dtype(self) -> str:
        precision = self.recipe.mixed_precision
        return precision if precision == "float32" else f"mixed_{precision}"

    def _units(self) -> dict:
        """In what `Progress` shows losses and speed."""
        level = self.config.level
        return {"loss": f"bits/{level}", "nats": math.log(2), "symbols": SYMBOLS[level]}

    def _loss(self) -> keras.losses.Loss:
        return Crossentropy()

    def _transplanted(self, base: LanguageModel) -> dict[str, np.ndarray]:
        """The weights to start from."""
        ids = finetuning.places(base.vocabulary, self.vocabulary)
        return finetuning.transplanted(self._weights(), base.weights, ids)

    def _validation(self, most: int) -> Callable | None:
        """What scores weights on text that is not learned from, about so many characters of it; None without any."""
        ids = self._ids(self.corpus.validation)
        return Validation(self.config, ids, most) if len(ids) > 1 else None

    def _ids(self, ids):
        if self.corpus.vocabulary == self.vocabulary:
            return ids
        return windows.Recoded(ids, finetuning.places(self.corpus.vocabulary, self.vocabulary))

    def _weights(self) -> dict[str, np.ndarray]:
        return named_weights(self.config, self.network)

    def restore(self, model: LanguageModel) -> None:
        """Go on where a model's training run stands.

        Raises:
            Ended: that run has had all that it was given.
            ModelFileError: it is not of such a network.
        """
        state, run = model.training.state, self.run
        checkpoint.restore(self.network, self.replicas, model.training)
        run.position, run.history = Position.from_dict(state.get("position")), list(model.history)
        run.best = model.weights if model.history else None
        if self.saving.notes is None:
            self.saving.notes = state.get("notes")
        if run.finished:
            raise Ended(f"the run to resume has ended: {self._had()}; give it more")

    def _had(self) -> str:
        if self.run.out_of_patience:
            return f"{self.recipe.patience:g} epochs were no better (--patience)"
        if self.recipe.epochs:
            return f"it had {self.recipe.epochs:g} epochs (--epochs)"
        return f"it had {self.recipe.minutes:g} minutes (--minutes)"

    def train(
        self,
        callbacks: Iterable[keras.callbacks.Callback] = (),
        log_dir: str | Path | None = None,
        verbose: bool = True,
    ) -> LanguageModel:
        """Run to the end, as the chief or alone; as `train` says."""
        run, shown = self.run, [Progress(self.run, **self._units())] if verbose else []
        callbacks = list(callbacks)
        if log_dir is not None:
            samplers = (callback for callback in callbacks if isinstance(callback, SampleText | CompleteText))
            callbacks += run_logs(log_dir, self.replicas.sample, next(samplers, None), self.config.level)
        epochs = None if self.recipe.epochs is None else math.ceil(self.recipe.epochs)
        run.callbacks = keras.callbacks.CallbackList(
            [*shown, *callbacks], model=self.network, epochs=epochs, steps=run.batches.steps, verbose=0
        )
        with stopping_on_signals(self.strategy.stop), contextlib.ExitStack() as closing:
            for bar in shown:
                closing.callback(bar.close)
            try:
                run.go()
            except Diverged:
                best = None if run.best is None else replace(self.model(), training=None)
                kept = f"; {self.saving.path} keeps the best epoch so far" if best and self.saving.path else ""
                raise Diverged(best, kept) from None
        model, signal = self.model(), run.stopped
        self.strategy.order("end", signal=signal)
        if signal:
            raise Interrupted(model, signal)
        return model

    def follow(self) -> None:
        """Do what the chief orders, to the end."""
        learner, signal = self.run.learner, None
        learner.begin(self.run.position.step)
        with stopping_on_signals(self.strategy.stop):
            for order in self.strategy.orders():
                if order["what"] == "learn":
                    learner(order["rate"], order["dropout"])
                elif order["what"] == "gather":
                    checkpoint.gather_states(self.network, self.replicas)
                else:
                    signal = order["signal"]
        if signal:
            raise Interrupted(None, signal)

    def model(self) -> LanguageModel:
        """The best model so far, with where the run stands; before the first epoch has ended, the present one."""
        run, arrays = self.run, checkpoint.capture(self.network, self.replicas)
        weights = self._weights() if run.best is None else run.best
        state = {
            "recipe": self.recipe.to_dict(),
            "position": {**run.position.to_dict(), "seconds": run.seconds},
            "symbols": digest(self.corpus),
            "notes": self.saving.notes,
            **checkpoint.describe(self.replicas),
        }
        return self._kept(weights, list(run.history), Training(state, arrays))

    def _kept(self, weights: dict[str, np.ndarray], history: list[dict], training: Training):
        return LanguageModel(self.config, self.vocabulary, weights, self.corpus.origin(), history, training)

    def _save(self, must: bool) -> bool:
        if self.saving.path is None:
            return True
        model = self.model()
        if not all(np.isfinite(array).all() for array in model.training.arrays.values()):
            raise Diverged
        try:
            model.save(self.saving.path, with_training=self.saving.every > 0)
        except OSError as error:
            if must:
                raise
            show(f"Warning: {error}. Training goes on; the next checkpoint tries again.", sys.stderr)
            return False
        return True


def digest(corpus: Corpus | WordCorpus) -> str:
    """A fingerprint of what a network that learns from a corpus predicts."""
    predicted = corpus.words.words if corpus.task == "autocomplete" else corpus.vocabulary.to_json()
    return hashlib.sha256(json.dumps(predicted).encode()).hexdigest()


def engine_of(config: Config) -> Callable[[keras.Model], Engine]:
    """What `SampleText` needs to draw from our own networks at the engine's speed: its `source`."""

    deferred = config.task == "autocomplete"
    return lambda network: Engine(config, named_weights(config, network), defer_read_out=deferred)
