"""The part of a web page with a coloured text, in which pointer, finger or keys choose a character."""

import base64
import json
from importlib import resources

import numpy as np

from shakegen.plotting.figure import Fragment


def coloured_text(package: str, name: str, markup: str, data) -> Fragment:
    """A part of a page, from its markup, its data, and a script and a style sheet that use the shared ones.

    Args:
        package: the package of the files name.js and name.css. The script has the element `root` of the part, its
            `data`, and the functions of `coloured_text.js`.
        name: the name of the two files, and the id of the part.
        markup: the content of the part.
        data: the data of the script, ready for JSON.
    """
    shared, own = resources.files("shakegen.plotting"), resources.files(package)
    style = read(shared, "coloured_text.css") + read(own, f"{name}.css")
    script = read(shared, "coloured_text.js").replace("$name", name, 1) + read(own, f"{name}.js")
    written = json.dumps(data).replace("<", "\\u003c")
    markup = f'<div id="{name}" class="coloured">{markup}<script type="application/json">{written}</script></div>'
    return Fragment(markup, style, f"{{\n{script}}}\n")


def read(folder, name: str) -> str:
    return folder.joinpath(name).read_text(encoding="utf-8")


def pack_bytes(values: np.ndarray, kind: type) -> str:
    """Numbers, rounded to bytes, as text for JSON."""
    return base64.b64encode(np.round(values).astype(kind).tobytes()).decode("ascii")
