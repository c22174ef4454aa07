"""The group of all commands, with errors of one line."""

import contextlib
import functools
import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click

from shakegen import __version__
from shakegen.cli.help import Commands
from shakegen.cli.options import long_flag, make_flag
from shakegen.streams import escape, plain, standard_streams, take_input

SECTIONS = {
    "Start": ("train", "sample", "complete", "page"),
    "Judge": ("evaluate", "score", "compare", "novelty", "plot"),
    "Understand": ("info", "connectivity", "lab"),
    "Data and shell": ("corpora", "models", "completion"),
    "Other programs": ("export", "import", "compress", "decompress"),
}
DEBUG = "SHAKEGEN_DEBUG"  # an environment variable; 1 shows tracebacks
USUAL_MODEL = f"{__name__}.usual_model"  # its key in the memory of a command


class UnreadableCommand(click.ClickException):
    """A command line that cannot be understood."""

    exit_code = 2


class OneLineErrors(Commands):
    """Bad input ends in one line `Error: …`, Ctrl-C in exit code 130; no traceback reaches a user who does not ask.

    The exit code is 1 for a bad value, a bad file or the like, and 2 for a command line that cannot be understood: an
    option or a command that does not exist, or one that lacks its value or argument.
    """

    def make_context(self, *arguments, **options):
        with one_line_usage():
            return super().make_context(*arguments, **options)

    def main(self, *arguments, **options):
        with standard_streams(fail_to_print), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numbers of a stranger's model may overflow
            warnings.simplefilter("ignore", FutureWarning)  # Python's, about a pattern such as [[a]
            return super().main(*arguments, **options)

    def invoke(self, ctx):
        try:
            with one_line_usage():
                return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (ValueError, OSError, OverflowError, MemoryError) as error:
            if os.environ.get(DEBUG, "0") not in ("", "0"):
                traceback.print_exc()
            raise click.ClickException(" ".join(format_error(error).split())) from None
        except KeyboardInterrupt:
            click.echo("\nInterrupted.", err=True)
            ctx.exit(130)


def fail_to_print(error: Exception) -> None:
    """End the command because nobody reads what it prints, or because it cannot be written."""
    if isinstance(error, BrokenPipeError):
        raise error
    reason = error.strerror if isinstance(error, OSError) else error
    raise click.ClickException(
        f"cannot write to standard output ({reason}): expected a place that has room and may be written to"
    ) from None


@contextlib.contextmanager
def one_line_usage() -> Iterator[None]:
    """Give click's errors about a command line one line, too."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise  # its message is the help
    except click.UsageError as error:
        message = " ".join(error.format_message().split())  # it may list choices on lines of their own
        kind: type[click.ClickException] = UnreadableCommand
        if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
            name = long_flag(error.param) if error.param else ""
            message, kind = f"the value of {name} is not usable: {error.message}", click.ClickException
        command = error.ctx.command_path if error.ctx else "shakegen"
        raise kind(f"{message[0].lower()}{message[1:].rstrip('.')} (see `{command} --help`)") from None


def format_error(error: Exception) -> str:
    """The message of an error, without the number of the system."""
    if isinstance(error, OverflowError):
        return "a number is too large: expected one that fits in 64 bits"
    if isinstance(error, MemoryError):
        return "out of memory: try a smaller network, a smaller batch or less text"
    if not isinstance(error, OSError) or error.strerror is None:
        return name_flags(str(error))
    return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"


def name_flags(message: str) -> str:
    """A message of the library, which names its arguments: `split=(1, 0, 0)` becomes --split 1,0,0."""

    def translate(match: re.Match) -> str:
        flag, value = make_flag(match[1]), re.sub(r"[\"'() ]", "", match[2] or "")  # as it is written in a shell
        return match[0] if flag not in known_flags() else f"{flag} {value}".rstrip()

    return re.sub(r"`(\w+)(?:=([^`]*))?`", translate, message)


@functools.cache  # it imports all commands
def known_flags() -> frozenset[str]:
    """The flags of all commands."""
    return frozenset(list_flags(main))


def list_flags(command: click.Command) -> Iterator[str]:
    """The flags of a command, or of all commands of a group."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for other in filter(None, (command.get_command(context, name) for name in command.list_commands(context))):
            yield from list_flags(other)
    for parameter in command.params:
        yield from parameter.opts


