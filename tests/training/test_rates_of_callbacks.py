"""A learning rate that a callback sets stays, follows the schedule, and goes on with a run that is resumed."""

import keras
import numpy as np
import pytest
from small import PLAIN, SMALL

from shakegen.text.corpus import Corpus
from shakegen.training import train


class RatesOfBatches(keras.callbacks.Callback):
    """Note the learning rate of every batch."""

    def on_train_begin(self, logs=None):
        self.rates = []

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


def test_a_rate_that_a_callback_reduces_stays_reduced_and_follows_the_schedule(poem):
    corpus, watch = Corpus.from_text(poem), RatesOfBatches()
    plain = train(corpus, PLAIN, epochs=4, callbacks=[watch], **SMALL)
    usual, steps = watch.rates, plain.history[0]["steps"]
    reduce = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.25, patience=1, min_delta=100, min_lr=0)
    reduced = train(corpus, PLAIN, epochs=4, callbacks=[watch, reduce], **SMALL)
    # No epoch is better by 100: the rate falls after each epoch but the first.
    factors = np.repeat([1, 1, 1 / 4, 1 / 16], steps)
    assert watch.rates == pytest.approx(usual * factors, rel=1e-5)
    assert reduced.history[-1]["learning_rate"] == pytest.approx(watch.rates[-1])


def test_a_run_that_goes_on_keeps_a_reduced_rate(poem):
    corpus, options = Corpus.from_text(poem), {"schedule": "constant", **SMALL}
    cut = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: halve(epoch, cut.model))
    model = train(corpus, PLAIN, epochs=2, callbacks=[cut], **options)
    assert model.training.state["position"]["rate_scale"] == 0.5
    watch = RatesOfBatches()
    model.training.state["recipe"]["epochs"] = 2
    train(corpus, resume=model, epochs=3, callbacks=[watch], verbose=False)
    assert watch.rates == pytest.approx([1e-2 / 4] * len(watch.rates), rel=1e-5)


def halve(epoch, model):
    model.optimizer.learning_rate = float(model.optimizer.learning_rate) / 2


def test_a_rate_of_zero_is_left_again(poem):
    watch = RatesOfBatches()
    warm_up = keras.callbacks.LearningRateScheduler(lambda epoch: 0.02 * epoch)
    model = train(Corpus.from_text(poem), PLAIN, epochs=3, schedule="constant", callbacks=[warm_up, watch], **SMALL)
    steps = model.history[0]["steps"]
    assert watch.rates == pytest.approx(np.repeat([0, 0.02, 0.04], steps), rel=1e-5)
