"""Dropout whose rate can be changed, and is less where a text is read a few times only."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from shakegen.layers.dropout import ScaledDropout, scale_dropout
from shakegen.network.build import build
from shakegen.network.config import DROPOUT, Config
from shakegen.text.corpus import Corpus
from shakegen.text.windows import Passages
from shakegen.training import train
from shakegen.training.recipe import EPOCHS, FEW_EPOCHS, GROWTH, Recipe


def network_of(layer):
    inputs = keras.Input((None, 50))
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.1])
def test_the_rate_is_scaled_and_what_is_dropped_made_up_for(scale):
    """With a rate p, n · p outputs are 0, give or take four standard deviations; the others are 1 / (1 - p)."""
    network, n = network_of(ScaledDropout(0.4, seed=0)), 20 * 100 * 50
    scale_dropout(network, scale)
    outputs, p = np.asarray(network(np.ones((20, 100, 50)), training=True)), 0.4 * scale
    assert abs(np.count_nonzero(outputs == 0) - n * p) < 4 * np.sqrt(n * p * (1 - p))
    assert np.allclose(outputs[outputs != 0], 1 / (1 - p))


@pytest.mark.parametrize(("scale", "training"), [(0.0, True), (1.0, False)])
def test_nothing_is_dropped_at_scale_0_and_without_training(scale, training, rng):
    network, x = network_of(ScaledDropout(0.4)), rng.normal(size=(2, 3, 50)).astype("float32")
    scale_dropout(network, scale)
    assert np.array_equal(network(x, training=training), x)


def test_random_numbers_are_drawn_only_where_something_is_dropped(rng):
    network, x = network_of(ScaledDropout(0.4)), tf.constant(rng.normal(size=(2, 3, 50)), tf.float32)
    graph = tf.function(lambda x: network(x, training=True)).get_concrete_function(x).graph
    always = [operation.type for operation in graph.get_operations()]
    in_branches = [node.op for function in graph.as_graph_def().library.function for node in function.node_def]
    draws = [sum("RandomUniform" in kind for kind in kinds) for kinds in (always, in_branches)]
    assert draws == [0, 1]


def test_a_sequence_can_drop_the_same_at_every_step():
    outputs = np.asarray(network_of(ScaledDropout(0.5, (None, 1, None)))(np.ones((4, 9, 50)), training=True))
    assert np.all(outputs == outputs[:, :1])
    assert not np.all(outputs == outputs[:1])


def test_the_scale_is_no_variable_of_the_network():
    network = build(Config(units=6), 11, dropout=ScaledDropout)
    assert [layer.rate for layer in network.layers if isinstance(layer, ScaledDropout)] == [DROPOUT, DROPOUT]
    assert not any("scale" in variable.path for variable in network.variables)


def rates_of(poem, config, **options):
    """The rate of dropout at every step of a run."""
    rates = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            (layer,) = [layer for layer in self.model.layers if isinstance(layer, keras.layers.Dropout)]
            scaled = isinstance(layer, ScaledDropout)
            rates.append(layer.rate * float(layer.scale.variable) if scaled else layer.rate)

    options = {"seq_length": 50, "batch_size": 8, "callbacks": [Look()], "verbose": False, **options}
    train(Corpus.from_text(poem), Config("rnn", units=4, layers=1, **config), **options)
    return rates


def usual(poem, epochs):
    """The rate in a run of `rates_of`, and the batches in an epoch of it."""
    recipe, corpus = Recipe(), Corpus.from_text(poem)
    steps = Passages(corpus.train, length=50, batch_size=8, passage=recipe.passage).steps
    weights = build(Config("rnn", units=4, layers=1), len(corpus.vocabulary)).count_params()
    return DROPOUT * recipe.dropout_scale(epochs, weights / (steps * 50 * 8)), steps


@pytest.mark.parametrize(
    ("options", "epochs"),
    [({"epochs": FEW_EPOCHS}, FEW_EPOCHS), ({"epochs": 11}, 11), ({"epochs": 3, "schedule": "constant"}, EPOCHS)],
)
def test_the_usual_dropout_is_that_of_the_epochs_of_a_run(poem, options, epochs):
    rates, (expected, _) = rates_of(poem, {}, **options), usual(poem, epochs)
    assert len(rates) > 3
    assert rates == pytest.approx([expected] * len(rates))
    assert (expected > 0) == (epochs > FEW_EPOCHS)


def test_a_saved_network_drops_as_much_as_it_did():
    inputs = keras.Input((3,))
    network = keras.Model(inputs, ScaledDropout(0.5, name="dropout")(inputs))
    scale_dropout(network, 0.25)
    assert keras.models.clone_model(network).get_layer("dropout").rate == 0.125
    assert network.get_layer("dropout").rate == 0.5


def test_dropout_that_is_asked_for_stays(poem):
    assert set(rates_of(poem, {"dropout": 0.25}, epochs=3)) == {0.25}


def test_by_the_clock_the_usual_dropout_is_that_of_as_many_epochs_as_there_is_time_for(poem, clock):
    """A minute, of which every batch takes a second: 60 batches; how long one takes is not known before the second."""
    rates = rates_of(poem, {}, minutes=1)
    (before, steps), (after, _) = usual(poem, EPOCHS), usual(poem, 60 / usual(poem, 1)[1])
    assert 4 < steps < len(rates) < 62
    assert rates[:2] == pytest.approx([before] * 2)
    assert rates[2:] == pytest.approx([after] * (len(rates) - 2))


@pytest.mark.parametrize("weights", [0.01, 0.3, 2.0])
def test_the_usual_dropout_follows_from_epochs_and_weights(weights):
    def rate(epochs, weights=weights, **options):
        return DROPOUT * Recipe(**options).dropout_scale(epochs, weights)

    digits = {"abs": DROPOUT / 60}  # the scale has two
    assert rate(FEW_EPOCHS) == rate(1) == 0
    assert rate(20) - rate(10) == pytest.approx(GROWTH * weights**0.5, **digits)
    assert rate(10, weights / 4) == pytest.approx(rate(10) / 2, **digits)
    assert rate(10_000, 1e6) == DROPOUT
    assert rate(None) == rate(3, schedule="constant") == rate(90, schedule="constant") == rate(EPOCHS)
