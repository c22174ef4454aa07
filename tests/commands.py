"""All commands, commands in processes of their own, and the options of a fast training run."""

import json
import os
import subprocess
import sys

import click

from shakegen.cli import main

FAST = ["--units", 8, "--layers", 1, "--epochs", 2, "--seq-length", 20, "--batch-size", 8]
WITHOUT = """
import shlex, sys
from shakegen.cli import main
_, unwanted, *commands = sys.argv
for words in commands:
    sys.argv = ["shakegen", *shlex.split(words)]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
    finally:
        if loaded := {*unwanted.split()} & set(sys.modules):
            sys.exit(f"{words} loaded {loaded}")
"""


def walk(command: click.Command, name: str = "shakegen"):
    """A command and all below it, by the words that call them."""
    yield name, command
    context = click.Context(command)
    for below in command.list_commands(context) if isinstance(command, click.Group) else ():
        yield from walk(command.get_command(context, below), f"{name} {below}")


GROUPS = {name: one for name, one in walk(main) if isinstance(one, click.Group)}
LEAVES = {name: one for name, one in walk(main) if name not in GROUPS}  # the commands that do something


def command(tmp_path, *arguments):
    """A command that runs in a process of its own, with an environment like a user's."""
    return subprocess.Popen(
        [sys.executable, "-m", "shakegen", *map(str, arguments)],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_without(modules: str, folder, *commands: str) -> subprocess.CompletedProcess:
    """The commands, once they have ended; one that has loaded any of the modules fails, and names them."""
    words = [sys.executable, "-c", WITHOUT, modules, *commands]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def document(result):
    """The JSON document of a command that succeeded and said nothing else."""
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def text_of(result) -> str:
    """The standard output of a command that succeeded, without its last line end."""
    assert result.exit_code == 0, result.stderr
    return result.stdout.removesuffix("\n")
