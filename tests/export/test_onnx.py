"""ONNX models compute what the model computes, whole or in pieces; a standard node serves where there is one."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

from shakegen.cells import BUILT_IN, LSTM, Cell, Weight, activate, tanh
from shakegen.export.exporting import TOLERANCE, write_export
from shakegen.export.onnx_model import make_onnx
from shakegen.model import AutocompleteModel, LanguageModel, load
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.text.vocabulary import Vocabulary
from shakegen.text.word_vocabulary import WordVocabulary

ROOT = Path(__file__).parents[2]
NETWORKS = [
    *((cell, {}) for cell in BUILT_IN),
    ("rnn", {"activation": "relu"}),
    ("lstm", {"layer_norm": True}),
    ("lstm", {"zoneout": 0.2}),
    ("gru", {"reset_after": False}),
    ("gru", {"layer_norm": True, "reset_after": False}),
    ("nlstm", {"depth": 1}),
    ("nlstm", {"depth": 3}),
    ("gru", {"convolution": 3}),
    ("mingru", {"convolution": 3, "mlp": 2, "positive": True}),
]
STACKS = ((1, True), (2, True), (3, False))  # layers, and whether they are residual
SETTINGS = (NETWORKS, STACKS, ("char", "word", "autocomplete"), (0, 5), (False, True))
ALONE = """
import runpy, sys
sys.modules.update(dict.fromkeys(["shakegen", "tensorflow", "keras", "onnx"]))  # None: an import of it fails
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def cover_pairs(axes):
    """Combinations of values in which every two values of different axes meet."""
    every = list(itertools.product(*(range(len(axis)) for axis in axes)))
    pairs = {places: set(itertools.combinations(enumerate(places), 2)) for places in every}
    missing = set().union(*pairs.values())
    while missing:
        most = max(every, key=lambda places: len(pairs[places] & missing))
        missing -= pairs[most]
        yield tuple(axis[k] for axis, k in zip(axes, most, strict=True))


def name_network(network):
    (cell, options), (layers, residual), kind, embedding, learned = network
    return f"{cell}-{options or ''}-{layers}-{residual}-{kind}-{embedding}-{learned}"


@pytest.fixture
def make_model(random_weights):
    """A model of random weights of a combination of `SETTINGS`."""

    def make(network, stack=STACKS[1], kind="char", embedding=0, learned=False):
        (cell, options), (layers, residual) = network, stack
        if "convolution" in options:
            embedding, residual = None, True
        more = {"layers": layers, "residual": residual, "embedding": embedding, "learn_initial_state": learned}
        if kind == "autocomplete":
            config, words = Config(cell, 4, task=kind, **more, **options), Outputs(["thee", "to", "a"])
            weights = random_weights(config, len(SYMBOLS), outputs=len(words))
            return AutocompleteModel(config, SYMBOLS, weights, words=words)
        config = Config(cell, 4, level=kind, **more, **options)
        vocabulary = Vocabulary("abcdefgh ") if kind == "char" else WordVocabulary(["thee", " to", " a"])
        return LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))

    return make


