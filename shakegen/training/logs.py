"""Logs of a training run, in a folder, for other programs: a CSV, and event files for TensorBoard."""

import contextlib
import csv
import io
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.compat.v1 import SummaryMetadata

from shakegen.files import ensure_writable, write_whole
from shakegen.model.base import LossUnit
from shakegen.model.evaluation import LN2
from shakegen.streams import show

BITS = LossUnit("bits/char", LN2, "bits_per_character")
LOSSES = {"loss": "training", "val_loss": "validation"}


class EpochLog(keras.callbacks.Callback):
    """Writes the figures of each epoch with `write(steps, figures)`; if that fails, warns and training goes on.

    The figures are `epoch`; `training_bits_per_character` and, where there is one, `validation_bits_per_character`;
    `learning_rate`, the last one; and in our own runs `seconds` since the run began and `characters_per_second`.
    `steps` counts the batches so far. They serve any Keras model whose losses are in nats.

    A resumed run continues the log from its first step, and replaces later entries.

    Args:
        unit: of the losses; it gives the two names above.
    """

    def __init__(self, unit: LossUnit = BITS):
        super().__init__()
        self.first, self.unit = 0, unit

    def on_train_begin(self, logs=None):
        self.first = int(self.model.optimizer.iterations.numpy())

    def on_epoch_end(self, epoch, logs=None):
        optimizer = self.model.optimizer
        figures = {"epoch": logs.get("epochs", epoch + 1), "learning_rate": float(optimizer.learning_rate.numpy())}
        figures |= {name: logs[name] for name in ("seconds", "learning_rate", "characters_per_second") if name in logs}
        if figures["epoch"] == int(figures["epoch"]):
            figures["epoch"] = int(figures["epoch"])  # Keras makes all logs floats
        losses = {kind: logs[name] / self.unit.nats for name, kind in LOSSES.items() if name in logs}
        if not all(map(math.isfinite, losses.values())):
            return
        figures |= {f"{kind}_{self.unit.column}": loss for kind, loss in losses.items()}
        try:
            self.write(int(optimizer.iterations.numpy()), figures)
        except (OSError, tf.errors.OpError) as error:
            show(f"Epoch {figures['epoch']:g} could not be logged, training goes on: {error}", sys.stderr)


class CsvLog(EpochLog):
    """A CSV file with a header and a line for each epoch, in order.

    The file is written whole or not at all; later writes make up for earlier ones that failed.

    Raises:
        OSError: the file cannot be written.
        ValueError: the file exists, but is no log.
    """

    def __init__(self, path: str | Path, unit: LossUnit = BITS):
        super().__init__(unit)
        self.path = Path(path)
        ensure_writable(self.path, "`log_dir`")
        self.rows = read_rows(self.path) if self.path.exists() else []

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.rows = [row for row in self.rows if row["steps"] <= self.first]

    def write(self, steps, figures):
        self.rows.append({"epoch": figures["epoch"], "steps": steps, **figures})
        names = dict.fromkeys(name for row in reversed(self.rows) for name in row)
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_whole(self.path, text.getvalue().encode(), "`log_dir`")


def read_rows(path: Path) -> list[dict]:
    """The lines of an earlier log."""
    try:
        header, *lines = csv.reader(io.StringIO(path.read_text(encoding="utf-8")), strict=True)
        rows = [dict(zip(header, line, strict=True)) for line in lines]
        return [row | {"steps": int(row["steps"])} for row in rows]
    except (ValueError, KeyError, csv.Error):
        raise ValueError(f"{path} is no log of a training run: expected one, or none; try another `log_dir`") from None


