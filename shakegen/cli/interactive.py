"""Writing together: the network offers what may come next, the user picks or types."""

import sys

import click

from shakegen.sampling import check

OFFERED = 9
HELP = "A number takes that one, Enter the first, other text is added as it is (=3 adds 3); the end of input ends."


def converse(
    model, seed: str, length: int = 200, temperature: float = 1.0, stop=(), min_length: int = 0, on_unknown="error"
) -> str:
    """Offer the likeliest next symbols again and again, on standard error, and read answers from standard input.

    Returns:
        The whole text: at the end of the input, or once it has `length` new characters or a stop text.

    Raises:
        ValueError: as `writing.Writer.samples`.
    """
    check(length, temperature, 0)
    draft, written = model.draft(seed, on_unknown), ""
    click.echo(HELP, err=True)
    while len(written) < length and not any(written.find(s, max(0, min_length - len(s))) >= 0 for s in stop):
        offers = draft.likeliest(OFFERED, temperature)
        listed = "  ".join(f"{number} {text!r} {share:.0%}" for number, (text, share) in enumerate(offers, 1))
        click.echo(f"\n{(seed + written)[-72:]}\n{listed}\n> ", nl=False, err=True)
        answer = sys.stdin.readline()
        if not answer:
            break
        addition = meaning(answer.removesuffix("\n"), [text for text, _ in offers])
        try:
            draft.write(addition)
        except ValueError as error:  # characters that the model never saw: say so, ask again
            click.echo(f"{error}", err=True)
        else:
            written += addition
    return seed + written


def meaning(answer: str, offers: list[str]) -> str:
    """What an answer adds to the text."""
    if not answer:
        return offers[0]
    if len(answer) == 1 and answer.isdecimal() and 1 <= int(answer) <= len(offers):
        return offers[int(answer) - 1]
    return answer.removeprefix("=")
