"""One HDF5 file per model: write it whole or not at all, read it with suspicion.

Attributes of the file: `format` ("shakegen"), `version`, and as JSON `config`, `vocabulary`, `corpus` and `history`;
of models of the autocomplete task also `words`. Group `weights/`: a contiguous little-endian float32 dataset for each.
Group `training/`, only where a training run can go on: its attribute `state`, JSON, and such datasets of any numbers.
Nothing in the file is ever executed.
"""

import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from shakegen.files import write_whole
from shakegen.model import heaps
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.text.vocabulary import Vocabulary
from shakegen.text.word_vocabulary import VOCABULARIES

FORMAT, VERSION = "shakegen", 1
LARGE = 1e300
OLD_NAMES = {"validation_loss": "val_loss"}  # in the histories of older files


class ModelFileError(ValueError):
    """A file is not a model that this shakegen can use."""


@dataclass
class Training:
    """The state of a training run, from which it can go on."""

    state: dict  # ready for JSON
    arrays: dict[str, np.ndarray]  # by names of the form `group/name`


def save(model, path: str | Path, with_training: bool = False) -> None:
    """Write a `Model` to a file: a temporary one beside it, flushed, then renamed; a crash leaves an older file whole.

    Args:
        model: a `model.Model`.
        path: of the file.
        with_training: save the state of its training run, if it has one, for `resume`; the file is several times as
            large.

    Raises:
        OSError: the folder or the file cannot be written; nothing is left behind.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs.update(format=FORMAT, version=VERSION)
        file.attrs["config"] = json.dumps(model.config.to_dict())
        file.attrs["vocabulary"] = json.dumps(model.vocabulary.to_json())
        file.attrs["corpus"] = json.dumps(model.corpus)
        file.attrs["history"] = json.dumps(model.history)
        for name, weight in model.weights.items():
            file.create_dataset(f"weights/{name}", data=np.asarray(weight, "<f4"))
        if model.output_vocabulary is not model.vocabulary:
            file.attrs["words"] = json.dumps(model.output_vocabulary.to_json())
        if with_training and model.training:
            file.create_group("training").attrs["state"] = json.dumps(model.training.state)
            for name, array in model.training.arrays.items():
                file.create_dataset(f"training/{name}", data=array.astype(array.dtype.newbyteorder("<")))
    write_whole(Path(path), buffer.getbuffer())


def read(path: str | Path, with_training: bool = False) -> dict:
    """The attributes of the model in a file. Nothing is trusted: every size is checked before anything is allocated.

    Args:
        path: of the file.
        with_training: whether to read the state of its training run, too.

    Raises:
        OSError: the file cannot be opened.
        ModelFileError: it is not a model file, or damaged, or of a newer version; the message says which.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no model {path}: expected a file that `shakegen train` wrote (see `shakegen models`)")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: expected a model file (see `shakegen models`)")
    if not path.is_file():
        raise ModelFileError(f"{path} is not a regular file: expected a model file (see `shakegen models`)")
    with path.open("rb") as file:
        if file.read(8) != b"\x89HDF\r\n\x1a\n":
            raise ModelFileError(f"{path} is not a model file: expected one that `shakegen train` wrote")
    try:
        if not heaps.are_sound(path):
            raise OSError
        with h5py.File(path, "r") as file:
            model = read_model(file)
            if with_training:
                model["training"] = read_training(file, path.stat().st_size)
            return model
    except (ModelFileError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ModelFileError(f"{path} is not a usable model: {error}") from None
    except (OSError, KeyError, RuntimeError):
        raise ModelFileError(f"{path} is a damaged HDF5 file, perhaps cut short: copy it or train it again") from None


def read_model(file: h5py.File) -> dict:
    """The attributes of the model in an open file, without its training run."""
    if str(file.attrs.get("format")) != FORMAT:
        raise ModelFileError("it is an HDF5 file, but not of shakegen; expected one that `shakegen train` wrote")
    version = file.attrs.get("version")
    if not isinstance(version, np.integer) or version != VERSION:
        raise ModelFileError(
            f"it has version {version!s:.20}, this shakegen reads version {VERSION}; try a newer shakegen"
        )
    config = Config.from_dict(attribute(file, "config", dict))
    vocabulary = VOCABULARIES[config.level].from_json(attribute(file, "vocabulary", list))
    outputs = READ_OUTPUTS[config.task](file, vocabulary)
    shapes = config.weight_shapes(len(vocabulary), len(outputs.get("words", vocabulary)))
    weights = {name: read_dataset(file, f"weights/{name}", shape) for name, shape in shapes.items()}
    weights = {name: weight[()].astype(np.float32) for name, weight in weights.items()}
    if not all(np.isfinite(weight).all() for weight in weights.values()):
        raise ModelFileError("some of its weights are not numbers; the training may have diverged")
    corpus, history = attribute(file, "corpus", dict), attribute(file, "history", list)
    if not is_origin(corpus):
        raise ModelFileError("its corpus is not described as expected; the file may be damaged")
    if not all(map(is_epoch, history)):
        raise ModelFileError("its history has other than numbers; the file may be damaged")
    described = {"config": config, "vocabulary": vocabulary, "corpus": corpus, "history": rename_losses(history)}
    return {**described, "weights": weights, **outputs}


def read_words(file: h5py.File, vocabulary: Vocabulary) -> dict:
    """The attribute of an autocomplete model that names its outputs."""
    if vocabulary != SYMBOLS:
        raise ModelFileError("it reads other symbols than a to z and the space; the file may be damaged")
    return {"words": Outputs(attribute(file, "words", list))}


READ_OUTPUTS = {"next": lambda file, vocabulary: {}, "autocomplete": read_words}


def rename_losses(history: list[dict]) -> list[dict]:
    """A history with the validation loss under its present name, `val_loss`."""
    return [{OLD_NAMES.get(name, name): value for name, value in entry.items()} for entry in history]


def task_of(path: str | Path) -> str | None:
    """The task of the network in a file, one of `config.TASKS`; None if the file does not tell."""
    try:
        if not heaps.are_sound(path):
            return None
        with h5py.File(path, "r") as file:
            return json.loads(file.attrs["config"]).get("task", "next")
    except (OSError, KeyError, RuntimeError, TypeError, ValueError, AttributeError):
        return None


def best_of(history: list[dict]) -> dict:
    """The entry of a history with the lowest validation loss, or else the lowest loss; {} of an empty history."""
    return min(history, key=lambda entry: entry.get("val_loss", entry["loss"]), default={})


def is_number(value) -> bool:
    return type(value) in (int, float) and abs(value) < LARGE


def is_epoch(entry) -> bool:
    """Whether an entry of a history has numbers only, among them the epoch and its loss."""
    return isinstance(entry, dict) and {"epoch", "loss"} <= set(entry) and all(map(is_number, entry.values()))


def is_origin(corpus: dict) -> bool:
    """Whether the entries of a corpus's description that are read have the right types and ranges."""
    sizes = (corpus.get(name, 2) for name in ("length", "observation_length", "random_state"))
    split, validation = corpus.get("split", []), corpus.get("validation", {})
    return (
        all(isinstance(corpus.get(name, ""), str) for name in ("name", "sha256"))
        and all(type(size) is int and 0 <= size < 1 << 63 for size in sizes)
        and 2 <= corpus.get("observation_length", 2) <= 1 << 16
        and isinstance(split, list)
        and isinstance(validation, dict)
        and all(map(is_number, [*split, *validation.values()]))
    )


def attribute(file: h5py.File, name: str, kind: type):
    value = file.attrs.get(name)
    if not isinstance(value, str):
        raise ModelFileError(f"its {name} is missing; the file may be damaged")
    try:
        value = json.loads(value)
    except ValueError:
        raise ModelFileError(f"its {name} is not JSON; the file may be damaged") from None
    if not isinstance(value, kind):
        raise ModelFileError(f"its {name} is a {type(value).__name__}, expected a {kind.__name__}")
    return value


def read_dataset(file: h5py.File, name: str, shape: tuple[int, ...]) -> h5py.Dataset:
    """A plain dataset of that shape whose numbers are all in this very file."""
    array = within(file, name)
    if not isinstance(array, h5py.Dataset) or array.dtype != np.dtype("<f4"):
        raise ModelFileError(f"{name} is not an array of 32-bit floats")
    if array.shape != shape:
        raise ModelFileError(f"{name} has the shape {array.shape}, its configuration asks for {shape}")
    if not is_plain(array):
        raise ModelFileError(f"{name} is not stored plainly; a model's weights must be in its own file, uncompressed")
    return array


def within(file: h5py.File, name: str):
    """The group or dataset of that name, none of whose parents or itself is a link to elsewhere."""
    node = file
    for part in name.split("/"):
        links = node.id.links if isinstance(node, h5py.Group) else None
        if links is None or not links.exists(part.encode()):
            raise ModelFileError(f"{name} is missing; the file may be damaged")
        if links.get_info(part.encode()).type != h5py.h5l.TYPE_HARD:
            raise ModelFileError(f"{name} is a link; a model's weights must be in its own file")
        node = node[part]
    return node


def is_plain(array: h5py.Dataset) -> bool:
    size = array.dtype.itemsize * math.prod(array.shape)  # `array.nbytes` would overflow
    return not (array.external or array.is_virtual) and array.id.get_storage_size() == size


def read_training(file: h5py.File, size: int) -> Training | None:
    """The state of the training run in an open model file of so many bytes, or None if it holds none."""
    if not file.id.links.exists(b"training"):
        return None
    group = within(file, "training")
    if not isinstance(group, h5py.Group):
        raise ModelFileError("training is not a group; the file may be damaged")
    arrays, room = {}, size
    for name in names_within(file, "training"):
        dataset = within(file, name)
        if dataset.dtype.kind not in "fiu" or not is_plain(dataset):
            raise ModelFileError(f"{name} is not an array of numbers that is stored plainly in this file")
        room -= dataset.id.get_storage_size()
        if room < 0:
            raise ModelFileError(f"the arrays up to {name} are larger than the file")
        array = arrays[name.removeprefix("training/")] = dataset[()]
        if not np.isfinite(array).all():
            raise ModelFileError(f"{name} has other than numbers; the training may have diverged")
    return Training(attribute(group, "state", dict), arrays)


def names_within(file: h5py.File, name: str, depth: int = 4) -> Iterator[str]:
    """The names of all datasets below a group."""
    node = within(file, name)
    if isinstance(node, h5py.Dataset):
        yield name
    elif depth:
        for part in node:
            yield from names_within(file, f"{name}/{part}", depth - 1)
