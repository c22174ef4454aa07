"""What a training run leaves in a folder for other programs: a CSV, and event files for TensorBoard."""

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

from shakegen.modelfile import ensure_writable, write_whole
from shakegen.network import states_kept

LN2 = math.log(2)
CSV = "epochs.csv"


class EpochLog(keras.callbacks.Callback, ABC):
    """After each epoch, write its figures somewhere; where that fails, say so and let the training go on.

    The figures are `training_bits_per_character` and `validation_bits_per_character`, from the epoch's logs (`loss`,
    and `validation_loss` or Keras's `val_loss`, in nats); `learning_rate`, the last of the epoch; and
    `characters_per_second`, from the first batch to the last.

    Args:
        characters: in a batch, N · T.
    """

    def __init__(self, characters: int):
        super().__init__()
        self.characters = characters
        self._batches, self._began, self._ended = 0, 0.0, 0.0

    @abstractmethod
    def write(self, epoch: int, figures: dict[str, float]) -> None:
        """Write the figures of an epoch, counted from 1; may raise OSError."""

    def on_epoch_begin(self, epoch, logs=None):
        self._batches, self._began = 0, time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self._batches, self._ended = self._batches + 1, time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        figures = {"training_bits_per_character": logs["loss"] / LN2}
        validation = logs.get("validation_loss", logs.get("val_loss"))
        if validation is not None:
            figures["validation_bits_per_character"] = validation / LN2
        if not all(map(math.isfinite, figures.values())):
            return  # the run has diverged, and says so
        figures["learning_rate"] = float(self.model.optimizer.learning_rate)
        seconds = max(1e-9, self._ended - self._began)
        figures["characters_per_second"] = self._batches * self.characters / seconds
        try:
            self.write(epoch + 1, figures)
        except (OSError, tf.errors.OpError) as error:
            print(f"Epoch {epoch + 1} could not be logged, training goes on: {error}", file=sys.stderr, flush=True)


class CsvLog(EpochLog):
    """A CSV file with a header and a line for each epoch, in order.

    A run that goes on from an earlier epoch replaces the lines from that epoch on; one from the start, all of them. The
    file is written whole or not at all, and with it what could not be written before.

    Args:
        path: the file.
        characters: in a batch, N · T.

    Raises:
        OSError: the file cannot be written.
        ValueError: there is such a file, but it is no log.
    """

    def __init__(self, path: str | Path, characters: int):
        super().__init__(characters)
        self.path = Path(path)
        ensure_writable(self.path, "--log-dir")
        self.rows = read_rows(self.path) if self.path.exists() else []

    def write(self, epoch, figures):
        self.rows = [row for row in self.rows if row["epoch"] < epoch] + [{"epoch": epoch, **figures}]
        text = io.StringIO()
        names = dict.fromkeys(name for row in reversed(self.rows) for name in row)
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_whole(self.path, text.getvalue().encode(), "--log-dir")


def read_rows(path: Path) -> list[dict]:
    """The lines of an earlier log."""
    try:
        header, *lines = csv.reader(io.StringIO(path.read_text(encoding="utf-8")), strict=True)
        rows = [dict(zip(header, line, strict=True)) for line in lines]
        return [row | {"epoch": int(row["epoch"])} for row in rows]
    except (ValueError, KeyError, csv.Error):
        raise ValueError(f"{path} is no log of a training run: expected one, or none; try another --log-dir") from None


