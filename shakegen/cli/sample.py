"""The command that writes."""

import itertools
import os
import re
import sys

import click

from shakegen.cli import keys
from shakegen.cli.group import find_model, hint_at_random_state, main, name_flags, read_argument, read_text, say_model
from shakegen.cli.help import group
from shakegen.cli.options import (
    input_encoding_option,
    model_option,
    options_from,
    quiet_option,
    refuse_idle,
    seed_option,
    unknown_option,
)
from shakegen.sampling import StopTexts, TextGenerator, Truncation, check_draw, check_min_length
from shakegen.streams import plain

BEAM_RULES = ("length_penalty", "no_repeat_ngram", "stochastic")
PIECE = 4096  # symbols that go to a pipe at a time
ESCAPES = {r"\n": "\n", r"\t": "\t", r"\\": "\\"}


LENGTH = {
    "length": "New characters to write; for a model of words, new words.",
    "min_length": "Ignore --stop until this many characters are written.",
}
TRUNCATION = {
    "top_k": "Keep the k likeliest characters, or words.",
    "top_p": "Keep the likeliest until their probabilities add up to this.",
    "min_p": "Keep symbols with this share of the probability of the likeliest.",
    "typical": "Keep the symbols whose surprise is nearest the average, until their probabilities add up to this.",
}


@main.command()
@model_option("Model file, or a name such as sonnets-lstm.  [default: the newest in ./models, else sonnets-gru]")
@group(
    "Seed",
    seed_option("Text to continue; empty: start from nothing; -: standard input."),
    click.option(
        "--seed-file",
        type=click.Path(allow_dash=True),
        help="File with the text to continue, - for standard input; a line end at its end does not count.",
    ),
    input_encoding_option,
    unknown_option,
)
@group(
    "Length",
    *options_from(TextGenerator.samples, LENGTH),
    click.option(
        "--stop",
        multiple=True,
        help="End a text after this string; \\n is a line end, \\t a tab, \\\\ a backslash. May be given several "
        "times.",
    ),
)
@group(
    "Drawing",
    click.option(
        "--temperature", type=float, help="0: the likeliest; 1: free.  [default: 0.8; stochastic, interactive: 1]"
    ),
    *options_from(Truncation, TRUNCATION),
    click.option("--random-state", type=int, help="Equal numbers give equal texts.  [default: another each time]"),
)
@group(
    "Beam search",
    click.option("--beam-width", type=int, help="Search for the likeliest text with this many beams; do not draw."),
    click.option(
        "--no-repeat-ngram",
        type=int,
        help="Write no n symbols in a row twice. The likeliest texts of a character-level network love to loop: try 8.",
    ),
    click.option(
        "--length-penalty",
        type=float,
        help="Rank by log-probability / length^this; with --stop, 1 favours longer texts.  [default: 0]",
    ),
    click.option("--stochastic", is_flag=True, help="Draw distinct texts, with their probabilities."),
)
@group(
    "Output",
    click.option("-n", "--count", type=int, help="Number of texts, between lines of ---.  [default: 1; stochastic: all "
                 "beams]"),
    click.option("--stream/--no-stream", default=None, help="Show the text while it is drawn.  [default: on a "
                 "terminal]"),
    click.option("--interactive", is_flag=True, help="Offer the likeliest next characters; pick one or type."),
    click.option("--raw", is_flag=True, help="On a terminal, write control characters as they are, not as \\x1b."),
    quiet_option("Print the text alone: neither the model that was taken nor scores."),
)  # fmt: skip
def sample(model, seed, seed_file, encoding, beam_width, interactive, stream, raw, quiet, **options):
    """Continue a seed text; seed and continuation go to stdout.

    The temperature applies first, then top-k, top-p, min-p and typical, in this order, each to the symbols left.

    \b
    shakegen sample --seed "shall i"
    shakegen sample --model novel-lstm.h5 --seed "It was" --top-p 0.95
    shakegen sample --seed "Love" --count 5 --random-state 1 --stop '\\n'
    shakegen sample --seed "shall i" --beam-width 10 --no-repeat-ngram 8
    shakegen sample --seed-file beginning.txt --interactive
    """
    from shakegen.model import load

    refuse_mixtures(beam_width, interactive, **options)
    if seed_file is None and seed != "-":
        refuse_idle("on a --seed of the command line", "encoding")
    options = {name: value for name, value in options.items() if value is not None and value is not False}
    options["stop"] = [unescape(text) for text in options["stop"]]
    seed = read_seed(seed, seed_file, encoding, shared_input=interactive)
    loaded = load(model or find_model("next", quiet), "next")
    with hint_at_random_state(seed):
        if interactive:
            write(converse(loaded, seed, **options) + "\n", raw)
        elif beam_width is None:
            options.setdefault("random_state", int.from_bytes(os.urandom(4)))
            draw(loaded, seed, stream, raw, {"temperature": 0.8, **options})
        else:
            search(loaded, seed, beam_width, raw, quiet, options)


def unescape(text: str) -> str:
    r"""A text with its line end, tab or backslash for each \n, \t or \\: few shells write them otherwise."""
    return re.sub(r"\\[nt\\]", lambda match: ESCAPES[match[0]], text)


def write(text: str, raw: bool) -> None:
    """Write a text to standard output; a terminal gets control characters only if that is raw."""
    click.echo(text, file=plain(sys.stdout) if raw else None, nl=False, color=True)  # or else click takes colours out


