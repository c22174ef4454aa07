"""One HDF5 file per model: write it whole or not at all, read it with suspicion.

Attributes of the file: `format` ("shakegen"), `version`, and as JSON `config`, `vocabulary`, `corpus` and `history`;
of models of the autocomplete task also `words`. Group `weights/`: a contiguous little-endian dataset for each, float16
where all of them are numbers of 16 bits, else float32. Group `training/`, only where a training run can go on: its
attribute `state`, JSON, and such datasets of any numbers. JSON is ASCII, with finite numbers. h5py writes the file in
the oldest format that HDF5 has, `hdf5` reads it. Nothing in it is ever executed.
"""

import functools
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shakegen.checks import is_number
from shakegen.files import parse_json, write_whole
from shakegen.model import hdf5, hdf5_layout, shelf
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.text.levels import VOCABULARIES
from shakegen.text.vocabulary import Vocabulary

FORMAT, VERSION = "shakegen", 1
WEIGHTS = (np.dtype("<f2"), np.dtype("<f4"))
LARGE = 1e100
LONGEST = 300  # characters of a message about a file

TextOf = Callable[[str], str | None]  # the text of an attribute, by its name


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
    import h5py  # writes only: `hdf5` reads

    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver="earliest") as file:
        file.attrs.update(format=FORMAT, version=VERSION, **describe(model))
        dtype = choose_dtype(model.weights.values())
        for name, weight in model.weights.items():
            write_array(file, f"weights/{name}", np.asarray(weight, dtype))
        if with_training and model.training:
            file.create_group("training").attrs["state"] = json.dumps(model.training.state)
            for name, array in model.training.arrays.items():
                write_array(file, f"training/{name}", array)
    write_whole(Path(path), buffer.getbuffer())


def describe(model) -> dict[str, str]:
    """All that a model file has of a model beside its weights, as texts in JSON."""
    values = {
        "config": model.config.to_dict(),
        "vocabulary": model.vocabulary.to_json(),
        "corpus": model.corpus,
        "history": model.history,
    }
    if model.output_vocabulary is not model.vocabulary:
        values["words"] = model.output_vocabulary.to_json()
    return {name: json.dumps(value) for name, value in values.items()}


def choose_dtype(weights: Iterable[np.ndarray]) -> np.dtype:
    """The type in which a file holds weights: float16 where that is exact for all of them, else float32."""
    with np.errstate(over="ignore"):
        halves = all(np.array_equal(weight.astype(np.float16), weight) for weight in weights)
    return np.dtype(np.float16 if halves else np.float32)


def write_array(file, name: str, array: np.ndarray) -> None:
    """Write an array to an open HDF5 file; its name goes as bytes, for h5py makes other links where it is not ASCII."""
    file.create_dataset(name.encode(), data=array.astype(array.dtype.newbyteorder("<"), copy=False))


def read(path: str | Path, with_training: bool = False) -> dict:
    """The attributes of the model in a file. Nothing is trusted: every size is checked before anything is allocated.

    Args:
        path: of the file.
        with_training: whether to read the state of its training run, too.

    Raises:
        OSError: the file cannot be opened.
        ModelFileError: it is not a model file, or damaged, or of a newer version; the message says which.
    """
    if not Path(path).exists():
        raise FileNotFoundError(shelf.explain_missing(path))
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: expected a model file (see `shakegen models`)")
    if not path.is_file():
        raise ModelFileError(f"{path} is not a regular file: expected a model file (see `shakegen models`)")
    with path.open("rb") as stream:
        if stream.read(8) != hdf5_layout.SIGNATURE:
            raise ModelFileError(f"{path} is not a model file: expected one that `shakegen train` wrote")
        try:
            root = hdf5.File(stream).root
            model = read_model(root)
            if with_training:
                model["training"] = read_training(root)
            return model
        except hdf5_layout.DamageError:
            raise ModelFileError(
                f"{path} is a damaged HDF5 file, perhaps cut short: copy it or train it again"
            ) from None
        except (TypeError, ValueError, OverflowError, MemoryError) as error:
            raise ModelFileError(f"{path} is not a usable model: {shorten(str(error))}") from None


def shorten(message: str) -> str:
    """A message on one line, cut where a file made it long."""
    message = " ".join(message.split())
    return message if len(message) <= LONGEST else f"{message[:LONGEST]}…"


def read_model(root: hdf5.Group) -> dict:
    """The attributes of the model in an open file, without its training run."""
    if root.text("format") != FORMAT:
        raise ModelFileError("it is an HDF5 file, but not of shakegen; expected one that `shakegen train` wrote")
    check_version(root.number("version"))
    return assemble(root.text, functools.partial(read_weight, root))


