"""The command that writes."""

import secrets

import click

from shakegen.cli import constraints as ruled, forms, keys
from shakegen.cli.converse import converse
from shakegen.cli.group import find_model, hint_at_random_state, main, read_argument, read_text
from shakegen.cli.help import group
from shakegen.cli.mixing import NGRAM, load_mixed, mix_option, say_mixture
from shakegen.cli.options import (
    READING,
    input_encoding_option,
    is_given,
    model_option,
    options_from,
    quiet_option,
    refuse_idle,
    refuse_several,
    seed_option,
    unescape,
    unknown_option,
)
from shakegen.cli.writing import RANDOM_BITS, draw, search, write
from shakegen.sampling import StopAfter, TextGenerator, Truncation

BEAM_RULES = ("length_penalty", "stochastic")
HEATS = ("temperature", "temperatures", "temperature_from", "perplexity")  # each says how free the draw is
STOPS = ("stop", "lines", "sentences")
NOT_ON_FORMS = ("interactive", "beam_width", "seeds", "stream")
LONGEST = 20_000  # symbols of a text that ends after lines or sentences


LENGTH = {
    "length": "New characters to write, or words or subwords where the model has these.  [default: 200; with --lines "
    "or --sentences at most 20,000]",
    "min_length": "Ignore --stop, --lines and --sentences until this many characters are written.",
}
TRUNCATION = {
    "top_k": "Keep the k likeliest characters, or words.",
    "top_p": "Keep the likeliest until their probabilities add up to this.",
    "min_p": "Keep symbols with this share of the probability of the likeliest.",
    "typical": "Keep the symbols whose surprise is nearest the average, until their probabilities add up to this.",
}


@main.command()
@group(
    "Model",
    model_option("Model file, or a name such as sonnets-lstm; several write together, by the mean of their "
                 "probabilities.  [default: the newest in ./models, else sonnets-gru]", "models", multiple=True),
    mix_option,
)  # fmt: skip
@group(
    "Seed",
    seed_option("Text to continue; empty: start from nothing; -: standard input."),
    click.option("--seed-file", type=click.Path(allow_dash=True), help="File with the text to continue, - for standard "
                 "input; a line end at its end does not count."),
    click.option("--seeds", type=click.Path(allow_dash=True), help="File with a text to continue in each line, all at "
                 "once; - for standard input."),
    input_encoding_option,
    unknown_option,
)  # fmt: skip
@group(
    "Length",
    *options_from(TextGenerator.samples, LENGTH),
    click.option("--stop", multiple=True, help="End a text after this string; \\n is a line end, \\t a tab, \\\\ a "
                 "backslash. May be given several times."),
    click.option("--lines", type=int, help="End a text after this many new line ends."),
    click.option("--sentences", type=int, help="End a text after this many sentences: at a . ! ? or …"),
)  # fmt: skip
@group(
    "Drawing",
    click.option("--temperature", type=float, help="0: the likeliest; 1: free.  [default: 0.8; stochastic, "
                 "interactive: 1]"),
    click.option("--temperatures", help="A text for each of these temperatures, as in 0.4,0.7,1."),
    click.option("--temperature-from", type=float, help="Begin with this temperature; needs --temperature-to."),
    click.option("--temperature-to", type=float, help="End with this temperature; it changes evenly over the whole "
                 "length."),
    click.option("--perplexity", type=float, help="Steer the temperature so that the text has this perplexity per "
                 "character, or word, under the model."),
    *options_from(Truncation, TRUNCATION),
    click.option("--random-state", type=int, help="Equal numbers give equal texts.  [default: another each time]"),
)  # fmt: skip
@ruled.constraint_options
@forms.form_options
@group(
    "Beam search",
    click.option("--beam-width", type=int, help="Search for the likeliest text with this many beams; do not draw."),
    click.option("--length-penalty", type=float, help="Rank by log-probability / length^this; with --stop, 1 favours "
                 "longer texts.  [default: 0]"),
    click.option("--stochastic", is_flag=True, help="Draw distinct texts, with their probabilities."),
)  # fmt: skip
@group(
    "Output",
    click.option("-n", "--count", type=int, help="Number of texts, between lines of ---.  [default: 1; stochastic: all "
                 "beams]"),
    click.option("--stream/--no-stream", default=None, help="Show the text while it is drawn.  [default: on a "
                 "terminal]"),
    click.option("--interactive", is_flag=True, help="Offer the likeliest next characters; pick one or type."),
    click.option("--json", "as_json", is_flag=True, help="Print a line for each text: a JSON object."),
    click.option("--raw", is_flag=True, help="On a terminal, write control characters as they are, not as \\x1b."),
    quiet_option("Print the text alone: neither the model that was taken nor scores."),
)  # fmt: skip
def sample(models, mix, seed, seed_file, seeds, encoding, constraints, form, beam_width, interactive, quiet, **options):
    """Continue a seed text; seed and continuation go to stdout.

    Without -m, the newest model in ./models writes, else sonnets-gru.

    \b
    shakegen sample --seed "shall i"
    shakegen sample --model novel-lstm.h5 --seed "It was" --top-p 0.95
    shakegen sample --seed "Love" --count 5 --random-state 1 --stop '\\n'
    shakegen sample --seed "shall i" --lines 14 --forbid thee --forbid thou
    shakegen sample --seed "shall i" --no-copy 12 --corpus sonnets
    shakegen sample --between "Once" "the end." --length 80
    shakegen sample --seed "shall i" --require summer --end '.\\n'
    shakegen sample --template letter.txt --count 3
    shakegen sample --seeds beginnings.txt --temperatures 0.4,0.8 --json
    shakegen sample --seed "shall i" --beam-width 10 --no-repeat-ngram 8
    shakegen sample --seed-file beginning.txt --interactive
    shakegen sample -m sonnets-gru -m sonnets-lstm --mix ngram

    Constraints come first: what they forbid cannot be drawn, and the others share its probability. Then the temperature
    applies, then top-k, top-p, min-p and typical, in this order, each to the symbols left. With --template, --between,
    --require or --end, many texts grow side by side; the result is a draw from the model's own texts of that form. The
    model must know all symbols of the texts that you give for it, unless --on-unknown says otherwise.
    """
    refuse_contradictions(beam_width, interactive, **options)
    output = {name: options.pop(name) for name in ("stream", "raw", "as_json")}
    mixes_text = any(one.startswith(f"{NGRAM}:") for one in mix)
    reads = seed_file or seeds or seed == "-" or constraints["corpus"] or form["template"] or mixes_text
    reads = reads or (interactive and not keys.is_possible())
    if not reads:
        refuse_idle("on a --seed of the command line", "encoding")
    options = {name: value for name, value in options.items() if value is not None and value is not False}
    if forms.has_form():
        options["particles"] = form.pop("particles")
        del options["stop"]
        wanted = forms.make_form(options, encoding, **form)
        seed = unescape(form["between"][0]) if form["between"] else seed
    else:
        set_ends(options)
    set_temperature(options)
    if seeds is not None:
        seed = read_text(seeds, encoding).removesuffix("\n").split("\n")
    elif not form["between"]:
        seed = read_seed(seed, seed_file, encoding, interactive)
    reading = {"encoding": encoding, **{name: constraints[name] for name in ("lowercase", "normalize")}}
    options["constraints"] = ruled.make_constraints(encoding, mixes_text, **constraints)
    first, *others = models or [str(find_model("next", quiet))]
    loaded = load_mixed(first, [*others, *mix], reading=reading)
    if not quiet:
        say_mixture(loaded)
    with hint_at_random_state(seed if isinstance(seed, str) else ""):
        if forms.has_form():
            options.setdefault("random_state", secrets.randbits(RANDOM_BITS))
            forms.fill(loaded, seed, wanted, options, output["raw"], output["as_json"], quiet)
        elif interactive:
            del options["constraints"]
            write(converse(loaded, seed, encoding, **options) + "\n", output["raw"])
        elif beam_width is None:
            options.setdefault("random_state", secrets.randbits(RANDOM_BITS))
            draw(loaded, seed, options, **output)
        else:
            search(loaded, seed, beam_width, options, output["raw"], output["as_json"], quiet)


