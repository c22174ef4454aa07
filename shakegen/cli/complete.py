"""The command that completes words."""

import codecs
import contextlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator

import click

from shakegen.cli.group import main, read_argument
from shakegen.cli.options import input_encoding_option, json_option
from shakegen.streams import escape, plain

KEYS = "Type; a number takes that word, Tab the first; Backspace erases; Enter ends."
BACKSPACE, ENTER, TAB, END = ("\x7f", "\b"), ("\r", "\n"), "\t", "\x04"
KEY = re.compile(r"\x1b[\[O][0-9;]*.|.", re.DOTALL)
OFFERED = 9


@main.command()
@click.argument("text", required=False)
@click.option("--model", help="Model file.  [default: the newest autocomplete model in ./models, else the pretrained]")
@click.option("--top", type=int, default=3, show_default=True, help="Number of words.")
@input_encoding_option
@click.option("--matching", is_flag=True, help="Only words that begin with the unfinished word.")
@click.option("--interactive", is_flag=True, help="Suggestions at every key; in a pipe, for every line.")
@json_option
def complete(text, model, top, encoding, matching, interactive, as_json):
    """Show the likeliest words to end TEXT, with probabilities.

    TEXT consists of words of the letters a to z; the last one is unfinished, unless a space follows it. -: standard
    input.

    \b
    shakegen complete "shall i com"
    shakegen complete "shall i compare thee to a " --top 9
    shakegen complete --interactive
    """
    from shakegen.model import find, load

    if interactive and (as_json or text == "-"):
        raise ValueError("--interactive reads standard input itself: leave out --json, and give no - as the text")
    if text is None and not interactive:
        raise ValueError('there is no text to complete: expected one such as "shall i com", or --interactive')
    loaded = load(model or find("autocomplete"), "autocomplete")
    if interactive:
        (converse if sys.stdin.isatty() and sys.stderr.isatty() else answer_lines)(loaded, text or "", top, matching)
        return
    text = read_argument(text, encoding)
    offers = loaded.complete(text, top, matching)
    if as_json:
        click.echo(json.dumps({"text": text, "completions": [offer._asdict() for offer in offers]}))
        return
    width = max((len(word) for word, _ in offers), default=0)
    for word, probability in offers:
        click.echo(f"{word:{width}}  {probability:7.2%}")


def answer_lines(model, text: str, top: int, matching: bool) -> None:
    """For every line of standard input, print the words that may end it, with probabilities, between tabs."""
    for line in sys.stdin:
        offers = model.complete(text + line.removesuffix("\n"), top, matching)
        click.echo("\t".join(f"{word} {probability:.4f}" for word, probability in offers))


def converse(model, text: str, top: int, matching: bool) -> None:
    """Offer words at every key, on standard error; the whole text goes to standard output."""
    typing, top = model.typing(text), min(top, OFFERED)
    click.echo(KEYS, err=True)
    offers = typing.likeliest(top, matching)
    show(typing.text, offers)
    for key in read_keys():
        if key in ENTER:
            break
        type_key(typing, key, offers)
        offers = typing.likeliest(top, matching)
        show(typing.text, offers)
    click.echo(err=True)
    click.echo(typing.text)


def type_key(typing, key: str, offers) -> None:
    """Change the text as a key asks."""
    if key in BACKSPACE:
        typing.erase()
    elif key == TAB or key.isdecimal():
        number = 1 if key == TAB else int(key)
        if 1 <= number <= len(offers):
            typing.accept(offers[number - 1].word)
    elif key.isprintable():
        typing.write(key)


def read_keys() -> Iterator[str]:
    """Keys until the end of input; an arrow or the like is one key, pasted text comes key by key."""
    with raw_terminal() as read, contextlib.suppress(EOFError):
        while keys := read():
            for key in KEY.findall(keys):
                if key == END:
                    return
                yield key


@contextlib.contextmanager
def raw_terminal() -> Iterator[Callable[[], str]]:
    """A function that waits for keys and gives all that were pressed since the last call."""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        yield click.getchar
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSADRAIN)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read() -> str:
        keys = ""
        while not keys:  # the rest of a character may be still to come
            keys = decoder.decode(os.read(terminal, 1024) or END.encode())
        return keys

    try:
        yield read
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def show(text: str, offers) -> None:
    """Show on one line the end of the text, and the words that may come next."""
    width = shutil.get_terminal_size().columns - 1
    listed = "  ".join(f"{number} {word} {share:.0%}" for number, (word, share) in enumerate(offers, 1))
    room = max(width // 3, width - len(listed) - 2)
    line = escape(f"{text[-room:]}| {listed}")[:width]
    click.echo(f"\r\x1b[K{line}", file=plain(sys.stderr), nl=False)
