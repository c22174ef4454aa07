"""The progress of a run, shown on standard error."""

import math
import sys

import keras
from rich import console, progress

from shakegen.model.base import LossUnit
from shakegen.streams import is_terminal, plain, show

TOLD = 10  # batches after which the passes in the minutes are told


class Progress(keras.callbacks.Callback):
    """Epoch, loss, characters/s and time left, on standard error: a bar on a terminal, elsewhere a line an epoch.

    Args:
        run: the `run.Run` that it is a callback of.
        unit: of the losses that are shown.
    """

    def __init__(self, run, unit: LossUnit):
        super().__init__()
        self.run, self.unit, self.nats = run, unit.name, unit.nats
        self._bar = self._task = None
        self._batches, self._is_to_tell = 0, bool(run.recipe.minutes)  # of this process

    def on_train_begin(self, logs=None):
        if is_terminal(sys.stderr):
            self._bar = progress.Progress(
                progress.TextColumn("{task.description}"),
                progress.BarColumn(bar_width=None),
                progress.TimeRemainingColumn(),
                console=console.Console(file=plain(sys.stderr)),
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

    def _label(self, epoch: float) -> str:
        epochs = self.run.recipe.epochs
        return f"epoch {epoch:.4g}/{epochs:g}" if epochs else f"epoch {epoch:.4g}"

    def on_train_batch_end(self, batch, logs=None):
        self._batches += 1
        if self._is_to_tell and self._batches >= TOLD and self.run.epochs:
            self._is_to_tell = False
            show(tell_passes(self.run.recipe.minutes, self.run.epochs), sys.stderr)
        if self._bar is not None:
            shown = f"{self._label(math.ceil(self.run.epoch))}  {logs['loss'] / self.nats:.2f} {self.unit}"
            shown += f"  {self.run.characters_per_second:,.0f} characters/s"
            self._bar.update(self._task, completed=self.run.progress, description=shown)

    def on_epoch_end(self, epoch, logs=None):
        losses = f"training {logs['loss'] / self.nats:.3f}"
        if "val_loss" in logs:
            losses += f", validation {logs['val_loss'] / self.nats:.3f}"
        speed = f"{logs['characters_per_second']:,.0f} characters/s"
        show(f"{self._label(logs['epochs'])}: {losses} {self.unit}, {speed}", sys.stderr)


def tell_passes(minutes: float, passes: float) -> str:
    """How often the text is read in a run by the clock, in two digits."""
    about = f"{float(f'{passes:.2g}'):,g}"
    return f"{minutes:g} min allow about {about} pass{'es' * (about != '1')} over the training text."
