"""A terminal of 80 columns to type in."""

import contextlib
import os
import pty
import subprocess
import sys
import termios


def type_in(folder, arguments, keys) -> tuple[str, list[str]]:
    """What a command prints on standard output, and all lines that it showed meanwhile.

    Args:
        folder: the working directory.
        arguments: of shakegen.
        keys: to press one after the other, each once the line for the one before has appeared.
    """
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 80))
    process = subprocess.Popen(
        [sys.executable, "-m", "shakegen", *arguments], cwd=folder, stdin=follower, stderr=follower,
        stdout=subprocess.PIPE, text=True, env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
    )  # fmt: skip
    os.close(follower)
    seen = ""
    for number, key in enumerate(keys, 1):
        while seen.count("\x1b[K") < number or not seen.endswith("%"):
            seen += os.read(leader, 1000).decode()
        os.write(leader, key.encode())
    with contextlib.suppress(OSError):  # its other end is closed
        while block := os.read(leader, 1000):
            seen += block.decode()
    out, _ = process.communicate(timeout=60)
    os.close(leader)
    assert process.returncode == 0
    return out, [line.partition("\r\n")[0] for line in seen.split("\r\x1b[K")[1:]]
