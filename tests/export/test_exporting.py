"""Models for other programs compute what the model computes, and come back as they were."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from shakegen.cells import BUILT_IN
from shakegen.export import exporting
from shakegen.export.exporting import TOLERANCE, DifferenceError, read_along, write_export
from shakegen.export.keras_file import make_keras
from shakegen.export.saved_model import Network
from shakegen.network.config import Config

NETWORKS = [
    *(Config(cell, units=6, layers=2, dropout=0) for cell in BUILT_IN),
    Config("gru", units=6, layers=3, residual=False, embedding=5, reset_after=False),
    Config("rnn", units=6, layers=1, activation="relu", learn_initial_state=True),
    Config("lstm", units=6, layers=2, layer_norm=True, zoneout=0.2, learn_initial_state=True),
    Config("nlstm", units=6, layers=1, depth=3),
    Config("mingru", units=6, layers=2, convolution=3, mlp=2, positive=True),
]


@pytest.mark.parametrize("config", NETWORKS, ids=lambda config: f"{config.cell}-{config.layers}-{config.embedding}")
def test_every_network_computes_the_same_in_tensorflow(config, random_model):
    model, ids = random_model(config), np.arange(15).reshape(3, 5)
    network = Network(model)
    states, rows = network.start(3), []
    for column in ids.T:
        logits, states = network.step(column, states)
        rows.append(logits)
    engine = np.concatenate([read_along(model, row[None]) for row in ids])
    np.testing.assert_allclose(np.stack(rows, axis=1), engine, atol=TOLERANCE)


def test_a_network_of_blocks_is_exported_for_keras(random_model, tmp_path):
    model, ids = random_model(NETWORKS[-1]), np.arange(9)[None]
    write_export(model, "keras", tmp_path / "model.keras")
    found = keras.models.load_model(tmp_path / "model.keras")(ids)
    np.testing.assert_allclose(found, read_along(model, ids), atol=TOLERANCE)


def test_a_model_that_completes_words_is_exported(completer, tmp_path):
    ids = np.arange(9)[None]
    write_export(completer, "savedmodel", tmp_path / "saved")
    saved = tf.saved_model.load(tmp_path / "saved")
    logits = saved.signatures["serving_default"](ids=tf.constant(ids))["logits"].numpy()
    np.testing.assert_allclose(logits, read_along(completer, ids), atol=TOLERANCE)
    shares = dict(zip(json.loads(saved.outputs.numpy()), logits[0, -1], strict=True))
    best = completer.complete(completer.vocabulary.decode(ids[0]), top=len(completer.output_vocabulary))
    assert [word for word, _ in best] == sorted(filter(None, shares), key=lambda word: -shares[word])


@pytest.mark.parametrize("config", NETWORKS[-3:], ids=lambda config: config.cell)
def test_safetensors_come_back_bit_for_bit(config, random_model, shakegen, tmp_path):
    random_model(config).save("model.h5")
    assert shakegen("export", "model.h5", "--to", "safetensors").exit_code == 0
    assert shakegen("import", "model.safetensors", "-o", "again.h5").exit_code == 0
    assert Path("again.h5").read_bytes() == Path("model.h5").read_bytes()


def test_a_file_that_nobody_named_is_not_overwritten(random_model, shakegen):
    random_model(NETWORKS[0]).save("model.h5")
    Path("model.safetensors").write_text("mine")
    result = shakegen("export", "model.h5", "--to", "safetensors")
    said = "Error: model.safetensors is there already: name another file with --out\n"
    assert (result.exit_code, result.stderr, Path("model.safetensors").read_text()) == (1, said, "mine")
    assert shakegen("export", "model.h5", "--to", "safetensors", "--out", "model.safetensors").exit_code == 0


def test_keras_layers_serve_where_they_compute_the_same(random_model):
    for config in NETWORKS[1:4] + NETWORKS[-5:-2]:
        made = make_keras(random_model(config))
        (kind,) = {type(layer) for layer in made.layers if layer.name.startswith("layer") and layer.name[5:].isdigit()}
        plain = kind.__module__.startswith("keras.")
        own = hasattr(keras.layers, kind.__name__) and not (
            config.learn_initial_state or config.cell_options.get("layer_norm")
        )
        assert plain == own, config


def test_a_saved_model_loads_without_shakegen_and_samples(random_model, tmp_path):
    write_export(random_model(NETWORKS[2]), "savedmodel", tmp_path / "new" / "saved")
    code = (
        "import json, sys, tensorflow as tf\n"
        "saved = tf.saved_model.load(sys.argv[1])\n"
        "ids = tf.constant([[1, 2, 3], [3, 2, 1]], tf.int64)\n"
        "logits = saved.signatures['serving_default'](ids=ids)['logits']\n"
        "drawn = lambda heat: saved.sample(ids, 5, heat, 7)['ids'].numpy().tolist()\n"
        "assert drawn(1.0) == drawn(1.0) and drawn(1.0) != drawn(0.0)\n"
        "assert [row[0] for row in drawn(0.0)] == logits[:, -1].numpy().argmax(-1).tolist()\n"
        "assert len(json.loads(saved.symbols.numpy())) == 27\n"
        "assert logits.shape == (2, 3, 27) and 'shakegen' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "new" / "saved"], check=True, cwd=tmp_path, capture_output=True
    )


def test_a_file_that_computes_something_else_is_not_written(random_model, tmp_path, monkeypatch):
    def write_wrong(model, path):
        path.write_bytes(b"wrong")
        return lambda ids: np.zeros((1, ids.shape[1], 27))

    monkeypatch.setitem(exporting.WRITERS, "onnx", write_wrong)
    with pytest.raises(DifferenceError, match="the onnx file computes something else: a logit differs by"):
        write_export(random_model(), "onnx", tmp_path / "new" / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_a_saved_model_writes_no_symbol_without_a_text(word_model):
    network, known = Network(word_model), len(word_model.vocabulary.symbols)
    network._weights["dense/bias"].assign(np.where(np.arange(len(word_model.vocabulary)) < known, 0, 50))
    for temperature in (0.0, 1.0):
        drawn = network.sample(np.zeros((4, 1), np.int64), 30, temperature, 0)["ids"].numpy()
        assert drawn.max() < known
    assert known < len(word_model.vocabulary)


def test_safetensors_are_read_by_a_process_that_has_read_nothing(random_model, shakegen, tmp_path):
    random_model(NETWORKS[0]).save("model.h5")
    assert shakegen("export", "model.h5", "--to", "safetensors").exit_code == 0
    done = subprocess.run(
        [sys.executable, "-m", "shakegen", "import", "model.safetensors", "-o", "again.h5"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Path("again.h5").read_bytes() == Path("model.h5").read_bytes()
