"""How options are declared: from arguments and fields with their defaults, in named groups, for several commands."""

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from shakegen.cells.registry import CELLS, option_names, parse_cell
from shakegen.network.config import EMBEDDINGS, Config
from shakegen.text.vocabulary import ON_UNKNOWN

ESCAPES = {r"\n": "\n", r"\t": "\t", r"\\": "\\"}


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
                rows.setdefault(getattr(parameter, "group", "Options"), []).append(row)
        for title in sorted(rows, key=lambda title: title == "Options"):
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
    """A group of such commands."""

    command_class = Grouped


def is_given(name: str) -> bool:
    """Whether an option stands on the command line of the present command, rather than having its default."""
    return click.get_current_context().get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def refuse_idle(why: str, *names: str) -> None:
    """Refuse options that stand on the command line, but have no effect there.

    Args:
        why: the rest of "--name has no effect".
        names: of the parameters.

    Raises:
        ValueError: one of them is given.
    """
    context = click.get_current_context()
    flags = {one.name: one for one in context.command.params if isinstance(one, click.Option)}
    for name in filter(is_given, (name for name in names if name in flags)):
        option = flags[name]
        opts = option.secondary_opts if context.params.get(name) is False and option.secondary_opts else option.opts
        raise ValueError(f"{max(opts, key=len)} has no effect {why}: leave it out")


def refuse_several(*names: str) -> None:
    """Refuse more than one of some options.

    Raises:
        ValueError: the first two that are given, by name.
    """
    first, second, *_ = [*filter(is_given, names), None, None]
    if second is not None:
        raise ValueError(f"{make_flag(first)} and {make_flag(second)} are both given: expected one of them")


def refuse_idle_on(task: str) -> None:
    """Refuse options that have no effect on a task, as `refuse_idle` does."""
    from shakegen.training.tasks import get_task

    for reason, names in get_task(task).idle.items():
        refuse_idle(f"on the task {task}, which {reason}", *names)


def unescape(text: str) -> str:
    r"""A text with its line end, tab or backslash for each \n, \t or \\: few shells write them otherwise."""
    return re.sub(r"\\[nt\\]", lambda match: ESCAPES[match[0]], text)


class Listed(click.ParamType):
    """Names, or whole numbers, between commas; each counts once."""

    name = "list"

    def __init__(self, kind: type):
        self.kind = kind

    def convert(self, value, param, ctx):
        if not isinstance(value, str):
            return value
        try:
            return split_list(value, self.kind)
        except ValueError:
            raise ValueError(f"the {param.name} given are {value!r}: expected whole numbers such as 10,20,40") from None


def split_list(text: str, kind: type = str) -> list:
    return list(dict.fromkeys(kind(item.strip()) for item in text.split(",")))


def options_from(source: Callable, texts: Mapping[str, str], flags: Mapping[str, str] | None = None) -> list[Callable]:
    """Options for arguments of a function, or fields of a dataclass: types and defaults come from its signature.

    A `bool` that is True by default gets the opposite flag too. An `Iterable` is a list between commas. A type is
    `Annotated` with its choices; without another default, all of them are it.

    Args:
        source: the function or the dataclass.
        texts: the help of each option, by the argument's name. Where it has "[default: …]", no other default is shown.
        flags: of the options that are not called as the argument is.
    """
    parameters = inspect.signature(source).parameters
    return [option_for(parameters[name], text, (flags or {}).get(name)) for name, text in texts.items()]


def option_for(parameter: inspect.Parameter, text: str, flag: str | None) -> Callable:
    kind, choices, default = parameter.annotation, (), parameter.default
    flag = flag or make_flag(parameter.name)
    if typing.get_origin(kind) is typing.Annotated:
        kind, choices = typing.get_args(kind)
        default = choices if default is parameter.empty else default
    shown = default is not None and default is not False and "[default:" not in text
    if isinstance(kind, types.UnionType):
        kind = typing.get_args(kind)[0]  # None is the other
    if kind is bool:
        flag += f"/--no-{flag[2:]}" if default and "/" not in flag else ""
        return click.option(flag, parameter.name, is_flag=True, default=default, show_default=shown, help=text)
    if typing.get_origin(kind):
        default = default and ",".join(map(str, default))
        kind = Listed(*typing.get_args(kind))
    elif choices:
        kind = click.Choice(list(choices))
    return click.option(flag, parameter.name, type=kind, default=default, show_default=shown, help=text)


