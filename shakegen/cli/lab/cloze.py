"""`shakegen lab cloze`."""

import click

from shakegen.cli.lab.group import experiment, progress
from shakegen.cli.options import corpus_options, shape_options
from shakegen.lab import cells


@experiment(trains=True)
@click.argument("corpus", nargs=-1)
@click.option("--cells", "names", default=",".join(cells.CELLS), show_default=True, help="Which to compare.")
@click.option("--bidirectional/--forward", default=None, help="Only networks that read both sides, or only such that "
              "read what comes before.  [default: both, to compare]")  # fmt: skip
@click.option(
    "--context", type=int, default=20, show_default=True, help="Characters, or words, to read on a side of the gap."
)
@click.option("--updates", type=int, default=400, show_default=True, help="Of training.")
@click.option("--units", type=int, default=64, show_default=True, help="Size of a layer's state, one for each side.")
@click.option("--batch-size", type=int, default=64, show_default=True, help="Gaps in a batch.")
@click.option("--learning-rate", type=float, default=5e-3, show_default=True, help="Of Adam.")
@corpus_options
@shape_options
def cloze(corpus, names, bidirectional, reading, shape, **options):
    """How well each cell tells the character, or word, in a gap, reading only what comes before it, or both sides.

    CORPUS: text files, folders of them, - for standard input, or names from `shakegen corpora list`; by default the
    sonnets.

    \b
    shakegen lab cloze
    shakegen lab cloze novel.txt --cells lstm,gru --context 50 --updates 3000
    shakegen lab cloze --cells gru --forward --units 128
    shakegen lab cloze --cells gru --level word --context 8
    """
    from shakegen.lab.cloze import DIRECTIONS, cloze
    from shakegen.text import catalog, splits

    directions = DIRECTIONS if bidirectional is None else [DIRECTIONS[bidirectional]]
    text = catalog.load_corpus(corpus or "sonnets", **reading, **shape | {"split": splits.parse(shape["split"])})
    return cloze(cells.chosen(names), text, directions, **options, progress=progress)
