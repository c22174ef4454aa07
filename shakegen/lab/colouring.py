"""A text coloured by the values of a unit: the part of a web page, and lines for a terminal."""

from collections.abc import Callable

import numpy as np

from shakegen.plotting import Fragment
from shakegen.plotting.coloured_text import coloured_text, pack_bytes

LOW, HIGH = (153, 111, 69, 27), (223, 216, 209, 202)  # of the terminal's 256 colours: bluer below 0, redder above
FAINTEST = 0.2  # a weaker shade has no colour
MARKUP = """
<div class="choice"><label>unit <select></select></label> <label>shows <select></select></label>
<span class="scale">-1, closed <i></i> 1, open</span></div>
<p class="text"></p>
<dl aria-live="polite"></dl>
"""


def page_part(characters: list[str], traces: list[dict], shades: Callable) -> Fragment:
    """The part of a page that shows units along a text, one at a time.

    Args:
        characters: the text.
        traces: the units, as `gates.Gates` has them.
        shades: turns the values of a name into numbers from -1 to 1.
    """
    units = [
        {
            "title": f"layer {trace['layer']}, unit {trace['unit']}",
            "signal": trace["signal"],
            "values": {name: np.round(np.array(values, float), 3).tolist() for name, values in trace["values"].items()},
            "shades": {name: pack_bytes(127 * shades(v, name), np.int8) for name, v in trace["values"].items()},
        }
        for trace in traces
    ]
    return coloured_text("shakegen.lab", "gates", MARKUP, {"characters": characters, "units": units})


def terminal(characters: list[str], shades: np.ndarray) -> str:
    """A text with escape codes for colours; a stronger shade, from -1 to 1, gives a deeper blue or red."""
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
