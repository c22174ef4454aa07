"""A canvas for terminals: letters and colours for series, cells of dots or letters."""

import itertools
import string

import numpy as np

from shakegen.plotting.scale import Scale

BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])  # by row and column of a cell's dots
COLOURS = (36, 33, 35, 32, 31, 34, 96, 93)  # of the theme of the terminal, so that they suit dark and light
UNICODE = {"mark": "●", "axis": "│", "tick": "┤", "corner": "└", "across": "─", "below": "┬", "shades": " ░▒▓█"}
UNICODE |= {"plus-minus": "±"}
ASCII = {"mark": "*", "axis": "|", "tick": "+", "corner": "+", "across": "-", "below": "+", "shades": " .:-=+*#%@"}
ASCII |= {"plus-minus": "+-"}
EIGHTHS = ("", *"▏▎▍▌▋▊▉")


class Pen:
    """The look of a drawing: a letter and a colour for each series, and the signs that the terminal can show."""

    def __init__(self, series: list[str], unicode: bool, colour: bool):
        self.series, self.unicode, self.colour = series, unicode, colour
        self.signs = UNICODE if unicode else ASCII

    def letter(self, curve) -> str:
        letter = string.ascii_uppercase[self.series.index(curve.series) % 26]
        return letter.lower() if curve.dashed else letter

    def paint(self, text: str, series: str | None) -> str:
        if not self.colour or series is None or text.isspace():
            return text
        return f"\x1b[{COLOURS[self.series.index(series) % len(COLOURS)]}m{text}\x1b[0m"

    def bar(self, length: float) -> str:
        """A bar, its length in characters; in Unicode, to an eighth of one."""
        if not self.unicode:
            return "#" * round(length)
        whole, eighths = divmod(round(8 * length), 8)
        return "█" * whole + EIGHTHS[eighths]


class Canvas:
    """Cells to draw in: each has 4 × 2 dots in braille, or one letter in ASCII.

    Args:
        width, height: in characters.
        x, y: the scales of the axes.
        pen: the look of the drawing.
    """

    def __init__(self, width: int, height: int, x: Scale, y: Scale, pen: Pen):
        self.width, self.height, self.x, self.y, self.pen = width, height, x, y, pen
        self.rows, self.columns = (4, 2) if pen.unicode else (1, 1)
        self._dots = np.zeros((height, width), int)
        self.signs = np.full((height, width), " ", dtype=object)
        self._owners = np.full((height, width), None, dtype=object)

    def places(self, curve) -> np.ndarray:
        """The points of a curve as dots down and across from the upper left corner, shape (points, 2)."""
        down, across = 1 - self.y.place(curve.y), self.x.place(curve.x)
        return np.stack([down * (self.height * self.rows - 1), across * (self.width * self.columns - 1)], axis=1)

    def cell(self, place) -> tuple[int, int]:
        """The row and column of the cell at a place in dots."""
        return round(float(place[0])) // self.rows, round(float(place[1])) // self.columns

    def curve(self, curve) -> None:
        """Draw straight lines between neighbouring points; a dashed curve leaves out every other pair of dots."""
        places, drawn = self.places(curve), 0
        finite = np.isfinite(places).all(axis=1)
        for index in np.flatnonzero(finite):
            begin, end = places[index], places[index + 1 if finite[index + 1 : index + 2].any() else index]
            steps = int(np.abs(end - begin).max()) + 1
            for step in range(steps):
                if not (curve.dashed and drawn // self.columns % 2):
                    self._dot(begin + (end - begin) * step / steps, curve)
                drawn += 1

    def _dot(self, place, curve) -> None:
        cell = self.cell(place)
        self.signs[cell], self._owners[cell] = self.pen.letter(curve), curve.series
        if self.pen.unicode:
            down, across = round(float(place[0])), round(float(place[1]))
            self._dots[cell] |= BRAILLE[down % self.rows, across % self.columns]
            self.signs[cell] = chr(0x2800 + self._dots[cell])

    def mark(self, curve) -> None:
        """Mark the marked point of a curve."""
        place = self.places(curve)[curve.mark]
        if np.isfinite(place).all():
            cell = self.cell(place)
            self.signs[cell], self._owners[cell] = self.pen.signs["mark"], curve.series

    def shade(self, heat) -> None:
        """Fill the canvas with a heat map: each cell shows the value at its middle."""
        values, shades = np.asarray(heat.values, float), self.pen.signs["shades"]
        rows = (np.arange(self.height) + 0.5) * values.shape[0] / self.height
        columns = (np.arange(self.width) + 0.5) * values.shape[1] / self.width
        cells = values[rows.astype(int)][:, columns.astype(int)]
        low, high = heat.range
        levels = np.clip((cells - low) / ((high - low) or 1) * len(shades), 0, len(shades) - 1)
        self.signs[:] = np.array(list(shades), object)[np.nan_to_num(levels).astype(int)]

    def lines(self) -> list[str]:
        """The rows of the canvas, with escape codes if the pen has colours."""
        return [
            "".join(
                self.pen.paint("".join(sign for sign, _ in cells), owner)
                for owner, cells in itertools.groupby(zip(signs, owners), key=lambda cell: cell[1])
            )
            for signs, owners in zip(self.signs, self._owners)
        ]
