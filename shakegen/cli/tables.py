"""Tables in a terminal and in a pipe, and JSON."""

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence

import click

from shakegen.streams import count_columns

GAP = "  "  # between columns

Column = Sequence[str]


def table(header, rows) -> None:
    """Print columns as wide as their longest cell.

    In a pipe a row is a line. Where a terminal has no room for that, the words of the header stand one below the other.
    If this is not enough, the last columns stand below the others, beside the first column once more.
    """
    columns: list[Column] = list(zip(*(tuple(map(str, row)) for row in (header, *rows)), strict=True))
    room = find_room()
    if room is None or measure(columns) <= room:
        print_columns(columns)
        return
    stacked = [stack_head(head, cells) for head, *cells in columns]
    height = max(map(len, stacked))
    columns = [[""] * (height - len(column)) + column for column in stacked]
    while columns:
        count = next((n for n in range(len(columns), 2, -1) if measure(columns[:n]) <= room), 2)
        print_columns(columns[:count])
        columns = [columns[0], *columns[count:]] if columns[count:] else []
        click.echo(nl=bool(columns))


def print_json(value) -> None:
    """Print one JSON object on a line; numbers that are not finite are null."""
    from shakegen.plotting.figure import to_json

    click.echo(json.dumps(to_json(value)))


def find_room() -> int | None:
    """The columns of the terminal that standard output is; None for a pipe or a file."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else None


def print_wrapped(text: str) -> None:
    """Print a sentence: in a terminal on lines of its width, in a pipe on one."""
    room = find_room()
    click.echo(textwrap.fill(text, room, break_long_words=False, break_on_hyphens=False) if room else text)


def stack_head(head: str, cells: Column) -> list[str]:
    """A column whose header is as narrow as its cells, or as its longest word."""
    width = max(map(count_columns, [*head.split(), *cells]))
    return [*textwrap.wrap(head, width, break_long_words=False, break_on_hyphens=False), *cells]


def measure(columns: Sequence[Column]) -> int:
    return sum(max(map(count_columns, column)) for column in columns) + len(GAP) * (len(columns) - 1)


def print_columns(columns: Sequence[Column]) -> None:
    widths = [max(map(count_columns, column)) for column in columns]
    for row in zip(*columns, strict=True):
        cells = (cell + " " * (width - count_columns(cell)) for cell, width in zip(row, widths, strict=True))
        click.echo(GAP.join(cells).rstrip())
