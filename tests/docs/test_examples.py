"""The documents are true: examples run, and the map is complete."""

import re
import shlex
from pathlib import Path

import pytest

from shakegen.cli import main

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("name", main.commands)
def test_every_command_has_a_help_with_an_example(name):
    assert main.commands[name].help
    if name not in ("corpora", "models"):
        assert f"shakegen {name} " in main.commands[name].help


def test_python_examples_of_the_readme_and_the_guide_run(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    names = {}
    for page in ("README.md", "docs/python.md"):
        for example in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL):
            exec(compile(example, page, "exec"), names)
    assert (tmp_path / "models" / "mine.h5").exists()
    assert len(capfd.readouterr().out) > 200


@pytest.mark.parametrize("page", ["cells.md", "writing.md"])
def test_python_examples_of_other_pages_run(page, capfd):
    names = {}
    for example in re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL):
        exec(compile(example, page, "exec"), names)
    assert len(capfd.readouterr().out) >= 60


def test_the_map_names_every_room_and_no_other():
    aside = ("__init__.py", "__main__.py", "__pycache__", "py.typed", "distribute.py")
    rooms = {path.name for path in (ROOT / "shakegen").iterdir() if path.name not in aside}
    named = set(re.findall(r"^shakegen/(\S+?)/? ", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE))
    assert named == rooms


def test_commands_of_the_page_on_several_workers_have_the_options_that_there_are():
    page = (ROOT / "docs" / "scale-out.md").read_text(encoding="utf-8").replace("\\\n", " ")
    commands = re.findall(r"shakegen train (.*?)(?:'|`|$)", page, re.MULTILINE)
    trained = [shlex.split(command.replace("'", "")) for command in commands if "--" in command]
    assert len(trained) >= 5
    for arguments in trained:
        words = [word for word in arguments if not re.fullmatch(r"\$(2|resume)", word)]
        words = [re.sub(r"\$\w+", "1", word) for word in words]
        main.commands["train"].make_context("train", words)


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md", "docs/start.md", "docs/scale-out.md"])
def test_examples_name_no_file_that_only_a_clone_has(page):
    """Names of models are those of the reader's own, as `my.txt` is; named texts are anywhere."""
    shipped = {path.name for folder in ("models", "corpora") for path in (ROOT / folder).iterdir()} - {"README.md"}
    text = (ROOT / page).read_text(encoding="utf-8")
    commands = re.findall(r"^ *(?:\$ )?shakegen .*", text, re.MULTILINE)
    assert commands
    assert not [command for command in commands if shipped & set(re.split(r"[\s/]", command))]
