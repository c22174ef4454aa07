"""The documents are true: examples run, commands can be read, and the map is complete."""

import argparse
import re
import runpy
import shlex
import sys
from pathlib import Path

import click
import pytest
from page_runner import Page

from shakegen.cli import main

SHELL = re.compile(r"^```(?:sh|text|yaml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\w*\$ |[A-Z_]+=\S+ |.*\| |.*\bexec )?shakegen (.+)$", re.MULTILINE)


@pytest.mark.parametrize("name", main.commands)
def test_every_command_has_a_help_with_an_example(name):
    assert main.commands[name].help
    if name not in ("corpora", "models"):
        assert f"shakegen {name} " in main.commands[name].help


def list_commands(text):
    """The words of each command in the blocks of a document, without pipes; variables of the shell are 1."""
    for block in SHELL.findall(text.replace("\\\n", " ")):
        for line in COMMAND.findall(block):
            words = shlex.split(re.split(r" (?:\|\|? |> |&$)", line)[0].replace("'", ""), comments=True)
            nothing = {"$2", "$resume"}  # or options
            yield line, [re.sub(r"\$\w+", "1", word) for word in words if word not in nothing]


def read_command(words):
    """Read a command line as `shakegen` does, without doing what it says."""
    command, context = main, click.Context(main, **main.context_settings)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        _, command, words = command.resolve_command(context, words)
    if words or not isinstance(command, click.Group):
        command.make_context("document", words, context)


def test_commands_in_documents_have_the_options_that_there_are(documents, root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (settings,) = re.findall(r"^```toml\n(.*?)^```", documents[root / "docs" / "guide.md"], re.MULTILINE | re.DOTALL)
    Path("run.toml").write_text(settings, encoding="utf-8")
    count = 0
    for path, text in documents.items():
        for line, words in list_commands(text):
            count += 1
            try:
                read_command(words)
            except click.exceptions.Exit:
                pass  # --help, --version
            except (click.ClickException, ValueError) as error:
                pytest.fail(f"{path}: shakegen {line}\n{error}")
    assert count > 150


@pytest.mark.parametrize("line", ["train a.txt --no-such", "wrote a.txt", "lab wrote", "train --epochs many a.txt"])
def test_a_command_that_cannot_be_read_is_an_error(line):
    ((_, words),) = list_commands(f"```sh\nshakegen {line} | head\n```\n")
    with pytest.raises(click.UsageError):
        read_command(words)


MEASURED = re.compile(r"docs/lab/.*|docs/study\.md|benchmarks/.*")  # pages made by the commands that stand in them


def measured_pages(documents, root, unwrap):
    pages = ((path, text) for path, text in documents.items() if MEASURED.fullmatch(path.relative_to(root).as_posix()))
    return [(path, unwrap(text)) for path, text in pages]


def test_commands_within_the_sentences_of_measured_pages_have_the_options_that_there_are(documents, root, benchmarks):
    count = 0
    for path, text in measured_pages(documents, root, benchmarks.unwrap):
        for line in re.findall(r"`shakegen ([^`]* -[^`]+)`", text):
            count += 1
            try:
                read_command(line.split())
            except (click.ClickException, ValueError) as error:
                pytest.fail(f"{path}: shakegen {line}\n{error}")
    assert count >= 3


class Read(Exception):
    """The command line of a benchmark could be read."""


def read_benchmark(script, words, monkeypatch):
    """Read a benchmark's command line by its own parser; nothing is measured."""
    parse = argparse.ArgumentParser.parse_args

    def only_parse(parser, given=None):
        parse(parser, given)
        raise Read

    with monkeypatch.context() as within:
        within.setattr(argparse.ArgumentParser, "parse_args", only_parse)
        within.setattr(sys, "argv", [script, *words])
        within.setattr(sys, "path", [str(Path(script).parent), *sys.path])
        within.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        with pytest.raises(Read):
            runpy.run_path(script, run_name="__main__")


def test_commands_of_benchmarks_have_the_options_that_there_are(documents, root, benchmarks, monkeypatch):
    commands = benchmarks.list_all()
    assert len(commands) >= 20
    pages = [text for _, text in measured_pages(documents, root, benchmarks.unwrap)]
    assert all(command in commands for command in benchmarks.find_commands(pages))
    for script, *words in commands:
        read_benchmark(str(root / script), words, monkeypatch)


def test_a_benchmark_without_such_an_option_is_an_error(root, monkeypatch):
    with pytest.raises(SystemExit):
        read_benchmark(str(root / "benchmarks" / "loop.py"), ["--no-such", "1"], monkeypatch)


@pytest.mark.parametrize(
    "pages", [("README.md", "docs/python.md"), ("docs/cells.md",), ("docs/writing.md",), ("docs/scale-out.md",)]
)
def test_python_examples_run(pages, documents, root, tmp_path, monkeypatch):
    """What the README and the guide both have runs once."""
    monkeypatch.chdir(tmp_path)
    runner, done = Page(pages[-1]), set()
    for page in pages:
        text = documents[root / page]
        blocks = list(PYTHON.finditer(text))
        assert blocks
        for block in blocks:
            if block[1] not in done:
                runner.run("python", block[1], text.count("\n", 0, block.start(1)) + 1)
            done.add(block[1])


def test_the_map_names_every_room_and_no_other(root):
    aside = ("__init__.py", "__main__.py", "__pycache__", "py.typed")
    rooms = {path.name for path in (root / "shakegen").iterdir() if path.name not in aside}
    named = set(re.findall(r"^shakegen/(\S+?)/? ", (root / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE))
    assert named == rooms


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md", "docs/start.md", "docs/scale-out.md"])
def test_examples_name_no_file_that_only_a_clone_has(page, root):
    """Names of models are those of the reader's own, as `my.txt` is; named texts are anywhere."""
    shipped = {path.name for folder in ("models", "corpora") for path in (root / folder).iterdir()} - {"README.md"}
    text = (root / page).read_text(encoding="utf-8")
    commands = re.findall(r"^ *(?:\$ )?shakegen .*", text, re.MULTILINE)
    assert commands
    assert not [command for command in commands if shipped & set(re.split(r"[\s/]", command))]
