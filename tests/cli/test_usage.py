"""Laws of all commands: exit codes, one line for a mistake, colours, and a terminal of 80 columns."""

import os
import re
import subprocess
import sys

import click
import pytest
from commands import GROUPS, LEAVES
from terminal import open_terminal, read_all

from shakegen.cli.options import long_flag

WRONG = {click.INT: "1.5", click.FLOAT: "x"}  # values that a type cannot be, and what click says of them
SAID = {click.INT: "'1.5' is not a valid integer", click.FLOAT: "'x' is not a valid float"}


def one_line(result, code):
    assert (result.exit_code, result.stdout) == (code, "")
    (line,) = result.stderr.splitlines()
    return line.removeprefix("Error: ")


@pytest.mark.parametrize("name", LEAVES)
def test_a_bad_value_ends_with_1_and_a_command_line_that_cannot_be_read_with_2(shakegen, name):
    words, command = name.split()[1:], LEAVES[name]
    required = [one for one in command.params if isinstance(one, click.Argument) and one.required]
    arguments = [next(iter(getattr(one.type, "choices", "x"))) for one in required]
    hint = f"(see `{name} --help`)"
    result = shakegen(*words, *arguments, "--xyzzy", prog_name="shakegen")
    assert one_line(result, 2) == f"no such option '--xyzzy' {hint}"
    if arguments:
        assert one_line(shakegen(*words, prog_name="shakegen"), 2).startswith("missing argument '")
    for option in command.params:
        if not isinstance(option, click.Option) or option.is_flag:
            continue
        flag = long_flag(option)
        result = shakegen(*words, *arguments, flag, prog_name="shakegen")
        needed = "an argument" if option.nargs == 1 else f"{option.nargs} arguments"
        assert one_line(result, 2) == f"option '{flag}' requires {needed} {hint}"
        if isinstance(option.type, click.Choice):
            said = one_line(shakegen(*words, *arguments, flag, "?", prog_name="shakegen"), 1)
            choices = ", ".join(f"'{choice}'" for choice in option.type.choices)
            kind = "is not one of" if len(option.type.choices) > 1 else "is not"
            assert said == f"the value of {flag} is not usable: '?' {kind} {choices} {hint}"
        elif option.type in WRONG:
            said = one_line(shakegen(*words, *arguments, flag, WRONG[option.type], prog_name="shakegen"), 1)
            assert said == f"the value of {flag} is not usable: {SAID[option.type]} {hint}"


def test_commands_that_do_not_exist(shakegen):
    for arguments, said in (
        (["sampel"], "no such command 'sampel'. Did you mean 'sample'? (see `shakegen --help`)"),
        (["lab", "x"], "no such command 'x' (see `shakegen lab --help`)"),
        (["models", "x"], "no such command 'x' (see `shakegen models --help`)"),
        (["info", "a", "x"], "unexpected argument 'x' (see `shakegen info --help`)"),
        (
            ["sample", "Dear"],
            "unexpected argument 'Dear': a text to continue goes after --seed (see `shakegen sample --help`)",
        ),
    ):
        assert one_line(shakegen(*arguments, prog_name="shakegen"), 2) == said
    shown = shakegen()
    assert shown.exit_code == 2
    assert "Usage:" in shown.output


# Each shows colours, or a table that is wider than 80 columns, in a terminal.
SHOWN = [
    "connectivity lovely --model autocomplete.h5",
    "connectivity lovely --model char.h5",
    "evaluate char.h5 other.txt --per-character",
    "lab gates char.h5 lovely",
    "lab gates char.h5 --text-file poem.txt --find line-position",
    "lab cliff --starts 5",
    "plot char.h5 autocomplete.h5",
    "corpora list",
    "score other.txt -m char.h5 -m word.h5 --by line",
]
COLOURED = re.compile(r"\x1b\[[0-9;]+m")


def show(folder, **environment):
    """What all the commands of `SHOWN` print in a terminal of 80 columns, one text for each."""
    code = (
        "import sys\nfrom shakegen.cli import main\n"
        "for call in sys.argv[1:]:\n"
        "    main(call.split(), standalone_mode=False)\n"
        "    print('~~end~~', end='', flush=True)\n"
    )
    ours, theirs = open_terminal()
    surroundings = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-c", code, *SHOWN], cwd=folder, stdout=theirs, stderr=subprocess.PIPE,
        env={**surroundings, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    shown = read_all(ours)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return shown.split("~~end~~")[:-1]


def test_colours_and_tables_of_every_command_in_a_terminal(all_kinds):
    (all_kinds / "other.txt").write_text("Shall I compare thee to a summer's day?")
    coloured = show(all_kinds)
    assert [bool(COLOURED.search(text)) for text in coloured] == [True] * 7 + [False, False]
    for text in coloured:
        assert [line for line in COLOURED.sub("", text).splitlines() if len(line) > 80] == []
    for plain in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert not any(COLOURED.search(text) for text in show(all_kinds, **plain))
    cliff = coloured[SHOWN.index("lab cliff --starts 5")].split("\n\n")[0].splitlines()
    assert [line.split() for line in cliff[:2]] == [["clipped"], ["gradient", *["clipped"] * 3, "gradient"]]
    assert {len(line.split()) for line in cliff[2:]} == {9}


@pytest.mark.parametrize("name", GROUPS | LEAVES)
def test_every_help_fits_80_columns(shakegen, name):
    lines = shakegen(*name.split()[1:], "--help", terminal_width=80).stdout.splitlines()
    assert lines
    assert [line for line in lines if len(line) > 80] == []
