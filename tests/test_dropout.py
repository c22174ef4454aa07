"""Dropout that comes into force while a network trains."""

import keras
import numpy as np
import pytest

from shakegen.config import Config
from shakegen.dropout import ScheduledDropout, scale_dropout
from shakegen.network import build
from shakegen.text import Corpus
from shakegen.training import train


def network_of(layer):
    inputs = keras.Input((None, 50))
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.1])
def test_the_rate_is_scaled_and_what_is_dropped_made_up_for(scale):
    """With a rate p, n · p outputs are 0, give or take four standard deviations; the others are 1 / (1 - p)."""
    network, n = network_of(ScheduledDropout(0.4, seed=0)), 20 * 100 * 50
    scale_dropout(network, scale)
    outputs, p = np.asarray(network(np.ones((20, 100, 50)), training=True)), 0.4 * scale
    assert abs(np.count_nonzero(outputs == 0) - n * p) < 4 * np.sqrt(n * p * (1 - p))
    assert np.allclose(outputs[outputs != 0], 1 / (1 - p))


@pytest.mark.parametrize(("scale", "training"), [(0.0, True), (1.0, False)])
def test_nothing_is_dropped_at_scale_0_and_without_training(scale, training, rng):
    network, x = network_of(ScheduledDropout(0.4)), rng.normal(size=(2, 3, 50)).astype("float32")
    scale_dropout(network, scale)
    assert np.array_equal(network(x, training=training), x)


def test_a_sequence_can_drop_the_same_at_every_step():
    outputs = np.asarray(network_of(ScheduledDropout(0.5, (None, 1, None)))(np.ones((4, 9, 50)), training=True))
    assert np.all(outputs == outputs[:, :1])
    assert not np.all(outputs == outputs[:1])


def test_the_scale_is_no_variable_of_the_network():
    network = build(Config(units=6), 11, dropout=ScheduledDropout)
    assert [layer.rate for layer in network.layers if isinstance(layer, ScheduledDropout)] == [0.4, 0.4]
    assert not any("scale" in variable.path for variable in network.variables)


def test_training_scales_dropout_as_its_recipe_says(poem):
    scales = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            (layer,) = [layer for layer in self.model.layers if isinstance(layer, ScheduledDropout)]
            scales.append(float(layer.scale.variable))

    config, options = Config("rnn", units=4, layers=1), {"seq_length": 50, "batch_size": 8, "dropout_epochs": 2.0}
    model = train(Corpus.from_text(poem), config, epochs=3, callbacks=[Look()], verbose=False, **options)
    steps = model.history[0]["steps"]
    assert len(scales) == 3 * steps
    assert steps > 3
    assert scales == pytest.approx([min(1, step / steps / 2) for step in range(len(scales))])
