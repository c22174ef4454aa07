"""The part of a web page that shows connections: the text of each model, coloured, and a position to choose."""

import base64
import json
from importlib import resources

import numpy as np

from shakegen.plotting import Figure, Fragment, Heat, Panel
from shakegen.study.connectivity.connections import Connections

DECADES = 6  # powers of ten from the strongest to what is shown as none; the script has the same
COLUMNS = (60, 32)  # characters in a line of an image, of one model and of several side by side
MARKUP = """<div id="connectivity" data-position="{position}">
<div class="position"><button aria-label="Back">‹</button><input type="range" min="0" aria-label="Position in the text">
<button aria-label="Forward">›</button></div>
<div class="scale">no connectivity <i></i> the strongest <label>scale <select>
<option value="linear">linear</option><option value="root">square root</option><option value="log">logarithmic</option>
</select></label></div>
<script type="application/json">{models}</script>
</div>"""


def view(models: list[Connections], position: int) -> Fragment:
    """What the page of `plotting.page` needs to show them.

    Args:
        models: along one text each.
        position: the first chosen, from 0.
    """
    folder = resources.files("shakegen.study.connectivity")
    style, script = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("view.css", "view.js"))
    data = json.dumps([to_dict(model) for model in models]).replace("<", "\\u003c")
    return Fragment(MARKUP.format(position=position, models=data), style, script)


def still(models: list[Connections], position: int) -> Figure:
    """A figure of one position, counted from 0: each model's text, coloured up to there."""
    columns, panels = COLUMNS[len(models) > 1], []
    for model in models:
        rows = -(-len(model.characters) // columns)
        values, texts = np.full(rows * columns, np.nan), np.full(rows * columns, "", object)
        values[: position + 1] = model.shares[position, : position + 1]
        texts[: len(model.characters)] = [visible(character) for character in model.characters]
        heat = Heat(values.reshape(rows, columns), "connectivity", texts=texts.reshape(rows, columns))
        offered = ", ".join(f"{visible(text)!r} {share:.0%}" for text, share in model.suggestions[position])
        wanted = f"{model.name} at {position + 1}: {model.title(position)}, {visible(model.targets[position])!r}"
        panels.append(Panel("", "", heat=heat, title=f"{wanted}\n({offered})"))
    return Figure("Connectivity", panels)


def visible(text: str) -> str:
    """A symbol as a sign that can be seen, but for the space."""
    return text.replace("\n", "↵").replace("\t", "⇥")


def to_dict(model: Connections) -> dict:
    """What the script reads; the strengths are bytes, logarithmic, row by row up to the diagonal."""
    shares = model.shares[np.tril_indices(len(model.characters))]
    decades = np.log10(np.maximum(shares, 10.0**-DECADES))
    strengths = np.round(255 * (1 + decades / DECADES)).astype(np.uint8)
    return {
        "name": model.name,
        "characters": model.characters,
        "titles": [model.title(position) for position in range(len(model.characters))],
        "targets": model.targets,
        "known": [kind == "true" for kind in model.kinds],
        "suggestions": model.suggestions,
        "strengths": base64.b64encode(strengths.tobytes()).decode("ascii"),
    }
