"""The gradients by past states, and what clipping does to those of the weights."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from shakegen import layers
from shakegen.cells import BUILT_IN
from shakegen.lab import cells, gradients
from shakegen.lab.backpropagation import clip_gradients, network_state_gradients, state_gradients
from shakegen.network.build import build
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus

N, T, INPUTS, H, V = 2, 7, 3, 4, 5
KINDS = {
    "rnn": lambda: layers.SimpleRNN(H, return_sequences=True, dtype="float64"),
    "irnn": lambda: layers.SimpleRNN(H, activation="relu", return_sequences=True, dtype="float64"),
    "lstm": lambda: layers.LSTM(H, return_sequences=True, dtype="float64"),
    "gru": lambda: layers.GRU(H, return_sequences=True, dtype="float64"),
    "gru reset before": lambda: layers.GRU(H, reset_after=False, return_sequences=True, dtype="float64"),
    "nlstm": lambda: layers.NLSTM(H, depth=3, return_sequences=True, dtype="float64"),
}


@pytest.fixture
def task(rng):
    """Inputs, targets, and a read-out with its loss."""
    kernel = tf.constant(rng.normal(size=(H, V)))
    targets = rng.integers(V, size=N)

    def loss(h):
        return float(tf.reduce_sum(keras.ops.sparse_categorical_crossentropy(targets, h @ kernel, from_logits=True)))

    return tf.constant(rng.normal(size=(N, T, INPUTS))), targets, (lambda h: h @ kernel), loss


def weighted(layer, inputs, rng):
    layer.build((N, None, inputs))
    layer.set_weights([rng.normal(0, 0.7, weight.shape) for weight in layer.get_weights()])
    layer.compiled_loop = False  # so that nothing has to be compiled for each length
    return layer


def differences(f, array, epsilon=1e-6):
    """The gradient of f by an array, by central differences."""
    found = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        ends = []
        for sign in (1, -1):
            moved = array.copy()
            moved[place] += sign * epsilon
            ends.append(f(moved))
        found[place] = (ends[0] - ends[1]) / (2 * epsilon)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_by_every_state_of_a_layer_against_finite_differences(kind, task, rng):
    x, targets, read_out, loss = task
    layer = weighted(KINDS[kind](), INPUTS, rng)
    (found,) = state_gradients([layer], read_out, x, targets)
    layer.return_state = True
    for lag in (1, 3):
        _, *states = layer(x[:, : T - lag])
        states = [np.asarray(state) for state in states]
        assert len(found) == len(states)
        for number, state in enumerate(states):

            def run(moved, number=number, states=states, lag=lag):
                starts = [moved if k == number else s for k, s in enumerate(states)]
                return loss(layer(x[:, T - lag :], initial_state=list(map(tf.constant, starts)))[0][:, -1])

            assert found[number].shape == (T, N, H)
            np.testing.assert_allclose(found[number][lag], differences(run, state), atol=1e-7)


@pytest.mark.parametrize("residual", [False, True])
def test_through_the_layers_above(task, rng, residual):
    x, targets, read_out, loss = task
    lower, upper = weighted(KINDS["gru"](), INPUTS, rng), weighted(KINDS["lstm"](), H, rng)
    found, _ = state_gradients([lower, upper], read_out, x, targets, residual)
    outputs = lower(x).numpy()
    for lag in (0, 1, 3):
        last = T - 1 - lag

        def run(moved, last=last):
            hidden = [outputs[:, :last], moved[:, None]]
            if last < T - 1:
                hidden.append(lower(x[:, last + 1 :], initial_state=tf.constant(moved)))
            hidden = tf.concat(hidden, axis=1)
            return loss((upper(hidden) + (hidden if residual else 0))[:, -1])

        np.testing.assert_allclose(found[0][lag], differences(run, outputs[:, last]), atol=1e-7)


@pytest.mark.parametrize("embedding", [0, 3])
def test_of_a_network_at_lag_0_they_are_those_of_the_read_out(rng, embedding):
    config = Config("gru", units=6, layers=2, embedding=embedding, dropout=0.5)
    network = build(config, V)
    ids = rng.integers(V, size=(3, 9))
    probabilities = tf.nn.softmax(network(ids[:, :-1])[:, -1]).numpy()
    expected = (probabilities - np.eye(V)[ids[:, -1]]) @ network.get_layer("dense").get_weights()[0].T
    found = network_state_gradients(network, config, ids)
    assert [len(layer) for layer in found] == [1, 1]
    np.testing.assert_allclose(found[1][0][0], expected, atol=1e-6)


def test_clipping_by_norm_keeps_the_direction_and_by_value_the_small_elements(rng):
    raw = [tf.constant(rng.normal(0, 4, (3, 4))), tf.constant(rng.normal(0, 4, 5))]
    flat = np.concatenate([g.numpy().ravel() for g in raw])
    by_value = np.concatenate([g.numpy().ravel() for g in clip_gradients(raw, "value", 2.0, 1.0)])
    by_norm = np.concatenate([g.numpy().ravel() for g in clip_gradients(raw, "norm", 2.0, 1.0)])
    np.testing.assert_array_equal(by_value, np.clip(flat, -2, 2))
    np.testing.assert_allclose(by_norm, flat / np.linalg.norm(flat))
    assert all(a is b for a, b in zip(raw, clip_gradients(raw, "none", 2.0, 1.0)))


def test_cells_before_and_after_training(poem):
    settings = gradients.GradientSettings(lags=9, sequences=8, updates=8, seq_length=12, batch_size=8, clip_norm=0.05)
    corpus = Corpus.from_text(poem)
    found = gradients.of_cells(["lstm"], corpus, 6, settings)
    assert [(row["network"], row["training"]) for row in found.rows] == [("lstm", "before"), ("lstm", "after")]
    assert [(c["when"], c["state"]) for c in found.curves] == [
        ("before", "h"), ("before", "c"), ("after", "h"), ("after", "c"),
    ]  # fmt: skip
    untrained = build(cells.make_config("lstm", 6), len(corpus.vocabulary), 0)
    ((h, c),) = network_state_gradients(
        untrained, cells.make_config("lstm", 6), settings.cut_windows(corpus.validation)
    )
    for curve, state in zip(found.curves, (h, c)):
        np.testing.assert_allclose(curve["median"], np.median(np.linalg.norm(state, axis=2), axis=1), rtol=1e-5)
    free, by_value, by_norm = found.clipping
    assert free == by_value | {"clipping": "none"}  # no element comes near 5
    assert free["updates_clipped"] == 0
    assert by_norm["updates_clipped"] == 1
    assert by_norm["largest_norm_left"] == pytest.approx(0.05)
    assert by_norm["smallest_cosine"] == pytest.approx(1)
    assert free["largest_norm"] > 0.05
    assert [panel.title for panel in found.figure().panels] == ["before training", "after training"]


def test_the_command_looks_at_a_model_file(shakegen, random_model, tmp_path, poem):
    model = random_model(Config("nlstm", units=5, layers=2))
    model.save(tmp_path / "model.h5")
    (tmp_path / "poem.txt").write_text("".join(c for c in poem.lower() if c in model.vocabulary), encoding="utf-8")
    options = ("--corpus", "poem.txt", "--lags", 6, "--updates", 2, "--seq-length", 8)
    found = json.loads(shakegen("lab", "gradients", "model.h5", *options, "--json").stdout)
    assert [(row["layer"], row["training"]) for row in found["rows"]] == [
        (1, "before"), (2, "before"), (1, "after"), (2, "after"),
    ]  # fmt: skip
    assert [row["clipping"] for row in found["clipping"]] == ["none", "value", "norm"] * 2


def test_a_model_with_blocks_is_refused(random_model, poem):
    with pytest.raises(ValueError) as error:
        gradients.of_model(random_model(Config("mingru", units=5, mlp=1)), poem, "m.h5")
    assert str(error.value) == "m.h5 has blocks around its cells: expected a model of cells alone"


BAD = {
    f"there is no cell 'elman': expected one of {', '.join(BUILT_IN)}, or module:Class for one of your own, or a "
    "model from `shakegen models`": ("elman",),
    "no model none.h5: expected a file that `shakegen train` wrote (see `shakegen models`)": ("none.h5",),
    "lags is 0: expected 1 or more": ("gru", "--lags", "0"),
    "clip norm is -1.0: expected a number above 0": ("gru", "--clip-norm", "-1"),
    "the text to look at has 50 characters, but 60 lags need 62: try a longer text or fewer --lags": (
        "gru", "--corpus", "short.txt"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, tmp_path, message, arguments):
    (tmp_path / "short.txt").write_text("abcd\n" * 200, encoding="utf-8")
    result = shakegen("lab", "gradients", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")
