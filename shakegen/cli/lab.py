"""The group of the lab, and how a function of the lab becomes a command of it."""

import functools
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, get_origin

import click

from shakegen.cli.group import main
from shakegen.cli.help import Commands, group
from shakegen.cli.options import figure_option, json_option, options_from, quiet_option, read_help
from shakegen.cli.plot import draw
from shakegen.cli.tables import print_json, print_wrapped, table
from shakegen.network.quiet import quiet_tensorflow, without_extras

FLAGS = {"names": "--cells"}
NO_OPTIONS = ("progress", "random_state", "settings")  # of the first and the last, `experiment` takes care
random_state_option = click.option(
    "--random-state", type=click.IntRange(0, (1 << 32) - 1), metavar="INTEGER", default=0, show_default=True,
    help="Equal numbers give equal results.",
)  # fmt: skip


class Lab(Commands):
    """A group whose commands are made when they are asked for: it takes a while to import the experiments."""

    def list_commands(self, ctx):
        importlib.import_module("shakegen.cli.experiments")
        return super().list_commands(ctx)

    def get_command(self, ctx, name):
        self.list_commands(ctx)
        return super().get_command(ctx, name)


@main.group(cls=Lab)
def lab():
    """Show with small experiments how recurrent networks work.

    Each experiment prints a table and, in a terminal, its figure. An experiment that trains networks makes three runs
    of everything, which takes minutes; --repeats 1 makes one. The folder docs/lab explains them.

    \b
    shakegen lab memory --cells rnn,lstm,gru --out memory.svg
    """


def draw_below(result) -> None:
    """Draw the figure of an experiment in the terminal."""
    click.echo()
    draw(result.figure())


def experiment(
    *sources: Callable, trains: bool = True, pages_need_matplotlib: bool = True, show: Callable = draw_below
) -> Callable:
    """Make a command of a function that returns a `shakegen.lab.result.Result`.

    Args:
        sources: a function of the lab, and dataclasses. Their arguments with defaults become options, unless the
            command declares these itself. The command is called as the module of the first.
        trains: whether the experiment needs TensorFlow; its log lines do not show.
        pages_need_matplotlib: whether there is a figure on the page.
        show: shows a result in a terminal, below its tables.
    """
    reports = "progress" in inspect.signature(sources[0]).parameters
    quiet_text = "Show neither progress nor what was saved." if reports else "Do not say what was saved."

    def decorate(function):
        def command(out, as_json, quiet, **arguments):
            from shakegen import files, plotting

            if out:
                if pages_need_matplotlib or not is_page(out):
                    plotting.check(out)
                files.ensure_writable(out)
                corpus = arguments.get("corpus") or ()
                read = [arguments.get("text_file"), *([corpus] if isinstance(corpus, str) else corpus)]
                files.refuse_same(out, filter(None, read))
            if trains:
                with quiet_tensorflow(), without_extras():
                    importlib.import_module("shakegen.network.build")  # loads TensorFlow
            if reports:
                arguments["progress"] = (lambda line: None) if quiet else functools.partial(click.echo, err=True)
            result = function(**arguments)
            if out:
                save(result, out)
                if not quiet:
                    click.echo(f"Saved: {out}", err=True)
            if as_json:
                print_json(result.to_dict())
            else:
                report(result, None if out else show)

        declared = getattr(function, "__click_params__", [])
        names = {parameter.name for parameter in declared}
        for parameter in declared:
            parameter.group = getattr(parameter, "group", "Experiment")
        for option in (quiet_option(quiet_text), json_option, figure_option, random_state_option):
            option(command)
        vars(command)["__click_params__"] += declared
        group("Experiment", *(option for source in sources for option in make_options(source, names)))(command)
        documentation = read_summary(function if function.__doc__ else sources[0])
        lab.command(sources[0].__module__.rpartition(".")[2], help=documentation)(command)
        return function

    return decorate


def make_options(source: Callable, declared: set[str]) -> list[Callable]:
    """Options for the arguments with a default, or with choices, that the command does not declare itself."""
    parameters, left_out = inspect.signature(source).parameters.values(), {*NO_OPTIONS, *declared}
    left_out |= {p.name for p in parameters if p.default is p.empty and get_origin(p.annotation) is not Annotated}
    texts = {name: text for name, text in read_help(source).items() if name not in left_out}
    return options_from(source, texts, FLAGS)


def read_summary(function: Callable) -> str:
    """The docstring of a function without its sections, its examples kept as they are."""
    text = re.split(r"\n(?:Args|Raises|Returns):\n", inspect.getdoc(function) or "")[0]
    text, _, examples = text.partition("Examples:\n")
    return f"{text}\b\n{textwrap.dedent(examples)}" if examples else text


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


def report(result, show: Callable | None) -> None:
    """Print the tables of an experiment; in a terminal, show the rest."""
    for number, part in enumerate(result.tables):
        if number:
            click.echo()
        if part.title:
            print_wrapped(part.title)
        table(part.header, part.rows)
    if show and sys.stdout.isatty():
        show(result)
