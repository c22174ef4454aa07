"""How options are declared: by name, from arguments and fields with their defaults, and for several commands."""

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click

from shakegen.cli.help import group
from shakegen.cli.names import CorpusName, ModelName, complete_from
from shakegen.network.config import EMBEDDINGS
from shakegen.text.vocabulary import ON_UNKNOWN

CONFIG = f"{__name__}.config"  # the key of the file with options in the memory of a command
ESCAPES = {r"\n": "\n", r"\t": "\t", r"\\": "\\"}
SHORT = {"--model": "-m", "--out": "-o", "--count": "-n", "--quiet": "-q"}  # the same in every command


def long_flag(option: click.Parameter, negative: bool = False) -> str:
    """The name of an option in messages; with `negative`, the one that switches it off."""
    names = option.secondary_opts if negative and option.secondary_opts else option.opts
    return next((name for name in names if name.startswith("--")), names[0])


def is_given(name: str) -> bool:
    """Whether the present command was given an option, on its command line or in a file; if not, it has its default."""
    return click.get_current_context().get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def refuse_idle(why: str, *names: str) -> None:
    """Refuse options that were given, on the command line or in a file, but have no effect.

    Args:
        why: the rest of "--name has no effect".
        names: of the parameters.

    Raises:
        ValueError: one of them is given.
    """
    context = click.get_current_context()
    flags = {one.name: one for one in context.command.params if isinstance(one, click.Option)}
    for name in filter(is_given, (name for name in names if name in flags)):
        flag = long_flag(flags[name], negative=context.params.get(name) is False)
        if context.get_parameter_source(name) is click.core.ParameterSource.DEFAULT_MAP:
            flag = f"{flag[2:]} in {context.meta[CONFIG]}"
        raise ValueError(f"{flag} has no effect {why}: leave it out")


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

    def __init__(self, kind: type, names: Iterable[str] = ()):
        self.kind, self.names = kind, names

    def convert(self, value, param, ctx):
        if not isinstance(value, str):
            return value
        try:
            return split_list(value, self.kind)
        except ValueError:
            raise ValueError(f"the {param.name} given are {value!r}: expected whole numbers such as 10,20,40") from None

    def shell_complete(self, ctx, param, incomplete):
        """The lists that go on with a list, each by a name that it has not yet."""
        *done, _ = incomplete.split(",")
        return complete_from((",".join([*done, str(one)]) for one in self.names if str(one) not in done), incomplete)


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
        kind = Listed(typing.get_args(kind)[0], choices)
    elif choices:
        kind = click.Choice(list(choices))
    names = [*filter(None, [SHORT.get(flag)]), flag, parameter.name]
    return click.option(*names, type=kind, default=default, show_default=shown, help=text)


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


READING = {
    "encoding": click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the text; a "
                             "text with a name has its own."),
    "lowercase": click.option("--lowercase", is_flag=True, help="Read the text in lower case."),
    "normalize": click.option("--normalize", type=click.Choice(["text8"]), help="Read it in the alphabet of text8: a "
                              "to z and single spaces, digits spelled out."),
}  # fmt: skip
SHAPE = {
    "level": click.option("--level", type=click.Choice(list(EMBEDDINGS)), default="char", show_default=True,
                          help="The symbols that are read and predicted: characters, words, or subwords, the "
                          "pieces of words that are often together."),
    "vocabulary_size": click.option("--vocabulary-size", type=int, help="Keep this many: the most frequent characters "
                                    "or words, and one for all others; or subwords.  [default: all characters; words "
                                    "that occur twice in the training text, at most 16,383; "
                                    "subwords from pairs that occur 100 times, at most 4,096]"),
    "split": click.option("--split", default="0.9,0.05,0.05", show_default=True, help="Training, validation and test "
                          "text, one after the other: shares, or characters as in 90M,5M,5M; * is the rest."),
}  # fmt: skip

unknown_option = click.option(
    "--on-unknown", type=click.Choice(ON_UNKNOWN), help="For characters or words that the model does not "
    "know: refuse them, skip them, or read them as its unknown symbol.  [default: symbol if it has one, else error; "
    "subwords spell all]"
)  # fmt: skip
input_encoding_option = click.option(
    "--encoding", default="utf-8", show_default=True, help="Encoding of text from a file or from standard input."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
corpus_argument = click.argument("corpus", nargs=-1, required=True, type=CorpusName())
model_argument = click.argument("model", type=ModelName())


def model_option(text: str, name: str = "model", **more) -> Callable:
    """The option that names a model, by its file or its name."""
    return click.option("-m", "--model", name, type=ModelName(), help=text, **more)


def out_option(text: str, **more) -> Callable:
    """The option that names the file to write."""
    return click.option("-o", "--out", type=click.Path(path_type=Path), help=text, **more)


def seed_option(text: str) -> Callable:
    """The option with the text to continue."""
    return click.option("--seed", "--prompt", "seed", default="", help=text)


def quiet_option(text: str) -> Callable:
    """The option that keeps standard error free of all but errors."""
    return click.option("-q", "--quiet", is_flag=True, help=text)


figure_option = out_option("Write the figure to this file: a name in .png, .svg, .pdf or .html. Needs matplotlib.")


def corpus_options(command):
    """Options of how a corpus is read; the command gets them as one dictionary `reading`, for `catalog.load_corpus`."""
    return pack(command, "reading", "Text", READING)


def shape_options(command):
    """Options that shape a corpus; the command gets them as one dictionary `shape`, for `load_corpus` too."""
    return pack(command, "shape", "Text", SHAPE)


def pack(command, name: str, title: str, options: Mapping[str, Callable]):
    """Give a command some options, below a title, as one dictionary."""

    @functools.wraps(command)
    def packing(*arguments, **given):
        return command(*arguments, **{name: {key: given.pop(key) for key in options}}, **given)

    return group(title, *options.values())(packing)


def copy_options(other: click.Command, *names: str) -> Callable:
    """Some options of another command, the same in every respect."""
    options = {option.name: option for option in other.params}

    def add(command):
        earlier = getattr(command, "__click_params__", [])
        command.__click_params__ = [*earlier, *(options[name] for name in reversed(names))]
        return command

    return add
