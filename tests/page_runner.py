"""Runs the blocks of a page of documents: Python in one namespace, commands in bash, all in one folder.

The budgets of the pages are for readers, and too large for a test. `BUDGETS` makes them small, here and nowhere else:
the options of commands and, in Python, the arguments and upper-case constants of these names.

`shakegen` in bash is a stand-in that hands its command line over to the command line of this very process, where
TensorFlow is loaded already; the runs of a comparison stay in it, too. Only workers, of which a process can be one, are
processes of their own.
"""

import ast
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from unittest.mock import patch

import click
from click.testing import CliRunner
from workers import free_addresses

from shakegen.cli import main
from shakegen.compare import runs, worker
from shakegen.compare.record import Record


def most_special(names: str | list[str]) -> str:
    """One of a list of cells: several take long, and one with most options is what the page shows."""
    return max(names.split(",") if isinstance(names, str) else names, key=lambda name: name.count(":"))


BUDGETS = {
    "epochs": lambda epochs: max(1, round(epochs / 30)),
    "layers": lambda _: 1,
    "units": lambda units: min(units, 8),
    "repeats": lambda _: 1,
    "minutes": lambda _: 0.02,
    "sequences": lambda sequences: min(sequences, 64),
    "updates": lambda updates: min(updates, 2),
    "cells": most_special,
    "names": most_special,
    "stride": lambda stride: 60 * stride,
    "length": lambda length: min(length, 20),
    "count": lambda count: min(count, 3),
}
PYTHON = ("stride", "length", "count")  # of Python alone: commands are quick without
LAB = ("updates", "names")  # of the experiments of the lab, which have defaults
USUAL = {"epochs": 30, "layers": 2, "units": 256, "repeats": 5, "cells": "rnn"}  # of commands that are not given them
EPOCHS_A_MINUTE = 2  # a budget of minutes becomes one of epochs
STAND_IN = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = dict(words=sys.argv[1:], text=sys.stdin.read(), folder=os.getcwd(), environment=dict(os.environ))
    server.sendall(json.dumps(request).encode() + b"\\n")
    answer = json.loads(server.makefile().read())
if answer["words"]:
    os.execv({python!r}, [{python!r}, "-m", "shakegen", *answer["words"]])
