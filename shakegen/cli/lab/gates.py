"""`shakegen lab gates`."""

import os

import click

from shakegen.cli.group import read_text
from shakegen.cli.lab.group import experiment, whole_numbers
from shakegen.cli.options import corpus_options, unknown_option


def coloured(found) -> None:
    """Print the text once for each unit, coloured by what it does."""
    from shakegen.lab import colouring, gates

    if os.environ.get("NO_COLOR"):
        return
    click.echo("\nBlue: low, a gate closed. Red: high, a gate open. Without colour: near the middle.")
    for trace in found.traces:
        click.echo(f"\n{trace['signal']} of unit {trace['unit']} in layer {trace['layer']}")
        shades = gates.shades(trace["values"][trace["signal"]], trace["signal"])
        click.echo(colouring.terminal(found.characters, shades))


@experiment(trains=False, pages_need_matplotlib=False, show=coloured)
@click.argument("model")
@click.argument("text", required=False)
@click.option("--text-file", help="The text, instead: a file, a folder, - or the name of a corpus.")
@corpus_options
@unknown_option
@click.option("--length", type=int, default=50_000, show_default=True, help="Read at most so many characters.")
@click.option("--find", type=click.Choice(["quote", "bracket", "line-position"]),
              help="Rank the units by how closely they follow this.")  # fmt: skip
@click.option("--units", help="Numbers of units, from 0, such as 3,17.  [default: the best, or the most changeable]")
@click.option("--layer", type=int, help="Of the units, from 1.  [default: all; of --units, the first]")
@click.option("--signal", help="What to look at: h, or c of an lstm, c0, c1 … of an nlstm, or a gate: i f o z r.  "
              "[default: the memories, else h]")  # fmt: skip
@click.option("--count", type=int, default=5, show_default=True, help="How many units to show.")
@click.option("--shown", type=int, default=400, show_default=True, help="How many characters to show.")
def gates(model, text, text_file, reading, on_unknown, length, units, **options):
    """The gates and memories of MODEL's units along TEXT: coloured in a terminal, on a page with --out page.html.

    --find ranks the units by their correlation with being inside a quotation or brackets, or with the position in the
    line; beside it stands what the best of as many units reaches by chance. TEXT may be - for standard input.

    \b
    shakegen lab gates models/sonnets-lstm.h5 "shall i compare thee"
    shakegen lab gates models/sonnets-lstm.h5 --text-file sonnets --find line-position --out units.html
    """
    from shakegen.lab import gates
    from shakegen.model import load

    if length < 1:
        raise ValueError(f"the length is {length}: expected 1 character or more")
    loaded = load(model)
    ids = loaded.vocabulary.encode(text_of(text, text_file, reading), on_unknown)[:length]
    numbers = None if units is None else whole_numbers("units", units)
    return gates.gates(loaded, ids, units=numbers, **options)


def text_of(text: str | None, file: str | None, reading: dict) -> str:
    """The text, wherever it is."""
    from shakegen.text import catalog

    if (text is None) == (file is None):
        raise ValueError("expected either a TEXT or a --text-file: give one of them")
    if text is not None:
        return read_text("-", reading["encoding"]) if text == "-" else text
    corpus = catalog.load_corpus(file, **reading)
    return corpus.vocabulary.decode(corpus.ids)
