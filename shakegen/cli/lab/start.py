"""`shakegen lab start`."""

import click

from shakegen.cli.lab.group import experiment, progress
from shakegen.lab import cells


@experiment(trains=True)
@click.option("--problem", type=click.Choice(["timer", "adding", "copying"]), default="timer", show_default=True)
@click.option("--starts", default="glorot,orthogonal,identity,echo-state,learned", show_default=True,
              help="Recurrent weights to begin from; learned: orthogonal, and a learned initial state.")  # fmt: skip
@click.option("--optimizers", default="read-out,sgd,momentum,adam,hessian-free", show_default=True,
              help="How to go on; read-out: ridge regression of the read-out alone.")  # fmt: skip
@click.option("--cell", type=click.Choice(list(cells.CELLS)), default="rnn", show_default=True)
@click.option("--lag", type=int, default=10, show_default=True, help="How far back the problem goes; of the timer, the "
              "longest duration.")  # fmt: skip
@click.option("--units", type=int, default=32, show_default=True, help="Size of the layer's state.")
@click.option("--gradients", type=int, default=40_000, show_default=True, help="The budget of every run, in gradients "
              "of single sequences.")  # fmt: skip
@click.option("--batch-size", type=int, default=32, show_default=True, help="Sequences in a batch.")
@click.option("--spectral-radius", type=float, default=0.95, show_default=True, help="Of the start echo-state.")
def start(starts, optimizers, **options):
    """Careful starts against optimizers: the same cell and problem from different weights, in different ways.

    Every start meets every optimizer, all from one budget of gradients; a product with the Gauss-Newton matrix counts
    as two. The problems are those of the timer and of memory.

    \b
    shakegen lab start --out start.svg
    shakegen lab start --problem adding --lag 50 --starts orthogonal,identity --gradients 100000
    shakegen lab start --cell lstm --optimizers adam,hessian-free
    """
    from shakegen.lab.start import OPTIMIZERS, STARTS, chosen, start

    starts, optimizers = chosen("start", starts, STARTS), chosen("optimizer", optimizers, OPTIMIZERS)
    return start(starts=starts, optimizers=optimizers, **options, progress=progress)
