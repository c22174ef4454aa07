"""Figures as images, drawn by matplotlib."""

import io
from dataclasses import dataclass

import numpy as np

from shakegen.plotting.figure import Bars, Curve, Figure, Panel

FORMATS = ("png", "svg", "pdf")
MARKERS = "os^D"
PANEL_HEIGHT = 3.4  # inches; a legend's lines come on top


@dataclass(frozen=True)
class Theme:
    """Colours: of the paper, of lines and letters, of the grid, and of the series in turn."""

    paper: str
    ink: str
    grid: str
    series: tuple[str, ...]


# Colours that the colour-blind can tell apart (after Okabe & Ito 2008, "Color Universal Design").
ON_WHITE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#7a5195", "#555555")
LIGHT = Theme("#ffffff", "#222222", "#dddddd", ON_WHITE)


@dataclass(frozen=True)
class Place:
    """Where the axes of a panel are in a drawing.

    Attributes:
        box: the left, top, right and bottom ends, in points from the upper left corner.
        x, y: the numbers at the left and right, and at the bottom and top.
    """

    box: tuple[float, float, float, float]
    x: tuple[float, float]
    y: tuple[float, float]


def render(figure: Figure, kind: str = "svg", width: float = 8.0) -> bytes:
    """A figure as the content of an image file; the same figure gives the same bytes.

    Args:
        figure: what to draw.
        kind: one of FORMATS.
        width: in inches; panels stand side by side where there is room for two.

    Raises:
        ValueError: matplotlib is not installed; the message says how to get it.
    """
    return draw(figure, kind, width)[0]