def read_weight(root: hdf5.Group, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A weight of that shape, float32; raises ModelFileError if it is not there, or has other than numbers."""
    name = f"weights/{name}"
    array = root[name]
    if not isinstance(array, hdf5.Array) or array.dtype not in WEIGHTS:
        raise ModelFileError(f"{name} is not an array of 16-bit or 32-bit floats")
    check_shape(name, array.shape, shape)
    return read_numbers(array).astype(np.float32, copy=False)


def check_version(version: int | None) -> None:
    """Refuse a missing version and those of another shakegen."""
    if version is None:
        raise ModelFileError("its version is missing; the file may be damaged")
    if version != VERSION:
        raise ModelFileError(f"it has version {version}, this shakegen reads version {VERSION}; try a newer shakegen")


def assemble(text: TextOf, weight: Callable[[str, tuple[int, ...]], np.ndarray]) -> dict:
    """The attributes of a model from its content, wherever that is stored; raises ValueError or ModelFileError.

    Args:
        text: gives the text of an attribute; None if there is none.
        weight: gives the weight of a name and a shape, checked, float32.
    """
    config = Config.from_dict(attribute(text, "config", dict))
    vocabulary = VOCABULARIES[config.level].from_json(attribute(text, "vocabulary", list))
    outputs = READ_OUTPUTS[config.task](text, vocabulary)
    shapes = config.weight_shapes(len(vocabulary), len(outputs.get("words", vocabulary)))
    weights = {name: weight(name, shape) for name, shape in shapes.items()}
    corpus, history = attribute(text, "corpus", dict), attribute(text, "history", list)
    if not is_origin(corpus):
        raise ModelFileError("its corpus is not described as expected; the file may be damaged")
    if not all(map(is_epoch, history)):
        raise ModelFileError("its history has other than numbers; the file may be damaged")
    described = {"config": config, "vocabulary": vocabulary, "corpus": corpus, "history": history}
    return {**described, "weights": weights, **outputs}


def read_words(text: TextOf, vocabulary: Vocabulary) -> dict:
    """The attribute of an autocomplete model that names its outputs."""
    if vocabulary != SYMBOLS:
        raise ModelFileError("it reads other symbols than a to z and the space; the file may be damaged")
    return {"words": Outputs(attribute(text, "words", list))}


READ_OUTPUTS = {"next": lambda text, vocabulary: {}, "autocomplete": read_words}


def task_of(path: str | Path) -> str | None:
    """The task of the network in a file, one of `config.TASKS`; None if the file does not tell."""
    try:
        with open(path, "rb") as stream:
            return attribute(hdf5.File(stream).root.text, "config", dict).get("task", "next")
    except (OSError, ValueError, hdf5_layout.DamageError):
        return None


def best_of(history: list[dict]) -> dict:
    """The entry of a history with the lowest validation loss, or else the lowest loss; {} of an empty history."""
    return min(history, key=lambda entry: entry.get("val_loss", entry["loss"]), default={})


def are_numbers(values: Iterable) -> bool:
    """Whether all are numbers whose products are numbers, too."""
    return all(is_number(value, -LARGE, LARGE) for value in values)


def is_epoch(entry) -> bool:
    """Whether an entry of a history has numbers only, among them the epoch and its loss."""
    return isinstance(entry, dict) and {"epoch", "loss"} <= set(entry) and are_numbers(entry.values())


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
        and are_numbers([*split, *validation.values()])
    )


def attribute(text: TextOf, name: str, kind: type):
    """The value of an attribute in JSON."""
    try:
        found = text(name)
        value = None if found is None else parse_json(found)
    except ValueError:
        raise ModelFileError(f"its {name} is not JSON; the file may be damaged") from None
    if found is None:
        raise ModelFileError(f"its {name} is missing; the file may be damaged")
    if not isinstance(value, kind):
        raise ModelFileError(f"its {name} is a {type(value).__name__}, expected a {kind.__name__}")
    return value


def check_shape(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Refuse an array of another shape than its configuration asks for."""
    if shape != wanted:
        raise ModelFileError(f"{name} has the shape {shape}, its configuration asks for {wanted}")


def read_numbers(array: hdf5.Array) -> np.ndarray:
    """An array without infinities."""
    return check_numbers(array.name, array.read())


def check_numbers(name: str, numbers: np.ndarray) -> np.ndarray:
    """Refuse an array with infinities or NaN."""
    if numbers.size and not np.isfinite([numbers.min(), numbers.max()]).all():
        raise ModelFileError(f"{name} has other than numbers; the training may have diverged")
    return numbers


def read_training(root: hdf5.Group) -> Training | None:
    """The state of the training run in an open model file, or None if it holds none."""
    if "training" not in root.entries:
        return None
    group = root["training"]
    if not isinstance(group, hdf5.Group):
        raise ModelFileError("training is not a group; the file may be damaged")
    arrays = {array.name.removeprefix("training/"): read_numbers(array) for array in group.arrays()}
    return Training(attribute(group.text, "state", dict), arrays)
