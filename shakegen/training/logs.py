"""Logs of a training run, in a folder, for other programs: a CSV, and event files for TensorBoard."""

import csv
import io
import math
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.compat.v1 import SummaryMetadata

from shakegen.files import ensure_writable, write_whole
from shakegen.model.base import LossUnit
from shakegen.model.evaluation import LN2
from shakegen.network.keras_steps import states_kept

BITS = LossUnit("bits/char", LN2, "bits_per_character")
CSV = "epochs.csv"
LOSSES = {"loss": "training", "val_loss": "validation"}
OTHERS = ("seconds", "learning_rate", "characters_per_second")


class EpochLog(keras.callbacks.Callback, ABC):
    """Writes the figures of each epoch somewhere; where that fails, it says so and the training goes on.

    The figures are `steps`, the batches learned from so far; `epoch`; `training_bits_per_character` and, where there is
    one, `validation_bits_per_character`; `learning_rate`, the last one; and in our own runs `seconds` since the run
    began and `characters_per_second`. They serve any Keras model whose losses are in nats.

    Args:
        unit: of the losses; by default bits per character, as the names above have it.

    A run that goes on from earlier steps continues the log from there, and replaces the entries of later ones.
    """

    def __init__(self, unit: LossUnit = BITS):
        super().__init__()
        self.first, self.unit = 0, unit

    @abstractmethod
    def write(self, steps: int, figures: dict[str, float]) -> None:
        """Write figures; may raise OSError."""

    def on_train_begin(self, logs=None):
        self.first = int(self.model.optimizer.iterations.numpy())

    def on_epoch_end(self, epoch, logs=None):
        optimizer = self.model.optimizer
        figures = {"epoch": logs.get("epochs", epoch + 1), "learning_rate": float(optimizer.learning_rate.numpy())}
        figures |= {name: logs[name] for name in OTHERS if name in logs}
        if figures["epoch"] == int(figures["epoch"]):
            figures["epoch"] = int(figures["epoch"])  # Keras makes all logs floats
        losses = {kind: logs[name] / self.unit.nats for name, kind in LOSSES.items() if name in logs}
        if not all(map(math.isfinite, losses.values())):
            return
        figures |= {f"{kind}_{self.unit.column}": loss for kind, loss in losses.items()}
        try:
            self.write(int(optimizer.iterations.numpy()), figures)
        except (OSError, tf.errors.OpError) as error:
            print(f"Epoch {figures['epoch']:g} could not be logged, training goes on: {error}", file=sys.stderr)


class CsvLog(EpochLog):
    """A CSV file with a header and a line for each epoch, in order.

    The file is written whole or not at all; lines that could not be written earlier are written then, too.

    Args:
        path: the file.
        unit: of the losses.

    Raises:
        OSError: the file cannot be written.
        ValueError: the file exists, but is no log.
    """

    def __init__(self, path: str | Path, unit: LossUnit = BITS):
        super().__init__(unit)
        self.path = Path(path)
        ensure_writable(self.path, "--log-dir")
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
        write_whole(self.path, text.getvalue().encode(), "--log-dir")


def read_rows(path: Path) -> list[dict]:
    """The lines of an earlier log."""
    try:
        header, *lines = csv.reader(io.StringIO(path.read_text(encoding="utf-8")), strict=True)
        rows = [dict(zip(header, line, strict=True)) for line in lines]
        return [row | {"steps": int(row["steps"])} for row in rows]
    except (ValueError, KeyError, csv.Error):
        raise ValueError(f"{path} is no log of a training run: expected one, or none; try another --log-dir") from None


