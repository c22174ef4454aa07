"""Commands about models that are there."""

from operator import attrgetter
from pathlib import Path

import click

from shakegen.cli.group import main
from shakegen.cli.help import Commands
from shakegen.cli.options import json_option, model_argument, out_option
from shakegen.cli.show import info
from shakegen.cli.tables import print_json, table

FIGURES = {
    "kind": "kind",
    "cell": "config.cell",
    "units": "config.units",
    "layers": "config.layers",
    "parameters": "parameters",
    "validation_bits_per_character": "validation_bits",
}  # of a model in a list: their keys, and where the model has them


@main.group(cls=Commands, invoke_without_command=True)
@click.pass_context
def models(context):
    """List, show, locate and shrink trained models.

    `shakegen models` alone is `shakegen models list`.

    \b
    shakegen models list
    shakegen models show sonnets-lstm
    """
    if context.invoked_subcommand is None:
        context.invoke(models_list)


@models.command("list")
@json_option
def models_list(as_json):
    """List the models in ./models, and the pretrained ones.

    The newest come first. The table has the bits/char on their validation text. The pretrained ones have names, which
    every command takes, in any folder; a file of that name in the folder at hand wins.

    \b
    shakegen models list
    shakegen models list --json
    """
    from shakegen.model import shelf

    listed = [describe(path) for path in shelf.list_models()]
    if as_json:
        print_json({"models": listed})
        return
    rows = []
    for one in listed:
        bits = one["validation_bits_per_character"]
        sizes = [f"{one['units']}", f"{one['parameters']:,}"] if one["kind"] else ["", ""]
        shown = "" if bits is None else f"{bits:.3f}"
        rows.append((one["kind"] or "not usable", one["cell"] or "", *sizes, shown, one["model"]))
    table(("kind", "cell", "units", "parameters", "bits/char", "model"), rows)


def describe(path: Path) -> dict:
    """A model in a list, ready for JSON; all but its name and path is None where the file cannot be used."""
    from shakegen.model import load, shelf

    place = {"model": shelf.name_file(path), "path": str(path)}
    try:
        model = load(path)
    except (OSError, ValueError):
        return place | dict.fromkeys(FIGURES)
    return place | {key: attrgetter(name)(model) for key, name in FIGURES.items()}


@models.command("path")
@model_argument
def models_path(model):
    """Print the path of MODEL: a name, or a file that is there.

    \b
    cp "$(shakegen models path sonnets-lstm)" .
    """
    from shakegen.model import shelf

    if not Path(model).is_file():
        raise FileNotFoundError(shelf.explain_missing(model))
    click.echo(model)


@models.command("shrink")
@model_argument
@out_option("The copy; a file that is there is kept.  [default: models/<name>-small.h5]")
def models_shrink(model, out):
    """Write a small copy of MODEL, to keep or to pass on.

    It lacks the place where a training run stands, which --resume needs. Its weights have 16 bits instead of 32, if
    no logit differs by more than 0.02 along 4,096 symbols that it writes. To `decompress` it is another model.

    \b
    shakegen models shrink models/my-gru.h5
    shakegen models shrink models/my-gru.h5 --out my.h5
    """
    from shakegen.files import ensure_writable, refuse_existing
    from shakegen.model import load
    from shakegen.model.precision import TOLERANCE, shrink

    out = out or Path("models", f"{Path(model).stem}-small.h5")
    refuse_existing(out)
    whole = load(model)
    ensure_writable(out)
    small, change = shrink(whole)
    refuse_existing(out)  # somebody may have made it meanwhile
    small.save(out)
    before, after = (f"{path.stat().st_size / 1e6:.2f} MB" for path in (Path(model), out))
    differs = f"differs by {change:.2g} at most"
    if not change <= TOLERANCE:
        differs = f"would differ by {change:.2g}, more than {TOLERANCE}: they keep 32"
    click.echo(f"Saved: {out}, {after} instead of {before}", err=True)
    click.echo(f"With weights of 16 bits, a logit {differs}.", err=True)


models.add_command(info, "show")
