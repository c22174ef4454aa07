import os
import signal
import threading

import keras
import numpy as np
import pytest
import small

from shakegen.cells import BUILT_IN
from shakegen.model import load
from shakegen.model.evaluation import evaluate
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus
from shakegen.training import Interrupted, make_optimizer, train
from shakegen.training.progress import tell_passes
from shakegen.training.recipe import Recipe

TIMES = ("seconds", "characters_per_second")
SMALL, PLAIN = {"epochs": 2, **small.SMALL}, small.PLAIN


def timeless(history):
    return [{name: value for name, value in entry.items() if name not in TIMES} for entry in history]


@pytest.mark.parametrize("cell", BUILT_IN)
def test_a_network_learns_a_text_that_repeats_itself(poem, cell):
    corpus = Corpus.from_text(poem)
    model = train(corpus, Config(cell, units=48, layers=1, dropout=0), **{**SMALL, "epochs": 20}, learning_rate=1e-2)
    assert model.validation_bits < 1
    assert model.history[-1]["loss"] < model.history[0]["loss"]
    assert "summer's day?" in model.sample("Shall I compare thee to a ", length=20, temperature=0)


def test_the_same_random_state_gives_the_same_model(poem):
    corpus = Corpus.from_text(poem)
    first, second, other = (
        train(corpus, Config(units=8, layers=1, dropout=0.3), **SMALL, random_state=state) for state in (4, 4, 5)
    )
    assert timeless(first.history) == timeless(second.history)
    assert all(np.array_equal(first.weights[name], second.weights[name]) for name in first.weights)
    assert timeless(first.history) != timeless(other.history)


def test_the_model_of_the_best_epoch_is_kept(noisy, tmp_path):
    options = {**SMALL, "epochs": 8, "learning_rate": 2e-2, "out": tmp_path / "model.h5"}
    model = train(noisy, Config(units=32, dropout=0), **options)
    losses = [entry["val_loss"] for entry in model.history]
    assert losses.index(min(losses)) < len(losses) - 1, "the run was to get worse at the end"
    found = evaluate(model.engine, noisy.validation)
    assert np.isclose(found.nats_per_character, min(losses), rtol=1e-5)
    assert model.best_epoch["epoch"] == losses.index(min(losses)) + 1
    saved = load(tmp_path / "model.h5")
    assert saved.history == model.history
    assert all(np.array_equal(saved.weights[name], model.weights[name]) for name in model.weights)


def test_a_model_and_its_keras_model_agree(random_model):
    model, ids = random_model(Config("lstm", units=8, layers=2, embedding=4)), np.arange(50) % 27
    logits = keras.ops.convert_to_numpy(model.keras_model()(ids[None]))[0, -1]
    primed, _ = model.engine.prime(ids)
    assert np.allclose(primed[0], logits, atol=1e-5)


def test_without_validation_text_the_training_loss_decides(poem):
    model = train(Corpus.from_text(poem, split=(1, 0, 0)), PLAIN, **SMALL)
    assert model.validation_bits is None
    expected = ["characters_per_second", "epoch", "learning_rate", "loss", "seconds", "steps"]
    assert [sorted(entry) for entry in model.history] == [expected] * 2
    assert model.best_epoch["epoch"] == 2


def test_minutes_end_a_run_in_the_middle_of_an_epoch(poem, clock, capsys):
    class Watch(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.rates = []

        def on_train_batch_begin(self, batch, logs=None):
            clock[0] += 60 * (batch == 0)  # the first batch compiles

        def on_train_batch_end(self, batch, logs=None):
            self.rates.append(float(self.model.optimizer.learning_rate))

    watch, options = Watch(), {**SMALL, "epochs": None, "minutes": 20, "verbose": True}
    model = train(Corpus.from_text(poem * 150), PLAIN, **options, learning_rate=1.0, callbacks=[watch])
    assert len(model.history) == 1
    assert watch.rates[-1] < 0.05, "the learning rate was to be annealed to the budget"
    assert max(watch.rates[:3]) < 0.2, "it was to rise batch by batch, however long the first one compiles"
    assert max(watch.rates) > 0.9
    said = capsys.readouterr().err.splitlines()[0]
    assert said.startswith("20 min allow about ")
    assert said.endswith(" passes over the training text.")


@pytest.mark.parametrize(
    ("passes", "said"), [(0.0456, "0.046 passes"), (1.04, "1 pass"), (1.06, "1.1 passes"), (1234.0, "1,200 passes")]
)
def test_passes_are_counted_in_two_digits(passes, said):
    assert tell_passes(3, passes) == f"3 min allow about {said} over the training text."


def test_a_run_without_time_for_anything_learns_from_one_batch(poem):
    model = train(Corpus.from_text(poem), PLAIN, minutes=1e-9, **{**SMALL, "epochs": None})
    assert [entry["steps"] for entry in model.history] == [1]


@pytest.mark.parametrize("batches_before", [0, 3])
def test_ctrl_c_ends_the_run_and_hands_over_the_model(poem, batches_before):
    class PressCtrlC(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == batches_before:
                os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted) as stop:
        train(Corpus.from_text(poem), PLAIN, **SMALL, callbacks=[PressCtrlC()])
    assert stop.value.signal == signal.SIGINT
    assert stop.value.model.training.state["position"]["step"] == batches_before + 1
    assert stop.value.model.sample("Shall", length=5)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_signal_during_the_last_report_interrupts_nothing(poem):
    class PressCtrlC(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == SMALL["epochs"] - 1:
                os.kill(os.getpid(), signal.SIGINT)
                pressed.append(epoch)

    pressed = []
    model = train(Corpus.from_text(poem), PLAIN, **SMALL, callbacks=[PressCtrlC()])
    assert len(model.history) == SMALL["epochs"]
    assert pressed


def test_training_works_outside_the_main_thread(poem):
    models = []
    thread = threading.Thread(target=lambda: models.append(train(Corpus.from_text(poem), PLAIN, **SMALL)))
    thread.start()
    thread.join()
    assert len(models[0].history) == 2


def test_gradients_are_clipped_by_norm_or_by_value():
    assert make_optimizer(Recipe()).global_clipnorm == 1.0
    assert [make_optimizer(Recipe(epsilon=given)).epsilon for given in (None, 1e-5)] == [1e-7, 1e-5]
    by_value = make_optimizer(Recipe(optimizer="sgd", clip_value=5.0))
    assert (by_value.clipvalue, by_value.global_clipnorm) == (5.0, None)


BAD = {
    "the optimizer sgd has no epsilon: leave it out": {"optimizer": "sgd", "epsilon": 1e-8},
    "there is no optimizer 'adamm': expected one of Keras's, such as adam, adamw, rmsprop or sgd": {
        "optimizer": "adamm"
    },
    "training diverged, the loss is not a number: try a lower `learning_rate` or a lower `clip_norm`": {
        "learning_rate": 3e38,
        "optimizer": "sgd",
        "clip_norm": None,
    },
}


@pytest.mark.parametrize(("message", "options"), BAD.items())
def test_arguments_out_of_range_and_divergence(poem, message, options):
    with pytest.raises(ValueError) as error:
        train(Corpus.from_text(poem), PLAIN, **{**SMALL, **options})
    assert str(error.value) == message
