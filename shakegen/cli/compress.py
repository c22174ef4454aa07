"""Commands that make files small with a model, and whole again."""

import contextlib
import errno
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from shakegen.cli.group import find_model, main, say_model
from shakegen.cli.options import model_option, out_option, quiet_option
from shakegen.streams import is_terminal, plain, take_input

SUFFIX = ".shk"
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)  # a disk, or the share of a user
IN_MEMORY = 1 << 24  # bytes that wait for standard output there; more wait in a file

file_argument = click.argument("file", type=click.Path())
quiet_flag = quiet_option("Show neither progress nor sizes.")


@main.command()
@file_argument
@model_option("Model file, or a name.  [default: the newest in ./models, else sonnets-gru]")
@out_option("The compressed file; -: standard output.  [default: FILE.shk]")
@quiet_flag
def compress(file, model, out, quiet):
    """Compress FILE with the predictions of a model.

    The better the model predicts the text, the smaller the file; `shakegen evaluate` says how many bits a character
    takes. Any file comes back byte for byte, from the very same model, on any machine. FILE may be - for standard
    input; the compressed bytes then go to standard output.

    \b
    shakegen compress my.txt -m models/my-gru.h5
    cat my.txt | shakegen compress - -m sonnets-gru > my.shk
    """
    from shakegen.compression import compress as compress_file
    from shakegen.model import load

    target = choose_target(file, out, f"{file}{SUFFIX}")
    with opened(file, "a file") as source:
        loaded = load(model or find_model("next", quiet), "next")
        say_model()
        with writing(target) as sink, watching(source, quiet) as watch:
            sizes = compress_file(loaded, source, sink, watch)
    if not quiet:
        bits = f", {8 * sizes.compressed / sizes.original:.3f} bits/byte" if sizes.original else ""
        click.echo(f"{name_target(target)} ({sizes.compressed:,} bytes for {sizes.original:,}{bits})", err=True)


@main.command()
@file_argument
@model_option("The model that made it.  [default: that in ./models, or of the pretrained ones, which did]")
@out_option("Where the bytes go; -: standard output.  [default: FILE without .shk]")
@quiet_flag
def decompress(file, model, out, quiet):
    """Restore a file that `shakegen compress` wrote.

    It needs the model that made it small. FILE may be - for standard input; the bytes then go to standard output.
    Nothing is written before all is read and checked.

    \b
    shakegen decompress my.txt.shk
    shakegen decompress my.shk -m models/my-gru.h5 --out - | less
    """
    from shakegen.compression import decompress as decompress_file
    from shakegen.model import load

    if not (out or file == "-" or Path(file).name.removesuffix(SUFFIX) not in ("", Path(file).name)):
        raise ValueError(f"the name of {file} does not end in {SUFFIX}: say where its bytes go with --out")
    target = choose_target(file, out, file.removesuffix(SUFFIX))
    with opened(file, "one that `shakegen compress` wrote") as source:
        models = iter([load(model, "next")]) if model else known_models()
        title = "standard input" if file == "-" else file
        with writing(target) as sink, watching(source, quiet) as watch:
            sizes = decompress_file(models, source, sink, watch, title)
    if not quiet:
        click.echo(f"{name_target(target)} ({sizes.original:,} byte{'s' * (sizes.original != 1)})", err=True)


def known_models() -> Iterator:
    """All models that can be used: those in `./models`, and the pretrained ones."""
    from shakegen.model import LanguageModel, shelf

    for path in shelf.list_models():
        with contextlib.suppress(OSError, ValueError):
            yield LanguageModel.load(path)


def choose_target(file: str, out: Path | None, usual: str) -> Path | None:
    """Where the result goes: a new file; None for standard output.

    Raises:
        FileExistsError: the file is there already.
        ValueError: standard output is a terminal.
    """
    from shakegen.files import refuse_existing

    if str(out or file) == "-":
        if sys.stdout.isatty():
            raise ValueError("standard output is a terminal: expected a pipe, or a file with --out")
        return None
    target = Path(out or usual)
    refuse_existing(target)
    return target


def name_target(target: Path | None) -> str:
    return f"Saved: {target}" if target else "Written"


@contextlib.contextmanager
def opened(file: str, expected: str) -> Iterator[BinaryIO]:
    """A file, or - for standard input, for reading bytes."""
    if file == "-":
        yield take_input()
        return
    if not Path(file).exists():
        raise FileNotFoundError(f"no file {file}: expected {expected}, or - for standard input")
    if Path(file).is_dir():
        raise IsADirectoryError(f"{file} is a folder: expected {expected}")
    with open(file, "rb") as source:
        yield source


@contextlib.contextmanager
def writing(target: Path | None) -> Iterator[Any]:
    """A new file for bytes, or standard output; nothing is written if an error ends the context."""
    from shakegen.files import ensure_writable, refuse_existing, replacing, unwritable

    if target is not None:
        ensure_writable(target)
        try:
            with replacing(target) as file:
                yield file
                refuse_existing(target)  # somebody may have made it meanwhile
        except OSError as error:
            if error.errno in FULL:  # no fault of what is read
                raise unwritable(target, error) from None
            raise
        return
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as waiting:
        yield waiting
        waiting.seek(0)
        shutil.copyfileobj(waiting, sys.stdout.buffer)
        sys.stdout.flush()


@contextlib.contextmanager
def watching(source: BinaryIO, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """A bar on a terminal, and what moves it by a number of bytes of the source; None elsewhere."""
    if quiet or not is_terminal(sys.stderr):
        yield None
        return
    from rich import console, progress

    columns = (progress.BarColumn(bar_width=None), progress.DownloadColumn(), progress.TransferSpeedColumn())
    shown = console.Console(file=plain(sys.stderr))
    with progress.Progress(*columns, progress.TimeRemainingColumn(), console=shown, transient=True, expand=True) as bar:
        task = bar.add_task("", total=find_size(source))
        yield lambda count: bar.advance(task, count)


def find_size(source: BinaryIO) -> int | None:
    """The number of bytes of a file; None for a pipe."""
    if not source.seekable():
        return None
    place, size = source.tell(), source.seek(0, 2)
    source.seek(place)
    return size - place
