"""`shakegen lab timer`."""

import click

from shakegen.cli.lab.group import experiment, progress
from shakegen.lab import cells


@experiment(trains=True)
@click.option("--cells", "names", default=",".join(cells.CELLS), show_default=True, help="Which to train.")
@click.option("--longest", type=int, default=20, show_default=True, help="Steps that a duration of 1.0 stands for.")
@click.option("--length", type=int, default=120, show_default=True, help="Steps in a sequence.")
@click.option("--updates", type=int, default=500, show_default=True, help="The budget of each cell.")
@click.option("--units", type=int, default=32, show_default=True, help="Size of the layer's state.")
@click.option("--batch-size", type=int, default=32, show_default=True, help="Sequences in a batch.")
@click.option("--learning-rate", type=float, default=1e-2, show_default=True, help="Of Adam.")
def timer(names, **options):
    """Jaeger's timer: say 0.5 for as long as asked.

    A trigger comes now and then, and beside it stands a duration of 0.1, 0.2 … 1.0. From the trigger on, the output is
    to be 0.5 for so long, then 0 again. The table has the mean squared error, the share of steps that are on the right
    side of 0.25, and by how many steps a duration is missed on average; the figure has the target and what each cell
    says.

    \b
    shakegen lab timer --out timer.svg
    shakegen lab timer --cells lstm,nlstm --longest 50 --length 300
    """
    from shakegen.lab.timer import timer

    return timer(cells.chosen(names), **options, progress=progress)
