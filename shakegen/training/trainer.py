"""Builds and drives one training run."""

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np

from shakegen.callbacks import CompleteText, SampleText
from shakegen.inference import Engine
from shakegen.layers.dropout import ScaledDropout
from shakegen.model.base import Model
from shakegen.model.model_file import Training, best_of
from shakegen.network.build import named_weights
from shakegen.network.config import Config
from shakegen.streams import show
from shakegen.training import checkpoint
from shakegen.training.beginning import Beginning, digest
from shakegen.training.checkpoint import digest_model
from shakegen.training.keras_callbacks import list_callbacks
from shakegen.training.logs import CsvLog, TensorBoardLog, gradient_norms
from shakegen.training.older_model import keep_copy
from shakegen.training.optimizer import make_optimizer
from shakegen.training.position import Position
from shakegen.training.progress import Progress
from shakegen.training.run import REPORT, Diverged, Run
from shakegen.training.signals import Interrupted, call_on_signals
from shakegen.training.tasks import get_task
from shakegen.training.validation import FEWEST
from shakegen.training.workers.replicas import Replicas, sum_once
from shakegen.training.workers.strategy import Strategy

VALIDATION = 8  # symbols are learned from for each one, at least, that is validated on


class Ended(ValueError):
    """The run to resume has used up its epochs, minutes or patience."""


