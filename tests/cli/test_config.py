"""`--config run.toml`: options from a file do what they do on the command line, which wins over the file."""

import re
from pathlib import Path

import click
import pytest
from mistakes import fails

from shakegen.cli import main
from shakegen.cli.options import is_given, long_flag

COMMANDS = ("train", "compare")


def parse(command, *words):
    """The values of all options, and the names of the given ones."""
    parent = click.Context(main, info_name="shakegen", **main.context_settings)  # knows -h: commands remember it
    with main.commands[command].make_context(command, ["poem.txt", *words], parent) as context:
        return context.params, {one.name for one in context.command.params if is_given(one.name)} - {"config"}


def value_for(option):
    """A value for an option, as TOML has it and as the command line has it."""
    if isinstance(option.type, click.Choice):
        return list(option.type.choices)[-1]
    return {click.INT: 3, click.FLOAT: 0.5}.get(option.type, "some text")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_may_stand_in_the_file(tmp_path, command):
    file = tmp_path / "run.toml"
    usual, _ = parse(command)
    options = [one for one in main.commands[command].params if isinstance(one, click.Option) and not one.is_eager]
    assert len(options) > 30
    for option in options:
        flag = long_flag(option, negative=option.default is True)
        value = True if option.is_flag else value_for(option)
        words = [flag] if option.is_flag else [flag, str(value)]
        file.write_text(f"{flag[2:]} = {str(value).lower() if option.is_flag else repr(value)}\n")
        told, given = parse(command, "--config", str(file))
        assert (told, given) == parse(command, *words)
        assert told != usual or value == usual[option.name]
        assert given == {"corpus", option.name}


def test_a_flag_may_be_false_in_the_file(tmp_path):
    for line, name, value in (
        ("residual = false", "residual", False),
        ("no-residual = false", "residual", True),
        ("reset-before = true", "reset_after", False),
        ("lowercase = false", "lowercase", False),
    ):
        (tmp_path / "run.toml").write_text(line)
        assert parse("train", "--config", str(tmp_path / "run.toml"))[0][name] is value


def test_the_command_line_wins(tmp_path):
    (tmp_path / "run.toml").write_text("units = 8\nlayers = 1\nresidual = false\n", encoding="utf-8-sig")  # as Notepad
    params, _ = parse("train", "--units", "9", "--config", str(tmp_path / "run.toml"), "--residual")
    assert (params["units"], params["layers"], params["residual"]) == (9, 1, True)


BAD = {
    "run.toml: unit is no option of `shakegen train`: did you mean units?": "unit = 3",
    "run.toml: batch_size is no option of `shakegen train`: did you mean batch-size?": "batch_size = 3",
    "run.toml: network is no option of `shakegen train`: expected the long name of one, without its dashes": (
        "[network]\nunits = 3"
    ),
    "run.toml: units is '8': expected a whole number": "units = '8'",
    "run.toml: units is True: expected a whole number": "units = true",
    "run.toml: dropout is '0.1': expected a number": "dropout = '0.1'",
    "run.toml: optimizer is 3: expected a text in quotation marks": "optimizer = 3",
    "run.toml: quiet is 1: expected true or false": "quiet = 1",
    "run.toml: schedule is not usable: 'x' is not one of 'cosine', 'linear', 'constant'.": "schedule = 'x'",
    "run.toml: residual and no-residual are both given: expected one of them": "residual = true\nno-residual = true",
    "run.toml is not TOML: Expected '=' after a key in a key/value pair (at line 1, column 7)": "units 8",
    "clip-norm in run.toml has no effect beside --clip-value: leave it out": "clip-norm = 1\nclip-value = 1",
    "--epochs and --minutes are both given: expected one of them": "epochs = 1\nminutes = 1",
}


@pytest.mark.parametrize(("message", "text"), BAD.items())
def test_mistakes_in_the_file_are_one_line_with_file_and_key(shakegen, poem_file, message, text):
    Path("run.toml").write_text(text)
    assert fails(shakegen("train", "poem.txt", "--config", "run.toml", prog_name="shakegen"), message)


def test_a_file_that_is_not_there(shakegen, poem_file):
    message = "no file run.toml: expected a TOML file with options, such as epochs = 10"
    assert fails(shakegen("compare", "poem.txt", "--config", "run.toml"), message)


def test_the_example_of_the_guide_can_be_read(tmp_path):
    guide = (Path(__file__).parents[2] / "docs" / "guide.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "run.toml").write_text(example, encoding="utf-8")
    params, given = parse("train", "--config", str(tmp_path / "run.toml"))
    assert given == {"corpus", "cell", "units", "learning_rate", "residual", "sample_seed"}
    assert (params["cell"], params["residual"], params["sample_seed"]) == ("lstm", False, "Once ")
