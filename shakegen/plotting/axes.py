"""One panel of a figure, drawn by matplotlib."""

import textwrap

import numpy as np

from shakegen.plotting.figure import Bars, Curve, Heat, Panel
from shakegen.plotting.theme import Theme
from shakegen.streams import escape

MARKERS = "os^D"
DASHES = ("--", ":", "-.")  # of the dashed curves of one series, in turn
NAME = 30  # characters of a name beside an axis; longer names are cut
TALL = 2  # height of a cell with text, in widths
LETTER, LINE = 0.085, 0.17  # width of a letter and height of a line, in inches


def escape_text(text: str) -> str:
    """Text that matplotlib shows as it is: not as a formula, nor hidden for its first letter, nor broken as XML."""
    text = escape(text).replace("$", r"\$")
    return f"\u200b{text}" if text.startswith("_") else text


def wrap_title(title: str, width: float) -> str:
    """A title in lines that a drawing of this width, in inches, has room for."""
    return "\n".join(textwrap.fill(line, int(width / LETTER)) for line in escape_text(title).split("\n"))


def draw_panel(panel: Panel, axes, series: list[str], theme: Theme, width: float) -> None:
    """Draw all of a panel.

    Args:
        panel: the panel to draw.
        axes: of matplotlib.
        series: of the whole figure; their places give the colours.
        theme: the colours.
        width: of the panel with its labels, in inches.
    """
    from matplotlib.patheffects import withStroke

    axes.set(xlabel=escape_text(panel.x_label), ylabel=escape_text(panel.y_label), title=wrap_title(panel.title, width))
    axes.margins(x=0.02)
    if panel.log_y:
        axes.set_yscale("log")
    if panel.heat:
        draw_heat(panel.heat, axes, theme, width)
    else:
        axes.grid(axis="y" if panel.bars else "both")
        axes.set_axisbelow(True)
    if panel.bars:
        name_ticks(axes.xaxis, panel.groups, width - 1)
    drawn = [
        draw_bars(bars, n, panel, axes, pick_colour(bars, series, theme), theme) for n, bars in enumerate(panel.bars)
    ]
    curves = panel.clean_curves()
    for number, curve in enumerate(curves):
        marker = MARKERS[series.index(curve.series) // len(theme.series) % len(MARKERS)]
        alike = sum(other.dashed and other.series == curve.series for other in curves[:number])
        style = DASHES[alike % len(DASHES)] if curve.dashed else "-"
        drawn.append(draw_curve(curve, axes, pick_colour(curve, series, theme), marker, style))
        if panel.heat:
            drawn[-1].set_path_effects([withStroke(linewidth=4, foreground=theme.paper)])
    if panel.curves and not panel.heat and panel.has_whole_x:
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    if count_legend_lines(panel, width):
        draw_legend(panel, axes, drawn, width)


def pick_colour(part: Curve | Bars, series: list[str], theme: Theme) -> str:
    return theme.series[series.index(part.series) % len(theme.series)]


def draw_curve(curve: Curve, axes, colour: str, marker: str, style: str):
    marked: dict = {} if curve.mark is None else {"marker": marker, "markevery": [curve.mark]}
    if not marked and marker != MARKERS[0]:  # another series has this colour
        marked = {"marker": marker, "markevery": max(1, len(curve.x) // 8)}
    if np.isfinite(curve.y).sum() == 1:
        marked = {"marker": marker}
    (line,) = axes.plot(curve.x, curve.y, color=colour, linestyle=style, lw=1.6, **marked)
    if curve.dashed:
        line.set_alpha(0.8)
    if curve.band is not None:
        axes.fill_between(curve.x, *curve.band, color=colour, alpha=0.2, linewidth=0)
    return line


def draw_bars(bars: Bars, number: int, panel: Panel, axes, colour: str, theme: Theme):
    width, groups = 0.8 / len(panel.bars), np.arange(len(panel.groups))
    places = groups + (number - (len(panel.bars) - 1) / 2) * width
    return axes.bar(places, bars.values, width, color=colour, yerr=bars.spread, ecolor=theme.ink, capsize=2)


def draw_heat(heat: Heat, axes, theme: Theme, width: float) -> None:
    low, high = heat.range
    values = np.where(np.isfinite(heat.values), heat.values, np.nan)
    colours, aspect = ("Oranges", TALL) if len(heat.texts) else ("cividis", "auto")
    image = axes.imshow(values, colours, aspect=aspect, extent=heat.edges, vmin=low, vmax=high, interpolation="nearest")
    beside = {"location": "bottom", "shrink": 0.5} if len(heat.texts) else {}
    axes.figure.colorbar(image, ax=axes, label=escape_text(heat.label), **beside).outline.set_visible(False)
    if len(heat.texts):
        draw_texts(heat, image, axes, theme, width)
    if len(heat.columns):
        name_ticks(axes.xaxis, heat.columns, width - 2.5)
    if len(heat.rows):
        name_ticks(axes.yaxis, heat.rows, 2.5)


def draw_texts(heat: Heat, image, axes, theme: Theme, width: float) -> None:
    """Write the texts in the cells: dark on light, light on dark, and pale on blank cells."""
    axes.set_axis_off()
    axes.set_anchor("N")
    size = min(12, 60 * width / np.shape(heat.values)[1])
    for row, texts in enumerate(heat.texts):
        for column, text in enumerate(texts):
            value = heat.values[row][column]
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.5
            ink = {"color": "white" if dark else "black"} if np.isfinite(value) else {"color": theme.ink, "alpha": 0.6}
            axes.text(
                column, row, escape_text(text), ha="center", va="center", family="monospace", fontsize=size, **ink
            )


def name_ticks(axis, names, room: float) -> None:
    """Write names beside an axis of `room` inches: slanted if they would overlap, and only as many as fit."""
    shown = [name if len(name) <= NAME else f"{name[: NAME - 1]}…" for name in names]
    slanted = axis.axis_name == "x" and len(shown) * LETTER * (max(map(len, shown)) + 1) > room
    every = -(-len(shown) // max(2, int(room / LINE))) if slanted or axis.axis_name == "y" else 1
    axis.set_ticks(range(0, len(shown), every), [escape_text(name) for name in shown[::every]])
    if slanted:
        longest = max(map(len, shown))
        turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if longest > 3 else {}
        axis.set_tick_params(labelsize="small")
        for label in axis.get_ticklabels():
            label.set(**turned)


def wrap_legend(panel: Panel, width: float) -> list[str]:
    """The entries of the legend, wrapped to a width in inches; empty if the panel needs no legend."""
    parts = panel.parts
    notes = [getattr(part, "note", "") for part in parts]
    if len(parts) == 1 and not notes[0]:
        return []
    letters = max(16, int((width / count_legend_columns(panel, width) - 1.2) * 15))
    texts = [f"{part.name}: {note}" if note else part.name for part, note in zip(parts, notes)]
    return ["\n".join(textwrap.wrap(text, letters)) or text for text in texts]


def count_legend_columns(panel: Panel, width: float) -> int:
    return 2 if width >= 7 and len(panel.bars) + len(panel.curves) > 3 else 1


def count_legend_lines(panel: Panel, width: float) -> int:
    """The number of lines of the legend below a panel of this width in inches."""
    lines = [text.count("\n") + 1 for text in wrap_legend(panel, width)]
    first = -(-len(lines) // count_legend_columns(panel, width))
    return max(sum(lines[:first]), sum(lines[first:]))


def draw_legend(panel: Panel, axes, drawn: list, width: float) -> None:
    from matplotlib.transforms import ScaledTranslation

    low = max((len(label.get_text()) for label in axes.get_xticklabels() if label.get_rotation()), default=0)
    below = axes.transAxes + ScaledTranslation(0, -0.5 - 0.7 * LETTER * low, axes.figure.dpi_scale_trans)
    axes.legend(
        drawn, [escape_text(text) for text in wrap_legend(panel, width)], loc="upper left", bbox_to_anchor=(0, 0),
        bbox_transform=below, borderaxespad=0, borderpad=0, frameon=False, fontsize="small",
        ncols=count_legend_columns(panel, width),
    )  # fmt: skip
