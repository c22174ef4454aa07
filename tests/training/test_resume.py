"""A run that was stopped, killed or finished goes on as if nothing had happened."""

import os
import signal
import subprocess
import sys

import keras
import kills
import numpy as np
import pytest
from kills import assert_same_run
from small import PLAIN, SMALL

from shakegen.model import load
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus
from shakegen.training import Interrupted, train


class StopAfter(keras.callbacks.Callback):
    """Press Ctrl-C after so many batches."""

    def __init__(self, batches: int):
        super().__init__()
        self.batches = batches

    def on_train_batch_end(self, batch, logs=None):
        self.batches -= 1
        if self.batches == 0:
            os.kill(os.getpid(), signal.SIGINT)


KINDS = {
    "embedding, dropout": (
        Config("rnn", units=8, layers=1, embedding=3, dropout=0.4),
        {"loss_share": 0.5, "passage": 1},
    ),
    "passages": (Config("lstm", units=6, learn_initial_state=True), {"passage": 3}),
    "blocks, passages": (Config("mingru", units=6, layers=1, dropout=0.3, convolution=4, mlp=1), {"passage": 3}),
    "averages": (PLAIN, {"optimizer": "nadam", "average_weights": 0.9, "passage": 1}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_stopped_twice_is_the_unbroken_run(poem, tmp_path, kind):
    corpus, (config, options) = Corpus.from_text(poem), KINDS[kind]
    unbroken = train(corpus, config, epochs=3, random_state=3, **SMALL, **options)
    steps = unbroken.history[0]["steps"]
    assert steps > 5
    options = {"out": tmp_path / "model.h5", "random_state": 3, "epochs": 3, **SMALL, **options}
    for batches in (5, steps + 2):
        with pytest.raises(Interrupted):
            train(corpus, config, **options, callbacks=[StopAfter(batches)])
        options = {"resume": tmp_path / "model.h5", "verbose": False}
    assert load(tmp_path / "model.h5", with_training=True).training.state["position"]["step"] == steps + 7
    assert_same_run(train(corpus, **options), unbroken)


def test_a_rate_that_follows_from_the_last_one_is_the_same_when_a_run_was_stopped_at_the_end_of_an_epoch(poem):
    def schedule():
        return keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5 * rate)

    corpus, options = Corpus.from_text(poem), {"epochs": 3, "schedule": "constant", **SMALL}
    unbroken = train(corpus, PLAIN, callbacks=[schedule()], **options)
    stop_after = StopAfter(unbroken.history[0]["steps"])
    with pytest.raises(Interrupted) as stop:
        train(corpus, PLAIN, callbacks=[schedule(), stop_after], **options)
    assert_same_run(train(corpus, resume=stop.value.model, callbacks=[schedule()], verbose=False), unbroken)


def test_a_rate_that_a_callback_sets_at_an_epoch_s_beginning_is_the_same_when_resumed_in_the_middle(poem, tmp_path):
    def schedule():
        return keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 * (epoch + 1))

    corpus, config = Corpus.from_text(poem), PLAIN
    unbroken = train(corpus, config, epochs=3, callbacks=[schedule()], **SMALL)
    steps = unbroken.history[0]["steps"]
    with pytest.raises(Interrupted) as stop:
        train(corpus, config, epochs=3, callbacks=[schedule(), StopAfter(steps + 2)], **SMALL)
    assert_same_run(train(corpus, resume=stop.value.model, callbacks=[schedule()], verbose=False), unbroken)


def test_a_run_that_was_stopped_at_the_end_of_an_epoch_still_reports_it(poem, tmp_path):
    corpus, options = Corpus.from_text(poem), {"epochs": 2, "schedule": "linear", **SMALL}
    unbroken = train(corpus, PLAIN, **options)
    with pytest.raises(Interrupted) as stop:
        train(corpus, PLAIN, **options, callbacks=[StopAfter(unbroken.history[0]["steps"])])
    assert stop.value.model.history == []
    assert_same_run(train(corpus, resume=stop.value.model, verbose=False), unbroken)


