"""A cell lives in one file: nothing else of the package names one, but the public layer classes."""

import ast
import re
from pathlib import Path

import pytest

from shakegen.cells import BUILT_IN

PACKAGE = Path(__file__).parents[2] / "shakegen"
PUBLIC_LAYERS = {"newer.py", "recurrent.py", "nlstm.py", "nlstm_cell.py", "__init__.py"}
NAMES = re.compile(rf"({'|'.join(BUILT_IN)})(\W.*)?", re.IGNORECASE)
FILES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.parent.name != "cells" and not (path.parent.name == "layers" and path.name in PUBLIC_LAYERS)
]


def named_cells(source):
    """The lines that name a cell: as an identifier, or as a text that begins with one; docstrings are for people."""
    tree = ast.parse(source)
    nodes = [node for node in ast.walk(tree) if not isinstance(node, ast.Expr)]
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in nodes:
        text = None
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            text = node.value
        elif isinstance(node, ast.Name | ast.arg):
            text = getattr(node, "id", None) or node.arg
        elif isinstance(node, ast.Attribute):
            text = node.attr if ast.unparse(node) != "keras.layers.RNN" else None  # the base class of all of them
        if text and NAMES.fullmatch(text):
            yield f"line {node.lineno}: {text}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_cell_is_named(path):
    assert list(named_cells(path.read_text(encoding="utf-8"))) == []


def test_a_line_that_names_one_is_seen():
    assert list(named_cells('"""An lstm."""\nif config.cell == "gru": pass')) == ["line 2: gru"]
    assert list(named_cells("layers.LSTM(3)")) == ["line 1: LSTM"]
    assert list(named_cells('cells = "rnn,lstm"')) == ["line 1: rnn,lstm"]
