"""Pages of the commands, one for each, from their own help texts."""

import inspect
import re
from collections.abc import Iterator

import click

from shakegen.cli import main
from shakegen.cli.help import list_options

CODE = re.compile(r"(`[^`]+`|(?<![\w-])--[a-z][\w-]*)")
ESCAPED = re.compile(r"([\\`*_{}\[\]<>#|~$])")


def write_command_pages() -> dict[str, str]:
    """The pages, in Markdown, by their file names."""
    context = click.Context(main, info_name="shakegen", **main.context_settings)
    names = main.list_commands(context)
    return {f"{name}.md": "\n".join(write_command(main.get_command(context, name), name, context)) for name in names}


def write_command(command: click.Command, name: str, parent: click.Context, level: int = 1) -> Iterator[str]:
    """A command, and all commands below it, as sections."""
    context = click.Context(command, parent, info_name=name, **main.context_settings)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"{'#' * level} {context.command_path}\n\n```text\n{usage}\n```\n"
    yield from map(write_paragraph, re.split(r"\n\n+", inspect.cleandoc(command.help or "").split("\f")[0]))
    yield from write_options(command, context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from write_command(command.get_command(context, below), below, context, level + 1)


def write_paragraph(text: str) -> str:
    """A paragraph of a help; one that begins with a backspace is kept as it is."""
    if text.startswith("\b"):
        return "```sh\n" + text.removeprefix("\b").strip("\n") + "\n```\n"
    return escape(" ".join(text.split())) + "\n"


def escape(text: str) -> str:
    """A text in which Markdown sees no marks, except those of code; options are code, which breaks at no hyphen."""
    parts = CODE.split(text)
    parts[::2] = [ESCAPED.sub(r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [f"`{part.strip('`')}`" for part in parts[1::2]]
    return "".join(parts)


def write_options(command: click.Command, context: click.Context) -> Iterator[str]:
    """The options of a command below the titles of their groups."""
    titles = list_options(command, context)
    if titles:
        yield f"```{{program}} {context.command_path}\n```\n"
    for title, rows in titles.items():
        yield f"**{title}**\n\n" + "\n".join(write_option(*row) for row in rows)


def write_option(flags: str, text: str) -> str:
    return f"```{{option}} {flags.replace(' / ', ', ')}\n{escape(text)}\n```\n"
