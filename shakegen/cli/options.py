"""Options that several commands have in common."""

import functools

import click

CORPUS = (
    click.option("--encoding", default="utf-8", show_default=True, help="Of the text."),
    click.option("--lowercase", is_flag=True, help="Read the text in lower case."),
    click.option("--normalize", type=click.Choice(["text8"]), help="Read it in the alphabet of text8: a to z and "
                 "single spaces, digits spelled out."),
)  # fmt: skip
NAMES = ("encoding", "lowercase", "normalize")


def corpus_options(command):
    """Options of how a corpus is read; the command gets them as one dictionary `reading`, for `catalog.load_corpus`."""

    @functools.wraps(command)
    def packed(*arguments, **options):
        reading = {name: options.pop(name) for name in NAMES}
        return command(*arguments, reading=reading, **options)

    for option in reversed(CORPUS):
        packed = option(packed)
    return packed


def options_of(other: click.Command, *names: str):
    """Some options of another command, the same in every respect."""
    found = {option.name: option for option in other.params}

    def add(command):
        command.__click_params__ = [
            *getattr(command, "__click_params__", ()),
            *(found[name] for name in reversed(names)),
        ]
        return command

    return add
