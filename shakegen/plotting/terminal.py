"""Figures in a terminal: curves of braille dots or letters, bars of blocks, heat maps of shades."""

import dataclasses
import math
import textwrap

import numpy as np

from shakegen.plotting.canvas import Canvas, Pen
from shakegen.plotting.figure import Figure, Panel
from shakegen.plotting.scale import Scale, format_number
from shakegen.streams import count_columns, escape

VALUES = 24  # columns beside a bar for its value


def draw(figure: Figure, width: int = 80, height: int = 16, *, unicode: bool = True, colour: bool = False) -> str:
    """A figure as text, without the bands of curves.

    Args:
        figure: its panels come one below the other.
        width: columns of the terminal, 40 or more.
        height: lines of the axes of each panel, 4 or more.
        unicode: use braille and blocks; otherwise the figure is ASCII, except for its names.
        colour: colour the series with escape codes.

    Returns:
        Lines of at most `width` characters, unless a name is longer.

    Raises:
        ValueError: there is too little room.
    """
    if width < 40 or height < 4:
        raise ValueError(f"{width} columns and {height} lines are too few for a figure: expected 40 and 4 or more")
    figure = escape_texts(figure)
    pen, several = Pen(figure.series, unicode, colour), len(figure.panels) > 1
    lines = textwrap.wrap(figure.title, width, break_long_words=False) if several else []
    for panel in figure.panels:
        lines += [""] * several + [panel.title] * bool(panel.title)
        lines += draw_bars(panel, width, pen) if panel.bars else draw_axes(panel, width, height, pen)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def escape_texts(drawn):
    """A figure, or a part of one, with all its texts escaped for a terminal."""
    if isinstance(drawn, str):
        return escape(drawn)
    if isinstance(drawn, (list, tuple)):
        return [escape_texts(part) for part in drawn]
    if dataclasses.is_dataclass(drawn) and not isinstance(drawn, type):
        texts = {field.name: escape_texts(getattr(drawn, field.name)) for field in dataclasses.fields(drawn)}
        return dataclasses.replace(drawn, **texts)
    return drawn


def draw_axes(panel: Panel, width: int, height: int, pen: Pen) -> list[str]:
    """The lines of a panel with curves, a heat map, or curves over a heat map."""
    curves = panel.clean_curves()
    x, y = make_scales(panel, curves)
    beside = {round((1 - float(y.place(value))) * (height - 1)): text for value, text in y.ticks(height // 2)}
    margin = max(map(len, beside.values()), default=0) + 1
    canvas = Canvas(width - margin - 3, height, x, y, pen)
    if panel.heat:
        canvas.shade(panel.heat)
    for curve in reversed(curves):  # the first is drawn last, on top
        canvas.curve(curve)
    for curve in curves:
        if curve.mark is not None:
            canvas.mark(curve)
    ends, lines = place_letters(canvas, curves), [f"{panel.y_label:>{margin + 1}}"]
    for row, content in enumerate(canvas.lines()):
        axis = pen.signs["tick" if row in beside else "axis"]
        lines.append(f"{beside.get(row, ''):>{margin}}{axis}{content} {ends.get(row, '')}")
    return [*lines, *draw_x_axis(x, canvas.width, margin, panel.x_label, pen), *draw_legend(panel, pen)]


def make_scales(panel: Panel, curves) -> tuple[Scale, Scale]:
    if panel.heat:
        left, right, bottom, top = panel.heat.edges
        return Scale(left, right, names=panel.heat.columns), Scale(bottom, top, names=panel.heat.rows)
    x = Scale.around([curve.x for curve in curves], whole=panel.has_whole_x)
    return x, Scale.around([curve.y for curve in curves], logarithmic=panel.log_y)


def place_letters(canvas: Canvas, curves) -> dict[int, str]:
    """By row, the letter of each curve beside its end, or in the nearest free row."""
    ends = {}
    for curve in curves if len(curves) > 1 else ():
        places = canvas.places(curve)
        places = places[np.isfinite(places).all(axis=1)]
        free = [row for row in range(canvas.height) if row not in ends]
        if len(places) and free:
            row = min(free, key=lambda row: abs(row - canvas.cell(places[-1])[0]))
            ends[row] = canvas.pen.paint(canvas.pen.letter(curve), curve.series)
    return ends


def draw_x_axis(x: Scale, width: int, margin: int, label: str, pen: Pen) -> list[str]:
    """The x axis, the numbers below it, and its label."""
    line, texts = [pen.signs["across"]] * width, [" "] * (margin + width + 3)
    for value, text in x.ticks(width // 12):
        place = round(float(x.place(value)) * (width - 1))
        line[place] = pen.signs["below"]
        begin = max(0, min(margin + 1 + place - len(text) // 2, len(texts) - len(text)))
        texts[begin : begin + len(text)] = text
    return [" " * margin + pen.signs["corner"] + "".join(line), "".join(texts), f"{label:>{margin + 1 + width}}"]


def draw_legend(panel: Panel, pen: Pen) -> list[str]:
    lines = []
    for curve in panel.curves:
        letter = f"{pen.letter(curve)} " if len(panel.curves) > 1 else ""
        mark = "" if curve.mark is None else f"  {pen.signs['mark']}"
        lines.append(f"{pen.paint(letter + curve.name, curve.series)}{mark} {curve.note}")
    if panel.heat:
        low, high = map(format_number, panel.heat.range)
        lines.append(f"{low} {pen.signs['shades']} {high}  {panel.heat.label}")
    return lines


def draw_bars(panel: Panel, width: int, pen: Pen) -> list[str]:
    """Horizontal bars with their values, one line each, in groups."""
    several = len(panel.bars) > 1
    margin = max(map(count_columns, [*panel.groups, *(f"  {bars.name}" for bars in panel.bars if several)]))
    heights = np.abs(np.concatenate([np.asarray(bars.values, float) for bars in panel.bars]))
    highest = max(heights[np.isfinite(heights)], default=0) or 1.0
    lines = [f"{panel.y_label} by {panel.x_label}"]
    for group, title in enumerate(panel.groups):
        lines += [title] if several else []
        for bars in panel.bars:
            value = float(bars.values[group])
            if not math.isfinite(value):
                continue
            length = abs(value) / highest * max(8, width - margin - VALUES)
            spread = math.nan if bars.spread is None else float(bars.spread[group])
            error = f" {pen.signs['plus-minus']} {format_number(spread)}" if math.isfinite(spread) else ""
            name = f"  {bars.name}" if several else title
            name += " " * (margin - count_columns(name))
            lines.append(f"{name} {pen.paint(pen.bar(length), bars.series)} {format_number(value)}{error}")
    return lines
