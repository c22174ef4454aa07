"""Figures as plain data: every renderer draws them, and `to_dict` gives their numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

Numbers = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Curve:
    """A line through points.

    Attributes:
        series: its owner, such as the name of a model; curves and bars of one series have one colour.
        x, y: its points, equally many; NaN leaves a gap.
        label: its name within its series, for example "training".
        note: an addition in the legend, such as the best value.
        dashed: draw a broken line.
        mark: the index of a point to mark.
        band: the lower and upper ends of a range around y, each as long as y.

    Raises:
        ValueError: the counts of x, y and band differ, or there is no point to mark.
    """

    series: str
    x: Numbers
    y: Numbers
    label: str = ""
    note: str = ""
    dashed: bool = False
    mark: int | None = None
    band: tuple[Numbers, Numbers] | None = None

    def __post_init__(self):
        if {len(values) for values in (self.y, *(self.band or ()))} != {len(self.x)}:
            raise ValueError(f"the curve {self.name!r} has {len(self.x)} x: expected as many of everything else")
        if self.mark is not None and not 0 <= self.mark < len(self.x):
            raise ValueError(f"the curve {self.name!r} has no point {self.mark} to mark")

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.series, self.label)))


@dataclass(frozen=True)
class Bars:
    """One bar for each of the panel's groups.

    Attributes:
        series: their owner; bars of several series stand side by side.
        values: the heights; NaN leaves a bar out.
        spread: half the length of an error bar on each, or None.

    Raises:
        ValueError: the counts of values and spread differ.
    """

    series: str
    values: Numbers
    spread: Numbers | None = None

    def __post_init__(self):
        if self.spread is not None and len(self.spread) != len(self.values):
            raise ValueError(f"the bars {self.name!r} have {len(self.values)} values: expected as many spreads")

    @property
    def name(self) -> str:
        return self.series


@dataclass(frozen=True)
class Heat:
    """Numbers as colours, in rows from the top.

    Attributes:
        values: shape (rows, columns); NaN stays blank.
        label: the meaning of the colours.
        rows, columns: names of the rows and of the columns; may be empty.
        texts: in the cells, shape (rows, columns); may be empty.
        extent: the left, right, bottom and top ends in the units of curves over it; the default counts cells.
        limits: the values that have the first and the last colour; by default the lowest and the highest.

    Raises:
        ValueError: the values have not two dimensions, or the counts of names or texts do not fit.
    """

    values: np.ndarray
    label: str = ""
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    texts: Sequence[Sequence[str]] | np.ndarray = ()
    extent: tuple[float, float, float, float] | None = None
    limits: tuple[float, float] | None = None

    def __post_init__(self):
        shape = np.shape(self.values)
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"the heat map has the shape {shape}: expected rows and columns")
        if (len(self.rows) or shape[0], len(self.columns) or shape[1]) != shape:
            raise ValueError(f"the heat map has the shape {shape}: expected as many names of rows and columns")
        if len(self.texts) and np.shape(np.array(self.texts, object)) != shape:
            raise ValueError(f"the heat map has the shape {shape}: expected as many texts")

    @property
    def edges(self) -> tuple[float, float, float, float]:
        rows, columns = np.shape(self.values)
        return self.extent or (-0.5, columns - 0.5, rows - 0.5, -0.5)

    @property
    def range(self) -> tuple[float, float]:
        """The values that have the first and the last colour."""
        if self.limits:
            return self.limits
        values = np.asarray(self.values, float)
        values = values[np.isfinite(values)]
        return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)


@dataclass(frozen=True)
class Panel:
    """One pair of axes: curves, perhaps over a heat map, or bars.

    Attributes:
        x_label, y_label: of the axes, with units.
        title: above the panel.
        groups: of bars, the names along the x axis.
        log_y: make the y axis logarithmic; values that are not above 0 are left out.

    Raises:
        ValueError: the panel is empty, or bars do not match the groups, or share the panel with something else.
    """

    x_label: str
    y_label: str
    curves: Sequence[Curve] = ()
    bars: Sequence[Bars] = ()
    heat: Heat | None = None
    title: str = ""
    groups: Sequence[str] = ()
    log_y: bool = False

    def __post_init__(self):
        if not (self.curves or self.bars or self.heat):
            raise ValueError("the panel is empty: expected curves, bars or a heat map")
        if self.bars and (self.curves or self.heat):
            raise ValueError("the panel has bars and something else: expected a panel for each")
        if any(len(bars.values) != len(self.groups) for bars in self.bars):
            raise ValueError(f"the panel has {len(self.groups)} groups of bars: expected as many bars of each series")

    @property
    def parts(self) -> list[Curve | Bars]:
        """The entries of its legend."""
        return [*self.curves, *self.bars]

    @property
    def has_whole_x(self) -> bool:
        """Whether the curves have only whole numbers, or gaps, along the x axis."""
        return all(x == round(x) for curve in self.curves for x in curve.x if math.isfinite(x))

    def clean_curves(self) -> list[Curve]:
        """The curves, with NaN for values that a logarithmic axis cannot show."""
        return [replace(c, x=finite_values(c.x, False), y=finite_values(c.y, self.log_y)) for c in self.curves]


@dataclass(frozen=True)
class Figure:
    """Panels under a title."""

    title: str
    panels: Sequence[Panel]

    @property
    def series(self) -> list[str]:
        """Every series once, in order. Its place gives its colour in all panels."""
        return list(dict.fromkeys(part.series for panel in self.panels for part in panel.parts))

    def to_dict(self) -> dict:
        """The numbers behind the figure, ready for JSON; None for a missing number."""
        return {"title": self.title, "panels": [panel_to_dict(panel) for panel in self.panels]}


@dataclass(frozen=True)
class Table:
    """Rows of texts or numbers under a header, for a page."""

    header: Sequence[str]
    rows: Sequence[Sequence]
    title: str = ""


@dataclass(frozen=True)
class Fragment:
    """A part of a page that brings its own markup, style sheet and script."""

    markup: str
    style: str = ""
    script: str = ""


def panel_to_dict(panel: Panel) -> dict:
    result: dict[str, Any] = {"title": panel.title, "x_label": panel.x_label, "y_label": panel.y_label}
    if panel.curves:
        result["curves"] = [curve_to_dict(curve) for curve in panel.curves]
    if panel.bars:
        result["groups"] = list(panel.groups)
        result["bars"] = [{k: v for k, v in to_json(bars).items() if v is not None} for bars in panel.bars]
    if panel.heat:
        optional = {name: getattr(panel.heat, name) for name in ("rows", "columns", "extent")}
        result["heat"] = to_json({"label": panel.heat.label, "values": panel.heat.values})
        result["heat"] |= {name: list(value) for name, value in optional.items() if value}
    return result


def curve_to_dict(curve: Curve) -> dict:
    x, y = to_json(curve.x), to_json(curve.y)
    result: dict[str, Any] = {"series": curve.series, "label": curve.label, "x": x, "y": y}
    if curve.mark is not None:
        result["mark"] = {"x": x[curve.mark], "y": y[curve.mark]}
    if curve.band is not None:
        result["low"], result["high"] = map(to_json, curve.band)
    return result


def finite_values(values, logarithmic: bool) -> np.ndarray:
    values = np.asarray(values, float)
    return np.where(np.isfinite(values) & (values > 0 if logarithmic else True), values, np.nan)


def to_json(value):
    """Turn dataclasses, arrays, tuples and numpy's numbers into the types of JSON; None for NaN and infinities."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [to_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
