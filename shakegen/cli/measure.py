"""Commands that measure: how well a model predicts, and how much it copies."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from shakegen.cli.group import colour_symbol, echo_coloured, hint_at_random_state, main, shows_colour
from shakegen.cli.mixing import load_mixed, mix_option, say_mixture
from shakegen.cli.names import CorpusName, ModelName
from shakegen.cli.options import (
    corpus_argument,
    corpus_options,
    is_given,
    json_option,
    model_argument,
    refuse_idle,
    refuse_idle_on,
    refuse_several,
    seed_option,
    unknown_option,
)
from shakegen.cli.protocols import make_protocol, name_figures, protocol_options
from shakegen.cli.tables import print_json, table
from shakegen.model.hdf5_layout import SIGNATURE

PARTS = ("train", "validation", "test")
PLAIN = ("characters", "subwords", "words", "unknown")  # figures of the text, however it is read
SHADES = ((6, 196), (4, 209), (2, 223), (1, 230))  # of the terminal's 256 colours, from this many bits on


@main.command()
@model_argument
@corpus_argument
@click.option("--split", type=click.Choice([*PARTS, "all"]), help="Part to read.  [default: test, or else validation, "
              "where the model learned from this very text; else all]")  # fmt: skip
@corpus_options
@unknown_option
@mix_option
@protocol_options
@click.option("--per-character", is_flag=True, help="Show the text, surprising characters in red; without colours, a "
              "line for each symbol: JSON, a tab, its bits.")  # fmt: skip
@json_option
def evaluate(model, corpus, split, reading, on_unknown, mix, protocol, per_character, as_json):
    """Measure how well MODEL predicts CORPUS.

    The unit is bits per character. The model reads the text in order and predicts each next symbol: a character, a
    subword or a word. Fewer bits are better; the accuracy is the share of symbols that the model thought likeliest.

    MODEL: a model file, or a name from `shakegen models list`. CORPUS: text files, folders of them, - for standard
    input, or names from `shakegen corpora list`.

    The bits include the cost of spelling unknown words, so that models of characters and of words compare. The
    perplexity does not.

    With --windows, or with --dynamic, the figures have that name. No prediction depends on a later character.

    A model of the task autocomplete predicts, at every character, the word that it is part of.

    \b
    shakegen evaluate models/my-gru.h5 my.txt
    shakegen evaluate models/my-gru.h5 my.txt --mix models/my-lstm.h5 --mix ngram
    shakegen evaluate models/my-gru.h5 my.txt --windows 256 --draws 2000
    shakegen evaluate models/my-gru.h5 my.txt --dynamic
    shakegen evaluate models/novel-lstm.h5 letters.txt --split all --per-character
    """
    from shakegen.model import load
    from shakegen.text import catalog

    loaded = load(model)
    refuse_idle_on(loaded.task)
    source = catalog.open_source(corpus, **reading)
    refuse_several("dynamic", "mix")
    refuse_several("windows", "per_character")
    way = make_protocol(**protocol)
    measure = {"next": evaluate_symbols, "autocomplete": evaluate_autocomplete}[loaded.task]
    loaded = load_mixed(model, mix, source, reading) if mix else loaded
    measure(loaded, model, source, split, on_unknown, way, per_character, as_json)


def evaluate_symbols(loaded, name: str, source, split, on_unknown, protocol, per_character, as_json) -> None:
    """The measures of a model of the next symbol, or of several that are mixed."""
    from shakegen.model import evaluation

    vocabulary = loaded.vocabulary
    listed: list[dict] = []
    split, read = choose_split(source, loaded.corpus, split)
    text = vocabulary.read(read(), on_unknown)
    blocks = loaded.surprisal(text.ids, protocol)
    if per_character:
        symbols = symbols_of(read(), vocabulary, on_unknown)
        blocks = show_symbols(blocks, symbols, listed.append if as_json else print_symbol)
    figures = evaluation.summarise(blocks).of_text(text, vocabulary).to_dict()
    figures = name_figures(figures, protocol, figures.keys() - PLAIN)
    if as_json:
        more = {"per_character": listed} if per_character else {}
        more |= {protocol.name: asdict(protocol)} if protocol else {}
        more |= {"mixture": loaded.shares} if is_given("mix") else {}
        print_json({"model": Path(name).stem, "corpus": source.name, "split": split, **figures, **more})
        return
    if per_character and shows_colour():
        click.echo()
    say_split(source.name, split)
    say_mixture(loaded)
    print_figures(figures, 36 if protocol else 28, err=per_character)


def say_split(corpus: str, split: str) -> None:
    """Say which part of a text was read."""
    click.echo(f"Text: {f'all of {corpus}' if split == 'all' else f'the {split} part of {corpus}'}", err=True)


def print_figures(figures: dict, width: int, err: bool = False) -> None:
    """Print a line for each figure; without a value where it is None."""
    for key, value in figures.items():
        shown = "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
        click.echo(f"{key.replace('_', ' '):{width}}{shown:>12}", err=err)


def evaluate_autocomplete(model, name: str, source, split, on_unknown, protocol, per_character, as_json) -> None:
    """The measures of a model of the task autocomplete."""
    import numpy as np

    from shakegen.study.autocomplete.corpus import AutocompleteCorpus

    options = {key: model.corpus[key] for key in ("split", "random_state") if key in model.corpus}
    corpus = AutocompleteCorpus.from_source(source, length=model.length, words=model.words, **options)
    sizes = {part: len(getattr(corpus, part)) for part in PARTS}
    split = split or (choose_held_out(sizes) if corpus.sha256 == model.corpus.get("sha256") else "all")
    rows = range(len(corpus.observations)) if split == "all" else getattr(corpus, split)
    if not len(rows):
        raise ValueError(f"the {split} part of {corpus.name} is empty: expected a longer text, or try --split all")
    figures = model.evaluate(corpus, np.asarray(rows)).to_dict()
    if as_json:
        print_json({"model": Path(name).stem, "corpus": corpus.name, "split": split, **figures})
        return
    say_split(corpus.name, split)
    rows = figures.pop("by_characters_typed")
    print_figures(figures, 24)
    click.echo()
    shares = ([f"{row[f'top_{k}']:.2%}" for k in range(1, len(row) - 1)] for row in rows)
    lines = [(row["typed"], f"{row['positions']:,}", *share) for row, share in zip(rows, shares, strict=True)]
    table(("characters typed", "positions", "top 1", "top 2", "top 3"), lines)


def choose_held_out(sizes: Mapping[str, int]) -> str:
    """The part of a text that a model has not learned from; without one, all of the text."""
    return next((part for part in ("test", "validation") if sizes[part]), "all")


def choose_split(source, origin: dict, split: str | None) -> tuple[str, Callable[[], Iterator[str]]]:
    """The part to evaluate on, and a function that reads it in blocks.

    A corpus that the model knows has the split of its training.
    """
    from shakegen.text import encoding, splits

    about = encoding.measure(source)
    known = about.sha256 == origin.get("sha256")
    if split == "all" or not (split or known):
        return "all", source.blocks
    shares = origin["split"] if known and "split" in origin else splits.DEFAULT
    sizes = dict(zip(PARTS, splits.compute_sizes(shares, about.length, source.title), strict=True))
    split = split or choose_held_out(sizes)
    if split == "all":
        return split, source.blocks
    if not sizes[split]:
        raise ValueError(f"the {split} part of {source.name} is empty: try --split all")
    return split, lambda: encoding.read_part(source, tuple(sizes.values()), PARTS.index(split))


def symbols_of(blocks: Iterator[str], vocabulary, on_unknown: str | None) -> Iterator[tuple[str, float]]:
    """For each id, the text of its symbol and the cost of spelling it, in nats; a symbol's later ids have neither."""
    for symbols in vocabulary.symbols_of(blocks):
        for symbol in symbols:
            if symbol in vocabulary:
                yield symbol, 0.0
            elif on_unknown != "skip":
                yield symbol, vocabulary.spelling(symbol)
                yield from [("", 0.0)] * (len(vocabulary.spell(symbol)) - 1)


