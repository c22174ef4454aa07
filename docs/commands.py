"""Print the reference of all commands, from their own help texts: `python docs/commands.py > docs/commands.md`."""

import click

from shakegen.cli import main

HEADING = """# Commands

Made by `python docs/commands.py > docs/commands.md`; a test compares the two.

Exit codes: 0; 1 for a bad value, text or file, with one line `Error: …`; 2, with one line too, for a command line that
cannot be read (an option or a command does not exist, a value or an argument is missing); 128 + n after signal n, 130
for Ctrl-C. `SHAKEGEN_CACHE` is the cache folder; `NO_COLOR` forbids colours; `SHAKEGEN_DEBUG=1` shows the traceback of
an error. [json.md](json.md) has the objects of `--json`.
"""


def reference() -> str:
    context = make_context(main, "shakegen")
    written = [HEADING, describe(main, context)]
    for title, names in main.list_sections(context).items():
        written.append(f"## {title}\n")
        for name in names:
            written += list_below(main.get_command(context, name), name, context)
    return "\n".join(written)


def make_context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    settings = {"terminal_width": 100, "help_option_names": ["-h", "--help"]}
    return click.Context(command, parent, info_name=name, **settings)


def describe(command: click.Command, context: click.Context) -> str:
    """The help of a command, as Markdown."""
    return f"```text\n{command.get_help(context)}\n```\n"


def list_below(command: click.Command, name: str, parent: click.Context) -> list[str]:
    """The help of a command and of all below it, each below a heading."""
    context = make_context(command, name, parent)
    written = [f"### {context.command_path}\n", describe(command, context)]
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            written += list_below(command.get_command(context, below), below, context)
    return written


if __name__ == "__main__":
    print(reference(), end="")