class TensorBoardLog(EpochLog):
    """Event files for TensorBoard; their steps are batches.

    In the folder `train`: the scalars bits_per_character, learning_rate and so on; with batches, gradient_norm/<layer>
    and gradient_norm/all; with a sampler, the text sample. In the folder `validation`: bits_per_character, so that
    TensorBoard draws both losses in one chart.

    Args:
        folder: of the two folders.
        batch: a function from the number of batches learned from so far to the inputs and targets that come next; the
            norms of gradients are of these.
        sampler: the `SampleText` that draws the sample, called before this.
        unit: of the losses.

    Raises:
        OSError: the folder cannot be written to.
    """

    def __init__(self, folder: str | Path, batch: Callable | None = None, sampler=None, unit: LossUnit = BITS):
        super().__init__(unit)
        self.folder, self.batch, self.sampler = Path(folder), batch, sampler
        for part in ("train", "validation"):
            ensure_writable(self.folder / part / "events", "--log-dir")
        self._events, self._next = {}, {}  # by folder: the open file, and the step after its last one

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._next = {}

    def on_train_end(self, logs=None):
        for events in self._events.values():
            events.close()
        self._events = {}

    def write(self, steps, figures):
        scalars = {name: value for name, value in figures.items() if self.unit.column not in name}
        if self.batch is not None:
            norms = gradient_norms(self.model, *self.batch(steps))
            scalars |= {f"gradient_norm/{name}": norm for name, norm in norms.items()}
        text = None if self.sampler is None else self.sampler.text
        texts = {} if text is None else {"sample": text}
        for part, kind in (("train", "training"), ("validation", "validation")):
            loss = figures.get(f"{kind}_{self.unit.column}")
            if loss is not None:
                self._write(part, steps, {self.unit.column: loss, **scalars}, texts)
            scalars, texts = {}, {}

    def _write(self, part: str, steps: int, scalars: dict, texts: dict) -> None:
        events = self._events.pop(part, None)  # kept only if nothing fails: a torn record would hide all later ones
        if events is None or not events.path.exists():
            events = EventFile(self.folder / part, self._next.get(part, self.first + 1))
        events.write(steps, scalars, texts)
        self._events[part], self._next[part] = events, steps + 1


class EventFile:
    """An event file of TensorBoard: a TFRecord of `Event` messages, as TensorFlow's summary writers make it.

    Without the package tensorboard, those writers write no scalars, no texts and no mark of a start. At that mark,
    TensorBoard forgets the entries of earlier files in the folder for its step and later ones.

    Args:
        folder: of the file.
        step: the first one.
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

    def write(self, step: int, scalars: dict[str, float], texts: dict[str, str]) -> None:
        """Write the figures and texts of a step; indented, so that Markdown shows texts as they are."""
        entries = [(name, np.float32(value), self.SCALAR) for name, value in scalars.items()]
        for name, text in texts.items():
            lines = text.encode("utf-8", "replace").decode("utf-8").splitlines()
            entries.append((name, "\n".join(f"    {line}" for line in lines), self.TEXT))
        values = [
            tf.compat.v1.Summary.Value(tag=name, tensor=tf.make_tensor_proto(value), metadata=metadata)
            for name, value, metadata in entries
        ]
        self._event(step=step, summary=tf.compat.v1.Summary(value=values))
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def gradient_norms(model: keras.Model, inputs, targets) -> dict[str, float]:
    """The L2 norm of the gradient of a batch's loss for the weights of each layer, and of `all` of them together.

    The gradients are those before clipping, and without dropout. No random state and no state of a layer changes.

    Args:
        model: compiled, on the TensorFlow backend.
        inputs, targets: a batch for training the model.
    """
    with states_kept(model), tf.GradientTape() as tape:
        outputs = model(inputs, training=False)
        loss = model.compute_loss(inputs, targets, outputs, training=False)
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    squares = {}
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        if gradient is not None:
            layer = variable.path.partition("/")[0]
            square = float(tf.reduce_sum(tf.square(tf.cast(tf.convert_to_tensor(gradient), tf.float64))))
            squares[layer] = squares.get(layer, 0.0) + square
    norms = {layer: math.sqrt(square) for layer, square in squares.items()}
    return norms | {"all": math.sqrt(sum(squares.values()))}


def run_logs(folder: str | Path, batch: Callable, sampler=None, unit: LossUnit = BITS) -> list[EpochLog]:
    """Both logs of a training run, in one folder: `epochs.csv`, and TensorBoard's `train` and `validation`.

    Args:
        folder: of the logs; made if it is missing.
        batch: a function from the number of a batch to the batch.
        sampler: the run's `SampleText`, or None.
        unit: of the losses.

    Raises:
        OSError: the folder cannot be written to.
        ValueError: it holds an `epochs.csv` that is no log.
    """
    return [CsvLog(Path(folder) / CSV, unit), TensorBoardLog(folder, batch, sampler, unit)]
