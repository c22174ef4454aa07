"""The part of a web page with a coloured text, in which pointer, finger or keys choose a character."""

import base64
import json

import numpy as np

from shakegen.plotting.figure import Fragment
from shakegen.plotting.page import read_file, script_json

HEAD = "const root = document.getElementById({}), data = JSON.parse(root.querySelector('script').textContent);\n"


def coloured_text(package: str, name: str, markup: str, data) -> Fragment:
    """A part of a page, from its markup, its data, and a script and a style sheet that use the shared ones.

    Args:
        package: the package of the files name.js and name.css. The script has the element `root` of the part, its
            `data`, and the functions of `coloured_text.js`.
        name: the name of the two files, and the id of the part.
        markup: the content of the part.
        data: the data of the script, ready for JSON.
    """
    style = read_file("coloured_text.css") + read_file(f"{name}.css", package)
    script = HEAD.format(json.dumps(name)) + read_file("coloured_text.js") + read_file(f"{name}.js", package)
    written = script_json(data)
    markup = f'<div id="{name}" class="coloured">{markup}<script type="application/json">{written}</script></div>'
    return Fragment(markup, style, f"{{\n{script}}}\n")


def pack_bytes(values: np.ndarray, kind: type) -> str:
    """Numbers, rounded to bytes, as text for JSON."""
    return base64.b64encode(np.round(values).astype(kind).tobytes()).decode("ascii")
