"""The recurrent units that the lab compares by default: the standard cells and their presets. Only Python."""

from shakegen.cells.registry import BUILT_IN, STANDARD, find_cell, parse_cell
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
    presets = {preset: (cell, own) for cell in map(find_cell, BUILT_IN) for preset, own in cell.presets.items()}
    first, colon, more = name.strip().partition(":")
    preset, own = presets.get(first, (None, {}))
    cell, options = parse_cell(f"{preset.name}{colon}{more}" if preset else name)
    return Config(cell.name, units, layers=1, dropout=0.0, residual=False, **{**own, **options})
