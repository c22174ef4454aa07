"""TensorFlow without its log lines, where Keras runs on it."""

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def find_backend() -> str:
    """The name of Keras's backend, as Keras finds it, without importing Keras."""
    folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        named = json.loads((folder / "keras.json").read_text(encoding="utf-8")).get("backend")
    except (OSError, ValueError, AttributeError):  # Keras goes on without it
        named = None
    return os.environ.get("KERAS_BACKEND") or named or "tensorflow"


def require_tensorflow() -> None:
    """Refuse another backend of Keras.

    Raises:
        ValueError: Keras runs on it.
    """
    backend = find_backend()
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
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
