"""Models on one web page, where they run. It fetches nothing."""

import json
import string
from collections.abc import Mapping
from importlib import resources

from shakegen.export.page.network import describe
from shakegen.plotting.page import escape_html, read_file, shared_style

# In this order; the last one starts the page.
SCRIPTS = ("encoding", "engine", "sampling", "widgets", "write", "complete", "memory", "beside", "facts", "page")


def write_page(models: Mapping, precision: str = "auto", command: str = "", title: str = "shakegen") -> str:
    """A web page on which models write, complete words and show their memory.

    Args:
        models: `LanguageModel`s and `AutocompleteModel`s, by the names that the page shows.
        precision: of the weights, as `network.describe` takes it.
        command: the command that made the page, which it shows.
        title: of the page.

    Raises:
        ValueError: there is no model, or no such precision.
        CellError: a cell cannot be traced back.
    """
    if not models:
        raise ValueError("there is no model for the page: expected at least one")
    folder = resources.files("shakegen.export.page")
    page, style, *scripts = (
        folder.joinpath(name).read_text(encoding="utf-8")
        for name in ("page.html", "page.css", *(f"{name}.js" for name in SCRIPTS))
    )
    return string.Template(page).substitute(
        title=escape_html(title),
        style=shared_style() + read_file("coloured_text.css") + style,
        models=to_json([describe(model, name, precision) for name, model in models.items()]),
        facts=to_json({"command": command}),
        scripts="\n".join(f"<script>\n{script}</script>" for script in (read_file("coloured_text.js"), *scripts)),
    )


def to_json(value) -> str:
    """JSON that can stand in a script of a page: nothing in it ends the script."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
