"""What every experiment returns: rows of numbers, which make a table, and what its figure shows."""

import dataclasses
import math

import numpy as np

from shakegen.plotting import Figure, Table


@dataclasses.dataclass(frozen=True)
class Result:
    """What an experiment found. Subclasses add the numbers behind their figure as fields, and draw it in `figure`.

    Attributes:
        rows: one dictionary for each row of the (first) table, all with the same keys, the columns.
    """

    rows: list[dict]

    @property
    def tables(self) -> list[Table]:
        """The rows as they are read; subclasses add more tables."""
        return [table_of(self.rows)]

    def figure(self) -> Figure:
        """The figure of the experiment, as data that `shakegen.plotting` draws."""
        raise NotImplementedError

    @property
    def parts(self) -> list:
        """What is on its page, for `plotting.page`."""
        return [*self.tables, self.figure()]

    def to_dict(self) -> dict:
        """All numbers, ready for JSON; None for those that JSON has not."""
        return plain(self)


def table_of(rows: list[dict], title: str = "") -> Table:
    """Dictionaries with the same keys as a table: numbers in a few digits, blanks for None and NaN."""
    header = [name.replace("_", " ") for name in rows[0]]
    return Table(header, [[shown(value) for value in row.values()] for row in rows], title)


def shown(value) -> str:
    """A value as a table shows it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def plain(value):
    """Dataclasses, arrays, tuples and numpy's numbers as what JSON has."""
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
