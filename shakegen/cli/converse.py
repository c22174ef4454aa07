"""Writing together: the model offers what may come next, a person picks or types."""

import itertools

import click

from shakegen.cli import keys
from shakegen.cli.group import name_flags, read_lines, say_model
from shakegen.sampling import StopTexts, check_draw, check_min_length


def converse(
    model, seed: str, encoding: str, length: int = 200, temperature=1.0, stop=(), min_length: int = 0, on_unknown=None
) -> str:
    """Offer the likeliest next symbols again and again: on a terminal at every key, in a pipe for every line.

    The encoding is that of the pipe.

    Returns:
        The whole text: at the end of the input, or once it has `length` new symbols or a stop text.

    Raises:
        ValueError: as `TextGenerator.samples`.
    """
    check_draw(length, temperature, 0)
    StopTexts(stop, model.vocabulary.symbols)  # refuses a text that can never be written
    check_min_length(min_length)
    draft = model.draft(seed, on_unknown)

    begun = seed.removesuffix(model.vocabulary.pending(seed))  # the first word has that space

    def has_ended() -> bool:
        written = "" if draft.text == seed else draft.text.removeprefix(begun)
        return draft.length >= length or is_stopped(model.vocabulary, written, stop, min_length)

    def offer() -> keys.Offers:
        return draft.likeliest(keys.OFFERED, temperature)

    if keys.is_possible():
        keys.type_on(draft, offer, "", "Ctrl-D", has_ended)
        return draft.text
    say_model()
    answers = read_lines(encoding)
    while not has_ended():
        offers = offer()
        listed = (f"{number} {text!r} {share:.0%}" for number, (text, share) in enumerate(offers, 1))
        click.echo("  ".join(listed), err=True)
        answer = next(answers, None)
        if answer is None:
            break
        try:
            add(draft, answer, [text for text, _ in offers])
        except ValueError as error:  # an unknown symbol: say so, ask again
            click.echo(name_flags(str(error)), err=True)
    return draft.text


def is_stopped(vocabulary, written: str, stop, min_length: int) -> bool:
    """Whether a stop text stands in a text and ends no sooner than with its `min_length`th symbol."""
    symbols = list(itertools.chain.from_iterable(vocabulary.symbols_of([written])))
    least = len("".join(symbols[:min_length]))
    return len(symbols) >= min_length and any(written.find(s, max(0, least - len(s))) >= 0 for s in stop)


def add(draft, answer: str, offers: list[str]) -> None:
    """Add to a draft what an answer asks for: an offer by its number, the first one, or the answer itself."""
    if not answer:
        draft.accept(offers[0])
    elif len(answer) == 1 and answer.isdecimal() and 1 <= int(answer) <= len(offers):
        draft.accept(offers[int(answer) - 1])
    else:
        draft.write(answer.removeprefix("="))
