"""Imports TensorFlow without its log lines, if Keras runs on it."""

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

EXTRAS = ("jax", "matplotlib")  # TensorFlow and Keras load them where they are installed, for parts that we do not use
FLOATX = ("float16", "float32", "float64")  # accepted by TensorFlow's own reader of keras.json


def read_settings() -> dict:
    """The settings in keras.json, found as Keras finds it, without importing Keras."""
    home = os.path.expanduser("~")
    folder = Path(os.environ.get("KERAS_HOME") or Path(home if os.access(home, os.W_OK) else "/tmp", ".keras"))
    try:
        settings = json.loads((folder / "keras.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # Keras goes on without it
        return {}
    return settings if isinstance(settings, dict) else {}


def find_backend() -> str:
    """The name of Keras's backend, as Keras finds it."""
    return os.environ.get("KERAS_BACKEND") or read_settings().get("backend") or "tensorflow"


def require_tensorflow() -> None:
    """Refuse another backend of Keras.

    Raises:
        ValueError: Keras runs on another backend, or TensorFlow cannot read the `floatx` in keras.json.
    """
    backend, floatx = find_backend(), read_settings().get("floatx")
    if floatx not in (None, *FLOATX):
        raise ValueError(
            f"keras.json has the floatx {floatx!r}, which TensorFlow cannot read: expected one of {', '.join(FLOATX)}"
        )
    if backend != "tensorflow":
        raise ValueError(
            f"training needs TensorFlow: Keras's backend is {backend!r}, by the environment or keras.json; set "
            "KERAS_BACKEND=tensorflow"
        )


@contextlib.contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Import TensorFlow without its log lines, which its own settings do not silence.

    Raises:
        ValueError: Keras runs on another backend.
    """
    require_tensorflow()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    if sys.stderr:
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # a process without standard error is quiet
        kept = None
    if kept is None:
        yield
        return
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextlib.contextmanager
def without_extras() -> Iterator[None]:
    """Import TensorFlow and Keras as if `EXTRAS` were not installed: they take a quarter of the time of the import.

    For the processes of our commands only: Keras's functions that draw do not work in this process.
    """
    hidden = {name: None for name in EXTRAS if name not in sys.modules}
    sys.modules.update(hidden)  # None lets an import fail
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
