"""The command that trains."""

import os
import sys
import time
from dataclasses import fields
from pathlib import Path

import click

from shakegen.cells.registry import option_names
from shakegen.cli import runs
from shakegen.cli.group import main
from shakegen.cli.options import cell_option, corpus_options, group, options_from, options_of_cells, shape_options
from shakegen.network.config import Config
from shakegen.network.quiet import quiet_tensorflow
from shakegen.training.recipe import Recipe

RECIPE_NAMES = {field.name for field in fields(Recipe)}
SETTINGS = RECIPE_NAMES.union(Config.setting_names(), option_names())
NETWORK = {
    "units": "Size of the state of each layer.",
    "layers": "Recurrent layers, stacked.",
    "learn_initial_state": "Start texts from a learned state instead of zeros.",
    "residual": "Add the input of each layer above the first to its output.",
    "dropout": "Share of the outputs of a layer that is dropped.  [default: 0.4; less in runs of less than 15 epochs]",
    "variational_dropout": "Drop the same outputs at every step of a window.",
    "embedding": "Size of a vector per symbol; 0: one-hot.  [default: 0; words: 256]",
}
LEARNING = {
    "epochs": "Passes over the training text, in all.  [default: 30]",
    "minutes": "Stop after this many minutes in all, start-up included; with --resume, minutes already spent count.",
    "patience": "Stop after this many epochs without a better validation loss.",
    "batch_size": "Windows in a batch, or streams.",
    "seq_length": "Characters, or words, in a window.",
    "stateful": "Read the text in streams that carry the state along, instead of windows drawn at random.",
    "learning_rate": "Peak of the learning rate.",
    "schedule": "How the learning rate falls to 1 % of its peak; constant: it does not.",
    "warmup": "Share of the run in which the learning rate rises.  [default: 0.02; constant: 0]",
    "optimizer": "Any optimizer of Keras, by name.",
    "weight_decay": "Decoupled weight decay; biases have none.  [default: the optimizer's]",
    "average_weights": "Keep an average of the weights, with a momentum such as 0.999.",
    "clip_norm": "Largest norm of the gradients.",
    "clip_value": "Largest element of the gradients; replaces --clip-norm.",
    "mixed_precision": "Precision of the computation; weights stay float32.",
    "random_state": "Seed of all that is random: weights, windows, dropout, samples.",
}
TASK = {"task": "What to predict at each character: the next one, or the word that it is part of."}


@main.command()
@click.argument("corpus", nargs=-1, required=True)
@group("Network", *options_from(Config, TASK), cell_option, *options_from(Config, NETWORK), *options_of_cells())
@group("Training", *options_from(Recipe, LEARNING))
@group(
    "Samples",
    click.option("--sample-seed", default="\n", help="Text that the sample after each epoch continues.  [default: a "
                 "line end]"),
    click.option("--sample-length", type=int, default=200, show_default=True, help="Length of that sample; 0: none."),
    click.option("--temperature", type=float, default=0.8, show_default=True, help="Temperature of that sample."),
    click.option("--beam-width", type=int, help="Search for the likeliest sample with this many beams; do not draw."),
)  # fmt: skip
@corpus_options
@shape_options
@group(
    "Files",
    click.option("--out", type=click.Path(path_type=Path), help="Model file.  [default: models/<corpus>-<cell>.h5, or "
                 "the next that is free]"),
    click.option("--resume", is_flag=True, help="Go on with --out, or the newest run on CORPUS in ./models."),
    click.option("--finetune", type=click.Path(path_type=Path), help="Start from the weights of this model."),
    click.option("--checkpoint-every", type=float, default=1.0, show_default=True, help="Minutes between checkpoints; "
                 "each epoch ends with one too. 0: none, a smaller file, no --resume."),
    click.option("--log-dir", type=click.Path(), help="Folder for a CSV and for the event files of TensorBoard."),
)  # fmt: skip
@group(
    "Several processes",
    click.option("--workers", help="Train together: host:port of each process, the chief first.  [default: TF_CONFIG]"),
    click.option("--worker-index", type=int, help="Which of the workers this is, from 0."),
    click.option("--worker-wait", type=float, default=45, show_default=True, help="Seconds to wait for all workers."),
)
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