def test_more_epochs_at_a_constant_rate_are_those_of_a_longer_run(poem, tmp_path):
    corpus, options = Corpus.from_text(poem), {"schedule": "constant", **SMALL}
    unbroken = train(corpus, PLAIN, epochs=3, **options)
    finished = train(corpus, PLAIN, epochs=1, out=tmp_path / "model.h5", **options)
    assert_same_run(train(corpus, resume=finished, epochs=3, **options), unbroken)
    assert_same_run(train(corpus, resume=tmp_path / "model.h5", epochs=3), unbroken)
    assert_same_run(load(tmp_path / "model.h5", with_training=True), unbroken)


def test_the_learning_rate_may_change(poem):
    corpus = Corpus.from_text(poem)
    first = train(corpus, PLAIN, epochs=1, **SMALL)
    second = train(corpus, resume=first, epochs=2, learning_rate=1e-4, verbose=False)
    assert second.history[0] == first.history[0]
    assert second.history[1]["learning_rate"] < 1e-4


def test_a_run_that_is_killed_at_random_moments_goes_on_as_if_nothing_had_happened():
    done = subprocess.run([sys.executable, kills.__file__, "3", "0"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("3 kills, all resumed exactly: ")
    assert ", 3 kills after some\n" in done.stdout


def test_a_checkpoint_names_everything_by_path(poem):
    config = Config("lstm", units=6, layers=1, embedding=3)
    corpus, options = Corpus.from_text(poem), {"passage": 4, "average_weights": 0.9, **SMALL}
    training = train(corpus, config, epochs=0.1, **options).training
    weights = config.weight_shapes(len(corpus.vocabulary))
    slots = [f"optimizer/{name}/{slot}" for name in weights for slot in ("average", "momentum", "velocity")]
    numbers = [f"optimizer/{name}" for name in ("iteration", "learning_rate", "momentum")]
    generators = [f"random/{layer}/seed_generator_state" for layer in ("layer1", "dropout1")]
    states = ["states/layer1/0", "states/layer1/1"]
    assert set(training.arrays) == {*(f"weights/{name}" for name in weights), *slots, *numbers, *generators, *states}
    for name, shape in weights.items():
        assert training.arrays[f"weights/{name}"].shape == training.arrays[f"optimizer/{name}/momentum"].shape == shape
    assert set(training.state) == {"recipe", "position", "symbols", "notes", "parts", "replicas"}


def test_another_number_of_parts_is_warned_of(finished, capsys):
    corpus, model = finished
    assert model.training.state["parts"] == 1
    for parts in (1, "x", 3):
        model.training.state["parts"] = parts
        train(corpus, resume=model, epochs=2, verbose=False)
    assert capsys.readouterr().err == (
        "Warning: parts that a batch is computed in: 3 before, 1 now. The run goes on, but not bit for bit.\n"
    )
    model.training.state["parts"] = 1


def test_another_number_of_copies_is_warned_of_even_if_the_parts_are_as_many(finished, capsys):
    corpus, model = finished
    assert model.training.state["replicas"] == 1
    model.training.state["replicas"] = 2
    train(corpus, resume=model, epochs=2, verbose=False)
    model.training.state["replicas"] = 1
    assert capsys.readouterr().err == (
        "Warning: copies of the network: 2 before, 1 now. The run goes on, but not bit for bit.\n"
    )


REFUSED = {
    "units 6, not 7": ({"config": Config("rnn", units=7, layers=1, dropout=0)}, {}),
    "batch size 8, not 9": ({}, {"batch_size": 9}),
    "seq length 20, not 21": ({}, {"seq_length": 21}),
    "random state 0, not 1": ({}, {"random_state": 1}),
    "optimizer adam, not sgd": ({}, {"optimizer": "sgd"}),
    "the split [0.9, 0.05, 0.05], not [0.8, 0.1, 0.1]": ({"split": (0.8, 0.1, 0.1)}, {}),
    "another text": ({"text": "."}, {}),
}


@pytest.fixture(scope="module")
def finished():
    corpus = Corpus.from_text(kills.TEXT)
    return corpus, train(corpus, PLAIN, epochs=1, **SMALL)


@pytest.mark.parametrize("difference", REFUSED)
def test_a_run_of_something_else_is_refused(finished, difference):
    corpus, model = finished
    (what, options), text = REFUSED[difference], corpus.vocabulary.decode(corpus.ids)
    other = Corpus.from_text(text + what.get("text", ""), split=what.get("split", corpus.split))
    with pytest.raises(ValueError) as error:
        train(other, what.get("config"), resume=model, epochs=2, verbose=False, **options)
    if "text" in what:
        assert str(error.value) == (
            f"the text is not that of the run in the model: text has {other.characters:,} characters, sha256 "
            f"{other.sha256[:12]}…, the run's text had {corpus.characters:,} characters, sha256 {corpus.sha256[:12]}…; "
            "resume it with its own text, or start a new run, from its weights with `finetune`"
        )
        return
    assert str(error.value) == (
        f"the run to resume has {difference}: leave that out, or start a new run without `resume` "
        "(epochs, minutes, learning rate and patience may change)"
    )


def test_a_run_that_has_ended_and_a_model_without_one_are_refused(finished, tmp_path):
    corpus, model = finished
    spent = model.training.state["position"]["seconds"] / 60
    for options, reason in (
        ({}, "1 of 1 epochs are over (`epochs`)"),
        (
            {"minutes": 1e-6},
            f"{spent:.2g} min are spent, all parts of the run together, of 1e-06 given (`minutes`)",
        ),
    ):
        with pytest.raises(ValueError) as error:
            train(corpus, resume=model, verbose=False, **options)
        assert str(error.value) == f"the run to resume has ended: {reason}; give it more"
    model.save(tmp_path / "model.h5")
    with pytest.raises(ValueError) as error:
        train(corpus, resume=tmp_path / "model.h5", epochs=2)
    assert str(error.value) == (
        f"{tmp_path / 'model.h5'} holds no training run to resume: start from its weights with `finetune`, or start a "
        "new run"
    )
    with pytest.raises(ValueError) as error:
        train(corpus, resume=model, finetune=model)
    assert str(error.value) == "`resume` and `finetune` are both given: expected one of them"


def test_checkpoints_of_other_networks_and_places_are_refused(finished):
    corpus, model = finished
    training = model.training
    arrays, state = dict(training.arrays), training.state
    changes = [
        ({"weights/dense/bias": np.zeros((3, 3), np.float32)}, {}),
        ({"weights/dense/bias": arrays["weights/dense/bias"].astype(np.float64)}, {}),
        ({"weights/99": arrays["weights/dense/bias"]}, {}),
        ({f"weights/{k}": np.zeros(3, np.float32) for k in range(3)}, {}),
        ({}, {"step": -1}),
        ({}, {"step": 1.5}),
        ({}, {"seconds": "x"}),
        ({}, {"colour": 1}),
    ]
    for changed, position in changes:
        training.arrays = arrays | changed
        training.state = state | {"position": state["position"] | position}
        with pytest.raises(ValueError) as error:
            train(corpus, resume=model, epochs=2, verbose=False)
        assert str(error.value) == (
            "the training run to resume is not of this network and optimizer: the file may be damaged, or come from "
            "another version of shakegen or Keras; start a new run without `resume`"
            if changed
            else "the position of the training run to resume is impossible: the file may be damaged"
        )
    training.arrays, training.state = arrays, state


def test_a_model_that_was_loaded_without_its_run_is_told_from_one_that_has_none(finished, tmp_path):
    corpus, model = finished
    model.save(tmp_path / "model.h5", with_training=True)
    with pytest.raises(ValueError) as error:
        train(corpus, resume=load(tmp_path / "model.h5"), epochs=2, verbose=False)
    assert str(error.value) == (
        "the model to resume has no training run with it: give the path of its file, or the model that "
        "`load(path, with_training=True)` reads, if the file holds a run"
    )
