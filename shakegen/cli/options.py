"""Options that several commands have in common."""

import functools

import click

from shakegen.network.config import EMBEDDINGS
from shakegen.text.vocabulary import ON_UNKNOWN

READING = {
    "encoding": click.option("--encoding", default="utf-8", show_default=True, help="Of the text."),
    "lowercase": click.option("--lowercase", is_flag=True, help="Read the text in lower case."),
    "normalize": click.option("--normalize", type=click.Choice(["text8"]), help="Read it in the alphabet of text8: a "
                              "to z and single spaces, digits spelled out."),
}  # fmt: skip
SHAPE = {
    "level": click.option("--level", type=click.Choice(list(EMBEDDINGS)), default="char", show_default=True,
                          help="What the network reads and predicts: characters or words."),
    "vocabulary_size": click.option("--vocabulary-size", type=int, help="Keep so many: the most frequent characters or "
                                    "words, and one symbol for all others.  [default: all characters; 16,384 words]"),
    "split": click.option("--split", default="0.9,0.05,0.05", show_default=True, help="Training, validation and test "
                          "text, one after the other: shares, or characters as in 90M,5M,5M; * is the rest."),
}  # fmt: skip

unknown_option = click.option(
    "--on-unknown", type=click.Choice(ON_UNKNOWN), help="When there are characters or words that the model does not "
    "know: refuse them, skip them, or read them as its unknown symbol.  [default: symbol if it has one, else error]"
)  # fmt: skip


input_encoding_option = click.option(
    "--encoding", default="utf-8", show_default=True, help="Of what is read from a file or from standard input."
)


def corpus_options(command):
    """Options of how a corpus is read; the command gets them as one dictionary `reading`, for `catalog.load_corpus`."""
    return packed(command, "reading", READING)


def shape_options(command):
    """Options of what is made of a corpus to train on; the command gets them as a dictionary `shape`, likewise."""
    return packed(command, "shape", SHAPE)


def packed(command, name: str, options: dict):
    """A command with some options that it gets as one dictionary."""

    @functools.wraps(command)
    def packing(*arguments, **given):
        return command(*arguments, **{name: {key: given.pop(key) for key in options}}, **given)

    for option in reversed(options.values()):
        packing = option(packing)
    return packing


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
