"""Dropout that comes into force while a network trains."""

import keras
import numpy as np
import pytest

from shakegen.config import Config
from shakegen.dropout import RisingDropout, put_in_force
from shakegen.network import build


def network_of(layer):
    inputs = keras.Input((None, 50))
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
def test_the_share_in_force_is_dropped_and_the_rest_made_up_for(share):
    """With a rate p, n · p outputs are 0, give or take four standard deviations; the others are 1 / (1 - p)."""
    network, n = network_of(RisingDropout(0.4, seed=0)), 20 * 100 * 50
    put_in_force(network, share)
    outputs, p = np.asarray(network(np.ones((20, 100, 50)), training=True)), 0.4 * share
    assert abs(np.count_nonzero(outputs == 0) - n * p) < 4 * np.sqrt(n * p * (1 - p))
    assert np.allclose(outputs[outputs != 0], 1 / (1 - p))


@pytest.mark.parametrize(("share", "training"), [(0.0, True), (1.0, False)])
def test_nothing_is_dropped_without_a_share_and_without_training(share, training, rng):
    network, x = network_of(RisingDropout(0.4)), rng.normal(size=(2, 3, 50)).astype("float32")
    put_in_force(network, share)
    assert np.array_equal(network(x, training=training), x)


def test_a_sequence_can_drop_the_same_at_every_step():
    outputs = np.asarray(network_of(RisingDropout(0.5, (None, 1, None)))(np.ones((4, 9, 50)), training=True))
    assert np.all(outputs == outputs[:, :1])
    assert not np.all(outputs == outputs[:1])


def test_the_share_is_no_weight_and_is_not_saved(tmp_path):
    network = build(Config(units=6), 11)
    assert [layer.rate for layer in network.layers if isinstance(layer, RisingDropout)] == [0.4, 0.4]
    put_in_force(network, 0.0)
    assert not any("share" in variable.path for variable in network.variables)
    network.save(tmp_path / "network.keras")
    layers = keras.models.load_model(tmp_path / "network.keras").layers
    shares = [float(layer.share.variable) for layer in layers if isinstance(layer, RisingDropout)]
    assert shares == [1.0, 1.0]
