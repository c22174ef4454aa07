"""The command that says which model suits a text best."""

from dataclasses import asdict

import click

from shakegen.cli.group import find_model, main, say_model
from shakegen.cli.mixing import NGRAM, load_mixed, mix_option, say_mixture
from shakegen.cli.names import CorpusName
from shakegen.cli.options import corpus_options, json_option, model_option, quiet_option, refuse_several
from shakegen.cli.plot import name_files
from shakegen.cli.protocols import dynamic_options, make_protocol, name_figures
from shakegen.cli.tables import print_json, print_wrapped, table

COSTS = ("bits", "bits_per_character", "evidence")
SHOWN = 20  # characters of a piece
SURE = 0.9999  # probabilities beyond it are shown as such


@main.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=CorpusName())
@model_option(
    "Model file, or a name; several are compared.  [default: the newest in ./models, else sonnets-gru]",
    "models",
    multiple=True,
)
@click.option(
    "--by",
    type=click.Choice(["line", "paragraph", "file"]),
    default="file",
    show_default=True,
    help="What is scored at a time.",
)
@corpus_options
@mix_option
@dynamic_options
@json_option
@quiet_option("Do not say which model was taken, nor how the models are mixed.")
def score(files, models, by, reading, mix, protocol, as_json, quiet):
    """Score each FILE, or each of its lines, under several models.

    The table shows bits per character, the best model first: whose style is it? Evidence is by how many bits the piece
    is likelier under the best model than under the second, with its standard error over words. Where it is less than
    two standard errors, other words could say otherwise: the piece is undecided. FILE: a text file, - for standard
    input, or a name from `shakegen corpora list`.

    A character that a model of characters does not know costs 32 bits. If the model has an unknown symbol, it
    costs 20 bits and those of that symbol. Models of words spell unknown words. Lines are read in order.

    Several -m are compared. --mix mixes each of them with the models that it names. With --dynamic, each learns from
    what it has read of a FILE: then the last lines tell little of the models.

    \b
    shakegen score letter.txt -m sonnets-gru -m models/my-gru.h5
    shakegen score poem.txt -m models/keats.h5 -m models/byron.h5 --by line
    """
    from shakegen.model import scoring
    from shakegen.text import catalog

    refuse_several("dynamic", "mix")
    dynamic = make_protocol(**protocol)
    paths = list(dict.fromkeys(models)) or [str(find_model("next", quiet=quiet or as_json))]
    named = dict(zip(name_files(paths), paths, strict=True))
    if f"{NGRAM}:-" in mix and len(paths) > 1:
        raise ValueError("--mix ngram:- is for one model, because standard input is read once: name a file")
    loaded = {name: load_mixed(path, mix, reading=reading) for name, path in named.items()}
    texts = {file: "".join(catalog.open_source(file, **reading).blocks()) for file in files}
    pieces, total = scoring.score(loaded, texts, by, dynamic)
    if as_json:
        documents = [name_figures(piece.to_dict(), dynamic, COSTS) for piece in (*pieces, total)]
        more = {"dynamic": asdict(dynamic)} if dynamic else {}
        more |= {"mixtures": {name: model.shares for name, model in loaded.items()}} if mix else {}
        print_json({"models": named, "by": by, "pieces": documents[:-1], "total": documents[-1], **more})
        return
    say_model()
    for model in () if quiet else loaded.values():
        say_mixture(model)
    if dynamic and not quiet:
        click.echo("Dynamic evaluation: each model learns from what it has read of a file.", err=True)
    print_pieces(pieces, total, by)
    for name, count in total.unknown.items():
        if count:
            print_wrapped(f"{name} does not know {count:,} of the {len(total.text):,} characters.")
    if total.evidence:
        print_wrapped(judge(total.evidence))


def print_pieces(pieces: list, total, by: str) -> None:
    """The table: a row for each piece, and the models from the best one on."""
    names = sorted(total.bits, key=total.bits.__getitem__)
    several = len({piece.file for piece in pieces}) > 1
    rows = []
    for piece in [*pieces, *([total] if len(pieces) > 1 else [])]:
        places = [*([piece.file] if several or by == "file" else []), *([piece.line] if by != "file" else [])]
        place = ":".join(map(str, places)) if piece.file else "all"
        begins = [] if by == "file" else [shorten(piece.text) if piece.file else ""]
        figures = [f"{piece.bits_per_character[name]:.3f}" for name in names]
        rows.append((place, *begins, f"{len(piece.text):,}", *figures, *describe(piece.evidence)))
    head = ("file",) if by == "file" else ("place" if several else "line", "begins")
    table((*head, "characters", *names, *(("evidence", "best") if len(names) > 1 else ())), rows)


def shorten(text: str) -> str:
    """The beginning of a piece."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def describe(evidence) -> tuple[str, ...]:
    """Bits with their standard error, and the name of the best model where they are clear."""
    if evidence is None:
        return ()
    error = "?" if evidence.standard_error is None else f"{evidence.standard_error:.0f}"
    return f"{evidence.bits:.0f} ± {error}", evidence.best if evidence.is_clear else "undecided"


def judge(evidence) -> str:
    """What the evidence of all texts says."""
    said = f"In all, {evidence.best} is ahead of {evidence.second} by {describe(evidence)[0]} bits"
    if evidence.standard_error is None:
        return f"{said}: too few words to tell."
    if not evidence.is_clear:
        return f"{said}. This is less than two standard errors: other words could say otherwise."
    share = evidence.posterior[evidence.best]
    sure = f"above {SURE:.2%}" if share > SURE else f"{share:.2%}"
    return f"{said}. If one of the models wrote it, and all were as likely before, its probability is {sure}."
