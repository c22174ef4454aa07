"""The names of models and texts on the command line, and how a shell completes them."""

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from shakegen.model import shelf
from shakegen.text import named


class ModelName(click.ParamType):
    """A model: its file, or the name of one that comes with shakegen. A file of that name wins."""

    name = "model"

    def convert(self, value, param, ctx):
        return str(shelf.find_file(value))

    def shell_complete(self, ctx, param, incomplete):
        """The names, the models in ./models, and files; once a folder is begun, files alone."""
        own = () if "/" in incomplete else (path.as_posix() for path in shelf.own_models())
        return [*complete_from((*shelf.NAMES, *own), incomplete), CompletionItem(incomplete, type="file")]


class CorpusName(click.ParamType):
    """A text: a file, a folder, - for standard input, or the name of a corpus.

    Args:
        files: whether it may be more than a name.
    """

    name = "text"

    def __init__(self, files: bool = True):
        self.files = files

    def shell_complete(self, ctx, param, incomplete):
        items = [CompletionItem(name, help=text.title) for name, text in named.NAMED.items()]
        items = [item for item in items if item.value.startswith(incomplete)]
        return items + [CompletionItem(incomplete, type="file")] * self.files


def complete_from(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """The names that go on with a text."""
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
