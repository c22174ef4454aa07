"""The pages that the build makes: the start page of the site."""

from pathlib import Path

REDIRECT = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=docs/index.html">
<title>shakegen</title>
<a href="docs/index.html">shakegen</a>
"""


def write_start(app, error) -> None:
    """The site's own index leads to the page that all links know as docs/index."""
    if error is None:
        (Path(app.outdir) / "index.html").write_text(REDIRECT, encoding="utf-8")


def setup(app):
    app.connect("build-finished", write_start)
    return {"parallel_read_safe": True}
