"""The tests of the documents import the modules that make the site's pages, and the benchmarks."""

import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path += [str(ROOT / "docs" / "site"), str(ROOT / "benchmarks")]


@pytest.fixture
def root():
    """The folder of the repository."""
    return ROOT


@pytest.fixture
def documents():
    """The text of each Markdown file of the repository, by its path."""
    made = [ROOT / "build", ROOT / "poem", *(ROOT / "docs" / "reference" / name for name in ("commands", "python"))]
    own = [path for path in ROOT.rglob("*.md") if not path.relative_to(ROOT).parts[0].startswith(".")]
    return {path: path.read_text(encoding="utf-8") for path in own if not set(made) & set(path.parents)}


@pytest.fixture(scope="session")
def benchmarks():
    """The script that runs all benchmarks, as a module."""
    return importlib.import_module("all")
