"""The options that say how a text is read to be measured, and the protocols that they stand for."""

import click

from shakegen.cli.options import is_given, options_from, pack, refuse_idle, refuse_several
from shakegen.model.protocols import Dynamic, Windows

WINDOWS = {
    "windows": click.option("--windows", type=int, help="Read windows of so many symbols, each from the start "
                            "state, as nanoGPT evaluates; 256 is usual."),
    "draws": click.option("--draws", type=int, help="Draw so many windows at random.  [default: every window]"),
    "random_state": click.option("--random-state", type=int, default=0, show_default=True, help="Of that draw."),
}  # fmt: skip
TEXTS = {
    "rate": "The rate at which it learns.",
    "decay": "The share of the way back to its trained weights, at each step.",
    "segment": "Symbols that it reads from step to step.",
}
FLAGS = {"rate": "--dynamic-rate", "decay": "--dynamic-decay"}
LEARNING = dict(zip(TEXTS, options_from(Dynamic, TEXTS, FLAGS), strict=True))
DYNAMIC = {
    "dynamic": click.option("--dynamic", is_flag=True, help="Let the model learn from what it has read of the text "
                            "(dynamic evaluation)."),
    **LEARNING,
}  # fmt: skip


def protocol_options(command):
    """The options of how a text is read; the command gets them as one dictionary `protocol`."""
    return pack(command, "protocol", "Protocol", {**WINDOWS, **DYNAMIC})


def dynamic_options(command):
    """The options of dynamic evaluation; the command gets them as one dictionary `protocol`."""
    return pack(command, "protocol", "Protocol", DYNAMIC)


def make_protocol(dynamic: bool, rate, decay, segment, windows=None, draws=None, random_state=0):
    """The protocol that the options stand for; None is to read the text in order.

    Raises:
        ValueError: they contradict one another, one has no effect, or one is out of range.
    """
    if windows is not None:
        refuse_several("windows", "dynamic")
    if not dynamic:
        refuse_idle("without --dynamic", *LEARNING)
    if windows is None:
        refuse_idle("without --windows", "draws", "random_state")
    elif not is_given("draws"):
        refuse_idle("without --draws", "random_state")
    if dynamic:
        return Dynamic(rate, decay, segment)
    return None if windows is None else Windows(windows, draws, random_state)


def name_figures(figures: dict, protocol, names) -> dict:
    """Figures under the name of the protocol that they come from, so that none is taken for that of another."""
    return {f"{protocol.name}_{key}" if protocol and key in names else key: value for key, value in figures.items()}
