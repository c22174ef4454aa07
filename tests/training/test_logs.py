"""What a training run leaves in its log folder."""

import csv
import math
import shutil

import keras
import numpy as np
import pytest
import small
import tensorflow as tf

from shakegen.callbacks import SampleText
from shakegen.network.build import build
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus
from shakegen.training import train
from shakegen.training.logs import CsvLog, TensorBoardLog, gradient_norms

SMALL = {"epochs": 3, **small.SMALL}
START = tf.compat.v1.SessionLog.START


def events(folder) -> list:
    """The events of all files of a folder, in TensorBoard's order."""
    files = sorted(str(path) for path in folder.iterdir())
    return [tf.compat.v1.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(files)]


def summaries(folder) -> dict:
    """What TensorBoard shows of a folder: values by tag and step, those forgotten that a later start replaces."""
    shown, kinds = {}, {}
    for event in events(folder):
        if event.HasField("session_log") and event.session_log.status == START:
            shown = {(tag, step): value for (tag, step), value in shown.items() if step < event.step}
        for value in event.summary.value:
            kinds.setdefault(value.tag, value.metadata.plugin_data.plugin_name)
            shown[value.tag, event.step] = tf.make_ndarray(value.tensor).item()
    assert all(kind == ("text" if tag == "sample" else "scalars") for tag, kind in kinds.items())
    return shown


