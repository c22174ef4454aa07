"""The command that compares networks."""

import sys
import textwrap
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from shakegen.cells.registry import CELLS, STANDARD, option_names
from shakegen.cli.config import config_option
from shakegen.cli.group import main, name_flags
from shakegen.cli.help import group
from shakegen.cli.options import (
    Listed,
    copy_options,
    corpus_argument,
    corpus_options,
    is_given,
    json_option,
    out_option,
    quiet_option,
    refuse_idle,
    refuse_idle_on,
    shape_options,
)
from shakegen.cli.runs import format_duration
from shakegen.cli.tables import print_json, table
from shakegen.cli.train import LEARNING, NETWORK, train
from shakegen.compare.plan import MATCHES, Entry, Plan, parse_tune
from shakegen.network.quiet import require_tensorflow

COMMON = (*NETWORK, *option_names())


@main.command()
@corpus_argument
@group(
    "Comparison",
    click.option("--cells", type=Listed(str, CELLS), default=",".join(STANDARD), show_default=True,
                 help="Cells to compare, between commas: any of `train --cell`. Each may have settings of its own, as "
                 "in nlstm:depth=3 or rnn:learning-rate=0.001."),
    click.option("--match", type=click.Choice(MATCHES), default="units", show_default=True, help="Hold equal: "
                 "units; the number of weights, within 1 % or as near as units allow, of all or of the recurrent ones "
                 "(which neither read nor predict symbols); or the minutes."),
    click.option("--parameters", type=int, help="Number of weights, with --match parameters or recurrent.  [default: "
                 "that of the first cell with --units]"),
    click.option("--repeats", type=int, default=5, show_default=True, help="Runs of each network, with different "
                 "random states."),
    click.option("--tune", help="Choose a setting for each cell by the validation text, as in "
                 "learning-rate=3e-3,6e-3,1e-2; also dropout. Costs a run for each value but one."),
)  # fmt: skip
@copy_options(train, "task", *COMMON, *LEARNING)
@corpus_options
@shape_options
@group(
    "Samples",
    click.option("--sample-seed", help="Text that samples continue.  [default: a line end; autocomplete: a test text]"),
    click.option("--sample-length", type=int, default=300, show_default=True, help="New characters in a sample."),
)
@group(
    "Files",
    config_option,
    click.option("--runs", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder of model files and "
                 "measurements.  [default: models/compare-<corpus>, or the next number where it has other runs]"),
    out_option("Write a report to this .html file; or the curves alone, to .png, .svg or .pdf. Needs matplotlib."),
    click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the table to this file, unrounded."),
)  # fmt: skip
@json_option
@quiet_option("Show no progress.")
def compare(corpus, cells, task, match, parameters, repeats, tune, reading, shape, folder, quiet, **options):
    """Compare cells: each learns CORPUS with the same budget.

    All learn the same text in the same order.

    First come sentences: which cells differ from the first one, and by how much. The table has a row for each: bits
    per character on validation and test text, the difference to the first cell, epochs, minutes, characters/s, peak
    memory. ± is half of a 95 % interval, for other random states and other text of the kind. Beside the cells stand
    the best n-gram model and xz -9, which is told the training text first. Each run is a process of its own.

    --task autocomplete repeats the study of memory. The options that you do not give are then those of `shakegen train
    --task autocomplete --recipe study`. The table has the cross entropy in nats/position and accuracies instead.

    Finished runs stay in the folder of --runs. The same command goes on where it was stopped or killed; with more cells
    or repeats it does the new runs only. (Where numbers of weights are matched, new cells may change the sizes of all.)
    With other options, or a cell of your own whose equations have changed, it takes a new folder. A run that fails or
    diverges does not stop the others.

    \b
    shakegen compare sonnets --epochs 10 --out report.html
    shakegen compare sonnets --cells lstm,nlstm:depth=3 --match parameters
    shakegen compare novel.txt --match time --minutes 5 --csv table.csv
    shakegen compare my.txt --cells gru,lstm --tune learning-rate=3e-3,6e-3,1e-2
    shakegen compare text8 --task autocomplete --cells gru,lstm --epochs 2
    """
    require_tensorflow()
    out, csv_file = options["out"], options["csv_file"]
    options["level"] = shape.pop("level")
    refuse_idle_on(task)
    if not options["sample_length"]:
        refuse_idle("with --sample-length 0", "sample_seed")
    if options["clip_value"] is not None:
        refuse_idle("beside --clip-value", "clip_norm")
    given = {name: value for name, value in options.items() if is_given(name)}
    from shakegen.training.tasks import get_task

    plan = Plan(
        tuple(map(Entry.parse, cells)),
        get_task(task).make_recipe(**{name: given[name] for name in LEARNING if name in given}),
        match,
        repeats,
        {name: given[name] for name in ("level", *COMMON) if name in given},
        parameters,
        task,
        parse_tune(tune) if tune is not None else None,
    )
    if plan.tune:
        refuse_idle("beside --tune, which chooses it", plan.tune[0])
    check_files(out, csv_file, corpus)
    from shakegen.compare.comparison import Comparison
    from shakegen.compare.record import Text
    from shakegen.text import splits
    from shakegen.training import Interrupted

    text = Text(corpus, reading, shape | {"split": splits.parse(shape["split"])})
    comparison = Comparison(text, plan, folder, options["sample_seed"], options["sample_length"])
    try:
        summary = comparison.carry_out(None if quiet else progress(comparison))
    except Interrupted as stop:
        click.echo("\nInterrupted. The same command goes on from here.", err=True)
        sys.exit(128 + stop.signal)
    rows = [
        replace(row, records=[replace(record, reason=name_flags(record.reason)) for record in row.records])
        for row in summary.rows
    ]
    write_outcome(replace(summary, rows=rows), comparison.folder, out, csv_file, options["as_json"])


