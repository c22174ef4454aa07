"""Connections on a web page, where the reader chooses a position, and in a figure of one position."""

import numpy as np

from shakegen.plotting import Figure, Fragment, Heat, Panel
from shakegen.plotting.coloured_text import coloured_text, pack_bytes
from shakegen.study.connectivity.connections import Connections

DECADES = 6  # powers of ten from the strongest connection to none; the script has the same
COLUMNS = (60, 32)  # characters in a line of an image, of one model and of several side by side
MARKUP = """
<div class="position"><button aria-label="Back">‹</button><input type="range" min="0" aria-label="Position in the text">
<button aria-label="Forward">›</button></div>
<div class="scale">no connectivity <i></i> the strongest <label>scale <select>
<option value="linear">linear</option><option value="root">square root</option><option value="log">logarithmic</option>
</select></label></div>
"""


def view(models: list[Connections], position: int) -> Fragment:
    """The part of a page that shows the connections of each model along a text.

    Args:
        models: connections along one text.
        position: the position that the page shows first, from 0.
    """
    data = {"position": position, "models": [to_dict(model) for model in models]}
    return coloured_text("shakegen.study.connectivity", "connectivity", MARKUP, data)


def still(models: list[Connections], position: int) -> Figure:
    """A figure of one position, from 0: the text of each model, coloured up to there."""
    columns, panels = COLUMNS[len(models) > 1], []
    for model in models:
        rows = -(-len(model.characters) // columns)
        values, texts = np.full(rows * columns, np.nan), np.full(rows * columns, "", object)
        values[: position + 1] = model.shares[position, : position + 1]
        texts[: len(model.characters)] = [visible(character) for character in model.characters]
        limits = 0.0, float(np.nanmax(values, initial=0)) or 1.0
        heat = Heat(values.reshape(rows, columns), "connectivity", texts=texts.reshape(rows, columns), limits=limits)
        offered = ", ".join(f"{visible(text)!r} {share:.0%}" for text, share in model.suggestions[position])
        wanted = f"{model.name} at {position + 1}: {model.title(position)}, {visible(model.targets[position])!r}"
        panels.append(Panel("", "", heat=heat, title=f"{wanted}\n({offered})"))
    return Figure("Connectivity", panels)


def visible(text: str) -> str:
    """A symbol with visible signs for line ends and tabs."""
    return text.replace("\n", "↵").replace("\t", "⇥")


def to_dict(model: Connections) -> dict:
    """The data of the script; the strengths are logarithmic bytes, row by row up to the diagonal."""
    shares = model.shares[np.tril_indices(len(model.characters))]
    decades = np.log10(np.maximum(shares, 10.0**-DECADES))
    return {
        "name": model.name,
        "characters": model.characters,
        "titles": [model.title(position) for position in range(len(model.characters))],
        "targets": model.targets,
        "known": [kind == "true" for kind in model.kinds],
        "suggestions": model.suggestions,
        "strengths": pack_bytes(255 * (1 + decades / DECADES), np.uint8),
    }
