"""Typing in a terminal with offers at every key: `complete` and `sample` share it."""

import codecs
import contextlib
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Protocol

import click

from shakegen.cli.group import name_flags, say_model
from shakegen.streams import choose_encoding, count_columns, escape, plain

HELP = "Type; a number takes that offer, Tab the first. Backspace erases. =3 types 3."
BACKSPACE, ENTER, TAB, END, LITERAL = ("\x7f", "\b"), ("\r", "\n"), "\t", "\x04", "="
UP = "\x1b[A"
KEY = re.compile(r"\x1b[\[O][0-9;]*.|.", re.DOTALL)
OFFERED = 9  # the most: each is taken with one key
SIGNS = {"\n": "↵", "\t": "⇥"}


class Text(Protocol):
    """A text that grows and shrinks."""

    @property
    def text(self) -> str: ...
    def write(self, text: str, /) -> None: ...
    def erase(self) -> None: ...
    def accept(self, offer: str, /) -> None: ...


Offers = list[tuple[str, float]]  # texts with their probabilities


def is_possible() -> bool:
    """Whether there is a terminal to type in and to show offers on."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def type_on(
    text: Text, offer: Callable[[], Offers], ends: str, end: str, has_ended: Callable[[], bool] = lambda: False
) -> None:
    """Change a text as keys ask, and show it with offers after each, on standard error.

    Args:
        text: the text.
        offer: gives the likeliest continuations of the text.
        ends: the keys that end it, beside Ctrl-D and Ctrl-C.
        end: the name of the key that ends it, for the user.
        has_ended: called after each key, to end it, too.
    """
    offers, literal = offer(), False
    say_model()
    click.echo(f"{HELP}\n{end} ends and prints the text.", err=True)
    with raw_terminal() as read, contextlib.suppress(KeyboardInterrupt):
        show(text.text, offers)
        for key in read_keys(read):
            if key in ends:
                break
            if key == LITERAL and not literal:
                literal = True
                continue
            try:
                press(text, key, [] if literal else offers)
            except ValueError as error:  # the model does not know the character
                click.echo(f"\r\x1b[K{escape(name_flags(str(error)))}", file=plain(sys.stderr))
            if has_ended():
                break
            offers, literal = offer(), False
            show(text.text, offers)
    click.echo(err=True)


def press(text: Text, key: str, offers: Offers) -> None:
    """Change a text as a key asks; a number that takes no offer is typed."""
    number = 1 if key == TAB else int(key) if key.isdecimal() else 0
    if key in BACKSPACE:
        text.erase()
    elif 1 <= number <= len(offers):
        text.accept(offers[number - 1][0])
    elif key in ENTER:
        text.write("\n")
    elif len(key) == 1 and unicodedata.category(key) not in ("Cc", "Cs", "Cn"):
        text.write(key)


def read_keys(read: Callable[[], str]) -> Iterator[str]:
    """Keys until Ctrl-D; an arrow or the like is one key, pasted text comes key by key."""
    with contextlib.suppress(EOFError):
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
    except ImportError:  # Windows, where an arrow is two characters
        yield lambda: key if len(key := click.getchar()) == 1 else UP
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSADRAIN)
    decoder = codecs.getincrementaldecoder(choose_encoding(sys.stdin.encoding or "utf-8"))("replace")

    def read() -> str:
        keys = ""
        while not keys:  # the rest of a character may be still to come
            keys = decoder.decode(os.read(terminal, 1024) or END.encode())
        return keys

    try:
        yield read
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def show(text: str, offers: Offers) -> None:
    """Show on one line the end of a text, and as many offers as there is room for."""
    width = find_width() - 1
    listed = [f"{number} {make_visible(offer)} {share:.0%}" for number, (offer, share) in enumerate(offers, 1)]
    shown = make_visible(text)
    least = min(count_columns(shown), width // 3)
    while least + count_columns(line := f"| {'  '.join(listed)}") > width and listed:
        listed.pop()
    shown = shown[-max(1, width) :]
    while len(shown) > 1 and count_columns(shown + line) > width:
        shown = shown[1:]
    click.echo(f"\r\x1b[K{shown}{line}", file=plain(sys.stderr), nl=False)


def find_width() -> int:
    """The columns of the terminal that standard error is: standard output may be a file."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (AttributeError, ValueError, OSError):  # it is none
        return 80


def make_visible(text: str) -> str:
    """A text on one line, with signs for line ends and tabs, and for a space alone; control characters are escaped."""
    return "␣" if text == " " else escape("".join(SIGNS.get(character, character) for character in text))
