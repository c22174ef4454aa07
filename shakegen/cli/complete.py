"""The command that completes words."""

from collections.abc import Iterable

import click

from shakegen.cli import keys
from shakegen.cli.group import find_model, main, read_argument, read_lines, say_model
from shakegen.cli.options import input_encoding_option, json_option, model_option, quiet_option, refuse_idle
from shakegen.cli.tables import print_json


@main.command()
@click.argument("text", required=False)
@model_option("Model file, or a name.  [default: the newest autocomplete model in ./models, else sonnets-autocomplete]")
@click.option("--top", type=int, default=3, show_default=True, help="Number of words; at every key 9 at most.")
@input_encoding_option
@click.option("--matching", is_flag=True, help="Only words that begin with the unfinished word.")
@click.option("--interactive", is_flag=True, help="Suggestions at every key; in a pipe, for every line.")
@quiet_option("Do not say which model was taken.")
@json_option
def complete(text, model, top, encoding, matching, interactive, quiet, as_json):
    """Show the likeliest words to end TEXT, with probabilities.

    TEXT consists of words of the letters a to z; the last one is unfinished, unless a space follows it. -: standard
    input.

    \b
    shakegen complete "shall i com"
    shakegen complete "shall i compare thee to a " --top 9
    shakegen complete --interactive
    """
    from shakegen.model import load

    if interactive and (as_json or text == "-"):
        raise ValueError("--interactive reads standard input itself: leave out --json, and give no - as the text")
    if text is None and not interactive:
        raise ValueError('there is no text to complete: expected one such as "shall i com", or --interactive')
    if text not in ("-", None) and not interactive:
        refuse_idle("on a text of the command line", "encoding")
    loaded = load(model or find_model("autocomplete", quiet), "autocomplete")
    if interactive:
        if keys.is_possible():
            refuse_idle("on a terminal", "encoding")
            converse(loaded, text or "", top, matching)
        else:
            answer_lines(loaded, read_lines(encoding), text or "", top, matching)
        return
    text = read_argument(text, encoding)
    offers = loaded.complete(text, top, matching)
    say_model()
    if as_json:
        print_json({"text": text, "completions": [offer._asdict() for offer in offers]})
        return
    width = max((len(word) for word, _ in offers), default=0)
    for word, probability in offers:
        click.echo(f"{word:{width}}  {probability:7.2%}")


def answer_lines(model, lines: Iterable[str], text: str, top: int, matching: bool) -> None:
    """For every line, print the words that may end it after a text, with probabilities, between tabs."""
    for line in lines:
        offers = model.complete(text + line, top, matching)
        click.echo("\t".join(f"{word} {probability:.4f}" for word, probability in offers))
    say_model()


def converse(model, text: str, top: int, matching: bool) -> None:
    """Offer words at every key, on standard error; the whole text goes to standard output."""
    draft = model.typing(text)
    keys.type_on(draft, lambda: draft.likeliest(min(top, keys.OFFERED), matching), "".join(keys.ENTER), "Enter")
    click.echo(draft.text)