def draw(model, seed: str, stream: bool | None, raw: bool, options: dict) -> None:
    if stream is None:
        stream = sys.stdout.isatty()
    count = options.pop("count", 1)
    if count != 1:
        texts = model.samples(seed, count=count, **options)
        say_model()
        write("\n---\n".join(seed + text for text in texts) + "\n", raw)
        return
    pieces = model.stream(seed, every=1 if stream else PIECE, **options)
    say_model()
    for piece in itertools.chain([seed], pieces, ["\n"]):
        write(piece, raw)


def search(model, seed: str, width: int, raw: bool, quiet: bool, options: dict) -> None:
    if options.pop("stochastic", False):
        count = options.pop("count", width)
        options.setdefault("random_state", int.from_bytes(os.urandom(4)))
        if not 1 <= count <= width:
            raise ValueError(f"the count is {count}: expected 1 to as many texts as the beam is wide, {width}")
        beams = model.stochastic_beams(seed, count=width, **options)[:count]
        ranked = "by the log-probability with random noise (Gumbel), so that they are a draw without replacement"
    else:
        beams = model.beams(seed, width=width, **options)
        penalty = options.get("length_penalty", 0.0)
        ranked = f"by log-probability / length^{penalty:g}" if penalty else "by log-probability"
    say_model()
    write("\n---\n".join(seed + text for text, _, _ in beams) + "\n", raw)
    if quiet:
        return
    click.echo(f"The texts are ranked {ranked}, in nats; higher is better:", err=True)
    for number, (_, score, log_probability) in enumerate(beams, 1):
        click.echo(f"{number}: score {score:.4f}, log-probability {log_probability:.4f}", err=True)


def refuse_mixtures(beam_width: int | None, interactive: bool, **options) -> None:
    """Refuse options that contradict one another, or would have no effect."""
    if interactive and beam_width is not None:
        raise ValueError("--interactive and --beam-width are both given: expected one of them")
    if interactive:
        refuse_idle("with --interactive", *TRUNCATION, *BEAM_RULES, "count", "random_state", "stream")
    elif beam_width is None:
        refuse_idle("without --beam-width", *BEAM_RULES)
    else:
        refuse_idle("on a beam search", *TRUNCATION, "stream")
        if not options["stochastic"]:
            refuse_idle("on a beam search without --stochastic", "temperature", "random_state")
    if options["stochastic"]:
        refuse_idle("with --stochastic, whose probabilities it would change", "length_penalty", "no_repeat_ngram")
    if options["temperature"] == 0:
        refuse_idle("at a temperature of 0", *TRUNCATION, "random_state")
    if (options["count"] or 1) > 1:
        refuse_idle("on several texts", "stream")
    if not options["stop"]:
        refuse_idle("without --stop", "min_length")


def read_seed(seed: str, file: str | None, encoding: str, shared_input: bool) -> str:
    """The seed text: as given, of a file, or of standard input."""
    if seed and file is not None:
        raise ValueError("--seed and --seed-file are both given: expected one of them")
    if shared_input and "-" in (seed, file):
        raise ValueError("--interactive reads standard input itself: give the seed with --seed TEXT or in a file")
    return read_argument(seed, encoding) if file is None else read_text(file, encoding).removesuffix("\n")


def converse(
    model, seed: str, length: int = 200, temperature: float = 1.0, stop=(), min_length: int = 0, on_unknown=None
) -> str:
    """Offer the likeliest next symbols again and again: on a terminal at every key, in a pipe for every line.

    Returns:
        The whole text: at the end of the input, or once it has `length` new symbols or a stop text.

    Raises:
        ValueError: as `TextGenerator.samples`.
    """
    check_draw(length, temperature, 0)
    StopTexts(stop, model.vocabulary.symbols)  # refuses those that can never be written
    check_min_length(min_length)
    draft = model.draft(seed, on_unknown)

    def has_ended() -> bool:
        written = draft.text.removeprefix(seed)
        return draft.length >= length or is_stopped(model.vocabulary, written, stop, min_length)

    def offer() -> keys.Offers:
        return draft.likeliest(keys.OFFERED, temperature)

    if keys.is_possible():
        keys.type_on(draft, offer, "", "Ctrl-D", has_ended)
        return draft.text
    say_model()
    while not has_ended():
        offers = offer()
        listed = (f"{number} {text!r} {share:.0%}" for number, (text, share) in enumerate(offers, 1))
        click.echo("  ".join(listed), err=True)
        answer = sys.stdin.readline()
        if not answer:
            break
        try:
            draft.write(addition_for(answer.removesuffix("\n"), [text for text, _ in offers]))
        except ValueError as error:  # an unknown symbol: say so, ask again
            click.echo(name_flags(str(error)), err=True)
    return draft.text


def is_stopped(vocabulary, written: str, stop, min_length: int) -> bool:
    """Whether a stop text stands in a text and ends no sooner than with its `min_length`th symbol."""
    symbols = list(itertools.chain.from_iterable(vocabulary.symbols_of([written])))
    least = len("".join(symbols[:min_length]))
    return len(symbols) >= min_length and any(written.find(s, max(0, least - len(s))) >= 0 for s in stop)


def addition_for(answer: str, offers: list[str]) -> str:
    """The text that an answer adds."""
    if not answer:
        return offers[0]
    if len(answer) == 1 and answer.isdecimal() and 1 <= int(answer) <= len(offers):
        return offers[int(answer) - 1]
    return answer.removeprefix("=")
