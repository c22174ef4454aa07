"""`shakegen lab memory`."""

import click

from shakegen.cli.lab.group import experiment, progress, whole_numbers
from shakegen.lab import cells


@experiment(trains=True)
@click.option("--cells", "names", default=",".join(cells.CELLS), show_default=True, help="Which to compare.")
@click.option("--problem", type=click.Choice(["adding", "copying", "both"]), default="both", show_default=True)
@click.option("--lags", default="10,20,40,80", show_default=True, help="Tried in this order, until one is too long.")
@click.option("--updates", type=int, default=500, show_default=True, help="The budget at each lag.")
@click.option("--units", type=int, default=32, show_default=True, help="Size of the layer's state.")
@click.option("--batch-size", type=int, default=32, show_default=True, help="Sequences in a batch.")
@click.option("--symbols", type=int, default=1, show_default=True, help="How many are to be copied.")
@click.option("--learning-rate", type=float, default=1e-2, show_default=True, help="Of Adam.")
def memory(names, problem, lags, **options):
    """The longest lag at which each cell learns, in a given budget, to add and to copy.

    Adding: the sum of the two marked numbers of a sequence, whose length is the lag; mastered with a mean squared error
    below 0.01. Copying: to say again, so many steps later, the symbols that were read first; mastered with 95 % of them
    right.

    \b
    shakegen lab memory
    shakegen lab memory --problem adding --cells lstm,gru --lags 50,100,200 --updates 3000
    """
    from shakegen.lab.memory import PROBLEMS, memory

    tried = list(PROBLEMS) if problem == "both" else [problem]
    return memory(cells.chosen(names), tried, whole_numbers("lags", lags), **options, progress=progress)
