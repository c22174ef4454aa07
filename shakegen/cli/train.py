"""The command that trains."""

import contextlib
import os
import sys
from dataclasses import fields
from pathlib import Path

import click

from shakegen.cli.group import main
from shakegen.cli.options import corpus_options, shape_options
from shakegen.config import CELLS, Config


@main.command()
@click.argument("corpus", nargs=-1, required=True)
@click.option("--cell", type=click.Choice(CELLS), default="gru", show_default=True, help="Recurrent unit.")
@click.option("--units", type=int, default=256, show_default=True, help="Size of a layer's state.")
@click.option("--layers", type=int, default=1, show_default=True, help="Recurrent layers, stacked.")
@click.option("--depth", type=int, default=0, help="Nested memories of an nlstm.  [default: 2]")
@click.option("--activation", type=click.Choice(["tanh", "relu"]), default="tanh", show_default=True, help="Of an rnn.")
@click.option("--reset-after/--reset-before", default=True, show_default=True, help="Where a gru resets.")
@click.option("--learn-initial-state", is_flag=True, help="Start texts from a learned state instead of zeros.")
@click.option("--residual", is_flag=True, help="Add the input of each layer above the first to its output.")
@click.option("--dropout", type=float, default=0.3, show_default=True, help="Share of a layer's outputs dropped.")
@click.option("--embedding", type=int, help="Size of a vector per symbol; 0: one-hot.  [default: 0; words: 256]")
@click.option("--epochs", type=int, help="Passes over the training text.  [default: 30]")
@click.option("--minutes", type=float, help="Train for this long instead.")
@click.option("--batch-size", type=int, default=32, show_default=True, help="Windows in a batch.")
@click.option("--seq-length", type=int, default=64, show_default=True, help="Characters, or words, in a window.")
@click.option("--learning-rate", type=float, default=6e-3, show_default=True, help="Its peak; it anneals over the run.")
@click.option("--optimizer", default="adam", show_default=True, help="Any of Keras's, by name.")
@click.option("--clip-norm", type=float, default=1.0, show_default=True, help="Largest norm of the gradients.")
@click.option("--clip-value", type=float, help="Largest element of the gradients, instead of --clip-norm.")
@click.option("--random-state", type=int, default=0, show_default=True, help="Of weights, windows, dropout, samples.")
@click.option("--sample-seed", default="\n", help="What the sample after each epoch continues.  [default: a line end]")
@click.option("--sample-length", type=int, default=200, show_default=True, help="Its length; 0: no sample.")
@click.option("--temperature", type=float, default=0.8, show_default=True, help="Its temperature.")
@click.option("--beam-width", type=int, help="Search for the likeliest sample with so many beams instead of drawing.")
@corpus_options
@shape_options
@click.option("--out", type=click.Path(path_type=Path), help="Model file.  [default: models/<corpus>-<cell>.h5]")
@click.option("--quiet", is_flag=True, help="Show neither progress nor samples.")
def train(corpus, out, reading, shape, quiet, sample_seed, sample_length, temperature, beam_width, **options):
    """Train a network on CORPUS: text files, folders, - for standard input, or names from `shakegen corpora list`.

    Several are read one after the other; what .gz, .bz2, .xz and .zip files hold is read as if it were unpacked.

    After each epoch it shows how well the network predicts text that it did not train on, in bits per character, or
    word, (the fewer the better), and a sample of what it writes. The best epoch is kept in the model file. Ctrl-C ends
    the run early and keeps what was learned so far.

    \b
    shakegen train sonnets
    shakegen train novel.txt --cell lstm --units 512 --minutes 20
    shakegen train novels/*.txt --normalize text8
    shakegen train notes.txt.gz --encoding latin-1 --out models/notes.h5
    shakegen train novel.txt --level word --vocabulary-size 8000
    cat *.py | shakegen train - --out models/python.h5
    """
    from shakegen import catalog, modelfile

    options["level"] = shape["level"]
    config = Config(**{field.name: options.pop(field.name) for field in fields(Config)})
    text = catalog.load_corpus(corpus, **reading, **shape)
    out = out or Path("models") / f"{text.name}-{config.cell}.h5"
    modelfile.ensure_writable(out)
    with quiet_tensorflow():
        from tensorflow import errors

        from shakegen import training
        from shakegen.callbacks import SampleText

    samples = []
    if sample_length and not quiet:
        drawn = {"length": sample_length, "temperature": temperature, "beam_width": beam_width}
        drawn |= {"random_state": options["random_state"], "source": training.engine_of(config), "stream": "stderr"}
        samples = [SampleText(text.vocabulary, sample_seed, **drawn)]
    try:
        model = training.train(
            text, config, **options, callbacks=samples, on_best=lambda best: best.save(out), verbose=not quiet
        )
    except errors.ResourceExhaustedError:
        raise MemoryError from None
    except training.Interrupted as stop:
        click.echo(f"Interrupted. {summary(stop.model, out)}", err=True)
        sys.exit(130)
    if not quiet:
        click.echo(f'{summary(model, out)}\nNow try: shakegen sample --model {out} --seed "..."', err=True)


def summary(model, out: Path) -> str:
    bits = model.validation_bits
    scored = "" if bits is None else f", {bits:.3f} bits/char on validation text"
    saved = f"Saved: {out}, a {model.config.cell} of {model.parameters:,} weights"
    return f"Best epoch: {model.best_epoch['epoch']}{scored}.\n{saved}"


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
