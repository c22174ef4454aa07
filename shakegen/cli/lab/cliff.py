"""`shakegen lab cliff`."""

import click

from shakegen.cli.lab.group import experiment


@experiment(trains=False)
@click.option("--weight", type=float, default=5.0, show_default=True, help="Where the descents start.")
@click.option("--bias", type=float, default=-2.2, show_default=True, help="Where the descents start.")
@click.option("--learning-rate", type=float, default=0.3, show_default=True, help="Of gradient descent.")
@click.option("--clip-norm", type=float, default=0.5, show_default=True, help="The longest that a clipped gradient is.")
@click.option("--steps", type=int, default=100, show_default=True, help="Of gradient descent.")
@click.option("--length", type=int, default=50, show_default=True, help="Steps of the recurrent unit.")
@click.option("--target", type=float, default=0.7, show_default=True, help="What it is asked for after the last.")
@click.option("--starts", type=int, default=500, show_default=True, help="Random starts to descend from as well.")
def cliff(**options):
    """Gradient descent falls off a cliff: one recurrent unit, its weight and its bias.

    The unit is asked for a number after many steps. Where its memory of the start tips over, the error has a wall, and
    the gradient there is so long that one step throws away all that was gained; clipped, it does not. The table shows
    both descents side by side.

    \b
    shakegen lab cliff --out cliff.svg
    shakegen lab cliff --clip-norm 0.1 --learning-rate 1
    """
    from shakegen.lab.cliff import cliff

    return cliff(**options)
