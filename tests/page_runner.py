"""Runs the blocks of a page of documents: Python in one namespace, commands in bash, all in one folder.

The budgets of the pages are for readers, and too large for a test. `BUDGETS` makes them small, here and nowhere else:
the options of commands and, in Python, the arguments and upper-case constants of these names.

`shakegen` in bash is a stand-in that hands its command line over to the command line of this very process, where
TensorFlow is loaded already; the runs of a comparison stay in it, too. Only workers, of which a process can be one, are
processes of their own.
"""

import ast
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from unittest.mock import patch

import click
from click.testing import CliRunner
from workers import free_addresses

from shakegen.cli import main
from shakegen.compare import runs, worker
from shakegen.compare.record import Record


class SmallBudgets(ast.NodeTransformer):
    """Makes the budgets in Python small: `epochs=20` in a call, and `EPOCHS = 20`."""

    def visit_keyword(self, node):
        self.generic_visit(node)
        return self.shrink(node.arg, node)

    def visit_Assign(self, node):
        self.generic_visit(node)
        target = node.targets[0]
        return self.shrink(target.id.lower(), node) if isinstance(target, ast.Name) and target.id.isupper() else node

    @staticmethod
    def shrink(name, node):
        if name in BUDGETS and isinstance(node.value, ast.Constant):
            node.value = ast.copy_location(ast.Constant(BUDGETS[name](node.value.value)), node.value)
        return node
