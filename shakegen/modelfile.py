"""One HDF5 file per model: write it whole or not at all, read it with suspicion.

Attributes of the file: `format` ("shakegen"), `version`, and as JSON `config`, `vocabulary`, `corpus` and `history`.
Group `weights/`: one contiguous little-endian float32 dataset per weight. Nothing in the file is ever executed.
"""

import contextlib
import errno
import io
import json
import math
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from shakegen.config import Config
from shakegen.vocabulary import Vocabulary
from shakegen.words import VOCABULARIES

FORMAT, VERSION = "shakegen", 1
LARGE = 1e300


class ModelFileError(ValueError):
    """A file is not a model that this shakegen can use."""


@dataclass
class ModelFile:
    """What a model file holds.

    Attributes:
        config: the architecture.
        vocabulary: the symbols it knows, of the level of the configuration.
        weights: float32 arrays by the names of `Config.weight_shapes`.
        corpus: of what it learned: name, sha256, length in characters, split, validation (the fields of `Part`).
        history: one dictionary an epoch: epoch, loss and validation_loss (nats/symbol), seconds …
    """

    config: Config
    vocabulary: Vocabulary
    weights: dict[str, np.ndarray]
    corpus: dict = field(default_factory=dict)
    history: list[dict] = field(default_factory=list)


def save(model: ModelFile, path: str | Path) -> None:
    """Write a model file: a temporary file beside it, flushed, then renamed; a crash leaves an older file whole.

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
    write_whole(Path(path), buffer.getbuffer())


def ensure_writable(path: str | Path) -> None:
    """Make the folder of a model file and try to write there, before anything is trained.

    Raises:
        OSError: a model could not be saved at that path.
    """
    path = Path(path)
    with explaining(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as (file, _):
            file.write(b"\0")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, sees either the old content or all of the new."""
    with explaining(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as (file, name):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(name, 0o666 & ~current_umask())
            os.replace(name, path)


@contextlib.contextmanager
def temporary_beside(path: Path):
    """A file open for writing in the same folder, gone at the end unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, name
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def explaining(path: Path):
    """Say, of any error of the operating system, which file could not be written and what to try."""
    try:
        yield
    except OSError as error:
        raise OSError(
            f"cannot write {path} ({error.strerror}): expected a file in a folder that has room and may be written to; "
            "try another place with --out"
        ) from None


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def load(path: str | Path) -> ModelFile:
    """Read a model file, trusting nothing in it: every size is checked before anything is allocated.

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
        with h5py.File(path, "r") as file:
            return read(file)
    except (ModelFileError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ModelFileError(f"{path} is not a usable model: {error}") from None
    except (OSError, KeyError, RuntimeError):
        raise ModelFileError(f"{path} is a damaged HDF5 file, perhaps cut short: copy it or train it again") from None


def read(file: h5py.File) -> ModelFile:
    if str(file.attrs.get("format")) != FORMAT:
        raise ModelFileError("it is an HDF5 file, but not of shakegen; expected one that `shakegen train` wrote")
    version = file.attrs.get("version")
    if not isinstance(version, np.integer) or version != VERSION:
        raise ModelFileError(
            f"it has version {version!s:.20}, this shakegen reads version {VERSION}; try a newer shakegen"
        )
    config = Config.from_dict(attribute(file, "config", dict))
    vocabulary = VOCABULARIES[config.level].from_json(attribute(file, "vocabulary", list))
    shapes = config.weight_shapes(len(vocabulary))
    weights = {name: dataset(file, f"weights/{name}", shape) for name, shape in shapes.items()}
    weights = {name: weight[()].astype(np.float32) for name, weight in weights.items()}
    if not all(np.isfinite(weight).all() for weight in weights.values()):
        raise ModelFileError("some of its weights are not numbers; the training may have diverged")
    corpus, history = attribute(file, "corpus", dict), attribute(file, "history", list)
    if not is_origin(corpus):
        raise ModelFileError("its corpus is not described as expected; the file may be damaged")
    if not all(map(is_epoch, history)):
        raise ModelFileError("its history has other than numbers; the file may be damaged")
    return ModelFile(config, vocabulary, weights, corpus, history)


def is_number(value) -> bool:
    return type(value) in (int, float) and abs(value) < LARGE


def is_epoch(entry) -> bool:
    """Whether an entry of a history has all that is read of it: numbers, and at least the epoch and its loss."""
    return isinstance(entry, dict) and {"epoch", "loss"} <= set(entry) and all(map(is_number, entry.values()))


def is_origin(corpus: dict) -> bool:
    """Whether the description of a corpus has what is read of it, each of its kind."""
    texts = all(isinstance(corpus.get(name, ""), str) for name in ("name", "sha256"))
    split, validation = corpus.get("split", [1, 0, 0]), corpus.get("validation", {})
    if not isinstance(split, list) or not isinstance(validation, dict):
        return False
    return texts and type(corpus.get("length", 0)) is int and all(map(is_number, [*split, *validation.values()]))


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


def dataset(file: h5py.File, name: str, shape: tuple[int, ...]) -> h5py.Dataset:
    """A plain dataset of that shape whose numbers are all in this very file."""
    parent, linked = file, None
    for part in name.split("/"):
        if not isinstance(parent, h5py.Group) or part not in parent:
            raise ModelFileError(f"{name} is missing; the file may be damaged")
        if not isinstance(parent.get(part, getlink=True), h5py.HardLink):
            raise ModelFileError(f"{name} is a link; a model's weights must be in its own file")
        linked = parent = parent[part]
    if not isinstance(linked, h5py.Dataset) or linked.dtype != np.dtype("<f4"):
        raise ModelFileError(f"{name} is not an array of 32-bit floats")
    if linked.shape != shape:
        raise ModelFileError(f"{name} has the shape {linked.shape}, its configuration asks for {shape}")
    if linked.external or linked.is_virtual or linked.id.get_storage_size() != 4 * math.prod(shape):
        raise ModelFileError(f"{name} is not stored plainly; a model's weights must be in its own file, uncompressed")
    return linked
