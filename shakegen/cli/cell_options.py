"""The options that choose a cell, and the options of single cells."""

import typing
from collections.abc import Callable

import click

from shakegen.cells.registry import CELLS, option_names, parse_cell
from shakegen.cli.names import complete_from
from shakegen.cli.options import make_flag
from shakegen.network.config import Config

cell_option = click.option(
    "--cell", metavar="CELL", default=Config().cell, show_default=True,
    shell_complete=lambda context, parameter, incomplete: complete_from(CELLS, incomplete),
    help=f"Recurrent unit: {', '.join(CELLS)}; or module:Class for one of your own. Options may follow: nlstm:depth=3.",
)  # fmt: skip


def read_cell(text: str) -> dict[str, typing.Any]:
    """The options `cell`, and those of the cell, that the value of `--cell` stands for.

    Raises:
        ValueError: the cell or an option does not exist, or a value is of another kind.
    """
    cell, options = parse_cell(text)
    return {"cell": cell.name, **options}


def make_cell_options() -> list[Callable]:
    """The options that some cells have and others have not."""
    made = []
    for name in option_names():
        cells = [cell for cell in CELLS.values() if name in cell.options()]
        one = cells[0].options()[name]
        flag, choices = one.metadata["flag"] or make_flag(name), one.metadata["choices"]
        usual = one.default
        if type(usual) is bool:
            flag += "" if "/" in flag else f"/--no-{flag[2:]}"
            usual = flag.split("/")[not usual].lstrip("-")
        owners = ", ".join(cell.name for cell in cells) if len(cells) < len(CELLS) else "every cell"
        text = f"{one.metadata['help']}  [{owners}; default: {usual}]"
        if type(one.default) is bool:
            made.append(click.option(flag, name, is_flag=True, default=one.default, help=text))
        else:
            kind = click.Choice(list(choices)) if choices else type(one.default)
            made.append(click.option(flag, name, type=kind, help=text))
    return made
