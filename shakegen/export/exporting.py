"""A model as a file of another program's, compared with the numpy engine before it gets its name."""

import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from shakegen.checks import require
from shakegen.files import ensure_writable, refuse_existing, write_whole
from shakegen.network.quiet import quiet_tensorflow

SUFFIXES = {"onnx": ".onnx", "safetensors": ".safetensors", "keras": ".keras", "savedmodel": ""}
TOLERANCE, LENGTH = 1e-4, 200  # of logits; symbols along which they are compared

Run = Callable[[np.ndarray], np.ndarray]  # ids (1, T) to logits (1, T, outputs)


class DifferenceError(ValueError):
    """An exported model computes something else than the model."""


def write_export(model, kind: str, path: str | Path) -> float:
    """Write a model for other programs, whole or not at all.

    Args:
        model: a `LanguageModel` or an `AutocompleteModel`.
        kind: a key of `SUFFIXES`.
        path: of the file; of a folder for a SavedModel, which must not be there yet.

    Returns:
        The largest difference of a logit from those of the numpy engine, along `LENGTH` symbols.

    Raises:
        DifferenceError: that is more than `TOLERANCE`.
        ValueError: there is no such format, or a package of it is not installed; the message names it.
        FileExistsError: the folder is there already.
        OSError: the file cannot be written.
    """
    path = Path(path)
    if kind not in WRITERS:
        raise ValueError(f"there is no format {kind!r}: expected one of {', '.join(WRITERS)}")
    if kind == "savedmodel":
        refuse_existing(path)
    ensure_writable(path)
    near = next(folder for folder in path.parents if folder.exists())
    with tempfile.TemporaryDirectory(prefix=".", dir=near) as folder:
        made = Path(folder, f"model{SUFFIXES[kind]}")
        difference = compare(model, WRITERS[kind](model, made))
        if not difference <= TOLERANCE:
            raise DifferenceError(
                f"the {kind} file computes something else: a logit differs by {difference:.2g}, expected {TOLERANCE:g} "
                "at most; nothing was written"
            )
        if made.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            made.rename(path)  # refuses a folder that is there by now
        else:
            write_whole(path, made.read_bytes())
    return difference


def compare(model, run: Run) -> float:
    """The largest difference of a logit between the engine of a model and another program, along a random text."""
    ids = np.random.default_rng(0).integers(0, len(model.vocabulary), (1, LENGTH))
    return float(np.abs(run(ids) - read_along(model, ids)).max())


def read_along(model, ids: np.ndarray) -> np.ndarray:
    """The logits of the engine of a model along a text, ids (1, T) → (1, T, outputs)."""
    engine = model.engine
    results, _ = engine.read(ids.T, engine.start())
    return (engine.read_out(results) if model.defers_read_out else results).swapaxes(0, 1)


def write_onnx(model, path: Path) -> Run:
    require(["onnx", "onnxruntime"], "this format")
    import onnxruntime

    from shakegen.export.onnx_model import make_onnx

    content = make_onnx(model).SerializeToString()
    path.write_bytes(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    starts = json.loads(session.get_modelmeta().custom_metadata_map["start"])
    zeros = {one.name: [0.0] * one.shape[1] for one in session.get_inputs()[1:]}
    states = {name: np.array([starts.get(name, start)], np.float32) for name, start in zeros.items()}
    return lambda ids: session.run(["logits"], {"ids": ids, **states})[0]


def write_safetensors(model, path: Path) -> Run:
    require(["safetensors"], "this format")
    from shakegen.export.tensors import read_tensors, write_tensors

    path.write_bytes(write_tensors(model))
    return functools.partial(read_along, read_tensors(path))


def write_keras(model, path: Path) -> Run:
    with quiet_tensorflow():
        import keras

        from shakegen.export.keras_file import make_keras
        from shakegen.network.keras_steps import compile_call

        make_keras(model).save(path)
        loaded = compile_call(keras.models.load_model(path))
    return lambda ids: keras.ops.convert_to_numpy(loaded(ids))


def write_savedmodel(model, path: Path) -> Run:
    with quiet_tensorflow():
        import tensorflow as tf

        from shakegen.export.saved_model import write_saved_model

        write_saved_model(model, path)
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    return lambda ids: serve(ids=tf.constant(ids))["logits"].numpy()


WRITERS: dict[str, Callable[[object, Path], Run]] = {
    "onnx": write_onnx,
    "safetensors": write_safetensors,
    "keras": write_keras,
    "savedmodel": write_savedmodel,
}
