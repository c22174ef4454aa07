"""Models on one web page, where they run. It fetches nothing."""

import string
from collections.abc import Mapping
from pathlib import Path

from shakegen.export.page.network import describe
from shakegen.plotting.page import read_file, script_json, shared_style

PACKAGE = "shakegen.export.page"
MARK, HEAD = b'<meta name="generator" content="shakegen">', 1000  # in the first so many bytes of a page
# In this order; the last one starts the page.
SCRIPTS = ("encoding", "engine", "sampling", "widgets", "write", "complete", "memory", "beside", "facts", "page")


def is_page(path: Path) -> bool:
    """Whether a file is such a page."""
    return path.is_file() and MARK in path.read_bytes()[:HEAD]


def write_page(models: Mapping, precision: str = "auto", command: str = "") -> str:
    """A web page on which models write, complete words and show their memory.

    Args:
        models: `LanguageModel`s and `AutocompleteModel`s, by the names that the page shows.
        precision: of the weights, as `network.describe` takes it.
        command: the command that made the page, which it shows.

    Raises:
        ValueError: there is no model, or no such precision.
        CellError: a cell cannot be traced back, or has an infinite constant.
    """
    if not models:
        raise ValueError("there is no model for the page: expected at least one")
    scripts = [read_file("coloured_text.js"), *(read_file(f"{name}.js", PACKAGE) for name in SCRIPTS)]
    return string.Template(read_file("page.html", PACKAGE)).substitute(
        style=shared_style() + read_file("coloured_text.css") + read_file("page.css", PACKAGE),
        models=script_json([describe(model, name, precision) for name, model in models.items()]),
        facts=script_json({"command": command}),
        scripts="\n".join(f"<script>\n{script}</script>" for script in scripts),
    )