@click.group(
    cls=OneLineErrors,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__)
def main():
    """Learn to write from a text, one character at a time.

    \b
    shakegen sample --seed "shall i"       write with a pretrained network
    shakegen train my.txt --cell gru       train one on your own text
    shakegen train my.txt --minutes 3      ... in a given time
    shakegen COMMAND --help                examples and all options
    """
    notes = logging.getLogger("shakegen")
    notes.handlers, notes.propagate = [Notes()], False
    notes.setLevel(logging.INFO)


class Notes(logging.Handler):
    """Prints the log of the library on standard error."""

    def emit(self, record):
        click.echo(escape(record.getMessage()), err=True)  # a bar may have replaced the stream that escapes


def shows_colour() -> bool:
    """Whether standard output is a terminal that shows colours, and NO_COLOR does not forbid them."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def colour_symbol(symbol: str, shade: int | None, **style) -> str:
    """A character, or word, on one of 256 colours, where a line end shows as ↵ too; None: on no colour."""
    if shade is None:
        return click.style(escape(symbol), **style) if style else escape(symbol)
    visible, newline = escape(symbol).replace("\n", "↵"), "\n" * symbol.endswith("\n")  # no colour after a line
    return click.style(visible, fg=16, bg=shade, **style) + newline


def echo_coloured(text: str, nl: bool = False) -> None:
    """Print symbols of `colour_symbol`."""
    click.echo(text, file=plain(sys.stdout), nl=nl)


def find_model(task: str, quiet: bool) -> Path:
    """The model file to use where none is named; `say_model` says which, unless that is to be quiet."""
    from shakegen.model import find

    path = find(task)
    if not quiet:
        click.get_current_context().meta[USUAL_MODEL] = path
    return path


def say_model() -> None:
    """Say on standard error which model was taken, if none was named; after all that may fail, before the outcome."""
    path = click.get_current_context().meta.get(USUAL_MODEL)
    if path:
        from shakegen.model import shelf

        click.echo(f"Model: {shelf.name_file(path)}", err=True)


@contextlib.contextmanager
def hint_at_random_state(seed: str) -> Iterator[None]:
    """Where a model cannot read a seed that is a number, name the option that was perhaps meant."""
    from shakegen.text.vocabulary import UnknownCharacters
    from shakegen.text.word_vocabulary import UnknownWords

    try:
        yield
    except (UnknownCharacters, UnknownWords) as error:
        unread = error.characters if isinstance(error, UnknownCharacters) else error.words
        if not seed.isdecimal() or not any(symbol in seed for symbol in unread):
            raise
        raise ValueError(f"{error}; did you mean `random_state={seed}`?") from None


def read_argument(text: str, encoding: str = "utf-8") -> str:
    """The text of an argument; - reads standard input, without a line end at its end."""
    return read_text("-", encoding).removesuffix("\n") if text == "-" else text


def read_lines(encoding: str) -> Iterator[str]:
    """The lines of standard input as they come, without their ends."""
    from shakegen.text.reading import decode_blocks

    source: Any = take_input()
    pieces: Any = SimpleNamespace(read=source.read1)  # gives the bytes that are there, so no line waits
    rest = ""
    for block in decode_blocks(pieces, "standard input", encoding):
        *lines, rest = (rest + block).split("\n")
        yield from lines
    if rest:
        yield rest


def read_text(path: str, encoding: str = "utf-8") -> str:
    """The text of a file, or - for standard input, with LF line ends and without a byte order mark."""
    from shakegen.text.reading import decode_blocks

    if path == "-":
        return "".join(decode_blocks(take_input(), "standard input", encoding))
    try:
        with open(path, "rb") as file:
            return "".join(decode_blocks(file, path, encoding))
    except FileNotFoundError:
        raise FileNotFoundError(f"no file {path}: expected a text file, or - for standard input") from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{path} is a folder: expected a text file") from None
