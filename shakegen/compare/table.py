"""The table of a comparison: in short for a terminal, at length for a page. Only Python."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shakegen.compare.summary import Measurement, Row, Summary

NONE = "-"


@dataclass(frozen=True)
class Column:
    """A column, with its cells in short and at length.

    Attributes:
        head, title: above it, likewise.
        short, long: a cell for each row.
    """

    head: str
    title: str
    short: Sequence[str]
    long: Sequence[str]


def columns(summary: Summary) -> list[Column]:
    """All columns of a comparison."""
    rows = summary.rows
    configs = [row.config for row in rows]
    shown = [
        plain("cell", "cell", [row.name for row in rows]),
        plain("units", "units", [str(config.units) for config in configs]),
        plain("layers", "layers", [str(config.layers) for config in configs]),
        Column("weights", "parameters", *numbers(row.parameters for row in rows)),
    ]
    depths = [str(config.cell_options.get("depth", NONE)) for config in configs]
    if set(depths) != {NONE}:
        shown.insert(3, plain("depth", "depth", depths))
    for number, measure in enumerate(summary.task.measures):
        cells = [score(row, measure.name, measure.digits) for row in rows]
        if number == 0:
            cells = [cell if row.finished else row.records[0].state for cell, row in zip(cells, rows, strict=True)]
        shown.append(plain(measure.head, measure.title, cells))
    means = {name: [row.figures[name].mean for row in rows] for name in rows[0].figures}
    minutes = [format_or_none(mean, lambda mean: f"{mean:.{1 + (mean < 10)}f}") for mean in means["minutes"]]
    return [
        *shown,
        Column("train/s", "characters/s, training", *numbers(means["training_characters_per_second"])),
        Column("draw/s", "characters/s, sampling", *numbers(means["sampling_characters_per_second"])),
        plain("min", "minutes", minutes),
        Column("MiB", "peak memory, MiB", *numbers(means["peak_memory_mib"])),
    ]


def plain(head: str, title: str, cells: Sequence[str]) -> Column:
    """A column whose cells are the same in short and at length."""
    return Column(head, title, cells, cells)


def numbers(values) -> tuple[list[str], list[str]]:
    """Numbers in short and at length."""
    values = list(values)
    return [format_or_none(value, compact) for value in values], [
        format_or_none(value, lambda v: f"{v:,.0f}") for value in values
    ]


def format_or_none(value: float | None, how: Callable[[float], str]) -> str:
    return NONE if value is None else how(value)


def compact(value: float) -> str:
    """A number in three digits: 640, 12.3k, 1.23M."""
    for unit in ("", "k", "M", "G"):
        if abs(value) < 999.5 or unit == "G":
            return f"{value:.0f}" if not unit else f"{value:.{max(0, 2 - (value >= 9.995) - (value >= 99.95))}f}{unit}"
        value /= 1000
    raise AssertionError


def score(row: Row, name: str, digits: int) -> str:
    """The mean of a measure over the runs, and its spread if there is one."""
    figure: Measurement = row.figures[name]
    spread = "" if figure.spread is None else f" ±{figure.spread:.{digits}f}"
    return format_or_none(figure.mean, lambda mean: f"{mean:.{digits}f}{spread}")
