"""Options that are made from signatures."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Annotated

import click
import pytest
from click.testing import CliRunner
from commands import LEAVES

from shakegen.cli import main
from shakegen.cli.help import Grouped, group
from shakegen.cli.lab import lab
from shakegen.cli.options import options_from, read_help
from shakegen.network.config import Config
from shakegen.training.recipe import Recipe


def experiment(
    names: Annotated[Iterable[str], ("a", "b")],
    kind: Annotated[str, ("x", "y")] = "x",
    lags: Iterable[int] = (1, 2),
    rate: float | None = None,
    residual: bool = True,
    quick_start: bool = False,
):
    """Do something.

    Args:
        names: names that
            are known; see `quick_start`.
        kind, lags: two arguments.
        rate: a rate. [default: 3]
        residual: a switch.
        quick_start: another.

    Raises:
        ValueError: never: really.
    """


@pytest.fixture
def run():
    """Calls a command with the options of `experiment`; gives the arguments that it gets, or the output."""
    seen = {}
    options = group("Settings", *options_from(experiment, read_help(experiment), {"names": "--cells"}))
    command = click.command(cls=Grouped)(options(lambda **arguments: seen.update(arguments)))

    def call(*arguments):
        result = CliRunner().invoke(command, arguments)
        return result.output if result.output or result.exit_code else seen

    return call


def test_types_and_defaults_are_those_of_the_signature(run):
    usual = {"kind": "x", "rate": None, "residual": True, "quick_start": False}
    assert run() == {"names": ["a", "b"], "lags": [1, 2], **usual}
    given = run("--cells", "b, c,b", "--lags", "3", "--rate", "2", "--no-residual", "--quick-start", "--kind", "y")
    assert given == {
        "names": ["b", "c"], "lags": [3], "rate": 2.0, "residual": False, "quick_start": True, "kind": "y",
    }  # fmt: skip
    assert "'z' is not one of 'x', 'y'" in run("--kind", "z")


def test_the_help_is_that_of_the_docstring(run):
    shown = run("--help").split("Settings:\n")[1].split("\n\nOptions:\n")
    settings = " ".join(shown[0].split())
    assert settings == " ".join([
        "--cells LIST Names that are known; see --quick-start. [default: a,b]",
        "--kind [x|y] Two arguments. [default: x]",
        "--lags LIST Two arguments. [default: 1,2]",
        "--rate FLOAT A rate. [default: 3]",
        "--residual / --no-residual A switch. [default: residual]",
        "--quick-start Another.",
    ])  # fmt: skip
    assert shown[1].split()[0] == "--help"


def test_every_setting_of_a_network_and_of_training_is_an_option():
    options = {option.name for option in main.commands["train"].params}
    assert {field.name for field in fields(Recipe)} <= options
    assert set(Config.setting_names()) <= options


def test_every_experiment_of_the_lab_is_a_command_with_examples():
    names = lab.list_commands(click.Context(lab))
    assert names == ["cliff", "cloze", "gates", "gradients", "memory", "start", "timer"]
    for name in names:
        assert f"shakegen lab {name}" in LEAVES[f"shakegen lab {name}"].help
