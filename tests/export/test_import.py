"""Keras models that were made elsewhere become models that write."""

import importlib.util
import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from shakegen.export.keras_file import load_keras, make_keras, read_keras, read_symbols
from shakegen.layers import NLSTM
from shakegen.model import load
from shakegen.network.config import Config

SYMBOLS = list("abcdefg ")
V = len(SYMBOLS)


def textbook(*layers, inputs=None):
    network = keras.Sequential([keras.Input((None, V)) if inputs is None else inputs, *layers])
    rng = np.random.default_rng(0)
    network.set_weights([0.4 * rng.normal(size=weight.shape) for weight in network.get_weights()])
    return network


@pytest.mark.parametrize(
    "network",
    [
        lambda: textbook(keras.layers.LSTM(5), keras.layers.Dense(V, "softmax"), inputs=keras.Input((10, V))),
        lambda: textbook(
            keras.layers.Embedding(V, 3),
            keras.layers.GRU(4, return_sequences=True),
            keras.layers.Dropout(0.2),
            keras.layers.GRU(4, return_sequences=True),
            keras.layers.Dense(V),
            inputs=keras.Input((None,), dtype="int32"),
        ),
        lambda: textbook(
            keras.layers.SimpleRNN(4, return_sequences=True), keras.layers.Dense(V), keras.layers.Softmax()
        ),
        lambda: textbook(NLSTM(4, depth=3), keras.layers.Dense(V), keras.layers.Activation("softmax")),
        lambda: textbook(
            keras.layers.SimpleRNN(4, activation="relu", stateful=True),
            keras.layers.Dense(V),
            inputs=keras.Input((10, V), batch_size=4),
        ),
    ],
    ids=["lstm, the last step", "gru, embedding", "rnn", "nlstm", "relu, stateful"],
)
def test_a_textbook_model_is_read(network):
    network = network()
    model = read_keras(network, SYMBOLS)
    assert model.parameters == network.count_params()
    assert len(model.sample("abc", 20, 1.0, 0)) == 20


@pytest.mark.parametrize(
    "config",
    [
        Config("gru", 4, layers=3),
        Config("gru", 4, residual=False, embedding=3, reset_after=False, learn_initial_state=True),
        Config("lstm", 4, layer_norm=True, zoneout=0.2),
        Config("nlstm", 4, layers=1, residual=False, depth=3, learn_initial_state=True),
    ],
    ids=lambda config: config.cell,
)
def test_a_model_that_was_exported_comes_back(config, random_model):
    model = random_model(config)
    back = read_keras(make_keras(model), model.vocabulary.to_json())
    assert back.config == config
    assert all((back.weights[name] == weight).all() for name, weight in model.weights.items())


def test_a_network_without_inputs_is_refused(shakegen, tmp_path):
    keras.Sequential([keras.layers.LSTM(5), keras.layers.Dense(V)]).save(tmp_path / "never.keras")
    (tmp_path / "symbols.JSON").write_text(json.dumps(SYMBOLS), encoding="utf-8")
    result = shakegen("import", "never.keras", "--symbols", "symbols.JSON")
    said = "the network has no inputs yet: begin it with a keras.Input, or train it, before it is saved"
    assert (result.exit_code, result.stderr) == (1, f"Error: {said}\n")


def test_symbols_may_be_those_of_any_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("bé".encode("latin-1"))
    assert read_symbols(tmp_path / "a.txt", "latin-1") == ["b", "é"]
    assert "é" not in read_symbols(Path("sonnets"))
    (tmp_path / "b.json").write_text('["a", "é"]', encoding="utf-16")
    assert read_symbols(tmp_path / "b.json") == ["a", "é"]


def test_layers_that_are_added_in_another_way_are_refused():
    inputs = keras.Input((None, V))
    first = keras.layers.GRU(4, return_sequences=True)(inputs)
    second = keras.layers.GRU(4, return_sequences=True)(first)
    network = keras.Model(inputs, keras.layers.Dense(V)(keras.layers.add([second, second])))
    with pytest.raises(ValueError, match="something else than its layers say: its outputs differ by"):
        read_keras(network, SYMBOLS)


def test_the_command_reads_a_keras_file(shakegen, tmp_path):
    textbook(keras.layers.LSTM(5), keras.layers.Dense(V, "softmax")).save("mine.keras")
    Path("symbols.json").write_text(json.dumps(SYMBOLS), encoding="utf-8")
    Path("text.txt").write_text("a bad cafe\nfed a gag"[::-1].replace("\n", " "), encoding="utf-8")
    for symbols in ("symbols.json", "text.txt"):
        result = shakegen("import", "mine.keras", "--symbols", symbols, "-o", f"{symbols}.h5")
        assert (result.exit_code, result.stderr) == (0, f"Saved: {symbols}.h5, a lstm of 328 weights\n")
    assert re.search("^corpus +unknown$", shakegen("info", "text.txt.h5").stdout, re.MULTILINE)
    by_list, by_text = load("symbols.json.h5"), load("text.txt.h5")
    assert by_list.vocabulary == by_text.vocabulary
    last = by_list.vocabulary.symbols.index("g")
    np.testing.assert_array_equal(by_list.weights["dense/bias"][last], by_text.weights["dense/bias"][6])
    assert shakegen("sample", "-m", "text.txt.h5", "--seed", "ab", "--length", "9").exit_code == 0


