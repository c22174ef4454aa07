"""Figures as data, drawn in a terminal, as an image (with matplotlib) or on a web page."""

from pathlib import Path

from shakegen.checks import require
from shakegen.files import write_whole
from shakegen.plotting import image
from shakegen.plotting.accuracy import accuracy_by_typing
from shakegen.plotting.figure import Bars, Curve, Figure, Fragment, Heat, Panel, Table
from shakegen.plotting.learning import learning_curves
from shakegen.plotting.page import page
from shakegen.plotting.terminal import draw as text

__all__ = [
    "Bars",
    "Curve",
    "Figure",
    "Fragment",
    "Heat",
    "Panel",
    "Table",
    "accuracy_by_typing",
    "check",
    "learning_curves",
    "page",
    "save",
    "text",
]


def check(path: str | Path) -> None:
    """Check, before any work is done, that `save` knows this kind of file.

    Raises:
        ValueError: the name has another ending, or matplotlib is not installed.
    """
    kinds = [*image.FORMATS, "html"]
    if Path(path).suffix.lower().removeprefix(".") not in kinds:
        raise ValueError(f"cannot draw {path}: expected a name that ends in .{', .'.join(kinds[:-1])} or .html")
    require(*image.NEEDED)


def save(figure: Figure, path: str | Path, *beside: Table | str) -> None:
    """Write a figure to a file, whole or not at all. The ending of its name decides the kind: png, svg, pdf or html.

    Args:
        figure: the figure to draw.
        path: the file.
        beside: tables and paragraphs above the figure on a page.

    Raises:
        ValueError: as for `check`.
        OSError: the file cannot be written.
    """
    check(path)
    kind = Path(path).suffix.lower().removeprefix(".")
    content = page(figure.title, *beside, figure).encode() if kind == "html" else image.draw(figure, kind)[0]
    write_whole(Path(path), content)
