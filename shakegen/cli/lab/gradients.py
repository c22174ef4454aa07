"""`shakegen lab gradients`."""

from pathlib import Path

import click

from shakegen.cli.lab.group import experiment, progress
from shakegen.cli.options import corpus_options
from shakegen.lab import cells


@experiment(trains=True)
@click.argument("source", metavar="[MODEL|CELLS]", default=",".join(cells.CELLS))
@click.option("--corpus", default="sonnets", show_default=True, help="A file, a folder, - or the name of a corpus.")
@corpus_options
@click.option("--lags", type=int, default=60, show_default=True, help="How many steps to look back.")
@click.option("--updates", type=int, default=300, show_default=True, help="Of training; of a MODEL, batches to clip.")
@click.option("--units", type=int, default=64, show_default=True, help="Of CELLS: size of the layer's state.")
@click.option("--batch-size", type=int, default=32, show_default=True, help="Windows in a batch.")
@click.option("--seq-length", type=int, default=64, show_default=True, help="Characters in a window.")
@click.option("--learning-rate", type=float, default=1e-2, show_default=True)
@click.option("--optimizer", type=click.Choice(["adam", "sgd"]), default="adam", show_default=True,
              help="sgd has a momentum of 0.9.")  # fmt: skip
@click.option("--clip-value", type=float, default=5.0, show_default=True, help="Largest element, clipped by value.")
@click.option("--clip-norm", type=float, default=1.0, show_default=True, help="Largest norm, clipped by norm.")
def gradients(source, corpus, reading, units, **options):
    """How far gradients reach back, before and after training, and what clipping them does.

    The norm of the gradient of a loss by the state h of k steps before, for a MODEL file, or for CELLS, a list of rnn,
    irnn (ReLU from an identity), lstm, gru, nlstm, which are trained on the text for a moment: without clipping, with
    every element clipped to ± --clip-value, and with the whole clipped to --clip-norm.

    \b
    shakegen lab gradients --out gradients.svg
    shakegen lab gradients rnn,irnn --optimizer sgd --learning-rate 0.3
    shakegen lab gradients models/sonnets-gru.h5 --lags 100
    """
    from shakegen.lab import gradients
    from shakegen.text import catalog

    names = None if Path(source).suffix == ".h5" else cells.chosen(source)
    text, run = catalog.load_corpus(corpus, **reading), gradients.Run(**options)
    if names:
        return gradients.of_cells(names, text, units, run, progress)
    from shakegen.model import load

    model = load(source, task="next")
    return gradients.of_model(model, text.vocabulary.decode(text.ids), Path(source).stem, run)