sys.stderr.write(answer["stderr"])
sys.stdout.write(answer["stdout"])
sys.exit(answer["code"])
"""


class Page:
    """Runs the blocks of one page, in the working folder.

    Args:
        name: of the page, for tracebacks.
    """

    def __init__(self, name: str):
        self.name, self.names = name, {"__name__": "__main__"}

    def run(self, kind: str, source: str, line: int) -> None:
        """Run a block that begins in this line; an error of Python, or of a command, is raised with its line."""
        {"python": self.run_python, "sh": self.run_commands}[kind](source, line)

    def run_python(self, source: str, line: int) -> None:
        tree = SmallBudgets().visit(ast.parse(source, self.name))
        ast.increment_lineno(tree, line - 1)
        exec(compile(tree, self.name, "exec"), self.names)

    def run_commands(self, source: str, line: int) -> None:
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        with serve_commands() as (listener, programs):
            environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
            script = f"set -eu -o pipefail\n{use_free_ports(source)}\nfor job in $(jobs -p); do wait $job; done"
            bash = subprocess.Popen(["bash", "-c", script], env=environment, stdin=subprocess.DEVNULL)
            while bash.poll() is None:
                with contextlib.suppress(TimeoutError):
                    answer(listener.accept()[0])
        assert bash.returncode == 0, f"{self.name}, line {line}: exit code {bash.returncode} from\n{source}"


def use_free_ports(commands: str) -> str:
    """Commands with other ports on this machine, each time: another test may run the same page."""
    ports = sorted(set(re.findall(r"127\.0\.0\.1:\d+", commands)))
    for port, free in zip(ports, free_addresses(len(ports)), strict=True):
        commands = commands.replace(port, free)
    return commands


@contextlib.contextmanager
def serve_commands():
    """The socket that the stand-in for `shakegen` calls, and the folder that has the stand-in."""
    # A short path: the address of a socket has 100 bytes or so.
    with tempfile.TemporaryDirectory() as programs, socket.socket(socket.AF_UNIX) as listener:
        address, program = f"{programs}/socket", Path(programs, "shakegen")
        program.write_text(STAND_IN.format(python=sys.executable, address=address), encoding="utf-8")
        program.chmod(0o755)
        listener.bind(address)
        listener.listen()
        listener.settimeout(0.02)  # seconds between looks whether bash has ended
        yield listener, programs


def answer(connection: socket.socket) -> None:
    """Do what a stand-in asks for."""
    with connection:
        connection.settimeout(None)
        asked = json.loads(connection.makefile().readline())
        connection.sendall(json.dumps(run_command(**asked)).encode())


def run_command(words: list[str], text: str, folder: str, environment: dict[str, str]) -> dict:
    """Run a command in this process, with small budgets: what it says, and its exit code."""
    words = shrink_command(words)
    if "--workers" in words:
        return {"words": words}
    with contextlib.chdir(folder), patch.object(runs, "run_worker", work_here), patch.object(worker, "TIMED", 0):
        result = CliRunner().invoke(main, words, input=text, env=environment)
    errors = result.stderr
    if result.exception and not isinstance(result.exception, SystemExit):
        errors += "".join(traceback.format_exception(result.exception))
    return {"words": None, "stdout": result.stdout, "stderr": errors, "code": result.exit_code}


def shrink_command(words: list[str]) -> list[str]:
    """A command line with small budgets: they stand last, and so win; minutes make place for epochs."""
    small = small_options(words)
    if "--minutes" in words and "--epochs" in small:
        at = words.index("--minutes")
        words = words[:at] + words[at + 2 :]
    return [*words, *small]


def work_here(record: Record, folder: Path, quiet: bool) -> Record:
    """Carry out a run of a comparison in this process."""
    worker.main(str(folder), record.name, *["--quiet"] * quiet)
    return Record.read(record.path(folder))


def small_options(words: list[str]) -> list[str]:
    """Options that stand last, and so win: the budgets of a command line, made small."""
    command, name, words = main, "shakegen", list(words)
    context = click.Context(main, info_name=name, **main.context_settings)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        command = command.get_command(context, name)
        if command is None:
            return []  # it says itself that there is no such command
    context = command.make_context(name, words, context, resilient_parsing=True)
    if name == "gates":
        return ["--length", "1000"]
    if not {"epochs", *LAB} & set(context.params):
        return []  # it trains nothing
    values = {name: value for name, value in context.params.items() if name in LAB or is_given(context, name)}
    if "epochs" in context.params:
        values = {name: USUAL[name] for name in USUAL if name in context.params} | values
        if context.params.get("match") == "time":
            del values["epochs"]
        elif minutes := values.pop("minutes", None):
            values["epochs"] = minutes * EPOCHS_A_MINUTE
    flags = {parameter.name: parameter.opts[0] for parameter in command.params}
    small = {flags[name]: BUDGETS[name](values[name]) for name in sorted({*values} & {*BUDGETS} - {*PYTHON})}
    return [word for flag, value in small.items() for word in (flag, str(value))]


def is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


class SmallBudgets(ast.NodeTransformer):
    """Makes the budgets in Python small: `epochs=20` in a call, and `EPOCHS = 20`."""

    def visit_keyword(self, node):
        self.generic_visit(node)
        return self.shrink(node.arg, node)

    def visit_Assign(self, node):
        self.generic_visit(node)
        target = node.targets[0]
        return self.shrink(target.id.lower(), node) if isinstance(target, ast.Name) and target.id.isupper() else node

    @staticmethod
    def shrink(name, node):
        if name in BUDGETS and isinstance(node.value, ast.Constant):
            node.value = ast.copy_location(ast.Constant(BUDGETS[name](node.value.value)), node.value)
        return node
