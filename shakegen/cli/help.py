"""Help texts in named groups: of the options of a command, and of the commands of a group."""

from collections.abc import Callable, Mapping, Sequence

import click

OTHERS = "Options"  # the title of options without one
REST = "Commands"  # ... and of commands without one


class Grouped(click.Command):
    """A command whose help shows options below their titles from `group`; options without a title stand last."""

    def parse_args(self, ctx, args):
        ctx.allow_extra_args = True
        with click.core.augment_usage_errors(ctx):  # so that each error knows its command
            extra = super().parse_args(ctx, args)
            if extra and not ctx.resilient_parsing:
                seeds = any("--seed" in parameter.opts for parameter in self.params)
                hint = ": a text to continue goes after --seed" if seeds else ""
                raise click.UsageError(f"unexpected argument {extra[0]!r}{hint}")
            return extra

    def format_options(self, ctx, formatter):
        for title, rows in list_options(self, ctx).items():
            with formatter.section(title):
                formatter.write_dl(rows)


def list_options(command: click.Command, ctx: click.Context) -> dict[str, list[tuple[str, str]]]:
    """The flags and the help of each option, by the title of its group; options without one stand last."""
    rows: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(ctx):
        row = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
        if row:
            rows.setdefault(getattr(parameter, "group", OTHERS), []).append(row)
    return dict(sorted(rows.items(), key=lambda one: one[0] == OTHERS))


def group(title: str, *options: Callable) -> Callable:
    """Several options, below a title of their own in the help of the command."""

    def add(command):
        for option in reversed(options):
            command = option(command)
            command.__click_params__[-1].group = title
        return command

    return add


class Commands(click.Group):
    """A group of such commands, which its help and its list show below titles.

    Args:
        sections: the names of the commands by title, in the order in which they are shown. Without it, all commands
            stand below one title, by name.
    """

    command_class = Grouped

    def __init__(self, *arguments, sections: Mapping[str, Sequence[str]] | None = None, **options):
        super().__init__(*arguments, **options)
        self.sections = sections or {}

    def format_commands(self, ctx, formatter):
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        left = {name: command for name, command in found if command}
        width = max(map(len, left), default=0)
        room = formatter.width - width - 4
        for title, names in (*self.sections.items(), (REST, left)):
            rows = [(name.ljust(width), left.pop(name).get_short_help_str(room)) for name in [*names] if name in left]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