def draw(figure: Figure, kind: str, width: float, theme: Theme = LIGHT, salt: str = "") -> tuple[bytes, list[Place]]:
    """As `render`, in given colours, and where the panels came to be.

    Args:
        theme: the colours.
        salt: makes the identifiers in an SVG differ from another one's on the same page.
    """
    require()
    import warnings

    import matplotlib
    from matplotlib.figure import Figure as Drawing

    columns = 1 if len(figure.panels) == 1 or width < 7 else 2
    rows, content = -(-len(figure.panels) // columns), io.BytesIO()
    with matplotlib.rc_context(settings(theme, salt)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a script without a font shows boxes
        legends = [legend_lines(panel, width / columns) for panel in figure.panels]
        height = rows * (PANEL_HEIGHT + 0.2 * max(legends))
        drawing = Drawing(figsize=(width, height), layout="constrained")
        if len(figure.panels) > 1:
            drawing.suptitle(plain(figure.title))
        grid = drawing.subplots(rows, columns, squeeze=False).ravel()
        for panel, axes in zip(figure.panels, grid):
            draw_panel(panel, axes, figure.series, theme, width / columns)
        for axes in grid[len(figure.panels) :]:
            axes.set_visible(False)
        date = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}[kind]
        drawing.savefig(content, format=kind, dpi=160, metadata=date)
    return content.getvalue(), [place(axes, width, height) for axes in grid[: len(figure.panels)]]


def place(axes, width: float, height: float) -> Place:
    found = axes.get_position()
    points = (72 * width * found.x0, 72 * height * (1 - found.y1), 72 * width * found.x1, 72 * height * (1 - found.y0))
    return Place(points, tuple(map(float, axes.get_xlim())), tuple(map(float, axes.get_ylim())))


def plain(text: str) -> str:
    """Text that matplotlib shows as it is: not as a formula, and not hidden for its first letter."""
    text = text.replace("$", r"\$")
    return f"\u200b{text}" if text.startswith("_") else text


def require() -> None:
    """Refuse, with the way to get it, where matplotlib is missing; nothing is loaded."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ValueError(
            "images are drawn by matplotlib, which is not installed: try `pip install matplotlib`, or draw in the "
            "terminal (without --out)"
        ) from None


def settings(theme: Theme, salt: str) -> dict:
    ink = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "axes.titlecolor")
    return {
        **dict.fromkeys(ink, theme.ink),
        **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), theme.paper),
        "grid.color": theme.grid,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": "medium",
        "figure.titlesize": "large",
        "svg.fonttype": "none",
        "svg.hashsalt": f"shakegen{salt}",
        "font.size": 10.0,
    }


def draw_panel(panel: Panel, axes, series: list[str], theme: Theme, width: float) -> None:
    axes.set(xlabel=plain(panel.x_label), ylabel=plain(panel.y_label), title=plain(panel.title))
    axes.margins(x=0.02)
    if panel.log_x:
        axes.set_xscale("log")
    if panel.log_y:
        axes.set_yscale("log")
    if panel.heat:
        draw_heat(panel, axes)
    else:
        axes.grid(axis="y" if panel.bars else "both")
        axes.set_axisbelow(True)
    drawn = [draw_bars(bars, n, panel, axes, colour(bars, series, theme), theme) for n, bars in enumerate(panel.bars)]
    for curve in panel.scaled():
        marker = MARKERS[series.index(curve.series) // len(theme.series) % len(MARKERS)]
        drawn.append(draw_curve(curve, axes, colour(curve, series, theme), marker))
        if panel.heat:
            drawn[-1].set_path_effects([outline(theme)])
    if panel.curves and not panel.log_x and not panel.heat and whole(panel):
        axes.xaxis.get_major_locator().set_params(integer=True)
    if legend_lines(panel, width):
        draw_legend(panel, axes, drawn, 2 if in_two_columns(panel, width) else 1)


def legend_lines(panel: Panel, width: float) -> int:
    """The lines of the legend below a panel that is so many inches wide."""
    entries = [*panel.bars, *panel.curves]
    if len(entries) == 1 and not getattr(entries[0], "note", ""):
        return 0
    return -(-len(entries) // (2 if in_two_columns(panel, width) else 1))


def in_two_columns(panel: Panel, width: float) -> bool:
    return width >= 7 and len(panel.bars) + len(panel.curves) > 3


def draw_legend(panel: Panel, axes, drawn: list, columns: int) -> None:
    from matplotlib.transforms import ScaledTranslation

    names = [f"{p.name}: {p.note}" if getattr(p, "note", "") else p.name for p in (*panel.bars, *panel.curves)]
    below = axes.transAxes + ScaledTranslation(0, -0.5, axes.figure.dpi_scale_trans)
    axes.legend(
        drawn, [plain(name) for name in names], loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=below,
        borderaxespad=0, borderpad=0, frameon=False, fontsize="small", ncols=columns,
    )  # fmt: skip


def outline(theme: Theme):
    """A line of paper's colour around a curve that lies on a heat map."""
    from matplotlib.patheffects import withStroke

    return withStroke(linewidth=4, foreground=theme.paper)


def colour(part: Curve | Bars, series: list[str], theme: Theme) -> str:
    return theme.series[series.index(part.series) % len(theme.series)]


def whole(panel: Panel) -> bool:
    x = np.concatenate([curve.x for curve in panel.curves])
    return bool(np.all(x == np.round(x)))


def draw_curve(curve: Curve, axes, colour: str, marker: str):
    marked = {} if curve.mark is None else {"marker": marker, "markevery": [curve.mark]}
    if np.isfinite(curve.y).sum() == 1:
        marked = {"marker": marker}
    (line,) = axes.plot(curve.x, curve.y, color=colour, linestyle="--" if curve.dashed else "-", lw=1.6, **marked)
    if curve.dashed:
        line.set_alpha(0.8)
    if curve.band is not None:
        axes.fill_between(curve.x, *curve.band, color=colour, alpha=0.2, linewidth=0)
    return line


def draw_bars(bars: Bars, number: int, panel: Panel, axes, colour: str, theme: Theme):
    width, groups = 0.8 / len(panel.bars), np.arange(len(panel.groups))
    places = groups + (number - (len(panel.bars) - 1) / 2) * width
    drawn = axes.bar(places, bars.values, width, color=colour, yerr=bars.spread, ecolor=theme.ink, capsize=2)
    axes.set_xticks(groups, [plain(name) for name in panel.groups])
    return drawn


def draw_heat(panel: Panel, axes) -> None:
    heat = panel.heat
    low, high = heat.range
    values = np.where(np.isfinite(heat.values), heat.values, np.nan)
    image = axes.imshow(
        values, "cividis", aspect="auto", extent=heat.edges, vmin=low, vmax=high, interpolation="nearest"
    )
    for axis, names in ((axes.xaxis, heat.columns), (axes.yaxis, heat.rows)):
        if len(names):
            every = -(-len(names) // 40)
            axis.set_ticks(range(0, len(names), every), [plain(name) for name in names[::every]])
    axes.figure.colorbar(image, ax=axes, label=plain(heat.label)).outline.set_visible(False)
