"""The command that draws how training went."""

import json
import os
import shutil
import sys
from pathlib import Path

import click

from shakegen.cli.group import main

LOSSES = {"both": ("validation", "training"), "validation": ("validation",), "training": ("training",)}


@main.command()
@click.argument("models", metavar="MODEL|EVALUATION...", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write the figure there: a name in .png, .svg, .pdf or "
              ".html. Needs matplotlib.  [default: draw in the terminal]")  # fmt: skip
@click.option("--against", type=click.Choice(["epochs", "minutes"]), default="epochs", show_default=True)
@click.option("--loss", type=click.Choice(list(LOSSES)), default="both", show_default=True, help="Which to draw.")
@click.option("--from-epoch", type=float, default=0, show_default=True, help="Leave out what came before.")
@click.option("--json", "as_json", is_flag=True, help="Print the numbers behind the figure as one JSON object.")
def plot(models, out, against, loss, from_epoch, as_json):
    """Draw the learning curves of each MODEL, a model file: its losses in bits per character, or word, the best epoch
    marked.

    Or of models of words, given each EVALUATION, a .json file of what `shakegen evaluate --json` printed: how their
    accuracy grows with each character typed. In the terminal, or with --out as an image, or on a web page that needs
    nothing else.

    \b
    shakegen plot models/sonnets-gru.h5
    shakegen plot models/*.h5 --loss validation --against minutes --out curves.html
    shakegen evaluate models/text8-autocomplete-gru.h5 text8 --json > gru.json
    shakegen plot gru.json lstm.json --out accuracy.svg
    """
    from shakegen import plotting
    from shakegen.model import load

    if out:
        plotting.check(out)
    paths = list(dict.fromkeys(models))
    evaluated = [path for path in paths if path.endswith(".json")]
    if evaluated:
        refuse_mixture(evaluated, paths, against=against != "epochs", loss=loss != "both", from_epoch=from_epoch != 0)
        figure, beside = plotting.accuracy_by_typing(evaluations(paths)), ()
    else:
        runs = dict(zip(names_of(paths), map(load, paths), strict=True))
        figure, beside = plotting.learning_curves(runs, against, LOSSES[loss], from_epoch), [overview(runs)]
    if out:
        plotting.save(figure, out, *beside)
        click.echo(f"Saved: {out}", err=True)
    if as_json:
        click.echo(json.dumps(figure.to_dict()))
    elif not out:
        draw(figure)


def names_of(paths: list[str]) -> list[str]:
    """The names of files without folder and suffix, or the whole paths where two would be called the same."""
    names = [Path(path).stem for path in paths]
    return [path if names.count(name) > 1 else name for path, name in zip(paths, names, strict=True)]


def refuse_mixture(evaluated: list[str], paths: list[str], **given: bool) -> None:
    """What belongs to learning curves has no place beside evaluations."""
    if evaluated != paths:
        raise ValueError(f"{evaluated[0]} is an evaluation, others are models: expected files of one kind")
    for name, value in given.items():
        if value:
            raise ValueError(f"--{name.replace('_', '-')} is for learning curves: leave it out for evaluations")


def evaluations(paths: list[str]) -> dict[str, dict]:
    """What `shakegen evaluate --json` printed, by the models' names, or the files' where two would be called the same.

    Raises:
        OSError, ValueError: a file cannot be read, or is not JSON.
    """
    found, names = [], names_of(paths)
    for path in paths:
        try:
            found.append(json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=not_json))
        except FileNotFoundError:
            raise FileNotFoundError(f"no file {path}: expected what `shakegen evaluate --json` printed") from None
        except (RecursionError, ValueError):
            raise ValueError(f"{path} is not JSON: expected what `shakegen evaluate --json` printed") from None
    models = [one.get("model") if isinstance(one, dict) else None for one in found]
    if all(isinstance(model, str) for model in models) and len(set(models)) == len(models):
        names = models
    return dict(zip(names, found, strict=True))


def not_json(name: str):
    """Refuse NaN and the infinities, which Python reads and JSON does not have."""
    raise ValueError(f"{name} is no number of JSON")


def overview(runs: dict):
    """A table of what was trained."""
    from shakegen.plotting import Table

    rows = []
    for name, model in runs.items():
        bits = model.validation_bits
        sizes = model.config.cell, model.config.units, model.config.layers, f"{model.parameters:,}"
        best = model.best_epoch["epoch"], "" if bits is None else f"{bits:.3f}"
        rows.append((name, *sizes, model.corpus.get("name", ""), len(model.history), *best))
    header = (
        "model",
        "cell",
        "units",
        "layers",
        "parameters",
        "corpus",
        "epochs",
        "best epoch",
        "bits/char, validation",
    )
    return Table(header, rows)


def draw(figure) -> None:
    """Print a figure as wide as the terminal, with the signs and colours that it has."""
    from shakegen import plotting

    width = min(120, max(40, shutil.get_terminal_size((80, 24)).columns))
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    click.echo(plotting.text(figure, width, unicode=shows_unicode(sys.stdout), colour=colour), nl=False)


def shows_unicode(stream) -> bool:
    try:
        "⣿█┤●".encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
