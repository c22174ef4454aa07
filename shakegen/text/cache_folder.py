"""Where shakegen keeps what it can fetch or make again."""

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """`$SHAKEGEN_CACHE` if set, else the platform's folder for caches, as `~/.cache/shakegen`; it may not exist yet."""
    own = os.environ.get("SHAKEGEN_CACHE")
    return Path(own) if own else platformdirs.user_cache_path("shakegen", appauthor=False)