class Trainer:
    """Trains the network of a run, and makes its model.

    Args:
        beginning: everything that decides the run.
        started: the `time.monotonic()` when it began.
        strategy: of the processes that train.

    Raises:
        Ended: the run to resume has used up its epochs, minutes or patience.
        ModelFileError: the run to resume is not of this network.
        ValueError: Keras has no such optimizer.
    """

    def __init__(self, beginning: Beginning, started: float, strategy: Strategy):
        corpus, config, recipe, base = beginning.corpus, beginning.config, beginning.recipe, beginning.base
        self.task, self.corpus, self.config, self.recipe = beginning.task, corpus, config, recipe
        self.strategy = strategy
        self._keeps_copy, self._holds_run = beginning.keeps_copy, beginning.holds_run
        self.out, self.notes, self._every = beginning.out, beginning.notes, 60 * beginning.checkpoint_every
        self.vocabulary = beginning.vocabulary
        self._tried, self._saved = None, False  # the state of the last checkpoint, and whether that was written
        self._written = 0  # reports of this run that the file knows of
        batches = self.task.make_batches(corpus, self.vocabulary, recipe)
        self.replicas = Replicas(batches, strategy)
        self.network = self.replicas.make(lambda: self._make_network(base))
        checkpoint.draw_apart(self.network, self.replicas)
        most = min(REPORT, batches.steps * batches.characters) // VALIDATION
        score = self.task.make_validation(config, corpus, self.vocabulary, most)
        learner = self.task.make_learner(self.network, self.replicas, recipe)
        every = self._every or math.inf
        length = self.task.characters_per_symbol(corpus)
        self.run = Run(learner, recipe, self._read_weights, score, self._save, started, every, length, config.layers)
        if beginning.resumes:
            self._restore(base)

    def _make_network(self, base: Model | None) -> keras.Model:
        """The network as it begins, compiled."""
        recipe, precision = self.recipe, self.recipe.mixed_precision
        network = self.task.make_network(
            self.config,
            self.corpus,
            self.vocabulary,
            recipe,
            dtype=precision if precision == "float32" else f"mixed_{precision}",
            # The default dropout depends on the length of the run; a dropout that the user gave does not.
            dropout=ScaledDropout if self.config.dropout is None else keras.layers.Dropout,
        )
        if base is not None:
            weights = self.task.transfer_weights(named_weights(self.config, network), base, self.vocabulary)
            network.set_weights(list(weights.values()))
        optimizer = make_optimizer(recipe, network.trainable_variables)
        if self.replicas.count > 1:
            sum_once(optimizer)
        # The learner has a loss of its own; this one is for callbacks that save or evaluate the network.
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float32")
        network.compile(optimizer, loss, jit_compile=False)
        optimizer.build(network.trainable_variables)
        return network

    def _read_weights(self) -> dict[str, np.ndarray]:
        return named_weights(self.config, self.network)

    def _restore(self, model: Model) -> None:
        """Continue the training run of a model."""
        state, run = model.training.state, self.run
        checkpoint.restore(run.learner, model.training, self.config)
        run.position, run.history = Position.from_dict(state.get("position")), list(model.history)
        run.best = model.weights if model.history else None
        self._written = len(model.history) if self._holds_run else 0
        if self.notes is None:
            self.notes = state.get("notes")
        if run.finished:
            raise Ended(f"the run to resume has ended: {self._describe_end()}; give it more")

    def _describe_end(self) -> str:
        if self.run.out_of_patience:
            return f"{self.recipe.patience:g} epochs were no better (`patience`)"
        if self.recipe.epochs:
            return f"{self.run.epoch:g} of {self.recipe.epochs:g} epochs are over (`epochs`)"
        spent = f"{float(f'{self.run.position.seconds / 60:.2g}'):,g} min are spent, all parts of the run together"
        return f"{spent}, of {self.recipe.minutes:g} given (`minutes`)"

    def train(self, callbacks: Iterable[keras.callbacks.Callback], log_dir: str | Path | None, verbose: bool) -> Model:
        """Run to the end, as the chief or alone; as `train` says."""
        run, unit = self.run, self.task.kind.unit_of(self.config)
        callbacks = list_callbacks(callbacks, self.recipe)
        shown = [Progress(run, unit)] if verbose else []
        if verbose and run.position.step and self.out:
            show(f"Going on with {self.out}, after {run.epoch:.4g} epoch{'s' * (run.epoch != 1)}.", sys.stderr)
        if log_dir is not None:
            samplers = (callback for callback in callbacks if isinstance(callback, SampleText | CompleteText))
            callbacks.append(CsvLog(Path(log_dir) / "epochs.csv", unit))
            callbacks.append(TensorBoardLog(log_dir, self._measure_gradients, next(samplers, None), unit))
        if verbose and self.task.lacks_validation(self.corpus):
            show(
                "The validation text is too short to choose an epoch by (expected "
                f"{FEWEST} characters or more{self.task.needed}): the epoch with the lowest training loss is kept.",
                sys.stderr,
            )
        run.callbacks = keras.callbacks.CallbackList(
            [*shown, *callbacks],
            add_history=True,
            model=self.network,
            epochs=run.reports,
            steps=run.steps,
            verbose=int(verbose),
        )
        if self._keeps_copy:
            keep_copy(self.out)
        signal = None
        with call_on_signals(self.strategy.stop):
            try:
                run.go()
                signal = None if run.finished else run.stopped  # one that came with the last report ended nothing
                model = self.make_model()
            except Diverged:
                model = None if run.best is None else replace(self.make_model(), training=None)
                if not (model and self.network.stop_training):  # by TerminateOnNaN
                    best = run.history.index(best_of(run.history)) if model else self._written
                    kept = f"; {self.out} keeps the best epoch so far" if best < self._written else ""
                    raise Diverged(model, kept) from None
            finally:
                for bar in shown:
                    bar.close()
            self.network.optimizer.finalize_variable_values(self.network.trainable_weights)  # as `fit` does
            run.callbacks.on_train_end(run.logs)
        self.strategy.order("end", signal=signal)
        if signal:
            raise Interrupted(model, signal)
        return model

    def _measure_gradients(self, step: int) -> dict[str, float]:
        rows = slice(self.replicas.width)  # as many as one replica takes
        return gradient_norms(self.network, self.run.learner.loss, *self.replicas.whole.pair(step, rows))

    def follow(self) -> None:
        """Follow the chief's orders to the end."""
        learner, signal = self.run.learner, None
        learner.begin(self.run.position.step)
        with call_on_signals(self.strategy.stop):
            for order in self.strategy.orders():
                if order["what"] == "learn":
                    learner(order["rate"], order["dropout"])
                elif order["what"] == "gather":
                    checkpoint.gather_states(learner)
                else:
                    signal = order["signal"]
        if signal:
            raise Interrupted(None, signal)

    def make_model(self) -> Model:
        """The best model so far, with the state of the run; before the first epoch has ended, the present one."""
        run, arrays = self.run, checkpoint.capture(self.run.learner)
        weights = self._read_weights() if run.best is None else run.best
        state = {
            "recipe": self.recipe.to_dict(),
            "position": {**asdict(run.position), "seconds": run.seconds},
            "symbols": digest(self.corpus.output_vocabulary),
            "notes": self.notes,
            "parts": checkpoint.count_all_parts(self.replicas, self.config),
            "replicas": self.replicas.count,
        }
        training = Training(state, arrays)
        return self.task.make_model(self.config, self.corpus, self.vocabulary, weights, list(run.history), training)

    def _save(self, must: bool) -> bool:
        if self.out is None:
            return True
        model = self.make_model()
        if not all(np.isfinite(array).all() for array in model.training.arrays.values()):
            raise Diverged
        state = digest_model(model), self.run.position.step, len(model.history)
        if must or state != self._tried:
            self._tried, self._saved = state, False
            try:
                model.save(self.out, with_training=self._every > 0)
                self._saved, self._written = True, len(model.history)
            except OSError as error:
                if must:
                    raise
                reason, _, _ = str(error).partition("; try ")  # another place, which cannot be had now
                show(f"Warning: {reason}. Training goes on; the next checkpoint tries again.", sys.stderr)
        return self._saved


def make_source(config: Config) -> Callable[[keras.Model], Engine]:
    """The `source` with which `SampleText` and `CompleteText` use a network in training at the engine's speed."""
    kind = get_task(config.task).kind
    return lambda network: kind.make_engine(config, named_weights(config, network))
