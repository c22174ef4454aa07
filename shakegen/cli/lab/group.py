"""What the commands of the lab share: how an experiment's result is printed, drawn and saved."""

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from shakegen.cli.group import main, table
from shakegen.cli.plot import draw
from shakegen.cli.train import quiet_tensorflow


@main.group()
def lab():
    """Small experiments that show how recurrent networks work; docs/lab explains each.

    Every one prints a table, below it in a terminal its figure, and takes less than two minutes on two cores unless you
    ask for more.

    \b
    shakegen lab memory --cells rnn,lstm,gru --out memory.svg
    """


def experiment(*, trains: bool) -> Callable:
    """Makes a command of a function that returns a `shakegen.lab.result.Result`, with --random-state, --out and --json.

    Args:
        trains: whether it needs TensorFlow, whose log lines are then kept from the user.
    """

    def decorate(function):
        @lab.command()
        @click.option("--random-state", type=click.IntRange(0, (1 << 32) - 1), default=0, show_default=True,
                      help="The same number gives the same result.")  # fmt: skip
        @click.option("--out", type=click.Path(path_type=Path), help="Write the figure there: a name in .png, .svg, "
                      ".pdf or .html. Needs matplotlib.")  # fmt: skip
        @click.option("--json", "as_json", is_flag=True, help="Print all numbers as one JSON object.")
        @functools.wraps(function)
        def command(out, as_json, **arguments):
            from shakegen import plotting

            if out:
                plotting.check(out)
            if trains:
                with quiet_tensorflow():
                    import shakegen.network  # noqa: F401
            report(function(**arguments), out, as_json)

        return command

    return decorate


def report(result, out: Path | None, as_json: bool) -> None:
    """Print what an experiment found, and save its figure."""
    from shakegen import plotting

    if out:
        plotting.save(result.figure(), out, *result.tables)
        click.echo(f"Saved: {out}", err=True)
    if as_json:
        click.echo(json.dumps(result.to_dict()))
        return
    for number, found in enumerate(result.tables):
        click.echo("\n" * (number > 0) + found.title, nl=bool(number or found.title))
        table(found.header, found.rows)
    if sys.stdout.isatty() and not out:
        click.echo()
        draw(result.figure())


def whole_numbers(name: str, listed: str) -> list[int]:
    """The numbers of a list such as 10,20."""
    try:
        return [int(number) for number in listed.split(",")]
    except ValueError:
        raise ValueError(f"the {name} given are {listed!r}: expected whole numbers such as 10,20,40") from None


def progress(line: str) -> None:
    """Say on standard error what an experiment is at."""
    click.echo(line, err=True)
