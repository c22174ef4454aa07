"""A Sphinx extension: the pages that no file of the repository has are made from the code when the site is built."""

import inspect
import re
from pathlib import Path

from api_pages import write_api_pages
from command_pages import write_command_pages
from docstrings import translate_docstring
from docutils import nodes
from public_names import find_homes
from sphinx.util import logging

from shakegen.cli import main
from shakegen.model import shelf
from shakegen.network.quiet import quiet_tensorflow

LIVE = "live/models.html"  # in the folder of docs/live.md
LIVE_PAGE = f"""<p><a href="{LIVE}">Open the page alone</a></p>
<iframe class="live" src="{LIVE}" title="networks that come with shakegen" loading="lazy"></iframe>
"""
REDIRECT = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=docs/index.html">
<title>shakegen</title>
<a href="docs/index.html">shakegen</a>
"""
TOCTREE = re.compile(r"^<!-- toctree ?(.*?): (.*?) -->$", re.MULTILINE)
logger = logging.getLogger(__name__)


def write_pages(app) -> None:
    """Write the pages of the commands and of the API; a page that is as it was is left alone."""
    with quiet_tensorflow():
        find_homes()
    for folder, pages in (("commands", write_command_pages()), ("python", write_api_pages())):
        place = Path(app.srcdir) / "docs" / "reference" / folder
        place.mkdir(exist_ok=True)
        for old in {path.name for path in place.glob("*.md")} - set(pages):
            (place / old).unlink()
        for name, content in pages.items():
            path = place / name
            if not path.exists() or path.read_text(encoding="utf-8") != content:
                path.write_text(content, encoding="utf-8")


def read_docstring(app, what, name, value, options, lines: list[str]) -> None:
    names = {home.rpartition(".")[2]: home for home in find_homes().values()}
    lines[:] = translate_docstring(lines, names, ".".join(name.split(".")[:2]) + ".")
    if what in ("attribute", "property"):
        lines.insert(0, "")  # else napoleon takes the text before a colon for a type


def mark_entries(app, what, name, value, options, lines: list[str]) -> None:
    """In lists of arguments, which napoleon has made by now, a colon instead of two hyphens."""
    lines[:] = [line.replace("** -- ", "**: ", 1) for line in lines]


def mark_errors(app, doctree) -> None:
    """The same where Sphinx makes the list."""
    for text in list(doctree.findall(nodes.Text)):
        if text == " -- ":
            text.parent.replace(text, nodes.Text(": "))


def read_signature(app, what, name, value, options, signature, returned) -> tuple[str, str | None] | None:
    """The arguments of a class: Keras hides those of layers, and a default that is made anew is no Python."""
    if what == "class" and signature == "(*args, **kwargs)":
        own = list(inspect.signature(value.__init__).parameters.values())[1:]
        return f"({', '.join(map(str, own))})", None
    return signature and (signature.replace("<factory>", "..."), returned)


def skip_field(app, what, name, value, skip, options) -> bool | None:
    """Leave out the fields of named tuples that have no docstring of their own."""
    return True if (value.__doc__ or "").startswith("Alias for field number") else None


def check_names(app, env) -> None:
    """Warn of public names that the site does not describe: they have no docstring."""
    described = env.domaindata["py"]["objects"]
    for home in sorted(set(find_homes().values()) - set(described)):
        logger.warning("%s is public, but not in the reference: it needs a docstring", home)


def read_comments(app, docname: str, source: list[str]) -> None:
    """Comments in documents are for the site alone: its menu, and the page that `write_site_files` makes."""
    source[0] = TOCTREE.sub(write_toctree, source[0]).replace("<!-- live -->", LIVE_PAGE)


def write_toctree(comment: re.Match) -> str:
    """`<!-- toctree CAPTION: DOCUMENT... -->` as the directive of Sphinx; the caption may be missing."""
    options = f":caption: {comment[1]}\n" * bool(comment[1]) + ":glob:\n:hidden:\n"
    return "\n```{toctree}\n" + options + "\n" + "\n".join(comment[2].split()) + "\n```\n"


def write_site_files(app, error) -> None:
    """The page of all pretrained models, the usual one first, by the command of docs/live.md; the site's own index."""
    if error is None:
        live = Path(app.outdir) / "docs" / LIVE
        live.parent.mkdir(parents=True, exist_ok=True)
        main(["page", "sonnets-gru", *shelf.NAMES, "--out", str(live)], standalone_mode=False)
        (Path(app.outdir) / "index.html").write_text(REDIRECT, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", read_docstring, priority=100)  # before napoleon
    app.connect("autodoc-process-docstring", mark_entries, priority=900)
    app.connect("doctree-read", mark_errors)
    app.connect("autodoc-process-signature", read_signature)
    app.connect("autodoc-skip-member", skip_field)
    app.connect("env-check-consistency", check_names)
    app.connect("source-read", read_comments)
    app.connect("build-finished", write_site_files)
    return {"parallel_read_safe": True}
