"""The command line: each command parses, calls the library and prints. A module for each family of commands."""

from shakegen.cli import compare, complete, connectivity, corpora, lab, measure, plot, sample, show, train
from shakegen.cli.group import main

__all__ = [
    "compare",
    "complete",
    "connectivity",
    "corpora",
    "lab",
    "main",
    "measure",
    "plot",
    "sample",
    "show",
    "train",
]
