"""The gradients by past states, and what clipping does to those of the weights."""

import json

import numpy as np
import pytest
import tensorflow as tf

from shakegen.cells import BUILT_IN
from shakegen.cells.graph import trace
from shakegen.cells.program import evaluate
from shakegen.inference.engine import Engine
from shakegen.inference.layers import layers_of
from shakegen.lab import cells, gradients
from shakegen.lab.backpropagation import state_gradients
from shakegen.lab.clipping import Trials, clip_gradients
from shakegen.network.build import build, named_weights
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus

N, T, H, V = 2, 7, 4, 5
KINDS = {
    "rnn": {}, "irnn": {"activation": "relu"}, "lstm": {}, "gru": {}, "gru before": {"reset_after": False},
    "nlstm": {"depth": 3}, "layers": {"layers": 2}, "residual": {"layers": 2, "residual": True},
    "block": {"layers": 2, "residual": True, "convolution": 3, "mlp": 1}, "start": {"learn_initial_state": True},
}  # fmt: skip
CELLS = {"irnn": "rnn", "gru before": "gru", "layers": "lstm", "residual": "gru", "block": "lstm", "start": "gru"}


def stepped(config, weights, ids, moved=None):
    """The loss of a network by its equations in numpy; `moved` adds to a state: (step, layer, name, by)."""
    layers = list(layers_of(config, weights))
    graphs = [trace(cell, inputs) for cell, _, inputs in layers]
    states = [
        {
            name: np.tile(own.get(f"initial_state_{k}", np.zeros(H)), (len(ids), 1))
            for k, name in enumerate(graph.states)
        }
        for graph, (_, own, _) in zip(graphs, layers)
    ]
    table = weights.get("embedding/embeddings", np.eye(V))
    for step, read in enumerate(ids[:, :-1].T):
        hidden = table[read]
        for number, (graph, (_, own, _)) in enumerate(zip(graphs, layers)):
            values = {graph.x: hidden} | {one: states[number][name] for name, one in graph.states.items()}
            values |= {one: own[name] for name, one in graph.weights.items()}
            for name, one in reversed(graph.after.items()):  # memories first, for h is made from them
                evaluate([one], values)
                if moved and moved[:3] == (step, number, name):
                    values[one] = values[one] + moved[3]
            states[number] = {name: values[one] for name, one in graph.after.items()}
            output = next(iter(states[number].values()))
            hidden = output + hidden if config.adds_layers and number else output
    logits = hidden @ weights["dense/kernel"] + weights["dense/bias"]
    return float(np.sum(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(ids)), ids[:, -1]]))


@pytest.mark.parametrize("kind", KINDS)
def test_by_every_state_of_every_layer_against_finite_differences(kind, rng):
    options = {"layers": 1, "residual": False, **KINDS[kind]}
    config = Config(CELLS.get(kind, kind), units=H, dropout=0.0, **options)
    weights = {name: rng.normal(0, 0.7, shape) for name, shape in config.weight_shapes(V).items()}
    ids = rng.integers(V, size=(N, T + 1))
    found = state_gradients(config, weights, ids)
    assert [list(layer) for layer in found] == [list(config.make_cell().state_names)] * config.layers
    for number, layer in enumerate(found):
        for name, gradient in layer.items():
            assert gradient.shape == (T, N, H)
            for lag, way in ((0, 1), (1, 0), (3, 2)):
                by = np.zeros((N, H))
                by[:, way] = 1e-5
                up, down = (stepped(config, weights, ids, (T - 1 - lag, number, name, by * sign)) for sign in (1, -1))
                assert gradient[lag, :, way].sum() == pytest.approx((up - down) / 2e-5, abs=1e-7)


@pytest.mark.parametrize("embedding", [0, 3])
def test_of_a_network_at_lag_0_they_are_those_of_the_read_out(rng, embedding):
    config = Config("gru", units=6, layers=2, embedding=embedding, dropout=0.5)
    network = build(config, V)
    ids = rng.integers(V, size=(3, 9))
    probabilities = tf.nn.softmax(network(ids[:, :-1])[:, -1]).numpy()
    expected = (probabilities - np.eye(V)[ids[:, -1]]) @ network.get_layer("dense").get_weights()[0].T
    found = state_gradients(config, named_weights(config, network), ids)
    np.testing.assert_allclose(found[1]["h"][0], expected, atol=1e-6)


def test_clipping_by_norm_keeps_the_direction_and_by_value_the_small_elements(rng):
    raw = [tf.constant(rng.normal(0, 4, (3, 4))), tf.constant(rng.normal(0, 4, 5))]
    flat = np.concatenate([g.numpy().ravel() for g in raw])
    by_value = np.concatenate([g.numpy().ravel() for g in clip_gradients(raw, "value", 2.0, 1.0)])
    by_norm = np.concatenate([g.numpy().ravel() for g in clip_gradients(raw, "norm", 2.0, 1.0)])
    np.testing.assert_array_equal(by_value, np.clip(flat, -2, 2))
    np.testing.assert_allclose(by_norm, flat / np.linalg.norm(flat))
    assert all(a is b for a, b in zip(raw, clip_gradients(raw, "none", 2.0, 1.0)))


