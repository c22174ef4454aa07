"""A terminal: what a program shows there, and keys that are pressed."""

import contextlib
import os
import pty
import subprocess
import sys
import termios


def open_terminal(columns: int = 80) -> tuple[int, int]:
    """The ends of a terminal: ours, and the one for a program. The caller closes both."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    return ours, theirs


def read_all(ours: int) -> str:
    """All that appears until no program has the other end; closes ours."""
    shown = bytearray()
    with contextlib.suppress(OSError):  # the other end is closed
        while block := os.read(ours, 1 << 16):
            shown += block
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def type_in(folder, arguments, keys, columns: int = 80) -> tuple[str, list[str]]:
    """What a command prints on standard output, and all lines that it showed meanwhile.

    Args:
        folder: the working directory.
        arguments: of shakegen.
        keys: to press one after the other, each once the line for the one before has appeared.
        columns: of the terminal.
    """
    ours, theirs = open_terminal(columns)
    process = subprocess.Popen(
        [sys.executable, "-m", "shakegen", *arguments], cwd=folder, stdin=theirs, stderr=theirs,
        stdout=subprocess.PIPE, text=True, env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
    )  # fmt: skip
    os.close(theirs)
    seen = ""
    for number, key in enumerate(keys, 1):
        while seen.count("\x1b[K") < number or not seen.endswith("%"):
            seen += os.read(ours, 1000).decode()
        os.write(ours, key.encode())
    lines = (seen.replace("\r\n", "\n") + read_all(ours)).split("\r\x1b[K")[1:]
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out, [line.partition("\n")[0] for line in lines]
