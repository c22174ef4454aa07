"""The commands of the lab: `shakegen.cli.lab` imports this module when one of them is asked for."""

from pathlib import Path

import click

from shakegen.cli.group import colour_symbol, echo_coloured, read_argument, shows_colour
from shakegen.cli.lab import experiment
from shakegen.cli.measure import is_model
from shakegen.cli.names import CorpusName, ModelName
from shakegen.cli.options import (
    corpus_options,
    model_argument,
    refuse_idle,
    refuse_idle_on,
    shape_options,
    split_list,
    unknown_option,
)
from shakegen.lab import cells, cliff, cloze, gates, gradients, memory, start, timer

PROBLEMS = {**{name: [name] for name in memory.TRIED}, "both": memory.TRIED}
BLUE, RED = (153, 111, 69, 27), (223, 216, 209, 202)  # of the terminal's 256 colours, from pale to deep
FAINTEST = 0.2  # a weaker shade has no colour
DIRECTIONS = {None: cloze.DIRECTIONS, False: ["forward"], True: ["bidirectional"]}

experiment(cliff.cliff, trains=False)(cliff.cliff)
experiment(timer.timer)(timer.timer)


@experiment(memory.memory)
@click.option("--problem", "tried", type=click.Choice(list(PROBLEMS)), default="both", show_default=True,
              help="Problems to learn.")  # fmt: skip
def master_problems(tried, **options):
    if tried == "adding":
        refuse_idle("on adding", "symbols")
    return memory.memory(tried=PROBLEMS[tried], **options)


@experiment(start.start)
def try_starts(starts, optimizers, **options):
    if "echo-state" not in starts:
        refuse_idle("without the start echo-state", "spectral_radius")
    if not {"momentum", "rising-momentum"} & set(optimizers):
        refuse_idle("without an optimizer that has one", "momentum")
    if optimizers == ["read-out"]:
        refuse_idle("on the read-out alone", "batch_size")
    return start.start(starts=starts, optimizers=optimizers, **options)


@experiment(cloze.cloze)
@click.argument("corpus", nargs=-1, type=CorpusName())
@click.option("--bidirectional/--forward", "directions", default=None, help="Only networks that read both sides, or "
              "only networks that read the text before it.  [default: both, to compare]")  # fmt: skip
@corpus_options
@shape_options
def fill_gaps(corpus, directions, reading, shape, **options):
    """Measure how well each cell fills gaps in a text.

    A network reads the text before the gap; a bidirectional one has a second layer for the text after it. CORPUS: text
    files, folders of them, - for standard input, or names from `shakegen corpora list`; by default the sonnets.

    \b
    shakegen lab cloze
    shakegen lab cloze novel.txt --cells lstm,gru --context 50 --updates 3000
    shakegen lab cloze --cells gru --forward --units 128
    shakegen lab cloze --cells gru --level word --context 8
    """
    from shakegen.text import catalog, splits

    text = catalog.load_corpus(corpus or "sonnets", **reading, **shape | {"split": splits.parse(shape["split"])})
    return cloze.cloze(corpus=text, directions=DIRECTIONS[directions], **options)


@experiment(gradients.of_cells, gradients.GradientSettings)
@click.argument("source", metavar="[MODEL|CELLS]", type=ModelName(), default=",".join(cells.CELLS))
@click.option("--corpus", type=CorpusName(), default="sonnets", show_default=True, help="A file, a folder, - or the "
              "name of a corpus.")  # fmt: skip