class TensorBoardLog(EpochLog):
    """Event files for TensorBoard, with a step for each epoch.

    In the folder `train`: the scalars bits_per_character, learning_rate, characters_per_second and, with a batch,
    gradient_norm/<layer> and gradient_norm/all; with a sampler the text sample. In the folder `validation`:
    bits_per_character, so that TensorBoard draws both losses in one chart.

    Args:
        folder: where the two folders are to be.
        characters: in a batch, N · T.
        batch: gives, for the number of an epoch, inputs and targets to find the norms of gradients on.
        sampler: draws the sample: a `SampleText`.

    Raises:
        OSError: the folder cannot be written to.
    """

    def __init__(self, folder: str | Path, characters: int, batch: Callable | None = None, sampler=None):
        super().__init__(characters)
        self.folder, self.batch, self.sampler = Path(folder), batch, sampler
        for part in ("train", "validation"):
            ensure_writable(self.folder / part / "events", "--log-dir")
        self._events = {}

    def set_model(self, model):
        super().set_model(model)
        if self.sampler is not None:
            self.sampler.set_model(model)

    def on_train_end(self, logs=None):
        for events in self._events.values():
            events.close()
        self._events = {}

    def write(self, epoch, figures):
        scalars = dict(figures)
        validation = scalars.pop("validation_bits_per_character", None)
        scalars["bits_per_character"] = scalars.pop("training_bits_per_character")
        if self.batch is not None:
            norms = gradient_norms(self.model, *self.batch(epoch))
            scalars |= {f"gradient_norm/{name}": norm for name, norm in norms.items()}
        texts = {} if self.sampler is None else {"sample": self.sampler.draw(epoch - 1)}
        self._write("train", epoch, scalars, texts)
        if validation is not None:
            self._write("validation", epoch, {"bits_per_character": validation}, {})

    def _write(self, part: str, epoch: int, scalars: dict, texts: dict) -> None:
        events = self._events.pop(part, None)  # kept only if nothing fails: a torn record would hide all after it
        if events is None or not events.path.exists():
            events = EventFile(self.folder / part, epoch)
        events.write(epoch, scalars, texts)
        self._events[part] = events


class EventFile:
    """A file of TensorBoard's: a TFRecord of `Event` messages, as TensorFlow's summary writers make it.

    Those writers are not used because, without the package tensorboard, they can write neither scalars and texts nor
    the mark of a start, at which TensorBoard forgets what earlier files of the folder say of that step and later ones.

    Args:
        folder: where the file is made.
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
        """Write the figures and texts of a step; texts are indented, so that Markdown shows them as they are."""
        found = [(name, np.float32(value), self.SCALAR) for name, value in scalars.items()]
        for name, text in texts.items():
            lines = text.encode("utf-8", "replace").decode("utf-8").splitlines()
            found.append((name, "\n".join(f"    {line}" for line in lines), self.TEXT))
        values = [
            tf.compat.v1.Summary.Value(tag=name, tensor=tf.make_tensor_proto(value), metadata=metadata)
            for name, value, metadata in found
        ]
        self._event(step=step, summary=tf.compat.v1.Summary(value=values))
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def gradient_norms(model: keras.Model, inputs, targets) -> dict[str, float]:
    """The L2 norm of the gradient of a batch's loss for the weights of each layer, and of `all` of them together.

    They are the gradients as they come, before any clipping, and without dropout: no random state is used, and no
    state of a layer is changed.

    Args:
        model: compiled, on the TensorFlow backend.
        inputs, targets: a batch, as the model is trained on.
    """
    with states_kept(model), tf.GradientTape() as tape:
        outputs = model(inputs, training=False)
        loss = model.compute_loss(inputs, targets, outputs, training=False)
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    squares = {
        variable.path: float(tf.reduce_sum(tf.square(tf.cast(tf.convert_to_tensor(gradient), tf.float64))))
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
        if gradient is not None
    }
    norms = {}
    for layer in model.layers:
        own = [squares[variable.path] for variable in layer.trainable_variables if variable.path in squares]
        if own:
            norms[layer.name] = math.sqrt(sum(own))
    return norms | {"all": math.sqrt(sum(squares.values()))}


def run_logs(folder: str | Path, batches, sampler=None) -> list[EpochLog]:
    """Both logs of a run of `training.train`, in one folder.

    Args:
        folder: made where it is missing.
        batches: the run's windows; gradients are found on the first ones of an epoch.
        sampler: a `SampleText`, or None.

    Raises:
        OSError: the folder cannot be written to.
        ValueError: it holds an `epochs.csv` that is no log.
    """

    def batch(epoch: int) -> tuple[np.ndarray, np.ndarray]:
        ids = batches.batch((epoch - 1) * batches.steps)
        return ids[:, :-1], ids[:, 1:]

    csv_log = CsvLog(Path(folder) / CSV, batches.characters)
    return [csv_log, TensorBoardLog(folder, batches.characters, batch, sampler)]
