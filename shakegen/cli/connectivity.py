"""The command that shows which earlier characters each prediction depends on."""

import json
from pathlib import Path

import click

from shakegen.cli import plot
from shakegen.cli.group import colour_symbol, echo_coloured, find_model, main, read_argument, say_model, shows_colour
from shakegen.cli.options import (
    input_encoding_option,
    json_option,
    model_option,
    out_option,
    quiet_option,
    refuse_idle,
    refuse_idle_on,
    unknown_option,
)
from shakegen.cli.tables import print_json, print_wrapped

HELP = (
    "Which earlier characters does each prediction depend on? Point at a character, tap it, or use the arrow keys: the "
    "colours show, relative to the strongest, the squared norm of the gradient of a logit by the characters before it. "
    "It is the logit of the character, or word, that is named beside the text: the true next one by default."
)
SHADES = ((0.8, 202), (0.5, 208), (0.25, 215), (0.1, 222), (0.02, 230))  # of 256 colours, from this share on


@main.command()
@click.argument("text")
@model_option("Model file, or a name; may be given several times.  [default: the newest autocomplete model in "
              "./models, else sonnets-autocomplete]", "models", multiple=True)  # fmt: skip
@click.option("--position", type=int, default=-1, show_default=True, help="Look after this character, from 1; -1 is "
              "the last.")  # fmt: skip
@click.option("--target", help="Trace the logit of this word, or character, everywhere.  [default: the true one]")
@click.option("--top", type=int, default=3, show_default=True, help="Number of suggestions to show.")
@input_encoding_option
@unknown_option
@click.option("--evaluation", "evaluations", type=click.Path(), multiple=True, help="For the page: "
              "a .json file of `shakegen evaluate --json`, for accuracy by characters typed.")  # fmt: skip
@out_option("Write an .html page where any position can be chosen, or an image of one: .png, .svg or .pdf.")
@quiet_option("Do not say which model was taken, nor what was saved.")
@json_option
def connectivity(text, models, position, target, top, encoding, on_unknown, evaluations, out, quiet, as_json):
    """Show which earlier characters each prediction depends on.

    The measure is the squared L2 norm of the gradient of a logit, by default that of the true next word or character,
    with respect to the one-hot input at each earlier position. TEXT: the text itself, or - for standard input.

    \b
    shakegen connectivity "shall i compare thee to a summers day"
    shakegen connectivity "shall i" --model a.h5 --model b.h5 --out page.html
    """
    from shakegen import files, plotting

    if evaluations and (not out or out.suffix.lower() != ".html"):
        raise ValueError("--evaluation is for the page: give --out with a name that ends in .html, or leave it out")
    if out and (evaluations or out.suffix.lower() != ".html"):
        plotting.check(out)
    if out:
        files.ensure_writable(out)
    if text != "-":
        refuse_idle("on a text of the command line", "encoding")
    if as_json and not out:
        refuse_idle("with --json, which has all positions", "position")
    drawn = [plotting.accuracy_by_typing(plot.evaluations(list(evaluations)))] if evaluations else []
    paths = models or [str(find_model("autocomplete", quiet))]
    read = read_models(text, paths, target, top, on_unknown, encoding)
    position = resolve_position(position, min(len(one.characters) for one in read))
    say_model()
    if out:
        save(read, position, out, *drawn)
        if not quiet:
            click.echo(f"Saved: {out}", err=True)
    if as_json:
        print_json({"models": [one.to_dict() for one in read]})
    elif not out:
        for one in read:
            (colour if shows_colour() else list_all)(one, position)


def read_models(text, paths, target, top, on_unknown, encoding):
    """The connections of each model along the text; if one reads words of a to z, all do."""
    from shakegen.model import load
    from shakegen.study.connectivity.connections import connections

    text = read_argument(text, encoding)
    paths = list(dict.fromkeys(paths))
    models = dict(zip(plot.name_files(paths), map(load, paths), strict=True))
    tasks = {model.task for model in models.values()}
    if len(tasks) == 1:
        refuse_idle_on(*tasks)
    for model in models.values():
        text = model.normalize(text)
    return [connections(model, text, name, target, top, on_unknown) for name, model in models.items()]


def resolve_position(position: int, length: int) -> int:
    """A position from 0, for one that counts from 1, or from the end if it is negative."""
    if not 1 <= abs(position) <= length:
        raise ValueError(f"the position is {position}: expected 1 to {length}, or -1 to -{length}")
    return position - 1 if position > 0 else length + position


def save(models, position: int, out: Path, *figures) -> None:
    from shakegen import plotting
    from shakegen.files import write_whole
    from shakegen.study.connectivity import view

    if out.suffix.lower() != ".html":
        plotting.save(view.still(models, position), out)
        return
    write_whole(out, plotting.page("Connectivity", HELP, view.view(models, position), *figures).encode())


def list_all(one, position: int) -> None:
    """For a pipe: a line with the prediction, then one for each character up to there, with its connectivity.

    Tabs are between the fields; characters and words are JSON.
    """
    offers = "".join(f"\t{quote(text)} {share:.4f}" for text, share in one.suggestions[position])
    click.echo(f"{one.name}\t{position + 1}\t{quote(one.targets[position])}{offers}")
    for character, norm in zip(one.characters[: position + 1], one.norms[position].tolist(), strict=False):
        click.echo(f"{quote(character)}\t{norm:.4g}")


def quote(text: str) -> str:
    """A text as JSON: it may be a line end, or have a tab."""
    return json.dumps(text, ensure_ascii=False)


def colour(one, position: int) -> None:
    """For a terminal: the prediction, and the text; a redder character has a stronger connectivity."""
    offers = ", ".join(f"{text!r} {share:.0%}" for text, share in one.suggestions[position])
    print_wrapped(f"{one.name} at {position + 1}: {one.title(position)}, {one.targets[position]!r}; expected: {offers}")
    for index, character in enumerate(one.characters):
        share = one.shares[position, index]
        shade = next((colour for least, colour in SHADES if share >= least), None)
        dim = {} if shade else {"dim": index > position}
        echo_coloured(colour_symbol(character, shade, underline=index == position, **dim))
    click.echo("\n")
