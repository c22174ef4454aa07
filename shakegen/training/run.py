"""A training run: the loop over batches, to its end."""

import math
import time
from collections.abc import Callable

import keras
import numpy as np

from shakegen.checks import LARGEST
from shakegen.model.model_file import best_of
from shakegen.training.learner import Learner
from shakegen.training.position import Position
from shakegen.training.recipe import Recipe
from shakegen.training.validation import Validation

REPORT = 1 << 20  # symbols; an epoch of more is reported in parts of about so many


class Diverged(ValueError):
    """A loss or a weight is no longer a number; `model` is the best that there was, or None."""

    def __init__(self, model=None, kept: str = ""):
        self.model = model
        super().__init__(
            f"training diverged, the loss is not a number: try a lower `learning_rate` or a lower `clip_norm`{kept}"
        )


class Run:
    """A training run, from its position to its end.

    Args:
        learner: learns from one batch after the other.
        recipe: the options.
        weights: gives the weights to score and to keep, by name.
        score: validation loss in nats per symbol for given weights; None without validation text.
        save: writes a checkpoint, and returns whether it is written; `save(True)` raises OSError if it fails, and
            `save(False)` only warns, and does nothing if nothing has changed since the checkpoint before.
        started: the `time.monotonic()` when the run began, or was resumed.
        every: seconds between checkpoints within an epoch.
        characters_per_symbol: of the training text.
        layers: of the network.

    Attributes:
        position: how far the run has come.
        history: as in a model file.
        best: the weights of the best report so far; None before the first one.
        callbacks: a `keras.callbacks.Callback`.
    """

    def __init__(
        self,
        learner: Learner,
        recipe: Recipe,
        weights: Callable[[], dict],
        score: Validation | None,
        save: Callable[[bool], bool],
        started: float,
        every: float,
        characters_per_symbol: float = 1.0,
        layers: int = 1,
    ):
        self.learner, self.network, self.batches, self.recipe = learner, learner.network, learner.batches, recipe
        self._weights, self._score, self._save, self._every, self._layers = weights, score, save, every, layers
        self.position, self.history, self.best = Position(), [], None
        self._batch = learner.batches.characters * characters_per_symbol  # characters
        self._weights_per_symbol = self.network.count_params() / (self.batches.steps * self.batches.characters)
        self.callbacks = keras.callbacks.Callback()
        self._since, self._next, self._saved = started, math.inf, False
        self._reserve = 0.0  # seconds for the report after the last batch
        self._took = None  # seconds of the batch before; None before the first one, which compiles
        self.network.stop_training = False
        epochs = recipe.epochs
        self._last = None if epochs is None else max(1, round(min(LARGEST, epochs * self.batches.steps)))
        steps = self.batches.steps
        parts = min(steps, max(1, round(steps * self.batches.characters / REPORT)))
        self._ends = [part * steps // parts for part in range(1, parts + 1)]

    @property
    def reports(self) -> float:
        """How many epochs, or parts of long ones, the whole run has; infinitely many where the clock ends it."""
        if self._last is None:
            return math.inf
        whole, rest = divmod(self._last, self.batches.steps)
        return whole * len(self._ends) + sum(begin < rest for begin in (0, *self._ends[:-1]))

    @property
    def steps(self) -> int:
        """Batches in an epoch, or in a part of a long one."""
        return self._ends[0] if self._last is None else min(self._ends[0], self._last)

    @property
    def seconds(self) -> float:
        """Since the run began; time between a stop and a resumption does not count."""
        return self.position.seconds + time.monotonic() - self._since

    @property
    def progress(self) -> float:
        """The share of the run that is over, 0 to 1.

        By the clock, it is the share of the time from the end of the first batch on, which compiles: the learning rate
        would else not rise step by step. Some of the minutes are reserved for after the last batch.
        """
        position = self.position
        if self._last is not None:
            return min(1.0, position.step / self._last)
        if not position.step:
            return 0.0
        half_a_batch = position.busy / max(1, position.timed) / 2
        given = 60 * self.recipe.minutes - self._reserve - half_a_batch - position.first
        return min(1.0, (self.seconds - position.first) / given) if given > 0 else 1.0

    @property
    def epoch(self) -> float:
        """Passes over the training text so far."""
        whole, rest = divmod(self.position.step, self.batches.steps)
        return whole + round(rest / self.batches.steps, 4) if rest else whole

    @property
    def epochs(self) -> float | None:
        """Passes over the training text when the run will be over; by the clock, as it looks now; None at first."""
        if self._last is not None:
            return self._last / self.batches.steps
        after_first, progress = self.position.step - 1, self.progress  # the share of the time that they took
        return (1 + after_first / progress) / self.batches.steps if after_first > 0 and progress else None

    @property
    def characters_per_second(self) -> float:
        """Its speed since the last report."""
        if self.position.busy:
            return round(self.position.timed * self._batch / self.position.busy, 1)
        return round(self._batch / self._took, 1) if self._took else 0.0

    @property
    def over(self) -> bool:
        """Whether epochs, minutes or patience are used up, or a callback stopped it; never before the first batch."""
        ended = self._ended_by_clock or self.progress >= 1 or self.out_of_patience or self.network.stop_training
        return ended and self.position.step > 0

    @property
    def _ended_by_clock(self) -> bool:
        return self.recipe.minutes is not None and self.recipe.minutes <= self.position.ended

    @property
    def out_of_patience(self) -> bool:
        if self.recipe.patience is None or not self.history:
            return False
        return round(self.history[-1]["epoch"] - best_of(self.history)["epoch"], 4) >= self.recipe.patience

    @property
    def _at_report(self) -> bool:
        """Whether an epoch, a part of a long one, or all that the run has time for, is learned and not yet reported."""
        within = self.position.step % self.batches.steps
        return self.position.losses > 0 and (within in (0, *self._ends) or self.over)

    @property
    def finished(self) -> bool:
        """Whether `go` would find nothing to do."""
        return self.over and not self.position.losses

    @property
    def stopped(self) -> int | None:
        """The signal that ends the run after the batch at hand, to be resumed; None as long as none has come."""
        return self.learner.strategy.stopped

    def go(self) -> None:
        """Train to the end, or until it is `stopped`; either way it ends with a checkpoint, before `on_train_end`.

        Raises:
            Diverged: a loss or a weight is not a number.
            OSError: the last checkpoint cannot be written.
        """
        if self.recipe.minutes and self._score:
            self._reserve = self._score.seconds(self._weights())
        self.learner.begin(self.position.step)
        self._next = time.monotonic() + self._every
        if not self.position.step:
            self.network.optimizer.learning_rate = self.recipe.learning_rate
        self.callbacks.on_train_begin()
        if self._at_report:  # of a run that was stopped there; else `_learn_until_report` begins
            self._begin_epoch()
        while not (self.stopped or self.finished):
            if not self._at_report:
                self._learn_until_report()
            if not self.stopped:
                self._report()
        if not self.position.losses:
            self._note_end_by_clock()
        if not self._saved:
            self._checkpoint(must=True)

    def _note_end_by_clock(self) -> None:
        """Note that no time is left: a report may yet take less than is reserved for it."""
        if self.recipe.minutes and self.progress >= 1 and not self._ended_by_clock:
            self.position.ended, self._saved = self.recipe.minutes, False

    def _learn_until_report(self) -> None:
        position, epoch = self.position, self.position.step // self.batches.steps
        within = self.position.step % self.batches.steps
        end = epoch * self.batches.steps + next(end for end in self._ends if end > within)
        self._begin_epoch()
        while not self.stopped:
            self.callbacks.on_train_batch_begin(position.losses)
            self._learn()
            self.callbacks.on_train_batch_end(position.losses - 1, {"loss": position.loss / position.losses})
            if position.step >= end or self.over:  # an epoch that has begun has a batch, as under `fit`
                return
            if time.monotonic() >= self._next and not self.stopped:
                self._checkpoint()

    def _begin_epoch(self) -> None:
        """Tell the callbacks. A rate that they set counts once, though a run that is resumed tells them once more."""
        rate = self.network.optimizer.learning_rate.numpy()
        self.callbacks.on_epoch_begin(self.position.reports)
        if self.position.losses or self.stopped:
            self.network.optimizer.learning_rate = rate
        else:
            self._keep_rate_of_callbacks()

    def _keep_rate_of_callbacks(self) -> None:
        """Let a learning rate that callbacks have set at an epoch's end or beginning scale all rates from now on."""
        before = np.float32(self.position.rate if self.position.step else self.recipe.learning_rate)
        now = self.network.optimizer.learning_rate.numpy()
        if now != before:
            scale, planned = self.position.rate_scale, self.position.planned_rate or self.recipe.learning_rate
            self.position.rate_scale = scale * float(now) / float(before) if before > 0 else float(now) / planned

    def _learn(self) -> None:
        position, began = self.position, time.monotonic()
        position.planned_rate = self.recipe.rate(self.progress, position.step, self._layers)
        position.rate = position.planned_rate * position.rate_scale
        loss = self.learner(position.rate, self.recipe.dropout_scale(self.epochs, self._weights_per_symbol))
        if not math.isfinite(loss):
            self.callbacks.on_train_batch_end(position.losses, {"loss": loss})
            raise Diverged
        if not position.step:
            position.first = self.seconds
        position.step += 1
        position.loss += loss
        position.losses += 1
        took = time.monotonic() - began
        if self._took is not None:
            position.busy += took
            position.timed += 1
        self._took, self._saved = took, False

    def _report(self) -> None:
        """Score the network, keep it if it is the best, write a checkpoint, tell the callbacks."""
        position, began, weights = self.position, time.monotonic(), self._weights()
        if not all(np.isfinite(weight).all() for weight in weights.values()):
            raise Diverged
        entry = {"epoch": self.epoch, "loss": position.loss / position.losses}
        if self._score:
            self.callbacks.on_test_begin()
            entry["val_loss"] = self._score(weights)
            self.callbacks.on_test_end({"loss": entry["val_loss"]})
            if not math.isfinite(entry["val_loss"]):
                raise Diverged
        entry |= {"seconds": round(self.seconds, 3), "learning_rate": position.rate, "steps": position.step}
        entry["characters_per_second"] = self.characters_per_second
        self.history.append(entry)
        self._note_end_by_clock()
        if best_of(self.history) is entry:
            self.best = weights
        position.loss, position.losses, position.busy, position.timed = 0.0, 0, 0.0, 0
        position.reports += 1
        self._checkpoint()  # first: no callback that fails, or never returns, may cost an epoch
        self.callbacks.on_epoch_end(position.reports - 1, self.logs)
        self._checkpoint()  # again, if they have changed the network or its learning rate
        self._reserve = time.monotonic() - began

    @property
    def logs(self) -> dict[str, float]:
        """The last entry of the history as callbacks get it; they number epochs by `epoch` themselves."""
        last = self.history[-1] if self.history else {}
        return {"epochs" if name == "epoch" else name: value for name, value in last.items()}

    def _checkpoint(self, must: bool = False) -> None:
        self._saved = self._save(must)
        self._next = time.monotonic() + self._every
