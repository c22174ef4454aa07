"""Models for other programs compute what the model computes, and come back as they were."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from shakegen.cells import BUILT_IN
from shakegen.export import exporting
from shakegen.export.exporting import DifferenceError, write_export
from shakegen.model import load
from shakegen.network.config import Config

ROOT = Path(__file__).parents[2]
NETWORKS = [
    *(Config(cell, units=6, layers=2, dropout=0) for cell in BUILT_IN),
    Config("gru", units=6, layers=3, residual=False, embedding=5, reset_after=False),
    Config("rnn", units=6, layers=1, activation="relu", learn_initial_state=True),
    Config("lstm", units=6, layers=2, layer_norm=True, zoneout=0.2, learn_initial_state=True),
    Config("nlstm", units=6, layers=1, depth=3),
    Config("mingru", units=6, layers=2, convolution=3, mlp=2, positive=True),
]


@pytest.mark.parametrize("config", NETWORKS, ids=lambda config: f"{config.cell}-{config.layers}-{config.embedding}")
def test_every_network_is_exported_to_onnx(config, random_model, tmp_path):
    write_export(random_model(config), "onnx", tmp_path / "model")  # raises where a logit differs
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("kind", "config"), [("keras", NETWORKS[2]), ("keras", NETWORKS[-1]), ("savedmodel", NETWORKS[-1])], ids=str
)
def test_networks_are_exported_for_keras_and_tensorflow(kind, config, random_model, tmp_path):
    write_export(random_model(config), kind, tmp_path / "model")


def test_a_model_of_words_and_one_that_completes_them_are_exported(word_model, completer, tmp_path):
    for kind, model in ("onnx", word_model), ("onnx", completer), ("savedmodel", completer):
        write_export(model, kind, tmp_path / f"{kind}-{model.task}-{model.config.level}")


def test_an_onnx_model_reads_batches_and_pieces(random_model, tmp_path):
    import onnxruntime

    model = random_model(NETWORKS[1])
    write_export(model, "onnx", tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    names = [one.name for one in session.get_inputs()[1:]]
    ids, zeros = np.random.default_rng(0).integers(0, 27, (3, 11)), np.zeros((3, 6), np.float32)
    whole, *_ = session.run(None, {"ids": ids, **dict.fromkeys(names, zeros)})
    states, pieces = dict.fromkeys(names, zeros), []
    for piece in np.split(ids, [1, 5], axis=1):
        logits, *after = session.run(None, {"ids": piece, **states})
        states = dict(zip(names, after, strict=True))
        pieces.append(logits)
    np.testing.assert_allclose(np.concatenate(pieces, 1), whole, atol=1e-6)
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["vocabulary"]) == model.vocabulary.to_json()
    assert json.loads(about["config"]) == model.config.to_dict()


def test_the_example_writes_with_onnxruntime_alone(tmp_path):
    write_export(load("sonnets-gru"), "onnx", tmp_path / "gru.onnx")
    script = (ROOT / "examples" / "onnx_sample.py").read_text("utf-8")
    assert "shakegen" not in script.split('"""')[2]
    command = [sys.executable, ROOT / "examples" / "onnx_sample.py", tmp_path / "gru.onnx", "shall i"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert run.stdout.startswith("shall i")
    assert len(run.stdout) > 200
    assert set(run.stdout) <= set(load("sonnets-gru").vocabulary.symbols)


@pytest.mark.parametrize("config", NETWORKS[-3:], ids=lambda config: config.cell)
def test_safetensors_come_back_bit_for_bit(config, random_model, shakegen, tmp_path):
    random_model(config).save("model.h5")
    assert shakegen("export", "model.h5", "--to", "safetensors").exit_code == 0
    assert shakegen("import", "model.safetensors", "-o", "again.h5").exit_code == 0
    assert Path("again.h5").read_bytes() == Path("model.h5").read_bytes()


def test_keras_layers_serve_where_they_compute_the_same(random_model):
    from shakegen.export.keras_file import make_keras

    for config in NETWORKS[1:4] + NETWORKS[-5:-2]:
        made = make_keras(random_model(config))
        (kind,) = {type(layer) for layer in made.layers if layer.name.startswith("layer") and layer.name[5:].isdigit()}
        plain = kind.__module__.startswith("keras.")
        own = hasattr(keras.layers, kind.__name__) and not (
            config.learn_initial_state or config.cell_options.get("layer_norm")
        )
        assert plain == own, config


def test_a_saved_model_loads_without_shakegen_and_samples(random_model, tmp_path):
    write_export(random_model(NETWORKS[2]), "savedmodel", tmp_path / "saved")
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
    subprocess.run([sys.executable, "-c", code, tmp_path / "saved"], check=True, cwd=tmp_path, capture_output=True)


def test_a_file_that_computes_something_else_is_not_written(random_model, tmp_path, monkeypatch):
    def write_wrong(model, path):
        path.write_bytes(b"wrong")
        return lambda ids: np.zeros((1, ids.shape[1], 27))

    monkeypatch.setitem(exporting.WRITERS, "onnx", write_wrong)
    with pytest.raises(DifferenceError, match="the onnx file computes something else: a logit differs by"):
        write_export(random_model(), "onnx", tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