def set_ends(options: dict) -> None:
    """Put all that ends a text among the stop texts; with lines or sentences, the default length is longer."""
    counted = [StopAfter(options.pop(what), what) for what in ("lines", "sentences") if what in options]
    options["stop"] = [*map(unescape, options["stop"]), *counted]
    if counted and not is_given("length"):
        options["length"] = LONGEST
        if is_given("temperature_to"):
            raise ValueError("--temperature-to is reached at the end of the length: give --length, too")


def set_temperature(options: dict) -> None:
    """Make one temperature, or several, of the options that say how free the draw is."""
    first, last, several = (options.pop(name, None) for name in ("temperature_from", "temperature_to", "temperatures"))
    if (first is None) != (last is None):
        raise ValueError("one of --temperature-from and --temperature-to is given: expected both, or neither")
    if first is not None:
        options["temperature"] = (first, last)
    if several is not None:
        try:
            options["temperatures"] = [float(one) for one in several.split(",")]
        except ValueError:
            raise ValueError(f"the temperatures are {several!r}: expected numbers such as 0.4,0.7,1") from None


def refuse_contradictions(beam_width: int | None, interactive: bool, **options) -> None:
    """Refuse options that contradict one another, or would have no effect."""
    forms.refuse_mixed_forms((*NOT_ON_FORMS, *TRUNCATION, *STOPS, *HEATS[1:], *BEAM_RULES, "temperature_to"))
    refuse_several(*HEATS)
    refuse_several("seeds", "seed", "seed_file")
    refuse_several("seeds", "count")
    refuse_several("interactive", "beam_width")
    if interactive:
        idle = *TRUNCATION, *BEAM_RULES, "count", "random_state", "stream", "seeds", "as_json", *HEATS[1:]
        ruling = (name for name in ruled.OPTIONS if name not in READING)
        refuse_idle("with --interactive", *idle, "temperature_to", *STOPS[1:], *ruling)
    elif beam_width is None:
        refuse_idle("without --beam-width", *BEAM_RULES)
    else:
        refuse_idle("on a beam search", *TRUNCATION, "stream", "seeds", *HEATS[1:], "temperature_to")
        if not options["stochastic"]:
            refuse_idle("on a beam search without --stochastic", "temperature", "random_state", "repetition_penalty")
    if options["stochastic"]:
        refuse_idle("with --stochastic, whose probabilities it would change", "length_penalty")
    if options["temperature"] == 0:
        refuse_idle("at a temperature of 0", *TRUNCATION, "random_state")
    if (options["count"] or 1) > 1 or is_given("seeds") or is_given("temperatures") or is_given("as_json"):
        refuse_idle("on several texts, or with --json", "stream")
    if is_given("as_json"):
        refuse_idle("with --json", "raw")
    if not any(options[name] for name in STOPS) and not forms.has_form():
        refuse_idle("without --stop, --lines or --sentences", "min_length")


def read_seed(seed: str, file: str | None, encoding: str, shared_input: bool) -> str:
    """The seed text: as given, of a file, or of standard input."""
    if shared_input and "-" in (seed, file):
        raise ValueError("--interactive reads standard input itself: give the seed with --seed TEXT or in a file")
    return read_argument(seed, encoding) if file is None else read_text(file, encoding).removesuffix("\n")