def test_cells_before_and_after_training(poem):
    settings = gradients.GradientSettings(
        lags=9, sequences=8, updates=4, seq_length=12, batch_size=8, clip_norm=0.05, repeats=2
    )
    corpus = Corpus.from_text(poem)
    found = gradients.of_cells(["lstm"], corpus, 6, settings)
    assert [(row["network"], row["training"]) for row in found.rows] == [("lstm", "before"), ("lstm", "after")]
    assert [(c["when"], c["state"]) for c in found.curves] == [
        ("before", "h"), ("before", "c"), ("after", "h"), ("after", "c"),
    ]  # fmt: skip
    config, windows = cells.make_config("lstm", 6), settings.cut_windows(corpus.validation)
    untrained = [build(config, len(corpus.vocabulary), state) for state in (0, 1)]
    states = [state_gradients(config, named_weights(config, one), windows)[0] for one in untrained]
    for curve, name in zip(found.curves, "hc"):
        norms = np.concatenate([np.linalg.norm(state[name], axis=2) for state in states], axis=1)
        np.testing.assert_allclose(curve["median"], np.median(norms, axis=1), rtol=1e-5)
    weights = named_weights(config, untrained[0])
    forget = Engine(config, weights).activations(corpus.validation[: gradients.READ])[0]["f"]
    (gate,) = [row for row in found.gates if (row["training"], row["gate"]) == ("before", "f")]
    assert gate["mean"].values[0] == pytest.approx(forget.mean())
    assert gate["highest_unit"].values[0] == pytest.approx(forget.mean(axis=0).max())
    free, by_value, by_norm = found.clipping
    assert free == by_value | {"clipping": "none"}  # no element comes near 5
    assert free["updates_clipped"].mean == 0
    assert by_norm["updates_clipped"].mean == 1
    assert by_norm["largest_norm_left"] == pytest.approx(0.05)
    assert by_norm["smallest_cosine"] == pytest.approx(1)
    assert free["largest_norm"] > 0.05
    assert [panel.title for panel in found.figure().panels] == ["before training", "after training"]


def test_networks_learn_with_their_zoneout_the_same_in_every_run(rng):
    """Without it, the first loss would be that of a network that only reads."""
    settings, ids = gradients.GradientSettings(updates=1, seq_length=9, batch_size=4), rng.integers(V, size=99)
    network = build(cells.make_config("gru:zoneout=0.5", H), V)
    start, read = network.get_weights(), Trials(network, settings, learns=False, symbol="character")
    trials, losses = Trials(network, settings, learns=True, symbol="character"), []
    losses.append(read.run(settings, ids)["none"]["bits_per_character"])
    for _ in range(2):
        network.set_weights(start)
        losses.append(trials.run(settings, ids)["none"]["bits_per_character"])
    assert losses[1] == losses[2] != losses[0]


@pytest.mark.parametrize(("level", "column"), [("char", "bits_per_character"), ("word", "bits_per_word")])
def test_losses_are_called_by_what_they_count(poem, level, column):
    corpus, lines = Corpus.from_text(poem, level=level), []
    settings = gradients.GradientSettings(lags=1, sequences=2, updates=1, seq_length=4, batch_size=2, repeats=2)
    found = gradients.of_cells(["rnn"], corpus, 3, settings, lines.append)
    assert all(row[column].mean > 0 for row in found.clipping)
    assert lines[0].endswith(f" bits/{level}")
    assert [row["factor_per_step"] for row in found.rows] == [None, None], "one lag has no factor, and none diverged"


def test_the_factor_per_step_is_that_of_the_lags():
    assert gradients.find_factor(2.0 * 0.5 ** np.arange(5)) == pytest.approx(0.5)
    assert gradients.find_factor(np.array([1.0, 0.0, 0.0])) is None
    assert np.isnan(gradients.find_factor(np.full(3, np.nan)))


def test_the_command_looks_at_a_model_file(shakegen, random_model, tmp_path, poem):
    model = random_model(Config("gru", units=5, layers=2, convolution=2, mlp=1))
    model.save(tmp_path / "model.h5")
    (tmp_path / "poem.txt").write_text("".join(c for c in poem.lower() if c in model.vocabulary), encoding="utf-8")
    options = ("--corpus", "poem.txt", "--lags", 6, "--updates", 2, "--seq-length", 8)
    (tmp_path / "model.h5").rename(tmp_path / "named-otherwise")
    found = json.loads(shakegen("lab", "gradients", "named-otherwise", *options, "--json").stdout)
    assert [(row["layer"], row["training"]) for row in found["rows"]] == [
        (1, "before"), (2, "before"), (1, "after"), (2, "after"),
    ]  # fmt: skip
    assert [row["clipping"] for row in found["clipping"]] == ["none", "value", "norm"] * 2


BAD = {
    f"there is no cell 'elman': expected one of {', '.join(BUILT_IN)}, or module:Class for one of your own, or a "
    "model from `shakegen models`": ("elman",),
    "no model none.h5: expected a file that `shakegen train` wrote (see `shakegen models`)": ("none.h5",),
    "lags is 0: expected 1 or more": ("gru", "--lags", "0"),
    "clip norm is -1.0: expected a number above 0": ("gru", "--clip-norm", "-1"),
    "the text to look at has 50 symbols, but 60 lags need 62: try a longer text or fewer --lags": (
        "gru", "--corpus", "short.txt"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, tmp_path, message, arguments):
    (tmp_path / "short.txt").write_text("abcd\n" * 200, encoding="utf-8")
    result = shakegen("lab", "gradients", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")


def test_gradients_that_32_bits_cannot_hold_are_measured():
    config = Config("rnn", units=H, layers=1, dropout=0)
    network, ids = build(config, V), np.arange(60) % V
    network.get_layer("layer1").cell.recurrent_kernel.assign(0.01 * np.eye(H))
    (norms,) = gradients.look("rnn", network, config, ids[None, :42], ids, "before").norms.values()
    assert norms.min() > 0
    assert norms.min() < 1e-60
