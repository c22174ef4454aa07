"""The result of an experiment: rows of numbers, which make a table, and a figure."""

import math
from dataclasses import dataclass

from shakegen.plotting import Figure, Table
from shakegen.plotting.figure import to_json
from shakegen.plotting.scale import format_number


@dataclass(frozen=True)
class Result:
    """The result of an experiment. Subclasses add the numbers behind their figure as fields, and draw it in `figure`.

    Attributes:
        rows: one dictionary for each row of the (first) table, all with the same keys, the columns.
    """

    rows: list[dict]

    @property
    def tables(self) -> list[Table]:
        """The rows as a table; subclasses add more tables."""
        return [make_table(self.rows)]

    def figure(self) -> Figure:
        """The figure of the experiment, as data that `shakegen.plotting` draws."""
        raise NotImplementedError

    @property
    def parts(self) -> list:
        """The parts of its page, for `plotting.page`."""
        return [*self.tables, self.figure()]

    def to_dict(self) -> dict:
        """All numbers, ready for JSON; None for NaN and infinities."""
        return to_json(self)


def make_table(rows: list[dict], title: str = "") -> Table:
    """Dictionaries with the same keys as a table: numbers in a few digits, blanks for None and NaN."""
    header = [name.replace("_", " ") for name in rows[0]]
    return Table(header, [[format_value(value) for value in row.values()] for row in rows], title)


def format_value(value) -> str:
    """The text of a value in a table."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, list):
        return ", ".join(map(format_value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return format_number(value, 4)
    return f"{value:,}" if isinstance(value, int) else str(value)
