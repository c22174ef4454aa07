"""The folder for everything that can be fetched or made again."""

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """`$SHAKEGEN_CACHE` if set, else the platform's cache folder, such as `~/.cache/shakegen`. It may not exist yet."""
    own = os.environ.get("SHAKEGEN_CACHE")
    return Path(own) if own else platformdirs.user_cache_path("shakegen", appauthor=False)
