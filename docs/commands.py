"""Print the reference of all commands, from their own help texts: `python docs/commands.py > docs/commands.md`."""

import click

from shakegen.cli import main

HEADING = """# Commands

Made by `python docs/commands.py > docs/commands.md`; a test compares the two.

Exit codes: 0; 1 for a bad value, text or file, with one line `Error: …`; 2, with one line too, for a command line that
cannot be read (an option or a command does not exist, a value or an argument is missing); 128 + n after signal n, 130
for Ctrl-C. `SHAKEGEN_CACHE` is the cache folder; `NO_COLOR` forbids colours.
"""


def reference() -> str:
    return "\n".join([HEADING, *sections(main, "shakegen")])


def sections(command: click.Command, name: str, parent: click.Context | None = None) -> list[str]:
    """The help of a command and of all below it, each as a section of Markdown."""
    settings = {"terminal_width": 100, "help_option_names": ["-h", "--help"]}
    context = click.Context(command, parent, info_name=name.rsplit(maxsplit=1)[-1], **settings)
    help_text = command.get_help(context)
    written = [f"## {name}\n\n```text\n{help_text}\n```\n"]
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            written += sections(command.get_command(context, below), f"{name} {below}", context)
    return written


if __name__ == "__main__":
    print(reference(), end="")
