"""A text coloured by what a unit does along it: the part of a web page, and lines for a terminal."""

import base64
import json
from collections.abc import Callable
from importlib import resources

import numpy as np

from shakegen.plotting import Fragment

LOW, HIGH = (153, 111, 69, 27), (223, 216, 209, 202)  # of the terminal's 256 colours: bluer below 0, redder above
FAINTEST = 0.2  # from which on there is a colour
MARKUP = """<div id="gates">
<div class="choice"><label>unit <select></select></label> <label>shows <select></select></label>
<span class="scale">-1, closed <i></i> 1, open</span></div>
<p class="text" tabindex="0" role="slider" aria-label="Position in the text" aria-valuemin="1"></p>
<dl aria-live="polite"></dl>
<script type="application/json">{data}</script>
</div>"""


def view(characters: list[str], traces: list[dict], shades: Callable) -> Fragment:
    """What a page of `plotting.page` needs to show units along a text, one at a time.

    Args:
        characters: the text.
        traces: of the units, as `gates.Gates` has them.
        shades: from the values of a name to numbers from -1 to 1.
    """
    units = [
        {
            "title": f"layer {trace['layer']}, unit {trace['unit']}",
            "signal": trace["signal"],
            "values": trace["values"],
            "shades": {name: packed(shades(values, name)) for name, values in trace["values"].items()},
        }
        for trace in traces
    ]
    folder = resources.files("shakegen.lab")
    style, script = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("gates.css", "gates.js"))
    rounded = json.loads(json.dumps(units), parse_float=lambda text: round(float(text), 3))
    data = json.dumps({"characters": characters, "units": rounded}).replace("<", "\\u003c")
    return Fragment(MARKUP.format(data=data), style, script)


def packed(shades: np.ndarray) -> str:
    """Numbers from -1 to 1 in a byte each, as text."""
    return base64.b64encode(np.round(127 * shades).astype(np.int8).tobytes()).decode("ascii")


def terminal(characters: list[str], shades: np.ndarray) -> str:
    """A text with the escape codes of its colours: the stronger a shade, from -1 to 1, the deeper the blue or red."""
    pieces = []
    for character, shade in zip(characters, shades, strict=True):
        colours = HIGH if shade > 0 else LOW
        depth = int((abs(shade) - FAINTEST) / (1 - FAINTEST) * len(colours)) if abs(shade) >= FAINTEST else None
        visible = character.replace("\n", "↵\n")
        if depth is None:
            pieces.append(character)
        else:
            body, newline = visible.removesuffix("\n"), "\n" * visible.endswith("\n")
            pieces.append(f"\x1b[30;48;5;{colours[min(depth, len(colours) - 1)]}m{body}\x1b[0m{newline}")
    return "".join(pieces)
