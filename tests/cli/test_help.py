"""The help of all commands: sections, summaries, and options that have the same names everywhere."""

import click
import pytest
from click.testing import CliRunner
from commands import GROUPS, LEAVES

from shakegen.cli import main
from shakegen.cli.help import Commands
from shakegen.cli.options import SHORT
from shakegen.network.config import Config
from shakegen.training.recipe import Recipe

OPTIONS = [(name, option) for name, one in LEAVES.items() for option in one.params if isinstance(option, click.Option)]


def summaries(shown: str, names) -> list[str]:
    """The lines of a help that begin with the name of a command."""
    return [line for line in shown.splitlines() if line.startswith("  ") and line.split()[0] in names]


@pytest.mark.parametrize("name", GROUPS)
def test_summaries_of_commands_fit_a_line_of_80_columns(shakegen, name):
    below = [other.rpartition(" ")[2] for other in GROUPS | LEAVES if other.rpartition(" ")[0] == name]
    lines = summaries(shakegen(*name.split()[1:], "--help", terminal_width=80).output, below)
    assert sorted(line.split()[0] for line in lines) == sorted(below)
    assert all(len(line) <= 80 and line.endswith(".") and not line.endswith("...") for line in lines)


def test_every_command_stands_in_one_section_and_is_shown_there():
    assert sorted(name for names in main.sections.values() for name in names) == sorted(main.commands)
    shown = CliRunner().invoke(main, ["--help"]).output
    blocks = {block.split(":\n")[0].strip(): block for block in shown.split("\n\n")}
    for title, names in main.sections.items():
        assert [line.split()[0] for line in summaries(blocks[title], names)] == list(names)


def test_a_command_without_a_section_comes_last():
    top = Commands("top", sections={"First": ("b",)})
    for name in "abc":
        top.add_command(click.Command(name, help=f"Do {name}."))
    shown = CliRunner().invoke(top, ["--help"], terminal_width=80).output
    assert shown.endswith("First:\n  b  Do b.\n\nCommands:\n  a  Do a.\n  c  Do c.\n")


@pytest.mark.parametrize(("long", "short"), SHORT.items())
def test_a_short_option_is_the_same_everywhere(long, short):
    having = [(name, option) for name, option in OPTIONS if long in option.opts or short in option.opts]
    assert having
    assert [name for name, option in having if option.opts != [short, long]] == []


def test_no_other_option_is_short_but_help():
    assert {flag for _, option in OPTIONS for flag in option.opts if len(flag) == 2} <= set(SHORT.values())


def test_a_seed_is_a_prompt_everywhere():
    seeds = [(name, option.opts) for name, option in OPTIONS if {"--seed", "--prompt"} & set(option.opts)]
    assert [name for name, _ in seeds] == ["shakegen novelty", "shakegen sample"]
    assert all(flags == ["--seed", "--prompt"] for _, flags in seeds)


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_has_a_help_text_of_one_kind(name):
    for option in LEAVES[name].params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert option.help[0].isupper() or option.help[0] in "0-", option.help


def test_the_help_tells_what_the_study_sets(shakegen):
    study, config = Recipe.study(), Config.study()
    assert (study.weight_decay, study.mixed_precision, study.loss_share, config.residual) == (0, "float32", 1, False)
    words = " ".join(shakegen("train", "--help").stdout.split())
    told = words.partition("With --recipe study")[2].partition("not clipped")[0]
    for default in ("--no-residual", "no weight decay", "the loss at all positions", "--mixed-precision float32"):
        assert default in told


def test_compare_names_no_option_that_it_lacks(shakegen):
    assert "--resume" not in shakegen("compare", "--help").stdout
