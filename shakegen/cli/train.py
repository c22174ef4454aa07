"""The command that trains."""

import os
import sys
import time
from dataclasses import fields
from pathlib import Path

import click

from shakegen.cli import runs
from shakegen.cli.group import main
from shakegen.cli.options import corpus_options, shape_options
from shakegen.network.config import CELLS, TASKS, Config
from shakegen.network.quiet import quiet_tensorflow
from shakegen.training.recipe import PRECISIONS, SCHEDULES, Recipe

NETWORK, RECIPE = Config(), Recipe()
RECIPE_NAMES = {field.name for field in fields(Recipe)}
SETTINGS = RECIPE_NAMES.union(field.name for field in fields(Config))


def option(name: str, of, kind=None, **settings):
    """An option that is a field of a configuration or a recipe, with its default."""
    default = getattr(of, name.split("/", maxsplit=1)[0].strip("-").replace("-", "_"))
    if kind is bool:
        return click.option(name, is_flag=True, default=default, show_default=default, **settings)
    return click.option(name, type=kind, default=default, show_default=default is not None, **settings)


@main.command()
@click.argument("corpus", nargs=-1, required=True)
@option("--task", NETWORK, click.Choice(TASKS), help="What to predict at each character: the next one, or the word "
        "that it is part of.")  # fmt: skip
@option("--cell", NETWORK, click.Choice(CELLS), help="Recurrent unit.")
@option("--units", NETWORK, int, help="Size of a layer's state.")
@option("--layers", NETWORK, int, help="Recurrent layers, stacked.")
@click.option("--depth", type=int, default=0, help="Nested memories of an nlstm.  [default: 2]")
@option("--activation", NETWORK, click.Choice(["tanh", "relu"]), help="Activation of an rnn.")
@click.option(
    "--reset-after/--reset-before",
    default=True,
    show_default=True,
    help="Whether a gru resets after the recurrent product, or before.",
)
@option("--learn-initial-state", NETWORK, bool, help="Start texts from a learned state instead of zeros.")
@option("--residual/--no-residual", NETWORK, bool, help="Add the input of each layer above the first to its output.")
@option("--dropout", NETWORK, float, help="Share of a layer's outputs dropped.  [default: 0.4; less in runs of less "
        "than 15 epochs]")  # fmt: skip
@option("--variational-dropout", NETWORK, bool, help="Drop the same outputs at every step of a window.")
@click.option("--embedding", type=int, help="Size of a vector per symbol; 0: one-hot.  [default: 0; words: 256]")
@click.option("--epochs", type=int, help="Passes over the training text, in all.  [default: 30]")
@click.option("--minutes", type=float, help="Train for so long instead, compilation and all included.")
@click.option("--patience", type=float, help="End after so many epochs without a better validation loss.")
@option("--batch-size", RECIPE, int, help="Windows in a batch, or streams.")
@option("--seq-length", RECIPE, int, help="Characters, or words, in a window.")
@option("--stateful", RECIPE, bool, help="Read streams, the state carried, instead of windows drawn at random.")
@option("--learning-rate", RECIPE, float, help="Peak of the learning rate.")
@option("--schedule", RECIPE, click.Choice(list(SCHEDULES)), help="How it falls to 1 % of the peak, if it does.")
@option("--warmup", RECIPE, float, help="Share of the run in which it rises.  [default: 0.02; constant: 0]")
@option("--optimizer", RECIPE, help="Any of Keras's, by name.")
@option("--weight-decay", RECIPE, float, help="Decoupled, of all but biases.  [default: the optimizer's]")
@option("--average-weights", RECIPE, float, help="Momentum of an average of the weights to keep, such as 0.999.")
@option("--clip-norm", RECIPE, float, help="Largest norm of the gradients.")
@option("--clip-value", RECIPE, float, help="Largest element of the gradients, instead of --clip-norm.")
@option("--mixed-precision", RECIPE, click.Choice(PRECISIONS), help="What to compute in; weights are float32.")
@option("--random-state", RECIPE, int, help="Seed of all that is random: weights, windows, dropout, samples.")
@click.option("--sample-seed", default="\n", help="What the sample after each epoch continues.  [default: a line end]")
@click.option("--sample-length", type=int, default=200, show_default=True, help="Length of that sample; 0: none.")
@click.option("--temperature", type=float, default=0.8, show_default=True, help="Temperature of that sample.")
@click.option("--beam-width", type=int, help="Search for the likeliest sample with so many beams instead of drawing.")
@corpus_options
@shape_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Model file.  [default: models/<corpus>-<cell>.h5, or the next that is free]",
)
@click.option("--resume", is_flag=True, help="Go on with --out, or the newest run on CORPUS in ./models.")
@click.option("--finetune", type=click.Path(path_type=Path), help="Start from the weights of this model.")
@click.option(
    "--checkpoint-every",
    type=float,
    default=1.0,
    show_default=True,
    help="Minutes between checkpoints; there is one after each epoch too. 0: none, a smaller file, no --resume.",
)
@click.option("--log-dir", type=click.Path(), help="Folder for a CSV, and for event files that TensorBoard shows.")
@click.option("--workers", help="Train together with others: host:port of each, the chief first.  [default: TF_CONFIG]")
@click.option("--worker-index", type=int, help="Which of the workers this is, from 0.")
@click.option("--worker-wait", type=float, default=45, show_default=True, help="Seconds for all workers to come.")
@click.option("--quiet", is_flag=True, help="Show neither progress nor samples.")
@click.pass_context
def train(context, workers, worker_index, worker_wait, **options):
    """Train a network on CORPUS: text files, folders, - for standard input, or names from `shakegen corpora list`.

    Several are read one after the other; what .gz, .bz2, .xz and .zip files hold is read as if it were unpacked.

    After each epoch it shows how well the network predicts text that it did not train on, in bits per character, or
    word, (the fewer the better), and a sample of what it writes. The best epoch is kept in the model file. An epoch of
    more than about a million characters, or words, is reported in parts.

    Ctrl-C, or SIGTERM, saves and ends the run. With --resume it goes on as if it had not been ended, bit for bit, and
    so it does after a crash, from its last checkpoint. Options that are not given are then those of the run; --epochs,
    --minutes, --learning-rate and --patience may be others. The learning rate depends on how much of the run is over:
    with more epochs than at first it goes on from where a run of so many would be, and is higher again. (With
    --schedule constant, N epochs and M more are the same as N + M.) --minutes depends on the clock, and is never the
    same twice.

    With --task autocomplete the text is read as words of a to z, in observations of --seq-length characters that hold
    whole words; the split is of observations, shuffled. Options not given are then those of the study of memory: 600
    units, 2 layers (of an nlstm 1), an embedding as large, a gru that resets before, no dropout; 2 epochs of batches of
    64, 200 characters, a constant learning rate of 0.001, gradients not clipped. `shakegen complete` uses what comes
    of it.

    With --workers and --worker-index, or TF_CONFIG, several processes, on one machine or many, train one network: the
    same as one would, each on its share of every batch. The first one, the chief, shows progress and writes the model.
    Start all of them with the same text and options. One that is lost ends all; --resume goes on, with any number.
    Several GPUs of one machine need none of this: all are used.

    \b
    shakegen train sonnets
    shakegen train novel.txt --cell lstm --units 512 --minutes 20
    shakegen train novel.txt --resume --minutes 40
    shakegen train letters.txt --finetune models/novel-lstm.h5
    shakegen train novels/*.txt --normalize text8
    shakegen train notes.txt.gz --encoding latin-1 --out models/notes.h5
    shakegen train novel.txt --level word --vocabulary-size 8000
    shakegen train text8 --task autocomplete --cell lstm
    shakegen train novel.txt --workers ada:4000,bob:4000 --worker-index 0
    cat *.py | shakegen train - --out models/python.h5
    """
    from shakegen.training.workers import Cluster, join

    cluster = Cluster.resolve(workers, worker_index, os.environ)
    with join(cluster, worker_wait) as strategy:
        trained(context, strategy, **options)


