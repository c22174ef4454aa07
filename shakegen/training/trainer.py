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
from shakegen.model.base import Model
from shakegen.model.model_file import Training
from shakegen.network.build import named_weights
from shakegen.network.config import Config
from shakegen.network.dropout import ScaledDropout
from shakegen.streams import show
from shakegen.training import checkpoint
from shakegen.training.beginning import Beginning, digest
from shakegen.training.checkpoint import digest_model
from shakegen.training.learner import Learner
from shakegen.training.logs import CsvLog, TensorBoardLog
from shakegen.training.optimizer import make_optimizer
from shakegen.training.progress import Progress
from shakegen.training.run import REPORT, Diverged, Position, Run
from shakegen.training.signals import Interrupted, call_on_signals
from shakegen.training.tasks import get_task
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
        ValueError: the text is too short, or of another level than the network.
    """

    def __init__(self, beginning: Beginning, started: float, strategy: Strategy):
        corpus, config, recipe, base = beginning.corpus, beginning.config, beginning.recipe, beginning.base
        if config.level != corpus.level:
            raise ValueError(
                f"the corpus has the level {corpus.level}, the network {config.level}: expected the same, as of "
                f"Config(level={corpus.level!r})"
            )
        self.task, self.corpus, self.config, self.recipe = beginning.task, corpus, config, recipe
        self.strategy = strategy
        self.out, self.notes, self._every = beginning.out, beginning.notes, 60 * beginning.checkpoint_every
        self.vocabulary = beginning.vocabulary
        self._tried, self._saved = None, False  # the state of the last checkpoint, and whether that was written
        batches = self.task.make_batches(corpus, self.vocabulary, recipe)
        corpus.check_parts()
        self.replicas = Replicas(batches, strategy)
        self.network = self.replicas.make(lambda: self._make_network(base))
        checkpoint.draw_apart(self.network, self.replicas)
        most = min(REPORT, batches.steps * batches.characters) // VALIDATION
        score = self.task.make_validation(config, corpus, self.vocabulary, most)
        learner = Learner(self.network, self.replicas)
        every = self._every or math.inf
        self.run = Run(learner, recipe, self._read_weights, score, self._save, started, every)
        if beginning.resumes:
            self._restore(base)

    def _make_network(self, base: Model | None) -> keras.Model:
        """The network as it begins, compiled."""
        recipe, precision = self.recipe, self.recipe.mixed_precision
        network = self.task.make_network(
            self.config,
            self.corpus,
            self.vocabulary,
            random_state=recipe.random_state,
            streams=self.replicas.width if recipe.stateful else None,
            dtype=precision if precision == "float32" else f"mixed_{precision}",
            # The default dropout depends on the length of the run; a dropout that the user gave does not.
            dropout=ScaledDropout if self.config.dropout is None else keras.layers.Dropout,
        )
        if base is not None:
            weights = self.task.transfer_weights(named_weights(self.config, network), base, self.vocabulary)
            network.set_weights(list(weights.values()))
        optimizer = make_optimizer(recipe)
        if self.replicas.count > 1:
            sum_once(optimizer)
        network.compile(optimizer, self.task.make_loss(network), jit_compile=False)
        optimizer.build(network.trainable_variables)
        return network

    def _read_weights(self) -> dict[str, np.ndarray]:
        return named_weights(self.config, self.network)

    def _restore(self, model: Model) -> None:
        """Continue the training run of a model."""
        state, run = model.training.state, self.run
        checkpoint.restore(self.network, self.replicas, model.training)
        run.position, run.history = Position.from_dict(state.get("position")), list(model.history)
        run.best = model.weights if model.history else None
        if self.notes is None:
            self.notes = state.get("notes")
        if run.finished:
            raise Ended(f"the run to resume has ended: {self._describe_end()}; give it more")

    def _describe_end(self) -> str:
        if self.run.out_of_patience:
            return f"{self.recipe.patience:g} epochs were no better (--patience)"
        if self.recipe.epochs:
            return f"it had {self.recipe.epochs:g} epochs (--epochs)"
        return f"it had {self.recipe.minutes:g} minutes (--minutes)"

    def train(self, callbacks: Iterable[keras.callbacks.Callback], log_dir: str | Path | None, verbose: bool) -> Model:
        """Run to the end, as the chief or alone; as `train` says."""
        run, unit, callbacks = self.run, self.task.kind.unit_of(self.config), list(callbacks)
        shown = [Progress(run, unit, self.config.level)] if verbose else []
        if log_dir is not None:
            samplers = (callback for callback in callbacks if isinstance(callback, SampleText | CompleteText))
            callbacks.append(CsvLog(Path(log_dir) / "epochs.csv", unit))
            callbacks.append(TensorBoardLog(log_dir, self.replicas.sample, next(samplers, None), unit))
        epochs = None if self.recipe.epochs is None else math.ceil(self.recipe.epochs)
        run.callbacks = keras.callbacks.CallbackList(
            [*shown, *callbacks], model=self.network, epochs=epochs, steps=run.batches.steps, verbose=0
        )
        with call_on_signals(self.strategy.stop):
            try:
                run.go()
            except Diverged:
                best = None if run.best is None else replace(self.make_model(), training=None)
                kept = f"; {self.out} keeps the best epoch so far" if best and self.out else ""
                raise Diverged(best, kept) from None
            finally:
                for bar in shown:
                    bar.close()
        model, signal = self.make_model(), run.stopped
        self.strategy.order("end", signal=signal)
        if signal:
            raise Interrupted(model, signal)
        return model

    def follow(self) -> None:
        """Follow the chief's orders to the end."""
        learner, signal = self.run.learner, None
        learner.begin(self.run.position.step)
        with call_on_signals(self.strategy.stop):
            for order in self.strategy.orders():
                if order["what"] == "learn":
                    learner(order["rate"], order["dropout"])
                elif order["what"] == "gather":
                    checkpoint.gather_states(self.network, self.replicas)
                else:
                    signal = order["signal"]
        if signal:
            raise Interrupted(None, signal)

    def make_model(self) -> Model:
        """The best model so far, with the state of the run; before the first epoch has ended, the present one."""
        run, arrays = self.run, checkpoint.capture(self.network, self.replicas)
        weights = self._read_weights() if run.best is None else run.best
        state = {
            "recipe": self.recipe.to_dict(),
            "position": {**asdict(run.position), "seconds": run.seconds},
            "symbols": digest(self.corpus.output_vocabulary),
            "notes": self.notes,
            **checkpoint.describe(self.replicas),
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
                self._saved = True
            except OSError as error:
                if must:
                    raise
                show(f"Warning: {error}. Training goes on; the next checkpoint tries again.", sys.stderr)
        return self._saved


def make_source(config: Config) -> Callable[[keras.Model], Engine]:
    """The `source` with which `SampleText` and `CompleteText` use a network in training at the engine's speed."""
    kind = get_task(config.task).kind
    return lambda network: kind.make_engine(config, named_weights(config, network))
