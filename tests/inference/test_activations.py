"""What the engine shows of its cells against Keras: the states that its layers return, and the equations' gates."""

import keras
import numpy as np
import pytest

from shakegen.inference import Engine
from shakegen.network.build import build
from shakegen.network.config import Config

V, H, T = 9, 5, 12
CONFIGS = [
    Config("rnn", H, layers=2),
    Config("rnn", H, activation="relu"),
    Config("lstm", H, layers=2, learn_initial_state=True),
    Config("gru", H, layers=2, residual=True),
    Config("gru", H, reset_after=False, learn_initial_state=True),
    Config("nlstm", H, layers=2, depth=1),
    Config("nlstm", H, depth=3, embedding=4, learn_initial_state=True),
]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def keras_layers(config, weights, ids):
    """For each layer: its inputs (T, ·), its weights, and its states, of shape (T + 1, H) each, from the start on."""
    model = build(config, V)
    model.set_weights(list(weights.values()))
    x = model.get_layer("embedding")(ids[None]) if config.embedding else keras.ops.one_hot(ids[None], V)
    for number in range(1, config.layers + 1):
        layer = model.get_layer(f"layer{number}")
        states = layer.get_initial_state(1)
        steps, outputs = [states], []
        for t in range(T):
            output, states = layer.cell(x[:, t], states)
            steps.append(states)
            outputs.append(output)
        prefix = f"layer{number}/"
        own = {name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)}
        yield np.asarray(x)[0], own, [np.concatenate([np.asarray(s[k]) for s in steps]) for k in range(len(states))]
        above = keras.ops.stack(outputs, axis=1)
        x = above + x if config.residual and number > 1 else above


def gates(x, h, weights, level=""):
    """The gates of an LSTM's level, i f g o, before g's activation."""
    z = x @ weights[f"kernel{level}"] + h @ weights[f"recurrent_kernel{level}"] + weights[f"bias{level}"]
    i, f, g, o = np.split(z, 4, axis=1)
    return {"i": sigmoid(i), "f": sigmoid(f), "g": g, "o": sigmoid(o)}


def expected(config, x, weights, states):
    """What a layer should show, from the equations and Keras's own states before and after each step."""
    h, *memories = (state[:-1] for state in states)
    found = {"h": states[0][1:]}
    if config.cell == "gru":
        found |= gru(config, x, h, weights)
    elif config.cell == "lstm":
        found |= gates(x, h, weights) | {"c": states[1][1:]}
        found["g"] = np.tanh(found["g"])
    elif config.cell == "nlstm":
        for level, c in enumerate(memories):
            own = gates(x, h, weights, f"_{level}" if level else "")
            own["g"] = np.tanh(own["g"]) if level else own["g"]
            found |= {f"{name}{level}": value for name, value in own.items()} | {f"c{level}": states[1 + level][1:]}
            x, h = own["i"] * own["g"], own["f"] * c
    return found


def gru(config, x, h, weights):
    biases = weights["bias"] if config.reset_after else (weights["bias"], np.zeros(3 * H))
    of_x, of_h = x @ weights["kernel"] + biases[0], h @ weights["recurrent_kernel"] + biases[1]
    z, r = (sigmoid((of_x + of_h)[:, k * H : (k + 1) * H]) for k in (0, 1))
    candidate = r * of_h[:, 2 * H :] if config.reset_after else (r * h) @ weights["recurrent_kernel"][:, 2 * H :]
    return {"z": z, "r": r, "g": np.tanh(of_x[:, 2 * H :] + candidate)}


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_gates_memories_and_outputs_are_those_of_keras(config, random_weights):
    weights = random_weights(config, V)
    ids = np.random.default_rng(4).integers(V, size=T)
    found = Engine(config, weights).activations(ids)
    assert len(found) == config.layers
    for shown, layer in zip(found, keras_layers(config, weights, ids)):
        wanted = expected(config, *layer)
        assert set(shown) == set(wanted)
        for name, values in wanted.items():
            assert shown[name].shape == (T, H)
            np.testing.assert_allclose(shown[name], values, atol=1e-5, err_msg=name)


def test_looking_on_changes_nothing(random_weights):
    config = Config("nlstm", H, layers=2)
    engine = Engine(config, random_weights(config, V))
    ids = np.random.default_rng(5).integers(V, size=T)
    before, state = engine.prime(ids)
    before = before.copy()
    engine.activations(ids)
    assert np.array_equal(engine.prime(ids)[0], before)
    logits, _ = engine.step(ids[:1], state)
    assert np.array_equal(logits, engine.prime([*ids, ids[0]])[0])


@pytest.mark.parametrize("ids", [[], [3]], ids=str)
def test_there_is_a_row_for_each_symbol_of_a_list(ids, random_weights):
    config = Config("lstm", H, layers=1)
    (found,) = Engine(config, random_weights(config, V)).activations(ids)
    assert {values.shape for values in found.values()} == {(len(ids), H)}


def test_a_part_of_the_text_and_some_of_the_names(random_weights):
    config = Config("lstm", H, layers=2)
    engine = Engine(config, random_weights(config, V))
    ids = np.random.default_rng(6).integers(V, size=T)
    whole = engine.activations(ids)
    _, state = engine.prime(ids[:5])
    part = engine.activations(ids[5:], ["c", "o"], state)
    for all_names, some in zip(whole, part):
        assert set(some) == {"c", "o"}
        for name, values in some.items():
            np.testing.assert_allclose(values, all_names[name][5:], atol=1e-6)