@corpus_options
@unknown_option
def measure_gradients(source, corpus, reading, units, progress, random_state, on_unknown, **settings):
    """Measure how far gradients reach, and the effect of clipping.

    The table has the norm of the gradient of a loss by earlier states h, before and after training. MODEL: a model
    file, or a name from `shakegen models list`. CELLS: a list of cells, by default
    rnn,irnn,lstm,gru,nlstm; a small network of each learns the text for a moment: without clipping, with every element
    clipped to ± --clip-value, and with the whole gradient clipped to --clip-norm.

    \b
    shakegen lab gradients --out gradients.svg
    shakegen lab gradients rnn,irnn --optimizer sgd --learning-rate 0.3
    shakegen lab gradients models/my-gru.h5 --lags 100
    """
    from shakegen.model import load
    from shakegen.text import catalog

    names = None if Path(source).suffix == ".h5" or is_model(source) else read_cells(source)
    if not names:
        refuse_idle("on a MODEL, which is not trained", "units", "optimizer", "learning_rate", "repeats")
    else:
        refuse_idle("on CELLS, which learn the text", "on_unknown")
    measured = gradients.GradientSettings(**settings, random_state=random_state)
    if names:
        return gradients.of_cells(names, catalog.load_corpus(corpus, **reading), units, measured, progress)
    model, text = load(source, task="next"), catalog.open_source(corpus, **reading)
    return gradients.of_model(model, "".join(text.blocks()), Path(source).stem, measured, on_unknown)


def read_cells(source: str) -> list[str]:
    """A list of cells; raises ValueError if there is none of such a name."""
    names = split_list(source)
    try:
        for name in names:
            cells.make_config(name, units=1)
    except ValueError as error:
        raise ValueError(f"{error}, or a model from `shakegen models`") from None
    return names


def print_units(result) -> None:
    """Print the text once for each unit, coloured by its values."""
    if not shows_colour():
        return
    click.echo("\nBlue: low, a gate closed. Red: high, a gate open. No colour: near the middle.")
    for trace in result.traces:
        click.echo(f"\n{trace['signal']} of unit {trace['unit']} in layer {trace['layer']}")
        shades = gates.shades(trace["values"][trace["signal"]], trace["kinds"][trace["signal"]])
        pairs = zip(result.characters, map(pick_colour, shades), strict=True)
        echo_coloured("".join(colour_symbol(character, colour) for character, colour in pairs), nl=True)


def pick_colour(shade: float) -> int | None:
    """The colour of a shade from -1 to 1; a stronger one gives a deeper blue or red, a weak one none."""
    if abs(shade) < FAINTEST:
        return None
    colours = RED if shade > 0 else BLUE
    return colours[min(int((abs(shade) - FAINTEST) / (1 - FAINTEST) * len(colours)), len(colours) - 1)]


@experiment(gates.gates, trains=False, pages_need_matplotlib=False, show=print_units)
@model_argument
@click.argument("text", required=False)
@click.option(
    "--text-file", type=CorpusName(), help="Read the text from here: a file, a folder, - or the name of a corpus."
)
@click.option("--length", type=int, default=50_000, show_default=True, help="Largest number of symbols to read.")
@corpus_options
@unknown_option
def look_at_units(model, text, text_file, length, reading, on_unknown, **options):
    """Show the gates and memories of the units of MODEL along TEXT.

    They colour the text in a terminal, or a page with --out page.html. --find ranks the units by their correlation with
    being inside a quotation or brackets, or with the position in the line; the title of the table says how much the
    best unit reaches by chance. MODEL: a model file, or a name from `shakegen models list`. TEXT may be - for standard
    input.

    \b
    shakegen lab gates models/my-lstm.h5 "shall i compare thee"
    shakegen lab gates my-lstm.h5 --text-file my.txt --find line-position
    """
    from shakegen.model import load

    if length < 1:
        raise ValueError(f"the length is {length}: expected 1 character or more")
    if text_file is None:
        refuse_idle("on a TEXT, which is read as it is", "lowercase", "normalize", *["encoding"] * (text != "-"))
    if options["units"] is not None:
        refuse_idle("on --units, which are all shown", "count")
    if options["find"] is None:
        refuse_idle("without --find", "random_state")
    loaded = load(model)
    refuse_idle_on(loaded.task)
    ids = loaded.vocabulary.encode(loaded.normalize(read_given(text, text_file, reading)), on_unknown)[:length]
    return gates.gates(loaded, ids, **options)


def read_given(text: str | None, file: str | None, reading: dict) -> str:
    """The text itself, or that of a file or corpus."""
    from shakegen.text import catalog

    if text is not None and file is None:
        return read_argument(text, reading["encoding"])
    if file is not None and text is None:
        return "".join(catalog.open_source(file, **reading).blocks())
    raise ValueError("expected either a TEXT or a --text-file: give one of them")
