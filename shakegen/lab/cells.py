"""The recurrent units that the lab compares by default: the standard cells and their presets. Only Python."""

from shakegen.cells.registry import BUILT_IN, STANDARD, find_cell, is_known, option_kinds, parse_cell, parse_setting
from shakegen.network.config import Config

CELLS = tuple(name for cell in STANDARD for name in (cell, *find_cell(cell).presets))


def make_config(name: str, units: int) -> Config:
    """The configuration of one layer of a cell.

    Args:
        name: of a cell or of a preset, or module:Class; its options may follow, as in `nlstm:depth=3`.
        units: H.

    Raises:
        ValueError: the cell does not exist, or the units are out of range.
    """
    if name not in CELLS and ":" not in name and not is_known(name):
        raise ValueError(
            f"there is no cell {name!r} in the lab: expected some of {', '.join(CELLS)}, or module:Class for one of "
            "your own"
        )
    for cell in map(find_cell, BUILT_IN):
        if name in cell.presets:
            return Config(cell.name, units, layers=1, dropout=0.0, residual=False, **cell.presets[name])
    cell, assignments = parse_cell(name)
    options = dict(parse_setting(one, option_kinds(cell)) for one in assignments)
    return Config(cell.name, units, layers=1, dropout=0.0, residual=False, **options)
