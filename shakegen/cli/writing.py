"""Texts on their way out: drawn or searched for, written with their seeds."""

import itertools
import secrets
import sys

import click

from shakegen.cli.group import say_model
from shakegen.cli.tables import print_json
from shakegen.sampling import check_beams
from shakegen.sampling.constraints import DeadEnd
from shakegen.streams import plain

PIECE = 4096  # symbols that go to a pipe at a time
RANDOM_BITS = 32  # of a random state that nobody gave


def write(text: str, raw: bool) -> None:
    """Write a text to standard output; a terminal gets control characters only if that is raw."""
    click.echo(text, file=plain(sys.stdout) if raw else None, nl=False, color=True)  # or else click takes colours out


def draw(model, seed: str | list[str], options: dict, stream: bool | None, raw: bool, as_json: bool) -> None:
    """Draw texts by the options of `TextGenerator.samples`, and write them; one text may appear as it is drawn."""
    if stream is None:
        stream = sys.stdout.isatty()
    count, temperatures = options.pop("count", 1), options.pop("temperatures", None)
    if "perplexity" not in options and temperatures is None:
        options.setdefault("temperature", 0.8)
    if count == 1 and temperatures is None and not as_json and isinstance(seed, str):
        pieces = model.stream(seed, every=1 if stream else PIECE, **options)
        say_model()
        try:
            for piece in itertools.chain([seed], pieces):
                write(piece, raw)
        except DeadEnd:
            write("\n", raw)  # the error has a line of its own
            raise
        write("\n", raw)
        return
    seeds, texts = [seed] * count if isinstance(seed, str) else seed, []
    for one in temperatures or [None]:
        given = options if one is None else {**options, "temperature": one}
        drawn = model.samples(seed, count=count, **given)
        about = {} if one is None else {"temperature": one}
        texts += [{"seed": begin, "text": text, **about} for begin, text in zip(seeds, drawn, strict=True)]
    say_model()
    write_texts(texts, raw, as_json)


def write_texts(texts: list[dict], raw: bool, as_json: bool) -> None:
    """Write texts with their seeds, as JSON or between lines of ---, with the temperature if it varies."""
    if as_json:
        for text in texts:
            print_json(text)
        return
    for number, text in enumerate(texts):
        heat = f" temperature {text['temperature']:g}" if "temperature" in text else ""
        line = f"---{heat}\n" if number or heat else ""
        write(f"{line}{text['seed']}{text['text']}\n", raw)


def search(model, seed: str, width: int, options: dict, raw: bool, as_json: bool, quiet: bool) -> None:
    """Search for texts with beams, and write them and their scores."""
    if options.pop("stochastic", False):
        count = options.pop("count", width)
        options.setdefault("random_state", secrets.randbits(RANDOM_BITS))
        check_beams(options["length"], width, len(model.vocabulary.symbols), count)
        beams = model.stochastic_beams(seed, count=width, **options)[:count]
        ranked = "by the log-probability with random noise (Gumbel), so that they are a draw without replacement"
    else:
        beams = model.beams(seed, width=width, **options)
        penalty = options.get("length_penalty", 0.0)
        ranked = f"by log-probability / length^{penalty:g}" if penalty else "by log-probability"
    say_model()
    write_texts([{"seed": seed, **beam._asdict()} for beam in beams], raw, as_json)
    if as_json or quiet:
        return
    click.echo(f"The texts are ranked {ranked}, in nats; higher is better:", err=True)
    for number, (_, score, log_probability) in enumerate(beams, 1):
        click.echo(f"{number}: score {score:.4f}, log-probability {log_probability:.4f}", err=True)
