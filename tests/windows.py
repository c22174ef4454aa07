"""The rules of Windows for files, on Linux: nothing is done to a file that is open, and some names are forbidden."""

import os
import re
import sys
from pathlib import Path

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$')
USED = "The process cannot access the file because it is being used by another process"


def is_allowed(name: str) -> bool:
    """Whether Windows lets a file have this name."""
    return not (RESERVED.fullmatch(name) or FORBIDDEN.search(name))


def list_open() -> set[str]:
    """The paths of all files that this process has open or mapped."""
    found = {os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")}
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        found.update(line.split(maxsplit=5)[5:])
    return found


def locate(path, folder: int | None) -> str:
    """The absolute path of a file, perhaps in an open folder."""
    return os.path.realpath(Path(f"/proc/self/fd/{folder}" if folder is not None else "", os.fsdecode(path)))


def obey(monkeypatch) -> None:
    """Refuse to rename, replace or delete files that this process has open, names as above, and folders as files."""
    rename, unlink, open_file = os.rename, os.unlink, os.open

    def strict_rename(old, new, *, src_dir_fd=None, dst_dir_fd=None):
        places = locate(old, src_dir_fd), locate(new, dst_dir_fd)
        if list_open() & set(places) or not all(is_allowed(os.path.basename(place)) for place in places):
            raise PermissionError(13, USED, str(old))
        rename(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    def strict_unlink(path, *, dir_fd=None):
        if locate(path, dir_fd) in list_open():
            raise PermissionError(13, USED, str(path))
        unlink(path, dir_fd=dir_fd)

    def strict_open(path, flags, mode=0o777, *, dir_fd=None):
        if sys._getframe(1).f_globals["__name__"].startswith("shakegen") and os.path.isdir(path):
            raise PermissionError(13, "Permission denied", str(path))
        return open_file(path, flags, mode, dir_fd=dir_fd)

    for name, strict in {
        "rename": strict_rename, "replace": strict_rename, "unlink": strict_unlink, "remove": strict_unlink,
        "open": strict_open,
    }.items():  # fmt: skip
        monkeypatch.setattr(os, name, strict)
