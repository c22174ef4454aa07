"""The command that trains."""

import os
import sys
import time
from pathlib import Path

import click

from shakegen.cli import runs
from shakegen.cli.cell_options import cell_option, make_cell_options, read_cell
from shakegen.cli.config import config_option
from shakegen.cli.group import main
from shakegen.cli.help import group
from shakegen.cli.names import ModelName
from shakegen.cli.options import (
    READING,
    corpus_argument,
    corpus_options,
    is_given,
    json_option,
    options_from,
    out_option,
    quiet_option,
    refuse_idle,
    refuse_idle_on,
    shape_options,
)
from shakegen.cli.tables import print_json
from shakegen.network.config import Config
from shakegen.network.quiet import quiet_tensorflow, require_tensorflow, without_extras
from shakegen.text import xz
from shakegen.training.recipe import RECIPES, Recipe

NETWORK = {
    "units": "Size of the state of each layer.",
    "layers": "Recurrent layers, stacked.",
    "learn_initial_state": "Start texts from a learned state instead of zeros.",
    "residual": "Add the input of each layer above the first to its output.",
    "convolution": "Width of a convolution over time before each cell, in a block with norms and residual connections: "
    "4 is usual, 0 is none.",
    "mlp": "Width of a perceptron after each cell, times the units, in such a block: 1 is usual, 0 is none.",
    "dropout": "Share of the outputs of a layer that is dropped.  [default: 0 to 0.5, by epochs, weights and text]",
    "variational_dropout": "Drop the same outputs at every step of a window.",
    "embedding": "Size of a vector per symbol; 0: one-hot.  [default: 0; words, subwords: 256; in blocks: --units]",
}
LEARNING = {
    "epochs": "Passes over the training text, in all.  [default: 30]",
    "minutes": "Stop after this many minutes in all, those before an interruption too; in train, start-up counts.",
    "patience": "Stop after this many epochs without a better validation loss.",
    "batch_size": "Windows in a batch.",
    "seq_length": "Characters, words or subwords in a window.",
    "passage": "Windows in a row that pass the state on; 1: each begins anew.  [default: 8; autocomplete: 1]",
    "learning_rate": "Peak of the learning rate.",
    "schedule": "How the learning rate falls to 1 % of its peak; constant: it does not.",
    "warmup": "Share of the run in which the learning rate rises.  [default: 0.02, but with two layers or more 20 "
    "batches at least, up to 0.1; constant: 0]",
    "optimizer": "Any optimizer of Keras, by name.",
    "epsilon": "Number that Adam adds to a divisor.  [default: the optimizer's]",
    "weight_decay": "Decoupled weight decay; vectors, such as biases, have none.  [default: of adam, weights forget "
    "within 3 epochs, or later if there are few; of others, their own]",
    "average_weights": "Keep an average of the weights, with a momentum such as 0.999.",
    "clip_norm": "Largest norm of the gradients.",
    "clip_value": "Largest element of the gradients; replaces --clip-norm.",
    "loss_share": "Share of the positions whose loss is computed, drawn for each batch.  [default: 1; with 4,096 "
    "symbols or more: 0.25]",
    "start": "First weights: those of Keras; a read-out that knows how often each word is there, or also how it is "
    "spelled; those of the study.  [default: keras; with 4,096 symbols or more: frequencies]",
    "mixed_precision": "With bfloat16, large products and kept values have 16 bits; weights stay float32.  "
    "[default: float32; in train bfloat16, for two layers or more, or an embedding, of 128 units or more, where the "
    "processor has amx_bf16]",
    "random_state": "Seed of all that is random: weights, windows, dropout, samples.",
}
recipe_option = click.option(
    "--recipe", type=click.Choice(RECIPES), help="Defaults of the network and of training for --task autocomplete: the "
    "usual ones, or the study's.  [default: usual; study for 20 million characters or more]"
)  # fmt: skip
TASK = {"task": "What to predict at each character: the next one, or the word that it is part of."}


