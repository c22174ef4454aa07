"""The command line: each command parses, calls the library and prints. A module for each family of commands."""

from shakegen.cli import (  # noqa: F401
    compare,
    complete,
    completion,
    compress,
    connectivity,
    corpora,
    export,
    lab,
    measure,
    models,
    page,
    plot,
    sample,
    score,
    show,
    train,
)
from shakegen.cli.group import main

__all__ = ["main"]
