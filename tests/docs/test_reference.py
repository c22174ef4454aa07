"""The reference is complete: every command, option, public name and variable stands in it."""

import ast
import importlib
import re

import click
from api_pages import write_api_pages
from command_pages import escape, write_command_pages
from commands import GROUPS, LEAVES
from public_names import list_public_names

from shakegen.cells import BUILT_IN, find_cell
from shakegen.cli import main


def test_every_command_and_option_has_its_place():
    pages = write_command_pages()
    for path, command in (GROUPS | LEAVES).items():
        if command is main:
            continue
        page = pages[f"{path.split()[1]}.md"]
        assert re.search(rf"^#+ {path}$", page, re.MULTILINE)
        _, _, section = page.partition(f"# {path}\n")
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                flags = r"[^\n]*".join(map(re.escape, [*parameter.opts, *parameter.secondary_opts]))
                assert re.search(rf"^```{{option}} {flags}\b", section, re.MULTILINE), (path, flags)


def test_options_in_texts_are_code_which_breaks_at_no_hyphen():
    assert escape("set --no-copy N, `a_b --c` or a-b--c (--x)") == "set `--no-copy` N, `a_b --c` or a-b--c (`--x`)"
    assert escape("a * b <c>") == r"a \* b \<c\>"


def test_examples_of_help_are_code_and_text_is_text():
    page = write_command_pages()["page.md"]
    assert "```sh\nshakegen page --open\nshakegen page models/my-gru.h5 models/my-lstm.h5 --out page.html\n```" in page
    assert "\b" not in "".join(write_command_pages().values())


def list_imports(text):
    """The module and name of each import of the package in the Python examples of a document."""
    for example in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for node in ast.walk(ast.parse(example)):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "shakegen":
                yield from ((node.module, alias.name) for alias in node.names)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "shakegen":
                yield "shakegen", node.attr


def test_names_that_examples_import_stand_in_the_reference(documents):
    public = list_public_names()
    used = {found for text in documents.values() for found in list_imports(text)}
    assert {("shakegen", "train"), ("shakegen.layers", "NLSTM"), ("shakegen.callbacks", "SampleText")} <= used
    modules = {(module.rpartition(".")[0], module.rpartition(".")[2]) for module in public}
    assert {one for one in used if one[1] not in public.get(one[0], ())} <= modules


def test_names_that_have_been_public_stay_importable(root):
    """The list only grows: a name that goes from the documents stays a name of the same thing."""
    kept = (root / "tests" / "docs" / "public_names.txt").read_text(encoding="utf-8").split()
    for name in kept:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
    today = {f"{module}.{name}" for module, names in list_public_names().items() for name in names}
    assert not today - set(kept), "new names belong in the list"
    assert kept == sorted(set(kept))


def test_every_public_name_has_a_docstring_and_one_description():
    """Sphinx leaves out names without one; the build then warns."""
    for module, names in list_public_names().items():
        for name in names:
            value = getattr(importlib.import_module(module), name)
            assert not callable(value) or value.__doc__, f"{module}.{name}"
    described = re.findall(
        r"^\.\. auto(?:class|function|data):: (\w+)$", "".join(write_api_pages().values()), re.MULTILINE
    )
    assert {"Config", "train", "NLSTM", "TextGenerator", "Cell", "as_layer", "SampleText", "Evaluation"} <= set(
        described
    )
    assert described.count("Config") == described.count("Vocabulary") == 1


def read_table(text, heading):
    """The code in the first column of the table below a heading."""
    _, _, section = f"\n{text}".partition(f"\n{heading}\n")
    return re.findall(r"^\| `([^`]+)` \|", re.split(r"^#+ ", section, maxsplit=1, flags=re.MULTILINE)[0], re.MULTILINE)


def test_the_page_on_python_lists_all_folders_that_have_public_names(root):
    page = (root / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    assert {f"{name}.md" for name in read_table(page, "# Python")} == set(write_api_pages())


def test_the_guide_to_python_has_the_layer_of_every_cell_with_its_states_and_arguments(root):
    page = (root / "docs" / "python.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ([^|`]+) \| ([^|]*)\|$", page, re.MULTILINE)
    told = {
        name: (states.removesuffix(" and so on").split(", "), set(re.findall(r"`(\w+)`", arguments)))
        for names, states, arguments in rows
        for name in re.findall(r"\w+", names)
    }
    keras_has = {"activation", "reset_after"}
    for kind in map(find_cell, BUILT_IN):
        own = set(kind.options()) - {"zoneout"} - keras_has
        assert told.pop(kind.layer.partition(":")[2]) == (list(kind(3).state_names), own)
    assert not told


def test_variables_of_the_environment_stand_on_their_page(root):
    page = (root / "docs" / "reference" / "environment.md").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (root / "shakegen").rglob("*.py"))
    own = set(re.findall(r"\b(SHAKEGEN_[A-Z]+)\b", code))
    foreign = set(re.findall(r"\benv(?:iron(?:ment)?)?(?:\.get\(|\.setdefault\(|\[)\"([A-Z_]+)\"", code))
    foreign |= set(re.findall(r"\"([A-Z_]+)\" (?:not )?in (?:os\.)?environ", code))
    assert {"SHAKEGEN_CACHE", "SHAKEGEN_CELLS"} <= own
    assert {"NO_COLOR", "KERAS_BACKEND"} <= foreign
    assert not (own | foreign) - set(read_table(page, "## Variables"))


def test_the_citation_is_of_this_licence(root):
    """Its form was checked with cffconvert; here are required fields, and fields that may go stale."""
    lines = (root / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    fields = dict(line.split(": ", 1) for line in lines if re.match(r"[\w-]+: ", line))
    assert {"cff-version", "message", "title"} <= set(fields)
    assert lines[lines.index("authors:") + 1] == "  - name: The shakegen authors"
    assert fields["license"] == "MIT"
