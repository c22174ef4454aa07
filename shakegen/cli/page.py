"""The command that puts models on a web page."""

import shlex
import webbrowser
from pathlib import Path

import click

from shakegen.cli.group import main
from shakegen.cli.names import ModelName
from shakegen.cli.options import is_given, out_option
from shakegen.cli.plot import name_files
from shakegen.model import shelf
from shakegen.model.precision import PRECISIONS


@main.command()
@click.argument("models", metavar="[MODEL...]", nargs=-1, type=ModelName())
@out_option("The page.", default="page.html", show_default=True)
@click.option("--precision", type=click.Choice(PRECISIONS), default="auto", show_default=True, help="Precision of "
              "the weights on the page; auto: float16, unless it changes a logit by more than 0.02.")  # fmt: skip
@click.option("--open", "open_it", is_flag=True, help="Show the page in the browser.")
def page(models, out, precision, open_it):
    """Put models on one web page, where they run.

    The reader writes with them, completes words, and sees their memory. The page needs no server and fetches nothing:
    open it by a double click, send it by mail, or put it on any web space. Each MODEL is a model file, or a name such
    as sonnets-lstm; without one, the page has sonnets-gru and sonnets-autocomplete.

    \b
    shakegen page --open
    shakegen page models/my-gru.h5 models/my-lstm.h5 --out page.html
    """
    from shakegen.export.page.page import is_page, write_page
    from shakegen.files import ensure_writable, refuse_existing, refuse_same, write_whole
    from shakegen.model import load

    if out.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"cannot write a page to {out}: expected a name that ends in .html")
    paths = list(dict.fromkeys(models)) or [str(shelf.pretrained(task)) for task in ("next", "autocomplete")]
    refuse_same(out, paths)
    if not is_given("out") and not is_page(out):
        refuse_existing(out)
    ensure_writable(out)
    loaded = dict(zip(name_files(paths), map(load, paths), strict=True))
    chosen = [] if precision == "auto" else ["--precision", precision]
    command = shlex.join(["shakegen", "page", *(name_model(path) for path in dict.fromkeys(models)), *chosen])
    write_whole(out, write_page(loaded, precision, command).encode("utf-8", "replace"))
    click.echo(f"Saved: {out} ({out.stat().st_size / 1e6:.1f} MB)", err=True)
    if open_it and not webbrowser.open(out.resolve().as_uri()):
        raise ValueError(f"no browser could be started: expected one on this computer; open {out} there by hand")


def name_model(path: str) -> str:
    """A model as its reader would name it: a pretrained one by its name, a file without its folder."""
    return Path(shelf.name_file(Path(path))).name