def check_files(out: Path | None, csv_file: Path | None, places: Iterable[str]) -> None:
    """Refuse, before any work is done, files that could not be written, or that the text comes from."""
    from shakegen import files

    if out and csv_file and out.resolve() == csv_file.resolve():
        raise ValueError(f"{out} is to be written twice: give --out and --csv names of their own")
    if out:
        from shakegen import plotting

        plotting.check(out)
        files.refuse_same(out, places)
        files.ensure_writable(out)
    if csv_file:
        files.refuse_same(csv_file, places, "--csv")
        files.ensure_writable(csv_file, "--csv")


def progress(comparison):
    """A function that shows each run before it starts, its failure, and how long the others take.

    It says so once, after the first run that has finished.
    """
    count = comparison.plan.runs
    began, estimated = 0.0, False

    def show(number, record, left):
        nonlocal began, estimated
        if record.state == "running":
            began = time.monotonic()
            click.echo(f"Run {number + 1} of {count}: {comparison.describe(record)}", err=True)
        elif record.state != "finished":
            click.echo(f"{comparison.names[record.name]} {record.state}: {name_flags(record.reason)}", err=True)
        elif left and not estimated:
            estimated = True
            click.echo(estimate_time(time.monotonic() - began, left), err=True)

    return show


def estimate_time(seconds: float, left: int) -> str:
    """How long the runs that are left take, by the seconds of one."""
    others, they = (f"the {left} other runs take", "they end") if left > 1 else ("the other run takes", "it ends")
    return f"That took {format_duration(seconds)}. If {others} as long, {they} in {format_duration(seconds * left)}."


def write_outcome(summary, folder: Path, out: Path | None, csv_file: Path | None, as_json: bool) -> None:
    """Write the outcome to files and print it, as asked for."""
    from shakegen.compare import report

    if csv_file:
        summary.save_csv(csv_file)
    if as_json:
        print_json(summary.to_dict())
    else:
        print_table(summary, folder)
    if out:
        report.save(summary, out)
    for path in filter(None, (csv_file, out)):
        click.echo(f"Saved: {path}", err=True)
    if not any(row.finished for row in summary.rows):
        raise ValueError(f"no run finished: {summary.rows[0].failures[0]}")


def print_table(summary, folder: Path) -> None:
    """Print the table on standard output; all words on standard error, what can be concluded before anything else."""
    from shakegen.compare.conclusions import conclude
    from shakegen.compare.table import columns

    shown = columns(summary)
    say("", *conclude(summary), "", summary.describe(), "")
    table([column.head for column in shown], list(zip(*(column.short for column in shown), strict=True)))
    meanings = "; ".join(f"{column.head}: {column.title}" for column in shown if column.head != column.title)
    say("", *summary.failures, f"{meanings}. {summary.explain_errors()}".strip())
    say(f"Runs: {folder}")


def say(*paragraphs: str) -> None:
    for paragraph in paragraphs:
        click.echo(textwrap.fill(paragraph, 79, replace_whitespace=False, break_long_words=False), err=True)