def read_in_pieces(made, ids, *ends):
    """The logits of an ONNX model along ids (N, T), and its session, which reads them up to each of the ends."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(made.SerializeToString(), options)
    starts, pieces = json.loads(session.get_modelmeta().custom_metadata_map["start"]), []
    states = {
        one.name: np.tile(np.float32(starts.get(one.name, [0] * one.shape[1])), (len(ids), 1))
        for one in session.get_inputs()[1:]
    }
    for piece in np.split(ids, ends, axis=1):
        logits, *after = session.run(None, {"ids": piece, **states})
        states = dict(zip(states, after, strict=True))
        pieces.append(logits)
    return np.concatenate(pieces, axis=1), session


def read_with_engine(model, ids):
    engine, state, rows = model.engine, model.engine.start(len(ids)), []
    for column in ids.T:
        results, state = engine.step(column, state)
        rows.append(engine.read_out(results) if model.defers_read_out else results.copy())
    return np.stack(rows, axis=1)


def numbers_of_outputs(model):
    """The number of the logit of each text, as the vocabulary of the outputs has it."""
    outputs = model.output_vocabulary
    if isinstance(outputs, Outputs):
        return dict(zip(outputs.words, outputs.encode(outputs.words), strict=True))
    return {symbol: outputs.encode(symbol).item() for symbol in outputs.symbols}


@pytest.mark.parametrize("network", list(cover_pairs(SETTINGS)), ids=name_network)
def test_every_network_computes_the_same(network, make_model):
    model = make_model(*network)
    ids = np.random.default_rng(0).integers(0, len(model.vocabulary), (3, 25))
    given, session = read_in_pieces(make_onnx(model), ids, 1, 12)  # which onnx.checker has checked
    np.testing.assert_allclose(given, read_with_engine(model, ids), atol=TOLERANCE)
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["vocabulary"]) == model.vocabulary.to_json()
    texts = json.loads(about["outputs"])
    assert len(texts) == given.shape[-1]
    assert {text: number for number, text in enumerate(texts) if text is not None} == numbers_of_outputs(model)
    assert json.loads(about["config"]) == model.config.to_dict()


def nodes_of(made):
    return [node.op_type for node in made.graph.node if node.op_type in ("Scan", "RNN", "LSTM", "GRU")]


def test_a_standard_node_serves_where_it_computes_the_same(make_model):
    kinds = {"lstm": "LSTM", "gru": "GRU"}
    for cell, options in NETWORKS:
        plain = options in ({}, {"reset_after": False})
        assert nodes_of(make_onnx(make_model((cell, options)))) == [kinds.get(cell, "Scan") if plain else "Scan"] * 2


def test_equations_and_activations_of_ones_own_are_not_those_of_a_standard_node(make_model):
    class Coupled(LSTM):
        name = "test-coupled"

        def step(self, x, s, w):
            i, f, g, o = activate(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias, *["sigmoid"] * 4)
            c = f * s.c + (1 - f) * g
            return {"h": o * c, "c": c, "i": i}

    class Rectified(LSTM):
        name = "test-rectified"
        activation: str = "relu"

    class Linear(LSTM):
        name = "test-linear"
        activation: str = "linear"

    for cell, node in (Coupled, "Scan"), (Rectified, "LSTM"), (Linear, "Scan"):
        model = make_model((cell.name, {}))
        made, ids = make_onnx(model), np.arange(9)[None]
        assert nodes_of(made) == [node] * 2
        np.testing.assert_allclose(read_in_pieces(made, ids)[0], read_with_engine(model, ids), atol=TOLERANCE)


def test_states_and_weights_may_have_any_name(make_model):
    class Named(Cell):
        name = "test-named"
        state_names = ("h", "outputs", "shown", "new0", "input0", "step")

        def weights(self, inputs):
            return {"ids": Weight((inputs, self.units)), "logits": Weight((self.units, self.units))}

        def step(self, x, s, w):
            h, *others = (s[name] for name in self.state_names)
            h = tanh(x @ w.ids + sum(others) @ w.logits)
            return dict(zip(self.state_names, [h, *[0.5 * other + h for other in others]], strict=True))

    model, ids = make_model((Named.name, {})), np.arange(9)[None]
    np.testing.assert_allclose(
        read_in_pieces(make_onnx(model), ids, 4)[0], read_with_engine(model, ids), atol=TOLERANCE
    )


def test_an_empty_text_is_an_error_and_not_the_end_of_the_program(make_model):
    for cell in "gru", "lstm", "rnn":
        with pytest.raises(Fail, match="cannot be reshaped"):
            read_in_pieces(make_onnx(make_model((cell, {}))), np.zeros((2, 0), np.int64))


def test_the_example_writes_the_readme_with_onnxruntime_and_numpy_alone(tmp_path):
    write_export(load("sonnets-gru"), "onnx", tmp_path / "gru.onnx")
    options = ["--length", "152", "--temperature", "0.6", "--random-state", "1"]
    example = [sys.executable, "-c", ALONE, ROOT / "examples" / "onnx_sample.py", "gru.onnx"]
    run = subprocess.run([*example, "shall i", *options], capture_output=True, text=True, check=True, cwd=tmp_path)
    command = f'$ shakegen sample --seed "shall i" {" ".join(options)}'
    assert f"{command}\n{run.stdout}```" in (ROOT / "README.md").read_text("utf-8")
    run = subprocess.run([*example, "§"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (run.returncode, run.stderr.partition(": expected some of ")[0]) == (
        1,
        "Error: the model cannot begin with '§'",
    )
