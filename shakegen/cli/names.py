"""The names of models and texts on the command line, and how a shell completes them."""

from collections.abc import Iterable
from pathlib import Path

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
        """The names, the model files in ./models and in the folder that is begun, and folders; else any file."""
        begun = Path(incomplete).parent if not incomplete.endswith("/") else Path(incomplete)
        files = {path.as_posix() for path in (*shelf.own_models(), *begun.glob("*.h5"))}
        items = complete_from((*shelf.NAMES, *sorted(files)), incomplete)
        return [*items, CompletionItem(incomplete, type="dir" if items else "file")]


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


class NameList(click.ParamType):
    """Names between commas.

    Args:
        names: those that a shell offers.
    """

    name = "list"

    def __init__(self, names: Iterable[str]):
        self.names = names

    def shell_complete(self, ctx, param, incomplete):
        return complete_list(self.names, incomplete)


def complete_from(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """The names that go on with a text."""
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_list(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """The lists that go on with a list, each by a name that it has not yet."""
    *done, _ = incomplete.split(",")
    return complete_from((",".join([*done, name]) for name in names if name not in done), incomplete)