def trained(context, strategy, corpus, out, resume, finetune, checkpoint_every, quiet, reading, shape, **options):
    """What `train` does, alone or as one of several workers."""
    started = time.monotonic()
    from shakegen import files
    from shakegen.text import catalog, splits

    options |= reading | shape
    given = {name: value for name, value in options.items() if runs.is_given(context, name)}
    out, base = runs.beginning(strategy, corpus, out, resume, finetune, given)
    if resume:
        options |= runs.remembered(context, base, given)
    config = runs.configured(given, base)
    source = catalog.open_source(corpus, **{name: options[name] for name in reading})
    shape = {"vocabulary_size": options["vocabulary_size"], "split": splits.parse(options["split"])}
    text = runs.corpus_of(source, config, base, shape, options, given)
    out = out or runs.free_name(f"{text.name}-{runs.kind_of(config)}")
    if finetune and out.resolve() == finetune.resolve():
        raise ValueError(f"{out} is the model to start from, it would be overwritten: name another file with --out")
    if strategy.chief:
        files.ensure_writable(out)
    elif not quiet:
        click.echo(
            f"This is {strategy.name}; {strategy.cluster.name(0)} shows progress and writes the model.", err=True
        )
    with quiet_tensorflow():
        from tensorflow import errors

        from shakegen import training

    try:
        model = training.train(
            text,
            config,
            resume=base if resume else None,
            finetune=base if finetune else None,
            out=out,
            checkpoint_every=checkpoint_every,
            callbacks=runs.samples(text, config, options, shown=not quiet),
            log_dir=options["log_dir"],
            verbose=not quiet,
            notes={"corpus": list(corpus), **{name: options[name] for name in options if name not in SETTINGS}},
            started=started,
            team=strategy,
            **{name: given[name] for name in given if name in RECIPE_NAMES},
        )
    except errors.ResourceExhaustedError:
        raise MemoryError from None
    except training.Interrupted as stop:
        if stop.model is None:
            sys.exit(128 + stop.signal)
        click.echo(f"\nInterrupted. {runs.summary(stop.model, out)}", err=True)
        if checkpoint_every:
            click.echo(f"Go on with: {runs.resumption(corpus, out)}", err=True)
        sys.exit(128 + stop.signal)
    if model and not quiet:
        click.echo(f"{runs.summary(model, out)}\n{runs.next_commands(corpus, model, out)}", err=True)
