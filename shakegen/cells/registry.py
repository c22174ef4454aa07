"""All known cells, by name. They come from this package, installed plug-ins and imported modules.

A class becomes known when it is defined. A model file only names its cell: nothing is imported because a file says so.
"""

import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from shakegen.cells.cell import Cell
from shakegen.checks import suggest

DEFAULT = "gru"
GROUP, VARIABLE = "shakegen.cells", "SHAKEGEN_CELLS"
CELLS: dict[str, type[Cell]] = {}
BUILT_IN: list[str] = []
STANDARD = ("rnn", "lstm", "gru", "nlstm")  # compared where no cells are named
WORDS = {"true": True, "false": False}


def register(cell: type[Cell]) -> None:
    """Let a class be found by its name; a class defined anew, as in a notebook, replaces the one before.

    Raises:
        ValueError: a cell of this package has that name.
    """
    known = CELLS.get(cell.name)
    if known is not None and known.__module__.startswith("shakegen.") and known.__module__ != cell.__module__:
        raise ValueError(f"there is a cell {cell.name!r} already: expected another name for {cell.__qualname__}")
    CELLS[cell.name] = cell
    if cell.__module__.startswith("shakegen.cells.") and cell.name not in BUILT_IN:
        BUILT_IN.append(cell.name)


def find_cell(name: str) -> type[Cell]:
    """The class of a cell.

    Args:
        name: the name of a cell in this package, in an imported module, in a plug-in (an entry point of the group
            `shakegen.cells`), or in the environment variable SHAKEGEN_CELLS, a list of module:Class.

    Raises:
        ValueError: there is none.
    """
    if not isinstance(name, str):
        raise ValueError(f"the cell is {name!r}: expected a name, for example {DEFAULT}")
    if not is_known(name):
        if ":" in name:
            raise ValueError(
                f"the cell is {name!r}: expected a name; `load_cell({name!r})` imports the cell of that place"
            )
        known = f"expected one of {', '.join(CELLS)}, or module:Class for one of your own"
        raise ValueError(f"there is no cell {name!r}: {suggest(name, CELLS, known)}")
    return CELLS[name]


def is_known(name: str) -> bool:
    """Whether `find_cell` finds a cell."""
    if name not in CELLS:
        load_plugins()
    return name in CELLS


def load_plugins() -> None:
    """Import the cells that the user has installed or named in the environment."""
    from importlib.metadata import entry_points  # takes a while

    for point in entry_points(group=GROUP):
        load_cell(point.value)
    for place in os.environ.get(VARIABLE, "").split(","):
        if place.strip():
            load_cell(place.strip())


def load_cell(place: str) -> type[Cell]:
    """The class that `module:Class` names; the module may lie in the working directory.

    Raises:
        ValueError: the module or the class does not exist, or the class is no cell.
    """
    module_name, _, name = place.partition(":")
    try:
        find_module(module_name)
        cell = getattr(importlib.import_module(module_name), name)
    except Exception as error:  # any mistake in a module that somebody else wrote
        raise ValueError(f"there is no cell {place} ({error}): expected module:Class, as in my_cells:MyCell") from error
    if not (isinstance(cell, type) and issubclass(cell, Cell) and cell.name):
        raise ValueError(f"{place} is no cell: expected a class derived from shakegen.cells.Cell, with a name")
    return cell


def resolve_cell(text: str) -> type[Cell]:
    """The cell of `--cell`: a name, or module:Class of one of your own, which is imported."""
    return load_cell(text) if ":" in text else find_cell(text)


def parse_cell(text: str, more: Mapping[str, type] = MappingProxyType({})) -> tuple[type[Cell], dict[str, Any]]:
    """The cell and the settings of `CELL[:NAME=VALUE]…`, such as `nlstm:depth=3`.

    Args:
        text: the cell and its settings.
        more: the types of settings beside the options of cells, by name.

    Raises:
        ValueError: there is no cell or setting of this name, or the value is of another kind.
    """
    first, *settings = text.strip().split(":")
    if settings and "=" not in settings[0] and (not is_known(first) or find_module(first)):
        first = f"{first}:{settings.pop(0)}"
    cell = resolve_cell(first)
    kinds = {**more, **option_kinds(cell)}
    return cell, dict(parse_setting(one, kinds) for one in settings)


def parse_setting(text: str, kinds: Mapping[str, type]) -> tuple[str, Any]:
    """The name and the value of `NAME=VALUE`.

    Args:
        text: the setting.
        kinds: the type of the value, by name: bool, int, float or str.

    Raises:
        ValueError: the name is unknown, or the value is of another kind.
    """
    name, equals, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if name not in kinds or not equals:
        raise ValueError(
            f"a cell cannot have {text!r} of its own: expected NAME=VALUE, the name one of {', '.join(kinds)}"
        )
    kind = kinds[name]
    try:
        return name, WORDS[value.lower()] if kind is bool else kind(value)
    except (KeyError, ValueError):
        expected = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise ValueError(f"{name} is {value!r}: expected {expected}") from None


def option_kinds(cell: type[Cell]) -> dict[str, type]:
    """The types of the options of all known cells, by name; where several have it, `cell` decides."""
    cells = [*CELLS.values(), cell]
    return {name: type(one.default) for kind in cells for name, one in kind.options().items()}


def environment_for(cells: Iterable[type[Cell]]) -> str:
    """The value of SHAKEGEN_CELLS, with the cells added that this package lacks."""
    own = [f"{cell.__module__}:{cell.__qualname__}" for cell in cells if cell.name not in BUILT_IN]
    return ",".join(dict.fromkeys([*filter(None, os.environ.get(VARIABLE, "").split(",")), *own]))


def find_module(name: str):
    """The specification of a module, looked up in the working directory too; None if there is none."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a folder of it is missing, or the name is none
        return None


def option_names() -> list[str]:
    """The names of the options of all cells that are known."""
    return list(dict.fromkeys(name for cell in CELLS.values() for name in cell.options()))
