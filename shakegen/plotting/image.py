"""Figures as images, drawn by matplotlib."""

import io
from typing import NamedTuple

import numpy as np

from shakegen.checks import require
from shakegen.plotting.axes import TALL, count_legend_lines, draw_panel, wrap_title
from shakegen.plotting.figure import Figure, Panel
from shakegen.plotting.theme import LIGHT, Theme

FORMATS = ("png", "svg", "pdf")
NEEDED = ["matplotlib"], "images (without `out`, figures are drawn in the terminal)"
HEIGHT, LINE = 3.4, 0.2  # of a panel without its legend, and of a line of the legend, in inches


class Place(NamedTuple):
    """The place of the axes of a panel in a drawing.

    Attributes:
        box: the left, top, right and bottom ends, in points from the upper left corner.
        x, y: the numbers at the left and right, and at the bottom and top.
    """

    box: tuple[float, float, float, float]
    x: tuple[float, float]
    y: tuple[float, float]


def draw(
    figure: Figure, kind: str = "svg", width: float = 8.0, theme: Theme = LIGHT, salt: str = ""
) -> tuple[bytes, list[Place]]:
    """The content of an image file of a figure, and the places of its panels. The same figure gives the same bytes.

    Args:
        figure: the figure to draw.
        kind: one of FORMATS.
        width: in inches; two panels stand side by side if there is room.
        theme: the colours.
        salt: makes the identifiers in an SVG unique on a page.

    Raises:
        ValueError: matplotlib is not installed; the message says how to get it.
    """
    require(*NEEDED)
    import warnings

    import matplotlib
    from matplotlib.figure import Figure as Drawing

    columns = 1 if len(figure.panels) == 1 or width < 7 else 2
    rows, content = -(-len(figure.panels) // columns), io.BytesIO()
    with matplotlib.rc_context(make_settings(theme, salt)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a script without a font shows boxes
        height = rows * max(panel_height(panel, width / columns) for panel in figure.panels)
        banded = any(curve.band is not None for panel in figure.panels for curve in panel.curves)
        title = wrap_title(figure.title, width) if len(figure.panels) > 1 or banded else ""
        height += LINE * title.count("\n")
        drawing = Drawing(figsize=(width, height), layout="constrained")
        if title:
            drawing.suptitle(title)
        grid = drawing.subplots(rows, columns, squeeze=False).ravel()
        for panel, axes in zip(figure.panels, grid):
            draw_panel(panel, axes, figure.series, theme, width / columns)
        for axes in grid[len(figure.panels) :]:
            axes.set_visible(False)
        date = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}[kind]
        drawing.savefig(content, format=kind, dpi=160, metadata=date)
    return content.getvalue(), [locate_axes(axes, width, height) for axes in grid[: len(figure.panels)]]


def panel_height(panel: Panel, width: float) -> float:
    """The height of a panel of this width, both in inches."""
    more = LINE * wrap_title(panel.title, width).count("\n")
    if panel.heat and len(panel.heat.texts):
        rows, columns = np.shape(panel.heat.values)
        return 1.4 + TALL * rows * width / columns + more  # with a title and the bar of colours
    return HEIGHT + LINE * count_legend_lines(panel, width) + more


def locate_axes(axes, width: float, height: float) -> Place:
    box, x, y = axes.get_position(), axes.get_xlim(), axes.get_ylim()
    points = (72 * width * box.x0, 72 * height * (1 - box.y1), 72 * width * box.x1, 72 * height * (1 - box.y0))
    return Place(points, (float(x[0]), float(x[1])), (float(y[0]), float(y[1])))


def make_settings(theme: Theme, salt: str) -> dict:
    from matplotlib.rcsetup import cycler

    ink = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "axes.titlecolor")
    return {
        **dict.fromkeys(ink, theme.ink),
        **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), theme.paper),
        "grid.color": theme.grid,
        "axes.prop_cycle": cycler(color=theme.series),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": "medium",
        "figure.titlesize": "large",
        "svg.fonttype": "none",
        "svg.hashsalt": f"shakegen{salt}",
        "font.size": 10.0,
    }