class TensorBoardLog(EpochLog):
    """Event files for TensorBoard; their steps are batches.

    In the folder `train`: the scalars bits_per_character, learning_rate and so on; with norms, gradient_norm/<layer>
    and gradient_norm/all; with a sampler, the text sample. In the folder `validation`: bits_per_character, so that
    TensorBoard draws both losses in one chart.

    Args:
        folder: of the two folders.
        norms: a function from the number of batches learned from so far to the norms of gradients on the next, as
            `gradient_norms` gives them.
        sampler: the `SampleText` that draws the sample, called before this.

    Raises:
        OSError: the folder cannot be written to.
    """

    def __init__(self, folder: str | Path, norms: Callable | None = None, sampler=None, unit: LossUnit = BITS):
        super().__init__(unit)
        self.folder, self.norms, self.sampler = Path(folder), norms, sampler
        for part in ("train", "validation"):
            ensure_writable(self.folder / part / "events", "`log_dir`")
        self._events, self._next = {}, {}  # by folder: the open file, and the step after its last one

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._next = {}

    def on_train_end(self, logs=None):
        for events in self._events.values():
            with contextlib.suppress(OSError, tf.errors.OpError):  # each entry was flushed when it was written
                events.close()
        self._events = {}

    def write(self, steps, figures):
        scalars = {name: value for name, value in figures.items() if self.unit.column not in name}
        if self.norms is not None:
            scalars |= {f"gradient_norm/{name}": norm for name, norm in self.norms(steps).items()}
        text = None if self.sampler is None else self.sampler.text
        for part, kind in (("train", "training"), ("validation", "validation")):
            loss = figures.get(f"{kind}_{self.unit.column}")
            if loss is not None:
                events = self._events.pop(part, None)  # kept only if nothing fails: a torn record hides all later ones
                if events is None or not events.path.exists():
                    events = EventFile(self.folder / part, self._next.get(part, self.first + 1))
                events.write(steps, {self.unit.column: loss, **scalars}, text)
                self._events[part], self._next[part] = events, steps + 1
            scalars, text = {}, None


class EventFile:
    """An event file of TensorBoard: a TFRecord of `Event` messages, as TensorFlow's summary writers make it.

    Those writers need the package tensorboard for scalars and texts, and write no mark of a start. At that mark,
    TensorBoard forgets the entries of earlier files in the folder from its step, `step`, on.
    """

    SCALAR = SummaryMetadata(plugin_data={"plugin_name": "scalars"}, data_class="DATA_CLASS_SCALAR")
    TEXT = SummaryMetadata(plugin_data={"plugin_name": "text"}, data_class="DATA_CLASS_TENSOR")

    def __init__(self, folder: Path, step: int):
        folder.mkdir(parents=True, exist_ok=True)
        seconds, nanoseconds = divmod(time.time_ns(), 10**9)
        self.path = folder / f"events.out.tfevents.{seconds:010}.{nanoseconds:09}"
        self._file = tf.io.TFRecordWriter(str(self.path))
        self._event(file_version="brain.Event:2")
        self._event(step=step, session_log=tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START))

    def _event(self, **content) -> None:
        self._file.write(tf.compat.v1.Event(wall_time=time.time(), **content).SerializeToString())

    def write(self, step: int, scalars: dict[str, float], sample: str | None) -> None:
        """Write the figures of a step, and its sample, indented so that Markdown shows it unchanged."""
        entries = [(name, np.float32(value), self.SCALAR) for name, value in scalars.items()]
        if sample is not None:
            lines = sample.encode("utf-8", "replace").decode("utf-8").splitlines()
            entries.append(("sample", "\n".join(f"    {line}" for line in lines), self.TEXT))
        values = [
            tf.compat.v1.Summary.Value(tag=name, tensor=tf.make_tensor_proto(value), metadata=metadata)
            for name, value, metadata in entries
        ]
        self._event(step=step, summary=tf.compat.v1.Summary(value=values))
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def gradient_norms(model: keras.Model, loss: Callable, inputs, targets) -> dict[str, float]:
    """The L2 norm of the gradient of a batch's loss for the weights of each layer, and of `all` of them together.

    The gradients are those before clipping, and without dropout; windows begin anew. No random state changes.

    Args:
        model: on the TensorFlow backend.
        loss: of the model, a function of the inputs and targets.
        inputs, targets: a batch for training the model.
    """
    with tf.GradientTape() as tape:
        value = loss(inputs, targets)
    gradients = tape.gradient(value, [variable.value for variable in model.trainable_variables])
    squares = {}
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        if gradient is not None:
            layer = variable.path.partition("/")[0]
            square = float(tf.reduce_sum(tf.square(tf.cast(tf.convert_to_tensor(gradient), tf.float64))))
            squares[layer] = squares.get(layer, 0.0) + square
    norms = {layer: math.sqrt(square) for layer, square in squares.items()}
    return norms | {"all": math.sqrt(sum(squares.values()))}
