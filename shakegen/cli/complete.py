"""The command that completes words."""

import json
import shutil
import sys

import click

from shakegen.cli.group import main

KEYS = "Type; a number takes that word, Tab the first; Backspace erases; Enter ends."
BACKSPACE, ENTER, TAB, END = ("\x7f", "\b"), ("\r", "\n"), "\t", ("\x04", "\x1a", "")
OFFERED = 9


@main.command()
@click.argument("text", required=False)
@click.option("--model", help="Model file.  [default: the newest autocomplete model in ./models, else the pretrained]")
@click.option("--top", type=int, default=3, show_default=True, help="How many words.")
@click.option("--matching", is_flag=True, help="Only words that begin with what is typed of the last one.")
@click.option("--interactive", is_flag=True, help="Suggestions at every key; in a pipe, for every line.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def complete(text, model, top, matching, interactive, as_json):
    """Show the words that TEXT may end with, likeliest first, with their probabilities.

    TEXT is read as words of the letters a to z; its last word as unfinished, unless a space follows it. -: standard
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
    found = loaded.complete(read(text), top, matching)
    if as_json:
        click.echo(json.dumps({"text": text, "completions": [offer._asdict() for offer in found]}))
        return
    width = max((len(word) for word, _ in found), default=0)
    for word, probability in found:
        click.echo(f"{word:{width}}  {probability:7.2%}")


def read(text: str) -> str:
    return sys.stdin.read().removesuffix("\n") if text == "-" else text


def answer_lines(model, text: str, top: int, matching: bool) -> None:
    """For every line of standard input, how the text and that line may go on: words and probabilities, by tabs."""
    for line in sys.stdin:
        found = model.complete(text + line.removesuffix("\n"), top, matching)
        click.echo("\t".join(f"{word} {probability:.4f}" for word, probability in found))


def converse(model, text: str, top: int, matching: bool) -> None:
    """Offer words at every key, on standard error; the whole text goes to standard output."""
    typing, top = model.typing(text), min(top, OFFERED)
    click.echo(KEYS, err=True)
    while True:
        offers = typing.likeliest(top, matching)
        show(typing.text, offers)
        key = pressed()
        if key in ENTER or key in END:
            break
        if key in BACKSPACE:
            typing.erase()
        elif key == TAB and offers:
            typing.accept(offers[0].word)
        elif key.isdecimal():
            if 1 <= int(key) <= len(offers):
                typing.accept(offers[int(key) - 1].word)
        elif key.isprintable():
            typing.write(key)
    click.echo(err=True)
    click.echo(typing.text)


def pressed() -> str:
    """A key as text; nothing at the end of input."""
    try:
        return click.getchar()
    except EOFError:
        return ""


def show(text: str, offers) -> None:
    """One line: the end of the text, and what it may go on with."""
    width = shutil.get_terminal_size().columns - 1
    listed = "  ".join(f"{number} {word} {share:.0%}" for number, (word, share) in enumerate(offers, 1))
    room = max(width // 3, width - len(listed) - 2)
    click.echo(f"\r\x1b[K{f'{text[-room:]}| {listed}'[:width]}", nl=False, err=True)
