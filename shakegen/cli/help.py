"""Help texts in named groups: of the options of a command, and of the commands of a group."""

from collections.abc import Callable, Mapping, Sequence

import click

OTHERS = "Options"  # the title of options without one


class Grouped(click.Command):
    """A command whose help shows options below their titles from `group`; options without a title stand last."""

    def parse_args(self, ctx, args):
        with click.core.augment_usage_errors(ctx):  # so that each error knows its command
            return super().parse_args(ctx, args)

    def format_options(self, ctx, formatter):
        rows: dict[str, list] = {}
        for parameter in self.get_params(ctx):
            row = isinstance(parameter, click.Option) and parameter.get_help_record(ctx)
            if row:
                rows.setdefault(getattr(parameter, "group", OTHERS), []).append(row)
        for title in sorted(rows, key=lambda title: title == OTHERS):
            with formatter.section(title):
                formatter.write_dl(rows[title])


def group(title: str, *options: Callable) -> Callable:
    """Several options, below a title of their own in the help of the command."""

    def add(command):
        for option in reversed(options):
            before = len(getattr(command, "__click_params__", ()))
            command = option(command)
            for added in command.__click_params__[before:]:
                added.group = title
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

    def list_sections(self, ctx: click.Context) -> dict[str, list[str]]:
        """The names of all commands by title; commands that no section names come last."""
        names = self.list_commands(ctx)
        listed = {title: [name for name in of if name in names] for title, of in self.sections.items()}
        rest = [name for name in names if not any(name in of for of in listed.values())]
        return listed | ({"Commands": rest} if rest else {})

    def format_commands(self, ctx, formatter):
        sections = self.list_sections(ctx)
        width = max((len(name) for names in sections.values() for name in names), default=0)
        for title, names in sections.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (name.ljust(width), one.get_short_help_str(formatter.width - width - 4))
                        for name, one in commands
                        if one
                    ]
                )