def make_flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def read_help(source: Callable) -> dict[str, str]:
    """The help of each argument or field, from `Args` or `Attributes` in the docstring; `other` becomes --other."""
    section = re.split(r"^(?:Args|Attributes):\n", inspect.getdoc(source) or "", flags=re.MULTILINE)[1].partition(
        "\n\n"
    )[0]
    texts: dict[str, str] = {}
    for names, entry in re.findall(r"^    (\w[\w, ]*): (.*(?:\n {8}.*)*)", section, re.MULTILINE):
        text = re.sub(r"`(\w+)`", lambda match: make_flag(match[1]), " ".join(entry.split()))
        text = text.replace(" [default:", "  [default:")
        texts |= dict.fromkeys(names.split(", "), text[0].upper() + text[1:])
    return texts


class CellName(click.ParamType):
    """A cell: its name, or module:Class; its options may follow, as in `nlstm:depth=3`."""

    name = "cell"

    def get_metavar(self, param, ctx=None):
        return f"[{'|'.join(CELLS)}|MODULE:CLASS]"


cell_option = click.option(
    "--cell", type=CellName(), default=Config().cell, show_default=True, help="Recurrent unit, or one of your own; its "
    "options may follow, as in my_cells:MyCell:alpha=0.3."
)  # fmt: skip


def read_cell(text: str) -> dict[str, typing.Any]:
    """The options `cell`, and those of the cell, that the value of `--cell` stands for.

    Raises:
        ValueError: the cell or an option does not exist, or a value is of another kind.
    """
    cell, options = parse_cell(text)
    return {"cell": cell.name, **options}


def make_cell_options() -> list[Callable]:
    """The options that some cells have and others have not."""
    made = []
    for name in option_names():
        cells = [cell for cell in CELLS.values() if name in cell.options()]
        one = cells[0].options()[name]
        flag, choices = one.metadata["flag"] or make_flag(name), one.metadata["choices"]
        usual = one.default
        if type(usual) is bool:
            flag += "" if "/" in flag else f"/--no-{flag[2:]}"
            usual = flag.split("/")[not usual].lstrip("-")
        owners = ", ".join(cell.name for cell in cells) if len(cells) < len(CELLS) else "every cell"
        text = f"{one.metadata['help']}  [{owners}; default: {usual}]"
        if type(one.default) is bool:
            made.append(click.option(flag, name, is_flag=True, default=one.default, help=text))
        else:
            kind = click.Choice(list(choices)) if choices else type(one.default)
            made.append(click.option(flag, name, type=kind, help=text))
    return made


READING = {
    "encoding": click.option("--encoding", default="utf-8", show_default=True, help="Of the text."),
    "lowercase": click.option("--lowercase", is_flag=True, help="Read the text in lower case."),
    "normalize": click.option("--normalize", type=click.Choice(["text8"]), help="Read it in the alphabet of text8: a "
                              "to z and single spaces, digits spelled out."),
}  # fmt: skip
SHAPE = {
    "level": click.option("--level", type=click.Choice(list(EMBEDDINGS)), default="char", show_default=True,
                          help="The symbols that are read and predicted: characters or words."),
    "vocabulary_size": click.option("--vocabulary-size", type=int, help="Keep this many: the most frequent characters "
                                    "or words, and one for all others.  [default: all characters; 16,384 words]"),
    "split": click.option("--split", default="0.9,0.05,0.05", show_default=True, help="Training, validation and test "
                          "text, one after the other: shares, or characters as in 90M,5M,5M; * is the rest."),
}  # fmt: skip

unknown_option = click.option(
    "--on-unknown", type=click.Choice(ON_UNKNOWN), help="For characters or words that the model does not "
    "know: refuse them, skip them, or read them as its unknown symbol.  [default: symbol if it has one, else error]"
)  # fmt: skip
input_encoding_option = click.option(
    "--encoding", default="utf-8", show_default=True, help="Of text from a file or from standard input."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
figure_option = click.option(
    "--out", type=click.Path(path_type=Path), help="Write the figure to this file: a name in .png, .svg, .pdf or "
    ".html. Needs matplotlib."
)  # fmt: skip


def corpus_options(command):
    """Options of how a corpus is read; the command gets them as one dictionary `reading`, for `catalog.load_corpus`."""
    return pack(command, "reading", READING)


def shape_options(command):
    """Options that shape a corpus; the command gets them as one dictionary `shape`, for `load_corpus` too."""
    return pack(command, "shape", SHAPE)


def pack(command, name: str, options: Mapping[str, Callable]):
    """Give a command some options as one dictionary."""

    @functools.wraps(command)
    def packing(*arguments, **given):
        return command(*arguments, **{name: {key: given.pop(key) for key in options}}, **given)

    return group("Text", *options.values())(packing)


def copy_options(other: click.Command, *names: str) -> Callable:
    """Some options of another command, the same in every respect."""
    options = {option.name: option for option in other.params}

    def add(command):
        earlier = getattr(command, "__click_params__", [])
        command.__click_params__ = [*earlier, *(options[name] for name in reversed(names))]
        return command

    return add