def rows(path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture
def logged(poem, tmp_path):
    """A short run with logs: its folder, the run, and its sampler."""
    sampler = SampleText(Corpus.from_text(poem).vocabulary, "Shall", length=30, stream=None)
    model = train(Corpus.from_text(poem), Config(units=8), **SMALL, log_dir=tmp_path / "logs", callbacks=[sampler])
    return tmp_path / "logs", model, sampler


def dense(*callbacks, first=0, epochs=3):
    """Train a very small Keras model, two steps an epoch."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="one"), keras.layers.Dense(1, name="two")])
    model.compile("sgd", "mse")
    model.optimizer.iterations.assign(2 * first)
    data = np.arange(24.0).reshape(8, 3) / 24, np.arange(8.0)
    return model.fit(
        *data, batch_size=4, validation_data=data, initial_epoch=first, epochs=epochs, verbose=0, callbacks=callbacks
    )


def test_the_logs_have_the_run_and_the_run_is_that_without_logs(logged, poem, capsys):
    folder, model, sampler = logged
    plain = train(Corpus.from_text(poem), Config(units=8), **SMALL)
    assert [entry["loss"] for entry in plain.history] == [entry["loss"] for entry in model.history]
    assert all(np.array_equal(plain.weights[name], weight) for name, weight in model.weights.items())
    shown, validation = summaries(folder / "train"), summaries(folder / "validation")
    assert len(model.history) == 3
    for row, entry in zip(rows(folder / "epochs.csv"), model.history, strict=True):
        losses = {"training": entry["loss"], "validation": entry["val_loss"]}
        bits = {f"{kind}_bits_per_character": loss / math.log(2) for kind, loss in losses.items()}
        others = {name: value for name, value in entry.items() if "loss" not in name}
        assert row == pytest.approx(others | bits, rel=1e-12)
        step = entry["steps"]
        assert shown["bits_per_character", step] == pytest.approx(bits["training_bits_per_character"])
        assert validation["bits_per_character", step] == pytest.approx(bits["validation_bits_per_character"])
        for name in ("epoch", "seconds", "learning_rate", "characters_per_second"):
            assert shown[name, step] == pytest.approx(entry[name])
        layers = [shown[f"gradient_norm/{name}", step] for name in ("layer1", "layer2", "dense")]
        assert shown["gradient_norm/all", step] == pytest.approx(math.hypot(*layers))
    assert set(validation) == {("bits_per_character", entry["steps"]) for entry in model.history}
    last = model.history[-1]["steps"]
    assert shown["sample", last].decode() == "\n".join(f"    {line}" for line in sampler.text.splitlines())
    assert capsys.readouterr() == ("", "")


def test_any_keras_model_can_be_logged(tmp_path):
    history = dense(CsvLog(tmp_path / "epochs.csv"), TensorBoardLog(tmp_path)).history
    found = rows(tmp_path / "epochs.csv")
    assert [(row["epoch"], row["steps"]) for row in found] == [(1, 2), (2, 4), (3, 6)]
    for name, kind in (("loss", "training"), ("val_loss", "validation")):
        bits = [loss / math.log(2) for loss in history[name]]
        assert [row[f"{kind}_bits_per_character"] for row in found] == pytest.approx(bits)
    assert {step for _, step in summaries(tmp_path / "train")} == {2, 4, 6}


def test_a_run_that_goes_on_replaces_what_comes_after(tmp_path):
    def run(**options):
        dense(CsvLog(tmp_path / "epochs.csv"), TensorBoardLog(tmp_path), **options)
        return rows(tmp_path / "epochs.csv"), summaries(tmp_path / "train"), summaries(tmp_path / "validation")

    before, now = run(epochs=4), run(first=2, epochs=5)
    assert [row["steps"] for row in now[0]] == [2, 4, 6, 8, 10]
    assert now[0][:2] == before[0][:2]
    for shown, earlier in zip(now[1:], before[1:]):
        assert {step for _, step in shown} == {2, 4, 6, 8, 10}
        assert {key: value for key, value in shown.items() if key[1] < 6} == {
            key: value for key, value in earlier.items() if key[1] < 6
        }
        assert shown["bits_per_character", 6] == earlier["bits_per_character", 2]  # the model began anew
    again = run(epochs=1)
    assert [row["steps"] for row in again[0]] == [2]
    assert {step for shown in again[1:] for _, step in shown} == {2}


def test_columns_of_an_earlier_log_are_kept(tmp_path):
    path = tmp_path / "epochs.csv"
    path.write_text("steps,mood\n2,good\n4,bad\n")
    dense(CsvLog(path), first=1, epochs=2)
    first, second = csv.DictReader(path.read_text().splitlines())
    assert (first["steps"], first["mood"], first["learning_rate"]) == ("2", "good", "")
    assert (second["steps"], second["mood"]) == ("4", "")
    assert float(second["training_bits_per_character"]) > 0


def test_an_event_file_begins_as_tensorboard_expects(tmp_path):
    dense(TensorBoardLog(tmp_path), first=6, epochs=7)
    version, start, summary = events(tmp_path / "train")
    assert version.file_version == "brain.Event:2"
    assert (start.step, start.session_log.status) == (13, START)
    assert summary.step == 14
    assert all("tfevents" in path.name for path in (tmp_path / "train").iterdir())


class Away(keras.callbacks.Callback):
    """Replaces the log folder by a file during the second epoch of four."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            shutil.rmtree(self.folder)
            self.folder.write_text("")
        if epoch == 2:
            self.folder.unlink()


def test_a_folder_that_goes_away_does_not_end_the_training(tmp_path, capsys):
    folder = tmp_path / "logs"
    history = dense(CsvLog(folder / "epochs.csv"), TensorBoardLog(folder), Away(folder), epochs=4)
    assert len(history.epoch) == 4
    assert [row["epoch"] for row in rows(folder / "epochs.csv")] == [1, 2, 3, 4]
    assert {step for _, step in summaries(folder / "train")} == {6, 8}
    assert capsys.readouterr().err.splitlines() == [
        f"Epoch 2 could not be logged, training goes on: cannot write {folder}/epochs.csv (File exists): expected a "
        "file in a folder that has room and may be written to; try another place with `log_dir`",
        f"Epoch 2 could not be logged, training goes on: [Errno 20] Not a directory: '{folder}/train'",
    ]


def test_an_epoch_that_diverged_is_not_logged(tmp_path):
    class Diverge(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                logs["loss"] = math.nan

    dense(Diverge(), CsvLog(tmp_path / "epochs.csv"), epochs=3)
    assert [row["epoch"] for row in rows(tmp_path / "epochs.csv")] == [1, 3]


def test_norms_of_gradients_are_those_of_differences(rng):
    model = build(Config("rnn", units=3, layers=1, embedding=2, dropout=0.5), 5)
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    inputs, targets = rng.integers(5, size=(2, 4, 6))
    norms = gradient_norms(model, lambda *batch: crossentropy(batch[1], model(batch[0])), inputs, targets)
    assert list(norms) == ["embedding", "layer1", "dense", "all"]
    loss = tf.function(lambda: crossentropy(targets, model(inputs, training=False)))
    squares = dict.fromkeys(("embedding", "layer1", "dense"), 0.0)
    for name in squares:
        for variable in model.get_layer(name).trainable_variables:
            before = variable.numpy()
            for place in np.ndindex(*before.shape):
                losses = []
                for moved in (0.02, -0.02):
                    after = before.copy()
                    after[place] += moved
                    variable.assign(after)
                    losses.append(float(loss()))
                variable.assign(before)
                squares[name] += ((losses[0] - losses[1]) / 0.04) ** 2
        assert np.isclose(norms[name], math.sqrt(squares[name]), rtol=1e-2)
    assert np.isclose(norms["all"], math.sqrt(sum(squares.values())), rtol=1e-2)


def test_norms_of_gradients_leave_random_numbers_alone(rng):
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.LSTM(4), keras.layers.Dropout(0.5, seed=3)])
    inputs, targets = rng.normal(size=(2, 5, 3)).astype("float32"), rng.normal(size=(2, 4)).astype("float32")
    model(inputs, training=True)
    before = [keras.ops.convert_to_numpy(variable).copy() for variable in model.variables]
    batch = lambda x, y: keras.losses.mean_squared_error(y, model(x)), inputs, targets
    assert gradient_norms(model, *batch) == gradient_norms(model, *batch)
    after = [keras.ops.convert_to_numpy(variable) for variable in model.variables]
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))


