"""Names that are loaded when first used are the names that editors and type checkers see."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("shakegen", "shakegen.text", "shakegen.network", "shakegen.model", "shakegen.training", "shakegen.cells")
NAMES = """
import shakegen
from shakegen import cells, model, network, text, training

corpus = shakegen.load_corpus("sonnets")
reveal_type(corpus)
reveal_type(shakegen.train(corpus))
reveal_type(shakegen.load("a.h5"))
reveal_type(shakegen.load("a.h5", task="autocomplete"))
reveal_type(text.Vocabulary("ab"))
reveal_type(network.Config())
reveal_type(model.find())
reveal_type(training.Recipe())
cells.as_layer
shakegen.load_corpse
text.load_corpse
cells.as_lawyer
"""
SEEN = """
line 6: note: Revealed type is "shakegen.text.corpus.Corpus"
line 7: note: Revealed type is "shakegen.model.model.LanguageModel | Any"
line 8: note: Revealed type is "shakegen.model.model.LanguageModel | Any"
line 9: note: Revealed type is "shakegen.model.model.AutocompleteModel"
line 10: note: Revealed type is "shakegen.text.vocabulary.Vocabulary"
line 11: note: Revealed type is "shakegen.network.config.Config"
line 12: note: Revealed type is "pathlib.Path"
line 13: note: Revealed type is "shakegen.training.recipe.Recipe"
line 15: error: Module has no attribute "load_corpse"; maybe "load_corpus"?  [attr-defined]
line 16: error: Module has no attribute "load_corpse"; maybe "load_corpus"?  [attr-defined]
line 17: error: Module has no attribute "as_lawyer"  [attr-defined]
"""


def imports_for_checkers(package):
    """The module of each name that a package imports under `TYPE_CHECKING`."""
    tree = ast.parse(Path(importlib.import_module(package).__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    names = [(statement.module, alias) for statement in block.body for alias in statement.names]
    assert all(alias.asname == alias.name for _, alias in names), "a name imported `as` itself is exported"
    return {alias.name: module for module, alias in names}


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_the_names_that_load_when_first_used(package):
    module, homes = importlib.import_module(package), imports_for_checkers(package)
    for name, home in homes.items():
        assert getattr(module, name) is getattr(importlib.import_module(home), name)
    if package != "shakegen.cells":  # its other names are not lazy
        assert sorted(homes) == module.__all__


def test_mypy_knows_the_types_of_public_names_and_finds_misspelt_ones(tmp_path):
    file = tmp_path / "user.py"
    file.write_text(NAMES, encoding="utf-8")
    # As in a user's project: nothing but what the package says of itself.
    command = [sys.executable, "-m", "mypy", "--config-file=", f"--cache-dir={tmp_path}", "--follow-imports=silent"]
    output = subprocess.run([*command, file], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    lines = [line.replace(f"{file}:", "line ") for line in output.splitlines() if line.startswith(str(file))]
    assert lines == SEEN.split("\n")[1:-1]
