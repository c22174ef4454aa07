"""What a training run leaves in its log folder."""

import csv
import math
import os
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from shakegen.callbacks import SampleText
from shakegen.config import Config
from shakegen.logs import CsvLog, TensorBoardLog, gradient_norms, run_logs
from shakegen.network import build
from shakegen.text import Corpus
from shakegen.training import train
from shakegen.windows import TrainingWindows

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
    corpus = Corpus.from_text(poem)
    sampler = SampleText(corpus.vocabulary, "Shall", length=30)
    batches = TrainingWindows(corpus.train, 20, 8)
    options = {"epochs": 3, "batch_size": 8, "seq_length": 20, "verbose": False}
    callbacks = run_logs(tmp_path / "logs", batches, sampler)
    return tmp_path / "logs", train(corpus, Config(units=8), **options, callbacks=callbacks), sampler


def dense(*callbacks, first=0, epochs=3, losses=None):
    """Train a very small Keras model."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="one"), keras.layers.Dense(1, name="two")])
    model.compile("sgd", "mse")
    data = np.arange(24.0).reshape(8, 3) / 24, np.arange(8.0)
    return model.fit(*data, batch_size=4, initial_epoch=first, epochs=epochs, verbose=0, callbacks=list(callbacks))


def test_the_logs_have_the_run_and_the_run_is_that_without_logs(logged, poem, capsys):
    folder, model, sampler = logged
    corpus = Corpus.from_text(poem)
    plain = train(corpus, Config(units=8), epochs=3, batch_size=8, seq_length=20, verbose=False)
    assert [entry["loss"] for entry in plain.history] == [entry["loss"] for entry in model.history]
    assert all(np.array_equal(plain.weights[name], weight) for name, weight in model.weights.items())
    lines, shown = rows(folder / "epochs.csv"), summaries(folder / "train") | {
        (f"validation {tag}", step): value for (tag, step), value in summaries(folder / "validation").items()
    }  # fmt: skip
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    for line, entry in zip(lines, model.history, strict=True):
        step = entry["epoch"]
        assert np.isclose(line["training_bits_per_character"], entry["loss"] / math.log(2), rtol=1e-12)
        assert np.isclose(line["validation_bits_per_character"], entry["validation_loss"] / math.log(2), rtol=1e-12)
        assert np.isclose(shown["bits_per_character", step], line["training_bits_per_character"])
        assert np.isclose(shown["validation bits_per_character", step], line["validation_bits_per_character"])
        for name in ("learning_rate", "characters_per_second"):
            assert np.isclose(shown[name, step], line[name])
            assert line[name] > 0
        layers = [shown[f"gradient_norm/{name}", step] for name in ("layer1", "dense")]
        assert np.isclose(math.hypot(*layers), shown["gradient_norm/all", step])
    assert shown["sample", 3].decode() == "\n".join(f"    {line}" for line in sampler.draw(2).splitlines())
    assert capsys.readouterr() == ("", "")


def test_a_run_that_goes_on_replaces_the_epochs_from_there(tmp_path):
    path = tmp_path / "epochs.csv"
    dense(CsvLog(path, 4), TensorBoardLog(tmp_path, 4), epochs=4)
    before, shown = rows(path), summaries(tmp_path / "train")
    dense(CsvLog(path, 4), TensorBoardLog(tmp_path, 4), first=2, epochs=5)
    assert [row["epoch"] for row in rows(path)] == [1, 2, 3, 4, 5]
    assert rows(path)[:2] == before[:2]
    now = summaries(tmp_path / "train")
    assert {step for _, step in now} == {1, 2, 3, 4, 5}
    assert {key: value for key, value in now.items() if key[1] < 3} == {k: v for k, v in shown.items() if k[1] < 3}
    assert now["bits_per_character", 3] == shown["bits_per_character", 1]  # the model began anew
    dense(CsvLog(path, 4), TensorBoardLog(tmp_path, 4), epochs=1)
    assert [row["epoch"] for row in rows(path)] == [1]
    assert {step for _, step in summaries(tmp_path / "train")} == {1}


def test_columns_of_an_earlier_log_are_kept(tmp_path):
    path = tmp_path / "epochs.csv"
    path.write_text("epoch,mood\n1,good\n2,bad\n")
    dense(CsvLog(path, 4), first=1, epochs=2)
    first, second = csv.DictReader(path.read_text().splitlines())
    assert (first["epoch"], first["mood"], first["learning_rate"]) == ("1", "good", "")
    assert (second["epoch"], second["mood"]) == ("2", "")
    assert float(second["training_bits_per_character"]) > 0


def test_an_event_file_begins_as_tensorboard_expects(tmp_path):
    dense(TensorBoardLog(tmp_path, 4), first=6, epochs=7)
    version, start, summary = events(tmp_path / "train")
    assert version.file_version == "brain.Event:2"
    assert (start.step, start.session_log.status) == (7, START)
    assert summary.step == 7
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
    csv_log = CsvLog(folder / "epochs.csv", 4)
    history = dense(csv_log, TensorBoardLog(folder, 4), Away(folder), epochs=4)
    assert len(history.epoch) == 4
    assert [row["epoch"] for row in rows(folder / "epochs.csv")] == [1, 2, 3, 4]
    assert {step for _, step in summaries(folder / "train")} == {3, 4}
    assert capsys.readouterr().err.splitlines() == [
        f"Epoch 2 could not be logged, training goes on: cannot write {folder}/epochs.csv (File exists): expected a "
        "file in a folder that has room and may be written to; try another place with --log-dir",
        f"Epoch 2 could not be logged, training goes on: [Errno 20] Not a directory: '{folder}/train'",
    ]


def test_an_epoch_that_diverged_is_not_logged(tmp_path):
    class Diverge(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                logs["loss"] = math.nan

    dense(Diverge(), CsvLog(tmp_path / "epochs.csv", 4), epochs=3)
    assert [row["epoch"] for row in rows(tmp_path / "epochs.csv")] == [1, 3]


def test_norms_of_gradients_are_those_of_differences(rng):
    model = build(Config("rnn", units=3, embedding=2, dropout=0.5), 5)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    inputs, targets = rng.integers(5, size=(2, 4, 6))
    norms = gradient_norms(model, inputs, targets)
    assert list(norms) == ["embedding", "layer1", "dense", "all"]
    loss = tf.function(lambda: model.compute_loss(inputs, targets, model(inputs, training=False)))
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


def test_norms_of_gradients_leave_states_and_random_numbers_alone(rng):
    model = keras.Sequential([keras.Input(batch_shape=(2, 5, 3)), keras.layers.LSTM(4, stateful=True)])
    model.add(keras.layers.Dropout(0.5, seed=3))
    model.compile("sgd", "mse")
    inputs, targets = rng.normal(size=(2, 5, 3)).astype("float32"), rng.normal(size=(2, 4)).astype("float32")
    model(inputs, training=True)
    before = [keras.ops.convert_to_numpy(variable).copy() for variable in model.variables]
    assert gradient_norms(model, inputs, targets) == gradient_norms(model, inputs, targets)
    after = [keras.ops.convert_to_numpy(variable) for variable in model.variables]
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))


def test_a_file_that_is_no_log_is_left_alone(tmp_path):
    for content in (b"a poem\nof mine\n", b"epoch,loss\none,2\n", b"epoch,loss\n1,2,3,4\n", b"epoch\n\xff\n"):
        (tmp_path / "epochs.csv").write_bytes(content)
        with pytest.raises(ValueError) as error:
            CsvLog(tmp_path / "epochs.csv", 4)
        assert str(error.value) == (
            f"{tmp_path}/epochs.csv is no log of a training run: expected one, or none; try another --log-dir"
        )
        assert (tmp_path / "epochs.csv").read_bytes() == content


def test_from_the_shell(shakegen, tmp_path, poem):
    (tmp_path / "poem.txt").write_text(poem)
    options = ("--units", 8, "--epochs", 2, "--seq-length", 20, "--sample-length", 30)
    result = shakegen("train", "poem.txt", *options, "--log-dir", "logs/one")
    assert result.exit_code == 0
    assert [row["epoch"] for row in rows(tmp_path / "logs" / "one" / "epochs.csv")] == [1, 2]
    samples = [text for (tag, _), text in summaries(tmp_path / "logs" / "one" / "train").items() if tag == "sample"]
    for text in samples:
        assert "\n".join(line[4:] for line in text.decode().split("\n")) in result.stderr
    assert shakegen("train", "poem.txt", *options, "--quiet", "--log-dir", "logs/two").output == ""
    assert summaries(tmp_path / "logs" / "two" / "train")["sample", 2] == samples[1]
    (tmp_path / "file").write_text("")
    refused = shakegen("train", "poem.txt", *options, "--log-dir", "file")
    assert refused.stderr == (
        "Error: cannot write file/epochs.csv (File exists): expected a file in a folder that has room and may be "
        "written to; try another place with --log-dir\n"
    )
    assert os.listdir(tmp_path / "models") == ["poem-gru.h5"]