def test_a_file_that_is_no_log_is_left_alone(tmp_path):
    for content in (b"a poem\nof mine\n", b"steps,loss\none,2\n", b"steps,loss\n1,2,3,4\n", b"steps\n\xff\n", b""):
        (tmp_path / "epochs.csv").write_bytes(content)
        with pytest.raises(ValueError) as error:
            CsvLog(tmp_path / "epochs.csv")
        assert str(error.value) == (
            f"{tmp_path}/epochs.csv is no log of a training run: expected one, or none; try another `log_dir`"
        )
        assert (tmp_path / "epochs.csv").read_bytes() == content


@pytest.mark.usefixtures("poem_file")
def test_from_the_shell(shakegen, tmp_path):
    options = ("--units", 8, "--layers", 1, "--seq-length", 20, "--sample-length", 30)
    result = shakegen("train", "poem.txt", *options, "--epochs", 2, "--log-dir", "logs/one")
    assert result.exit_code == 0
    assert [row["epoch"] for row in rows(tmp_path / "logs" / "one" / "epochs.csv")] == [1, 2]
    shown = summaries(tmp_path / "logs" / "one" / "train")
    samples = ["\n".join(line[4:] for line in text.decode().split("\n")) for (tag, _), text in shown.items()
               if tag == "sample"]  # fmt: skip
    assert len(samples) == 2
    assert all(f"\n{sample}\n" in result.stderr for sample in samples)
    assert shakegen("train", "poem.txt", "--resume", "--epochs", 3, "--quiet").output == "models/poem-gru.h5\n"
    assert [row["epoch"] for row in rows(tmp_path / "logs" / "one" / "epochs.csv")] == [1, 2, 3]
    assert sum(tag == "sample" for tag, _ in summaries(tmp_path / "logs" / "one" / "train")) == 3


@pytest.mark.usefixtures("poem_file")
def test_a_folder_that_cannot_be_written_is_refused_before_training(shakegen, tmp_path):
    (tmp_path / "file").write_text("")
    refused = shakegen("train", "poem.txt", "--log-dir", "file")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: cannot write file/epochs.csv (File exists): expected a file in a folder that has room and may be "
        "written to; try another place with --log-dir\n",
    )
    assert not list((tmp_path / "models").iterdir())