@main.command()
@corpus_argument
@group("Network", *options_from(Config, TASK), cell_option, *options_from(Config, NETWORK))
@group("Cells", *make_cell_options())
@group("Training", recipe_option, *options_from(Recipe, LEARNING))
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
    config_option,
    out_option("Model file; one that is there is kept, with ~ behind its name.  [default: "
               "models/<corpus>-<cell>.h5, or the next that is free]"),
    click.option("--resume", is_flag=True, help="Go on with --out, or the newest run on CORPUS in ./models."),
    click.option("--finetune", type=ModelName(), help="Start from the weights of this model."),
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
@json_option
@quiet_option("Show neither progress nor samples; print the path of the model file.")
def train(workers, worker_index, worker_wait, **options):
    """Train a network on CORPUS.

    CORPUS: text files, folders, - for standard input, or names from `shakegen corpora list`. Several texts follow one
    another; .gz, .bz2, .xz and .zip files are unpacked.

    After each epoch the command shows a sample, and the loss on text that the network did not train on (lower is
    better): bits per character, subword or word, or nats per position with --task autocomplete. The model file keeps
    the epoch with the lowest validation loss; with fewer than 40 characters of validation text, the lowest training
    loss decides. Epochs of more than about a million symbols are reported in parts.

    \b
    shakegen train sonnets
    shakegen train novel.txt --cell lstm --units 512 --minutes 20
    shakegen train novel.txt --resume --minutes 40
    shakegen train letters.txt --finetune models/novel-lstm.h5
    shakegen train novels/*.txt --normalize text8
    shakegen train notes.txt.gz --encoding latin-1 --out models/notes.h5
    shakegen train novel.txt --level subword
    shakegen train novel.txt --level word --vocabulary-size 8000
    shakegen train text8 --task autocomplete --cell lstm
    shakegen train novel.txt --config run.toml --quiet --json
    shakegen train novel.txt --workers ada:4000,bob:4000 --worker-index 0
    cat *.py | shakegen train - --out models/python.h5

    Ctrl-C, SIGTERM or a closed terminal ends the run and saves it. With nohup, a closed terminal does not end it.
    --resume continues it bit for bit, after a crash from the last checkpoint. The run keeps its options; only --epochs,
    --minutes, --learning-rate and --patience may change. The learning rate falls over the whole run. Resumed with more
    epochs, it jumps back up to where a run of the new length would be. (With --schedule constant, N epochs and M more
    are the same as N + M.) --minutes depends on the clock, so it cannot be repeated exactly.

    --task autocomplete reads the text as words of a to z, in observations of --seq-length characters that hold whole
    words; the observations are shuffled and split. `shakegen complete` uses the model. It predicts words that occur
    three times or more, 16,384 at most; in the loss and in accuracies other words do not count. The defaults are: 256
    units, 1 layer, an embedding of 32, windows of 100 characters, a learning rate of 0.01, the loss at an eighth of the
    positions, --start spelling. With --recipe study they are those of the study of memory: 600 units, 2 layers (nlstm:
    1), an embedding of 600, --reset-before for gru, no dropout, --no-residual; 2 epochs of batches of 64, 200
    characters, a constant learning rate of 0.001, an epsilon of 1e-8, no weight decay, the loss at all positions,
    --start tensorflow1, --mixed-precision float32, gradients not clipped.

    With --workers and --worker-index, or TF_CONFIG, several processes, on one machine or many, train one network, each
    on its share of every batch; the result is that of one process. The first one, the chief, shows progress and writes
    the model. Start all of them with the same text and options. If one is lost, all end; --resume continues with any
    number of them. One process uses all GPUs of its machine without these options.
    """
    require_tensorflow()
    from shakegen.training.workers import Cluster, join

    options |= options.pop("reading") | options.pop("shape")
    given = {name for name in options if is_given(name)}
    network = read_cell(options["cell"])
    refuse_idle(f"beside --cell {options['cell']}", *(network.keys() - {"cell"}))
    options, given = options | network, given | (network.keys() - {"cell"})
    if options["clip_value"] is not None:
        refuse_idle("beside --clip-value", "clip_norm")
    cluster = Cluster.resolve(workers, worker_index, os.environ)
    if cluster is None:
        refuse_idle("on one process", "worker_wait")
    with join(cluster, worker_wait) as strategy:
        run_training(strategy, given=given, **options)


def run_training(
    strategy, corpus, given: set[str], checkpoint_every, quiet, resume, finetune, out, as_json, **options
) -> None:
    """Train, alone or as one of several workers."""
    started = time.monotonic()
    from shakegen.training import begin_with_text

    finetune = Path(finetune) if finetune else None
    files = {"resume": resume, "finetune": finetune, "out": out, "checkpoint_every": checkpoint_every}
    if not (resume or finetune):
        refuse_idle_options(options["task"], options)  # before a long text is read
    with begin_with_text(corpus, options, given, **files, strategy=strategy) as (beginning, values):
        refuse_idle_options(beginning.config.task, values)
        if not (strategy.chief or quiet):
            chief = strategy.cluster.name(0)
            click.echo(f"This is {strategy.name}; {chief} shows progress and writes the model.", err=True)
        train_begun(strategy, corpus, beginning, values, started, quiet, as_json)


def train_begun(strategy, corpus, beginning, values: dict, started: float, quiet: bool, as_json: bool) -> None:
    """Train from where a run begins, and say how it ended."""
    with quiet_tensorflow(), without_extras():
        from tensorflow import errors

        from shakegen.training import Interrupted, train_from

    out, log_dir, samplers = beginning.out, values["log_dir"], []
    if values["sample_length"] and not (quiet and log_dir is None):
        parts = beginning.config, beginning.corpus, beginning.vocabulary
        samplers = [beginning.task.make_sampler(*parts, values, shown=not quiet)]
    try:
        model = train_from(beginning, samplers, log_dir, not quiet, started, strategy)
    except errors.ResourceExhaustedError:
        raise MemoryError from None
    except Interrupted as stop:
        if stop.model is not None:
            click.echo(f"\nInterrupted. {runs.describe_run(stop.model, out)}", err=True)
            if beginning.checkpoint_every:
                click.echo(f"Go on with: {runs.resume_command(corpus, stop.model, out)}", err=True)
        sys.exit(128 + stop.signal)
    if not model:
        return
    if as_json:
        print_json(runs.summarise(model, out))
    elif quiet:
        click.echo(out)
    if not quiet:
        baseline = beginning.task.measure_baseline(beginning.corpus)
        packed = xz.measure(beginning.corpus, ["validation"]).get("validation") if baseline else None
        reading = {name: values[name] for name in READING}
        said = runs.describe_run(model, out, baseline, packed), runs.list_next_commands(corpus, reading, model, out)
        click.echo("\n".join(said), err=True)


def refuse_idle_options(task: str, values: dict) -> None:
    """Refuse options of the text and of the samples that have no effect on a run."""
    from shakegen.training.tasks import get_task

    refuse_idle_on(task)
    if not values["sample_length"]:
        refuse_idle("with --sample-length 0", "sample_seed", "temperature", "beam_width")
    elif get_task(task).sample_temperature is None:
        refuse_idle(f"on the task {task}, unless it is 0", "sample_length")
    elif values["beam_width"] is not None:
        refuse_idle("on a beam search", "temperature")
