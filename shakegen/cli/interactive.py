"""Writing together: the network offers the next symbols, the user picks or types."""

import itertools
import sys

import click

from shakegen.sampling import check_draw

OFFERED = 9
HELP = "A number takes that one, Enter the first; other text is added (=3 adds 3).\nCtrl-D ends and prints the text."


def converse(
    model, seed: str, length: int = 200, temperature: float = 1.0, stop=(), min_length: int = 0, on_unknown=None
) -> str:
    """Offer the likeliest next symbols again and again, on standard error, and read answers from standard input.

    Returns:
        The whole text: at the end of the input, or once it has `length` new symbols or a stop text.

    Raises:
        ValueError: as `TextGenerator.samples`.
    """
    check_draw(length, temperature, 0)
    draft, written = model.draft(seed, on_unknown), ""
    click.echo(HELP, err=True)
    while draft.length < length and not is_stopped(model.vocabulary, written, stop, min_length):
        offers = draft.likeliest(OFFERED, temperature)
        listed = "  ".join(f"{number} {text!r} {share:.0%}" for number, (text, share) in enumerate(offers, 1))
        click.echo(f"\n{(seed + written)[-72:]}\n{listed}\n> ", nl=False, err=True)
        try:
            answer = sys.stdin.readline()
        except KeyboardInterrupt:
            answer = ""
        if not answer:
            click.echo(err=True)
            break
        addition = addition_for(answer.removesuffix("\n"), [text for text, _ in offers])
        try:
            draft.write(addition)
        except ValueError as error:  # an unknown symbol: say so, ask again
            click.echo(f"{error}", err=True)
        else:
            written += addition
    return seed + written


def is_stopped(vocabulary, written: str, stop, min_length: int) -> bool:
    """Whether a stop text stands in a text and ends no sooner than with its `min_length`th symbol."""
    symbols = list(itertools.chain.from_iterable(vocabulary.symbols_of([written])))
    least = len("".join(symbols[:min_length]))
    return len(symbols) >= min_length and any(written.find(s, max(0, least - len(s))) >= 0 for s in stop)


def addition_for(answer: str, offers: list[str]) -> str:
    """The text that an answer adds."""
    if not answer:
        return offers[0]
    if len(answer) == 1 and answer.isdecimal() and 1 <= int(answer) <= len(offers):
        return offers[int(answer) - 1]
    return answer.removeprefix("=")
