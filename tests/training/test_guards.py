"""What goes wrong in a run costs no more than it must."""

import contextlib
import sys

import keras
import numpy as np
import pytest
from small import PLAIN, SMALL

from shakegen.callbacks import SampleText
from shakegen.model import load
from shakegen.network.config import Config
from shakegen.streams import drop_rest
from shakegen.text.corpus import Corpus
from shakegen.training import Diverged, run, train


class AfterEpoch(keras.callbacks.Callback):
    """Do something after so many epochs."""

    def __init__(self, act, epochs=1):
        super().__init__()
        self.act, self.epochs = act, epochs

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 == self.epochs:
            self.act(self.model)


def poison(model):
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])


class PoisonInTheMiddle(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if self.model.optimizer.iterations > 20:
            poison(self.model)


@pytest.mark.parametrize("poisoner", [AfterEpoch(poison, 2), PoisonInTheMiddle()], ids=["at an end", "in the middle"])
def test_a_run_that_diverges_keeps_the_last_good_weights(poem, tmp_path, poisoner):
    path = tmp_path / "model.h5"
    with pytest.raises(Diverged) as error:
        train(Corpus.from_text(poem), PLAIN, epochs=5, out=path, callbacks=[poisoner], **SMALL)
    assert str(error.value) == (
        "training diverged, the loss is not a number: try a lower `learning_rate` or a lower `clip_norm`; "
        f"{path} keeps the best epoch so far"
    )
    kept = load(path, with_training=True)
    assert kept.history
    assert kept.history == error.value.model.history[: len(kept.history)]
    assert all(np.isfinite(weight).all() for weight in kept.weights.values())
    assert all(np.isfinite(array).all() for array in kept.training.arrays.values())
    assert kept.sample("Shall", length=5) == load(path).sample("Shall", length=5)


class PoisonInTheLastStep(keras.callbacks.Callback):
    """As an update that overflows, whose loss was still a number."""

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations % self.params["steps"] == 0:
            poison(self.model)


def test_weights_that_are_no_numbers_are_no_model_where_nothing_is_validated(poem, tmp_path):
    corpus, path = Corpus.from_text(poem, split=(1, 0, 0)), tmp_path / "model.h5"
    for out in (None, path):
        with pytest.raises(Diverged) as error:
            train(corpus, PLAIN, epochs=1, out=out, callbacks=[PoisonInTheLastStep()], **SMALL)
        assert str(error.value) == (
            "training diverged, the loss is not a number: try a lower `learning_rate` or a lower `clip_norm`"
        )
        assert error.value.model is None
    assert not path.exists()


def test_patience_ends_a_run_that_gets_no_better(noisy):
    model = train(noisy, Config("rnn", units=32, dropout=0), epochs=40, learning_rate=2e-2, patience=2, **SMALL)
    losses = [entry["val_loss"] for entry in model.history]
    assert len(losses) < 40
    assert np.argmin(losses) == len(losses) - 3
    with pytest.raises(ValueError) as error:
        train(noisy, resume=model)
    assert str(error.value) == "the run to resume has ended: 2 epochs were no better (`patience`); give it more"


def test_a_callback_may_end_a_run(poem):
    class Enough(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 2

    model = train(Corpus.from_text(poem), PLAIN, epochs=3, callbacks=[Enough()], **SMALL)
    assert [entry["steps"] for entry in model.history] == [3]


def test_a_folder_that_is_removed_is_made_again(poem, tmp_path):
    path = tmp_path / "models" / "model.h5"

    def remove(model):
        path.unlink(missing_ok=True)
        path.parent.rmdir()

    path.parent.mkdir()
    model = train(Corpus.from_text(poem), PLAIN, epochs=3, out=path, callbacks=[AfterEpoch(remove)], **SMALL)
    assert load(path).history == model.history


def test_a_checkpoint_that_cannot_be_written_is_tried_again(poem, tmp_path, capsys):
    """A file in the place of the folder stands in for a disk that is full, and has room later."""
    path = tmp_path / "models" / "model.h5"

    def move(model):
        path.parent.rename(tmp_path / "moved")
        path.parent.write_text("")

    block = AfterEpoch(move, 1)
    free = AfterEpoch(lambda model: path.parent.unlink(), 3)
    model = train(Corpus.from_text(poem), PLAIN, epochs=3, out=path, callbacks=[block, free], **SMALL)
    assert load(path).history == model.history
    warning = (
        f"Warning: cannot write {path} (File exists): expected a file in a folder that has room and may be written to. "
        "Training goes on; the next checkpoint tries again.\n"
    )
    assert capsys.readouterr().err == 2 * warning


def test_a_last_checkpoint_that_cannot_be_written_is_an_error_and_the_one_before_stays(poem, tmp_path):
    path, moved = tmp_path / "models" / "model.h5", tmp_path / "moved"

    def move(model):
        path.parent.rename(moved)
        path.parent.write_text("")

    with pytest.raises(OSError) as error:
        train(Corpus.from_text(poem), PLAIN, epochs=2, out=path, callbacks=[AfterEpoch(move)], **SMALL)
    assert str(error.value) == (
        f"cannot write {path} (File exists): expected a file in a folder that has room and may be written to; "
        "try another place with `out`"
    )
    assert len(load(moved / "model.h5", with_training=True).history) == 1


class Mine(RuntimeError):
    """An error of a callback."""


@pytest.mark.parametrize("every", [0, 1.0])
@pytest.mark.parametrize("epochs", [1, 2])
def test_a_callback_that_raises_after_an_epoch_does_not_cost_it(poem, tmp_path, every, epochs):
    def fail(model):
        raise Mine

    path = tmp_path / "model.h5"
    options = {"epochs": 3, "out": path, "checkpoint_every": every, "callbacks": [AfterEpoch(fail, epochs)], **SMALL}
    with pytest.raises(Mine):
        train(Corpus.from_text(poem), PLAIN, **options)
    assert len(load(path).history) == epochs


def test_a_callback_finds_the_epoch_in_the_file_and_its_own_changes_are_in_the_next(poem, tmp_path):
    path, found = tmp_path / "model.h5", []

    def change(model):
        found.append(load(path, with_training=True))
        model.optimizer.learning_rate = 1e-4
        model.layers[-1].bias.assign(np.ones_like(model.layers[-1].bias))

    train(Corpus.from_text(poem), PLAIN, epochs=1, out=path, callbacks=[AfterEpoch(change)], **SMALL)
    arrays = load(path, with_training=True).training.arrays
    assert len(found[0].history) == 1
    assert arrays["optimizer/learning_rate"] == np.float32(1e-4) != found[0].training.arrays["optimizer/learning_rate"]
    assert np.all(arrays["weights/dense/bias"] == 1)


@pytest.mark.parametrize("stream", [None, "closed", "full"])
def test_a_run_outlasts_its_standard_streams(poem, monkeypatch, stream):
    corpus = Corpus.from_text(poem)
    samplers = [SampleText(corpus.vocabulary, length=5, stream=name) for name in ("stdout", "stderr")]
    with contextlib.ExitStack() as files, monkeypatch.context() as patch:
        for name in ("stdout", "stderr"):
            file = files.enter_context(open("/dev/full", "w", encoding="utf-8"))
            files.callback(drop_rest, file)
            if stream == "closed":
                file.close()
            patch.setattr(sys, name, file if stream else None)
        model = train(corpus, PLAIN, epochs=2, callbacks=samplers, **{**SMALL, "verbose": True})
    assert len(model.history) == 2
    assert all(sampler.text for sampler in samplers)


def test_without_checkpoints_the_file_holds_the_model_alone(poem, tmp_path):
    model = train(Corpus.from_text(poem), PLAIN, epochs=2, out=tmp_path / "a.h5", checkpoint_every=0, **SMALL)
    kept = load(tmp_path / "a.h5", with_training=True)
    assert (kept.training, kept.history) == (None, model.history)
    with pytest.raises(ValueError) as error:
        train(Corpus.from_text(poem), PLAIN, checkpoint_every=-1)
    assert str(error.value) == "the minutes between checkpoints are -1: expected a number of 0 or more"


def test_a_long_epoch_is_reported_in_parts(poem, monkeypatch):
    corpus = Corpus.from_text(poem * 4)
    whole = train(corpus, PLAIN, epochs=2, **SMALL)
    monkeypatch.setattr(run, "REPORT", 3000)
    parts = train(corpus, PLAIN, epochs=2, **SMALL)
    assert [entry["epoch"] for entry in parts.history[2::3]] == [1, 2]
    assert [entry["steps"] for entry in parts.history[2::3]] == [entry["steps"] for entry in whole.history]
    assert [entry["epoch"] for entry in parts.history] == pytest.approx(np.arange(1, 7) / 3, abs=0.02)
    assert np.mean([e["loss"] for e in parts.history[:3]]) == pytest.approx(whole.history[0]["loss"], rel=0.02)
    last = [model.training.arrays for model in (whole, parts)]
    assert all(np.array_equal(last[0][name], last[1][name]) for name in last[0])


def test_nothing_is_said_of_a_file_that_the_run_did_not_write(poem, tmp_path):
    corpus, other = Corpus.from_text(poem), tmp_path / "other.h5"
    model = train(corpus, PLAIN, epochs=1, **SMALL)
    other.write_bytes(b"another model")

    def poison(batch, logs):
        spoil.model.set_weights([np.full_like(weight, np.nan) for weight in spoil.model.get_weights()])

    spoil = keras.callbacks.LambdaCallback(on_train_batch_begin=poison)
    with pytest.raises(Diverged) as error:
        train(corpus, resume=model, epochs=2, out=other, callbacks=[spoil], verbose=False)
    assert str(error.value).endswith("or a lower `clip_norm`")
    assert other.read_bytes() == b"another model"
    model.save(tmp_path / "own.h5", with_training=True)
    with pytest.raises(Diverged) as error:
        train(corpus, resume=tmp_path / "own.h5", epochs=2, callbacks=[spoil], verbose=False)
    assert str(error.value).endswith(f"; {tmp_path / 'own.h5'} keeps the best epoch so far")


def test_as_many_epochs_as_a_float_can_hold_are_no_mistake(poem):
    stop = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: setattr(stop.model, "stop_training", True)
    )
    assert len(train(Corpus.from_text(poem), PLAIN, epochs=1e308, callbacks=[stop], **SMALL).history) == 1


def test_a_place_that_cannot_be_written_is_found_out_before_training(poem, tmp_path):
    started = []
    note = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: started.append(True))
    with pytest.raises(OSError, match="Is a directory"):
        train(Corpus.from_text(poem), PLAIN, epochs=1, out=tmp_path, callbacks=[note], **SMALL)
    assert not started
