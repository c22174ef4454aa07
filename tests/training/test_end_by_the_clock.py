"""Runs by minutes end, and stay ended, when no time is left."""

import signal

import keras
import pytest
from small import PLAIN

from shakegen.text.corpus import Corpus
from shakegen.training import Ended, Interrupted, train


@pytest.mark.parametrize(("report", "pause"), [(40, 0), (20, 30)], ids=["after a report", "with a report"])
def test_a_run_that_the_clock_ended_has_ended_however_long_its_last_report_took(poem, clock, report, pause):
    """The first report takes so long that as much is reserved for the last one, in vain."""
    corpus = Corpus.from_text(poem)

    class Slow(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            clock[0] += pause * (epoch == 1)

        def on_epoch_end(self, epoch, logs=None):
            clock[0] += report * (epoch == 0)

    model = train(corpus, PLAIN, minutes=1, callbacks=[Slow()], verbose=False)
    assert model.training.state["position"]["seconds"] < 60
    with pytest.raises(Ended) as error:
        train(corpus, resume=model, verbose=False)
    assert str(error.value).endswith("all parts of the run together, of 1 given (`minutes`); give it more")
    again = train(corpus, resume=model, minutes=1.5, verbose=False)
    assert len(again.history) > len(model.history)


def test_what_was_learned_before_a_stop_counts_when_no_time_is_left(poem, clock):
    class StopAtTheEnd(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                clock[0] += 60
                signal.raise_signal(signal.SIGINT)

    corpus, sizes = Corpus.from_text(poem), {"seq_length": 20, "batch_size": 8, "verbose": False}
    with pytest.raises(Interrupted) as stop:
        train(corpus, PLAIN, minutes=1, callbacks=[StopAtTheEnd()], **sizes)
    assert stop.value.model.history == []
    calls = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: calls.append("begin"), on_epoch_end=lambda *_: calls.append("end")
    )
    model = train(corpus, resume=stop.value.model, verbose=False, callbacks=[note])
    assert calls == ["begin", "end"]
    assert [entry["steps"] for entry in model.history] == [3]
    with pytest.raises(Ended):
        train(corpus, resume=model, verbose=False)
