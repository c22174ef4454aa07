"""The part of a web page that shows connections: the text of each model, coloured, and a position to choose."""

import base64
import json
from importlib import resources

import numpy as np

from shakegen.connectivity.connections import Connections

DECADES = 6  # powers of ten from the strongest to what is shown as none; the script has the same
MARKUP = """<div id="connectivity" data-position="{position}">
<div class="position"><button aria-label="Back">‹</button><input type="range" min="0" aria-label="Position in the text">
<button aria-label="Forward">›</button></div>
<div class="scale">no connectivity <i></i> the strongest <label>scale <select>
<option value="linear">linear</option><option value="root">square root</option><option value="log">logarithmic</option>
</select></label></div>
<script type="application/json">{models}</script>
</div>"""


def view(models: list[Connections], position: int) -> tuple[str, str, str]:
    """The markup, the style sheet and the script.

    Args:
        models: along one text each.
        position: the first chosen, from 0.
    """
    folder = resources.files("shakegen.connectivity")
    style, script = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("view.css", "view.js"))
    data = json.dumps([to_dict(model) for model in models]).replace("<", "\\u003c")
    return MARKUP.format(position=position, models=data), style, script


def to_dict(model: Connections) -> dict:
    """What the script reads; the strengths are bytes, logarithmic, row by row up to the diagonal."""
    shares = model.shares[np.tril_indices(len(model.characters))]
    decades = np.log10(np.maximum(shares, 10.0**-DECADES))
    strengths = np.round(255 * (1 + decades / DECADES)).astype(np.uint8)
    return {
        "name": model.name,
        "characters": model.characters,
        "what": "the word" if model.what == "word" else f"the next {model.what}",
        "targets": model.targets,
        "suggestions": model.suggestions,
        "strengths": base64.b64encode(strengths.tobytes()).decode("ascii"),
    }
