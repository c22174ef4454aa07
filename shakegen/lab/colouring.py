"""The part of a web page that shows a text coloured by the values of a unit."""

from collections.abc import Callable

import numpy as np

from shakegen.plotting import Fragment
from shakegen.plotting.coloured_text import coloured_text, pack_bytes

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
