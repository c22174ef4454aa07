"""The command that draws how training went."""

import shutil
import sys
from pathlib import Path

import click

from shakegen.cli.group import main, shows_colour
from shakegen.cli.names import ModelName
from shakegen.cli.options import json_option, out_option, refuse_idle
from shakegen.cli.tables import print_json
from shakegen.files import parse_json
from shakegen.streams import plain

LOSSES = {"both": ("validation", "training"), "validation": ("validation",), "training": ("training",)}


@main.command()
@click.argument("models", metavar="MODEL|EVALUATION...", nargs=-1, required=True, type=ModelName())
@out_option("Write the figure there: a name in .png, .svg, .pdf or .html. Needs matplotlib.  [default: draw in the "
            "terminal]")  # fmt: skip
@click.option("--against", type=click.Choice(["epochs", "minutes"]), default="epochs", show_default=True,
              help="Horizontal axis.")  # fmt: skip
@click.option("--loss", type=click.Choice(list(LOSSES)), default="both", show_default=True, help="Losses to draw.")
@click.option("--from-epoch", type=float, default=0, show_default=True, help="Leave out the epochs before it.")
@json_option
def plot(models, out, against, loss, from_epoch, as_json):
    """Draw learning curves, or accuracy by characters typed.

    For each MODEL, a model file: its losses, with a mark at the best epoch; models whose losses have different units
    have a panel for each unit. For autocomplete models, give each EVALUATION, a .json file of `shakegen evaluate
    --json`: the figure shows how their accuracy grows with each character typed. It goes to the terminal, or with --out
    to an image or a web page.

    \b
    shakegen plot models/my-gru.h5
    shakegen plot models/*.h5 --against minutes --out curves.html
    shakegen evaluate models/text8-autocomplete-gru.h5 text8 --json > gru.json
    shakegen plot gru.json lstm.json --out accuracy.svg
    """
    from shakegen import files, plotting
    from shakegen.model import load

    if out:
        plotting.check(out)
        files.ensure_writable(out)
    paths = list(dict.fromkeys(models))
    evaluated = [path for path in paths if path.endswith(".json")]
    if evaluated:
        if evaluated != paths:
            raise ValueError(f"{evaluated[0]} is an evaluation, others are models: expected files of one kind")
        refuse_idle("on evaluations", "against", "loss", "from_epoch")
        figure, beside = plotting.accuracy_by_typing(evaluations(paths)), []
    else:
        runs = dict(zip(name_files(paths), map(load, paths), strict=True))
        figure, beside = plotting.learning_curves(runs, against, LOSSES[loss], from_epoch), [overview(runs)]
    if out:
        plotting.save(figure, out, *beside)
        click.echo(f"Saved: {out}", err=True)
    if as_json:
        print_json(figure.to_dict())
    elif not out:
        draw(figure)


def name_files(paths: list[str]) -> list[str]:
    """The names of files without folder and suffix; whole paths where two would be the same."""
    names = [Path(path).stem for path in paths]
    return [path if names.count(name) > 1 else name for path, name in zip(paths, names, strict=True)]


def evaluations(paths: list[str]) -> dict[str, dict]:
    """The output of `shakegen evaluate --json`, by the models' names, or the files' if two models share a name.

    Raises:
        OSError, ValueError: a file cannot be read, or is not JSON.
    """
    results, names = [], name_files(paths)
    for path in paths:
        try:
            results.append(parse_json(Path(path).read_bytes()))
        except FileNotFoundError:
            raise FileNotFoundError(f"no file {path}: expected the output of `shakegen evaluate --json`") from None
        except ValueError:
            raise ValueError(f"{path} is not JSON: expected the output of `shakegen evaluate --json`") from None
    models = [one["model"] for one in results if isinstance(one, dict) and isinstance(one.get("model"), str)]
    if len(set(models)) == len(results):
        names = models
    return dict(zip(names, results, strict=True))


def overview(runs: dict):
    """A table of the trained models."""
    from shakegen.plotting import Table

    rows = []
    for name, model in runs.items():
        loss, unit = model.best_epoch.get("val_loss"), model.loss_unit
        sizes = model.config.cell, model.config.units, model.config.layers, f"{model.parameters:,}"
        best = f"{model.best_epoch['epoch']:.4g}", "" if loss is None else f"{loss / unit.nats:.3f} {unit.name}"
        rows.append((name, *sizes, model.corpus.get("name", ""), f"{model.history[-1]['epoch']:.4g}", *best))
    header = ("model", "cell", "units", "layers", "parameters", "corpus", "epochs", "best epoch")
    return Table((*header, "best loss, validation"), rows)


def draw(figure) -> None:
    """Print a figure as wide as the terminal, with the signs and colours of the terminal."""
    from shakegen import plotting

    width = min(120, max(40, shutil.get_terminal_size((80, 24)).columns))
    text = plotting.text(figure, width, unicode=shows_unicode(sys.stdout), colour=shows_colour())
    click.echo(text, file=plain(sys.stdout), nl=False)


def shows_unicode(stream) -> bool:
    try:
        "⣿█┤●".encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