def show_symbols(blocks, symbols: Iterator[tuple[str, float]], show):
    """Pass blocks of surprisals on, and show each symbol with its bits; the first, which is given, has None."""
    from shakegen.model.evaluation import LN2

    for first, _ in itertools.islice(symbols, 1):
        show((first, None))
    for surprisals, right in blocks:
        for nats, (symbol, spelling) in zip(surprisals.tolist(), symbols, strict=False):
            show((symbol, (nats + spelling) / LN2))
        yield surprisals, right


def print_symbol(shown: tuple[str, float | None]) -> None:
    character, bits = shown
    if not shows_colour():
        click.echo(f"{json.dumps(character, ensure_ascii=False)}\t{'' if bits is None else f'{bits:.4f}'}")
        return
    shade = next((colour for least, colour in SHADES if bits is not None and bits >= least), None)
    echo_coloured(colour_symbol(character, shade))


@main.command()
@click.argument("source", metavar="MODEL|TEXTFILE", type=ModelName())
@click.option("--corpus", required=True, multiple=True, type=CorpusName(), help="A text file, a folder of them, or a "
              "name from `shakegen corpora list`; may be given several times.")  # fmt: skip
@seed_option("MODEL: the text to continue.")
@click.option("--length", type=int, default=10_000, show_default=True, help="MODEL: number of symbols.")
@click.option("--temperature", type=float, default=0.8, show_default=True, help="MODEL: temperature.")
@click.option("--random-state", type=int, default=0, show_default=True, help="MODEL: seed of the draws.")
@unknown_option
@corpus_options
@json_option
def novelty(source, corpus, reading, as_json, **options):
    """Measure how much MODEL, or a TEXTFILE, copies from a corpus.

    Shows the longest passage that stands in the corpus too, and the share of new n-grams (n characters in a row). The
    text is one that MODEL writes, or that of TEXTFILE (- for standard input). --lowercase and --normalize act on both.

    \b
    shakegen novelty models/my-gru.h5 --corpus my.txt
    shakegen novelty poem.txt --corpus sonnets --json
    """
    from shakegen.model import load, novelty as measure
    from shakegen.text import catalog
    from shakegen.text.reading import from_text, normalize_source
    from shakegen.text.vocabulary import Vocabulary

    if is_model(source):
        if options["temperature"] == 0:
            refuse_idle("at a temperature of 0", "random_state")
        with hint_at_random_state(options["seed"]):
            drawn = load(source, "next").sample(**options)
        text = "".join(normalize_source(from_text(drawn), reading["lowercase"], reading["normalize"]).blocks())
    else:
        given = catalog.open_source(source, **reading)
        refuse_idle("on a TEXTFILE", "seed", "length", "temperature", "random_state", "on_unknown")
        text = "".join(given.blocks())
    known = catalog.load_corpus(corpus, **reading, split=(1, 0, 0))
    copied = measure.compare(Vocabulary(known.vocabulary.symbols, unknown=True).encode(text), known.ids)
    passage = text[copied.position :][: copied.longest]
    if as_json:
        figures = {"characters": copied.length, "longest_copied": copied.longest, "passage": passage}
        place = {"position": copied.position, "corpus_position": copied.corpus_position}
        print_json({**figures, **place, "new_ngrams": copied.new})
        return
    click.echo(f"{'characters':24}{copied.length:>12,}")
    click.echo(f"{'longest copied':24}{copied.longest:>12,}  {passage[:100]!r}{'…' if copied.longest > 100 else ''}")
    for n, share in copied.new.items():
        click.echo(f"{f'new {n}-grams':24}{share:>12.1%}")


def is_model(path: str) -> bool:
    """Whether there is a file in the format of models."""
    if not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE
