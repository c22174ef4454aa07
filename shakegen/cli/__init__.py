"""The command line: each command parses, calls the library and prints. A module for each family of commands."""

from shakegen.cli import compare, complete, connectivity, corpora, lab, measure, plot, sample, show, train  # noqa: F401
from shakegen.cli.group import main

__all__ = ["main"]
