"""The command line: each command parses, calls one library function and prints."""

import contextlib
import json
import math
import os
import sys
from dataclasses import fields
from pathlib import Path

import click

from shakegen import __version__
from shakegen.config import CELLS, Config

BITS = 1 / math.log(2)


class OneLineErrors(click.Group):
    """Bad input ends in one line `Error: …` and exit code 1, Ctrl-C in exit code 130; no traceback reaches a user."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (ValueError, OSError) as error:
            raise click.ClickException(" ".join(str(error).split())) from None
        except MemoryError:
            raise click.ClickException("out of memory: try a smaller network or a smaller --batch-size") from None
        except KeyboardInterrupt:
            click.echo("\nInterrupted.", err=True)
            ctx.exit(130)


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main():
    """Learn to write from a text, one character at a time.

    \b
    shakegen sample --seed "shall i"       write with a pretrained network
    shakegen train my.txt --cell gru       train one on your own text
    shakegen train my.txt --minutes 3      ... in a given time
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@main.command()
@click.argument("corpus")
@click.option("--cell", type=click.Choice(CELLS), default="gru", show_default=True, help="Recurrent unit.")
@click.option("--units", type=int, default=256, show_default=True, help="Size of a layer's state.")
@click.option("--layers", type=int, default=1, show_default=True, help="Recurrent layers, stacked.")
@click.option("--depth", type=int, default=0, help="Nested memories of an nlstm.  [default: 2]")
@click.option("--activation", type=click.Choice(["tanh", "relu"]), default="tanh", show_default=True, help="Of an rnn.")
@click.option("--reset-after/--reset-before", default=True, show_default=True, help="Where a gru resets.")
@click.option("--learn-initial-state", is_flag=True, help="Start texts from a learned state instead of zeros.")
@click.option("--residual", is_flag=True, help="Add the input of each layer above the first to its output.")
@click.option("--dropout", type=float, default=0.0, show_default=True, help="Share of a layer's outputs dropped.")
@click.option("--embedding", type=int, default=0, show_default=True, help="Size of a vector per character; 0: one-hot.")
@click.option("--epochs", type=int, help="Passes over the training text.  [default: 30]")
@click.option("--minutes", type=float, help="Train for this long instead.")
@click.option("--batch-size", type=int, default=64, show_default=True, help="Windows in a batch.")
@click.option("--seq-length", type=int, default=100, show_default=True, help="Characters in a window.")
@click.option("--learning-rate", type=float, default=3e-3, show_default=True, help="Its peak; it anneals over the run.")
@click.option("--optimizer", default="adam", show_default=True, help="Any of Keras's, by name.")
@click.option("--clip-norm", type=float, default=1.0, show_default=True, help="Largest norm of the gradients.")
@click.option("--clip-value", type=float, help="Largest element of the gradients, instead of --clip-norm.")
@click.option("--split", default="0.9,0.05,0.05", show_default=True, help="Training, validation and test shares.")
@click.option("--random-state", type=int, default=0, show_default=True, help="Of weights, windows, dropout, samples.")
@click.option("--sample-seed", default="\n", help="What the sample after each epoch continues.  [default: a line end]")
@click.option("--sample-length", type=int, default=200, show_default=True, help="Its new characters; 0: no sample.")
@click.option("--temperature", type=float, default=0.8, show_default=True, help="Its temperature.")
@click.option("--encoding", default="utf-8", show_default=True, help="Of the text.")
@click.option("--out", type=click.Path(path_type=Path), help="Model file.  [default: models/<corpus>-<cell>.h5]")
@click.option("--quiet", is_flag=True, help="Show neither progress nor samples.")
def train(corpus, out, split, encoding, quiet, sample_seed, sample_length, temperature, **options):
    """Train a network on CORPUS: a text file, - for standard input, or a name from `shakegen corpora list`.

    After each epoch it shows how well the network predicts text that it did not train on, in bits per character (the
    fewer the better), and a sample of what it writes. The best epoch is kept in the model file. Ctrl-C ends the run
    early and keeps what was learned so far.

    \b
    shakegen train sonnets
    shakegen train novel.txt --cell lstm --units 512 --minutes 20
    shakegen train notes.txt --encoding latin-1 --out models/notes.h5
    cat *.py | shakegen train - --out models/python.h5
    """
    from shakegen import catalog, modelfile

    config = Config(**{field.name: options.pop(field.name) for field in fields(Config)})
    text = catalog.load_corpus(corpus, encoding, shares(split))
    out = out or Path("models") / f"{text.name}-{config.cell}.h5"
    modelfile.ensure_writable(out)
    with quiet_tensorflow():
        from shakegen import training
        from shakegen.callbacks import SampleText

    samples = []
    if sample_length and not quiet:
        drawn = {"length": sample_length, "temperature": temperature, "random_state": options["random_state"]}
        samples = [
            SampleText(text.vocabulary, sample_seed, **drawn, source=training.engine_of(config), stream="stderr")
        ]
    try:
        model = training.train(
            text, config, **options, callbacks=samples, on_best=lambda best: best.save(out), verbose=not quiet
        )
    except training.Interrupted as stop:
        click.echo(f"Interrupted. {summary(stop.model, out)}", err=True)
        sys.exit(130)
    if not quiet:
        click.echo(f'{summary(model, out)}\nNow try: shakegen sample --model {out} --seed "..."', err=True)