WRONG = {
    "the network cannot be read: its layer conv is a Conv1D; expected an Embedding or one-hot input, recurrent layers, "
    "a Dense": lambda: [
        keras.layers.Conv1D(4, 2, padding="causal", name="conv"),
        keras.layers.LSTM(5),
        keras.layers.Dense(V),
    ],
    "the network cannot be read: it has none at its end; expected an Embedding or one-hot input, recurrent layers, a "
    "Dense": lambda: [keras.layers.LSTM(V)],
    "the network has weights of the shapes (9, 20), (5, 20), (20,), (5, 9), (9,): expected (8, 20), (5, 20), (20,), "
    "(5, 8), (8,) for 8 symbols; are these its symbols?": lambda: [keras.layers.LSTM(5), keras.layers.Dense(9)],
}


@pytest.mark.parametrize("message", WRONG)
def test_other_networks_are_refused(message):
    inputs = keras.Input((None, 9 if "9" in message else V))
    with pytest.raises(ValueError) as error:
        read_keras(textbook(*WRONG[message](), inputs=inputs), SYMBOLS)
    assert str(error.value) == message


def test_a_network_that_computes_something_else_is_refused():
    network = textbook(keras.layers.LSTM(5, activation="relu"), keras.layers.Dense(V))
    with pytest.raises(ValueError, match="something else than its layers say: its outputs differ by"):
        read_keras(network, SYMBOLS)


def test_a_function_in_a_file_is_refused(tmp_path):
    ran = tmp_path / "ran"
    network = textbook(keras.layers.Lambda(lambda x, place=str(ran): open(place, "w").close() or x))
    network.save(tmp_path / "function.keras")
    ran.unlink()
    (tmp_path / "a.txt").write_text("abc", encoding="utf-8")
    with pytest.raises(ValueError, match=r"^\S+ is not a usable Keras model: .*`Lambda`"):
        load_keras(tmp_path / "function.keras", tmp_path / "a.txt")
    assert not ran.exists()


def test_mistakes_of_the_commands(shakegen, random_model, monkeypatch):
    random_model().save("mine.h5")
    Path("damaged.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0nonsense")
    Path("damaged.keras").write_bytes(b"nonsense")
    Path("a.txt").write_text("abc", encoding="utf-8")
    mistakes = {
        "export mine.h5 --to onnx -o a.pb": "cannot write onnx to a.pb: expected a name that ends in .onnx",
        "import none.keras": "no file none.keras: expected one that ends in .safetensors or .keras",
        "import mine.h5": "cannot read mine.h5: expected a name that ends in .safetensors or .keras",
        "import damaged.keras": "the symbols are missing: give the characters of the model with --symbols FILE",
        "import damaged.keras -o mine.h5": "mine.h5 is there already: name another file with --out",
        "import damaged.safetensors --symbols a.txt": "--symbols has no effect on a .safetensors file, which has its "
        "own symbols: leave it out",
        "import damaged.keras --symbols list.json --encoding latin-1": "--encoding has no effect on a list in JSON: "
        "leave it out",
    }
    for arguments, message in mistakes.items():
        result = shakegen(*arguments.split())
        assert (result.exit_code, result.stderr) == (1, f"Error: {message}\n"), arguments
    textbook(keras.layers.LSTM(5), keras.layers.Dense(V)).save("flipped.keras")
    content = bytearray(Path("flipped.keras").read_bytes())
    content[len(content) // 2] ^= 255
    Path("flipped.keras").write_bytes(content)
    damaged = ["damaged.safetensors"], *([f"{name}.keras", "--symbols", "a.txt"] for name in ("damaged", "flipped"))
    for arguments in damaged:
        result = shakegen("import", *arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {arguments[0]} is not a usable ")
        assert result.stderr.count("\n") == 1
    assert not Path("models").exists()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = shakegen("export", "mine.h5", "--to", "onnx")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: onnx is not installed: expected it for this format; try `pip install onnx onnxruntime`\n",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"[",
            "symbols.json is not JSON (Expecting value: line 1 column 2 (char 1)): expected a list of characters, such "
            'as ["a", "b"]',
        ),
        (b'["a", "b", "a"]', "symbols.json has 'a' more than once: expected each character at its id alone"),
        (b'["ab"]', 'symbols.json has no list of characters: expected JSON such as ["a", "b"]'),
    ],
)  # fmt: skip
def test_a_list_of_symbols_that_cannot_be_used_is_named(content, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("symbols.json").write_bytes(content)
    with pytest.raises(ValueError) as error:
        read_symbols(Path("symbols.json"))
    assert str(error.value) == message


def test_a_list_of_symbols_may_have_a_byte_order_mark(tmp_path):
    (tmp_path / "symbols.json").write_bytes(b'\xef\xbb\xbf["a", "b"]')
    assert read_symbols(tmp_path / "symbols.json") == ["a", "b"]


def test_a_stateful_network_that_was_used_is_read_and_keeps_its_states():
    network = textbook(
        keras.layers.LSTM(5, stateful=True), keras.layers.Dense(V), inputs=keras.Input((10, V), batch_size=4)
    )
    network(np.eye(V)[np.random.default_rng(1).integers(V, size=(4, 10))])
    states = [keras.ops.convert_to_numpy(state).copy() for state in network.layers[0].states]
    assert np.abs(states[0]).max() > 0
    read_keras(network, SYMBOLS)
    for before, after in zip(states, network.layers[0].states, strict=True):
        np.testing.assert_array_equal(before, keras.ops.convert_to_numpy(after))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_network_of_mixed_precision_is_read(policy):
    network = textbook(keras.layers.LSTM(5, dtype=policy), keras.layers.Dense(V, "softmax", dtype=policy))
    model = read_keras(network, SYMBOLS)
    assert {weight.dtype for weight in model.weights.values()} == {np.dtype("float32")}
