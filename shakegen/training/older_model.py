"""The model file that a run replaces: a copy of it stays beside the new one. Imports no TensorFlow."""

import logging
import os
from pathlib import Path

from shakegen import files
from shakegen.model.hdf5_layout import SIGNATURE

log = logging.getLogger(__name__)
LONGEST_NAME = 254  # bytes of a name, with room for one more


def name_copy(path: Path) -> Path:
    """Where `keep_copy` puts a copy."""
    return path.with_name(os.fsdecode(os.fsencode(path.name)[:LONGEST_NAME] + b"~"))


def refuse_other_files(path: Path) -> None:
    """Refuse to replace a file that is no model.

    Raises:
        ValueError: the file is not one that shakegen wrote.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(len(SIGNATURE))
    if start and start != SIGNATURE:
        raise ValueError(f"{path} is not a model file, it would be overwritten: name another file with `out`")


def keep_copy(path: Path) -> None:
    """Copy a file that is about to be replaced, if there is one; the copy is as private as the file.

    Raises:
        OSError: the copy cannot be written.
    """
    if not path.is_file():
        return
    copy = name_copy(path)
    with files.explaining(copy), files.replacing(copy, path.stat().st_mode & 0o777) as file:
        file.write(path.read_bytes())
    log.info("%s is there already: it is kept as %s", path, copy)
