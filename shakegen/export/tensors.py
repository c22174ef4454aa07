"""A model as a safetensors file: its weights by their names, all else as texts in JSON; read back bit for bit."""

import functools
from pathlib import Path

import numpy as np

from shakegen.model import model_file
from shakegen.model.model_file import ModelFileError

FORMAT = "shakegen"


def write_tensors(model) -> bytes:
    """The content of a safetensors file; its metadata are `format`, `version` and those of `model_file.describe`."""
    from safetensors import numpy

    weights = {name: np.ascontiguousarray(weight, np.float32) for name, weight in model.weights.items()}
    about = {"format": FORMAT, "version": str(model_file.VERSION)}
    return numpy.save(weights, {**about, **model_file.describe(model)})


def read_tensors(path: Path):
    """The model in a safetensors file that `write_tensors` made.

    Raises:
        OSError: the file cannot be opened.
        ModelFileError: it is damaged, or of something else; the message says which.
    """
    from safetensors import SafetensorError, safe_open

    from shakegen.model.model import Model  # that module knows all kinds

    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            if about.get("format") != FORMAT:
                raise ModelFileError("it is a safetensors file, but not of shakegen")
            version = about.get("version", "")
            model_file.check_version(int(version) if version.isdecimal() else None)
            content = model_file.assemble(about.get, functools.partial(read_weight, file))
    except SafetensorError as error:
        raise ModelFileError(f"{path} is not a usable safetensors file: {error}") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelFileError(f"{path} is not a usable model: {model_file.shorten(str(error))}") from None
    return Model.kinds[content["config"].task](**content)


def read_weight(file, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A weight of that shape from an open file; raises ModelFileError if it is not there, or has other than numbers."""
    if name not in set(file.keys()):
        raise ModelFileError(f"{name} is missing; the file may be damaged")
    part = file.get_slice(name)
    if part.get_dtype() != "F32":
        raise ModelFileError(f"{name} is not an array of 32-bit floats")
    model_file.check_shape(name, tuple(part.get_shape()), shape)
    return model_file.check_numbers(name, file.get_tensor(name))
