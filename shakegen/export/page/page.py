"""Models on one web page, where they run. It fetches nothing."""

import json
import string
from importlib import resources

from shakegen.export.page.network import describe
from shakegen.plotting.page import css_variables, escape_html
from shakegen.plotting.theme import DARK, LIGHT

# In this order; page.js starts the page.
SCRIPTS = ("engine", "sampling", "widgets", "write", "complete", "memory", "beside", "facts", "page")


def write_page(models: dict, precision: str = "auto", command: str = "", title: str = "shakegen") -> str:
    """A web page on which models write, complete and show their memory.

    Args:
        models: by the names that the page shows.
        precision: of the weights, as `network.describe` takes it.
        command: the command that made the page, which it shows.
        title: of the page.
    """
    folder = resources.files("shakegen.export.page")
    template = string.Template(folder.joinpath("page.html").read_text(encoding="utf-8"))
    descriptions = [describe(model, name, precision) for name, model in models.items()]
    files = [folder.joinpath(f"{name}.js") for name in SCRIPTS]
    scripts = [file.read_text(encoding="utf-8") for file in files if file.is_file()]
    return template.substitute(
        light=css_variables(LIGHT),
        dark=css_variables(DARK),
        title=escape_html(title),
        style=folder.joinpath("page.css").read_text(encoding="utf-8"),
        models=to_json(descriptions),
        facts=to_json({"command": command}),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def to_json(value) -> str:
    """JSON that can stand in a script of a page: nothing in it ends the script."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
