"""What the commands of the lab share: how an experiment's result is printed, drawn and saved."""

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from shakegen.cli.group import main, table
from shakegen.cli.plot import draw
from shakegen.network.quiet import quiet_tensorflow


@main.group()
def lab():
    """Small experiments that show how recurrent networks work; docs/lab explains each.

    Every one prints a table, below it in a terminal its figure, and takes less than two minutes on two cores unless you
    ask for more.

    \b
    shakegen lab memory --cells rnn,lstm,gru --out memory.svg
    """


def drawn(result) -> None:
    """Draw the figure of an experiment in the terminal."""
    click.echo()
    draw(result.figure())


def experiment(*, trains: bool, pages_need_matplotlib: bool = True, show: Callable = drawn) -> Callable:
    """Makes a command of a function that returns a `shakegen.lab.result.Result`, with --random-state, --out and --json.

    Args:
        trains: whether it needs TensorFlow, whose log lines are then kept from the user.
        pages_need_matplotlib: whether there is a figure on its page.
        show: shows a result in a terminal, below its tables.
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
            from shakegen import files, plotting

            if out:
                if pages_need_matplotlib or not is_page(out):
                    plotting.check(out)
                files.ensure_writable(out)
            if trains:
                with quiet_tensorflow():
                    import shakegen.network.build  # noqa: F401
            result = function(**arguments)
            if out:
                save(result, out)
            if as_json:
                click.echo(json.dumps(result.to_dict()))
            else:
                report(result, None if out else show)

        return command

    return decorate


def is_page(path: Path) -> bool:
    return path.suffix.lower() == ".html"


def save(result, path: Path) -> None:
    """Write the figure of an experiment, or its page, to a file."""
    from shakegen import plotting
    from shakegen.files import write_whole

    if is_page(path):
        write_whole(path, plotting.page(result.figure().title, *result.parts).encode())
    else:
        plotting.save(result.figure(), path)
    click.echo(f"Saved: {path}", err=True)


def report(result, show: Callable | None) -> None:
    """Print the tables of an experiment, and in a terminal what else it shows."""
    for number, found in enumerate(result.tables):
        click.echo("\n" * (number > 0) + found.title, nl=bool(number or found.title))
        table(found.header, found.rows)
    if show and sys.stdout.isatty():
        show(result)


def whole_numbers(name: str, listed: str) -> list[int]:
    """The numbers of a list such as 10,20."""
    try:
        return [int(number) for number in listed.split(",")]
    except ValueError:
        raise ValueError(f"the {name} given are {listed!r}: expected whole numbers such as 10,20,40") from None


def progress(line: str) -> None:
    """Say on standard error what an experiment is at."""
    click.echo(line, err=True)