@main.command()
@click.option("--model", help="Model file.  [default: the newest in ./models, else the pretrained sonnets]")
@click.option("--seed", default="", help="The text to continue; empty: start from nothing.")
@click.option("--length", type=int, default=200, show_default=True, help="New characters to draw.")
@click.option("--temperature", type=float, default=0.8, show_default=True, help="0: the likeliest; 1: free.")
@click.option("--count", type=int, default=1, show_default=True, help="How many texts, between lines of ---.")
@click.option("--random-state", type=int, help="The same number gives the same text.  [default: another each time]")
@click.option("--on-unknown", type=click.Choice(["error", "skip"]), default="error", show_default=True,
              help="When the seed has characters that the model never saw.")  # fmt: skip
def sample(model, seed, count, random_state, **options):
    """Continue a seed text: the seed and what the network makes of it go to standard output.

    \b
    shakegen sample --seed "shall i"
    shakegen sample --model models/novel-lstm.h5 --seed "It was" --length 1000 --temperature 0.6
    shakegen sample --seed "Love" --count 5 --random-state 1
    """
    from shakegen import catalog
    from shakegen.model import load

    if random_state is None:
        random_state = int.from_bytes(os.urandom(4))
    texts = load(catalog.find_model(model)).samples(seed, count=count, random_state=random_state, **options)
    click.echo("\n---\n".join(seed + text for text in texts))


@main.command()
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def info(model, as_json):
    """Show what MODEL, a model file, is and how it was trained.

    \b
    shakegen info models/sonnets-gru.h5
    """
    from shakegen.model import load

    loaded = load(model)
    shown = {
        "model": model,
        **loaded.config.to_dict(),
        "parameters": loaded.parameters,
        "vocabulary": "".join(loaded.vocabulary.symbols),
        "vocabulary_size": len(loaded.vocabulary),
        "corpus": loaded.corpus,
        "epochs": len(loaded.history),
        "best_epoch": loaded.best_epoch.get("epoch"),
        "validation_bits_per_character": loaded.validation_bits,
    }
    if as_json:
        click.echo(json.dumps(shown))
        return
    origin = shown.pop("corpus")
    shown["vocabulary"] = repr(shown["vocabulary"])
    shown["corpus"] = f"{origin.get('name')}, {origin.get('length', 0):,} characters, sha256 {origin.get('sha256')}"
    if loaded.validation_bits is not None:
        shown["validation_bits_per_character"] = f"{loaded.validation_bits:.3f}"
    for name, value in shown.items():
        click.echo(f"{name.replace('_', ' '):32}{value}")


@main.command()
def models():
    """List the models in ./models, newest first, and the pretrained ones."""
    from shakegen import catalog
    from shakegen.model import load

    rows = []
    for path in catalog.list_models():
        try:
            model = load(path)
        except ValueError:
            rows.append((path, "not usable", "", "", ""))
            continue
        bits = "" if model.validation_bits is None else f"{model.validation_bits:.3f}"
        rows.append((path, model.config.cell, model.config.units, f"{model.parameters:,}", bits))
    table(("model", "cell", "units", "parameters", "validation bits/char"), rows)


@main.group()
def corpora():
    """The texts that come with shakegen."""


@corpora.command("list")
def corpora_list():
    """List the names that `shakegen train` knows."""
    from shakegen import catalog

    table(("name", "what"), list(catalog.BUNDLED.items()))


@corpora.command("path")
@click.argument("name")
def corpora_path(name):
    """Print where the text NAME is."""
    from shakegen import catalog

    click.echo(catalog.corpus_path(name))


def shares(split: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in split.split(","))
    except ValueError:
        raise ValueError(f"the split {split!r} is not usable: expected three numbers such as 0.9,0.05,0.05") from None


def summary(model, out: Path) -> str:
    bits = model.validation_bits
    scored = "" if bits is None else f", {bits:.3f} bits/char on validation text"
    saved = f"Saved: {out}, a {model.config.cell} of {model.parameters:,} weights"
    return f"Best epoch: {model.best_epoch['epoch']}{scored}.\n{saved}"


def table(header, rows) -> None:
    """Columns as wide as what is in them; no cut, so that a pipe gets all."""
    rows = [tuple(map(str, row)) for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextlib.contextmanager
def quiet_tensorflow():
    """Import TensorFlow without its log lines, which its own settings do not silence."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
