"""The folder where shakegen keeps what it can make or fetch again."""

import os
import sys
from pathlib import Path


def folder() -> Path:
    """The user's cache folder of shakegen, which may not be there yet.

    It is `$SHAKEGEN_CACHE` if set; else `shakegen` in `$XDG_CACHE_HOME` or where the system keeps caches.

    Raises:
        OSError: the user has no home folder.
    """
    own, shared = os.environ.get("SHAKEGEN_CACHE"), os.environ.get("XDG_CACHE_HOME", "")
    if own:
        return Path(own)
    if os.path.isabs(shared):  # the specification says to ignore relative ones
        return Path(shared) / "shakegen"
    if sys.platform == "win32" and "LOCALAPPDATA" in os.environ:
        return Path(os.environ["LOCALAPPDATA"]) / "shakegen" / "cache"
    try:
        home = Path.home()
    except RuntimeError:
        raise FileNotFoundError("there is no home folder to keep a cache in: name a folder in SHAKEGEN_CACHE") from None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "shakegen"
