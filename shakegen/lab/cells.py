"""The recurrent units that the lab compares, by their names there: all cells, and their presets. Only Python."""

from shakegen.cells.registry import BUILT_IN, find_cell, parse_cell
from shakegen.network.config import Config

CELLS = tuple(name for cell in BUILT_IN for name in (cell, *find_cell(cell).presets))


def config(name: str, units: int) -> Config:
    """The configuration of one layer of a cell.

    Args:
        name: of a cell or of a preset, or module:Class.
        units: H.

    Raises:
        ValueError: there is no such cell, or the units are out of range.
    """
    for cell in map(find_cell, BUILT_IN):
        if name in cell.presets:
            return Config(cell.name, units, layers=1, dropout=0.0, residual=False, **cell.presets[name])
    return Config(parse_cell(name)[0].name, units, layers=1, dropout=0.0, residual=False)


def chosen(names: str) -> list[str]:
    """The cells of a list such as "rnn,lstm", each once.

    Raises:
        ValueError: one is unknown.
    """
    parsed = list(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in parsed:
        config(name, 1)
    return parsed
