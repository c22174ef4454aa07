"""The table of a comparison: in short for a terminal, at length for a page. Only Python."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shakegen.compare.measurement import Measurement
from shakegen.compare.summary import Row, Summary
from shakegen.plotting.scale import format_error

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
    """All columns of a comparison; the networks' rows, then those of the baselines."""
    rows, beside, unknown = summary.rows, [NONE] * len(summary.baselines), [None] * len(summary.baselines)
    everything = summary.everything
    shown = [
        plain("cell", "cell", [row.name for row in everything]),
        plain("runs", "finished runs", [*map(count_runs, rows), *beside]),
        plain("units", "units", [*(str(row.config.units) for row in rows), *beside]),
    ]
    for name in ("layers", "depth"):
        cells = [str(row.config.to_dict().get(name, NONE)) for row in rows]
        if len(set(cells)) > 1:
            shown.append(plain(name, name, [*cells, *beside]))
    shown.append(Column("weights", "parameters", *numbers([*(row.parameters for row in rows), *unknown])))
    if summary.plan.match == "recurrent":
        recurrent = numbers([*(row.recurrent for row in rows), *unknown])
        shown.append(Column("recurrent", "parameters that neither read nor predict symbols", *recurrent))
    errors = [f"{error:+.1%}" for error in map(summary.match_error, rows) if error is not None]
    if errors:
        shown.append(plain("match", "difference of the number that is to be equal", [*errors, *beside]))
    for measure in summary.task.measures:
        cells = [score(row.figures[measure.name]) for row in everything]
        shown.append(plain(measure.head, measure.title, cells))
        if measure == summary.measure:
            title = f"{measure.title}, difference to {rows[0].name}"
            cells = [score(one, sign="+") for one in summary.differences.values()]
            shown.append(plain("difference", title, [NONE, *cells]))
    means = {name: [*(row.figures[name].mean for row in rows), *unknown] for name in rows[0].figures}
    epochs = [*(score(row.figures["epochs"], 1) for row in rows), *beside]
    minutes = [format_or_none(mean, lambda mean: f"{mean:.{1 + (mean < 10)}f}") for mean in means["minutes"]]
    return [
        *shown,
        plain("epochs", "epochs", epochs),
        plain("min", "minutes", minutes),
        Column("train/s", "characters/s, training", *numbers(means["training_characters_per_second"])),
        Column("draw/s", "characters/s, sampling", *numbers(means["sampling_characters_per_second"])),
        Column("MiB", "peak memory, MiB", *numbers(means["peak_memory_mib"])),
    ]


def count_runs(row: Row) -> str:
    """The number of finished runs, of how many, and what became of the others."""
    count, finished = len(row.records), len(row.finished)
    if finished == count:
        return str(count)
    states = {record.state for record in row.records} - {"finished"}
    return f"{finished} of {count}, {' and '.join(sorted(states))}"


def plain(head: str, title: str, cells: Sequence[str]) -> Column:
    """A column whose cells are the same in short and at length."""
    return Column(head, title, cells, cells)


def numbers(values: Sequence[float | None]) -> tuple[list[str], list[str]]:
    """Numbers in short and at length."""
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


def score(figure: Measurement, digits: int = 3, sign: str = "") -> str:
    """The mean of a figure over the runs, and its error if it is known, with as many digits as this allows."""
    return NONE if figure.mean is None else format_error(figure.mean, figure.error, digits, sign)
