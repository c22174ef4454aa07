"""A comparison from its plan to its outcome."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from shakegen.compare import runs
from shakegen.compare.matching import weights_of
from shakegen.compare.plan import Plan, Run
from shakegen.compare.record import Record
from shakegen.compare.summary import Row, Summary
from shakegen.compare.text import Text, identify
from shakegen.files import explaining, temporary_beside
from shakegen.text import catalog
from shakegen.text.reading import Source
from shakegen.training.tasks import get_task


class Comparison:
    """Networks trained on the same text, in the same order, for the same time.

    Args:
        text: what they learn from.
        plan: which, and what is held equal.
        folder: where the model file and the figures of each run go. A run that has ended there is not done again, one
            that was stopped goes on. By default `models/compare-<corpus>`.
        seed: what the samples continue; None leaves that to the task.
        length: of the samples, in new characters.

    Attributes:
        runs: all runs, in the order in which they are carried out.
        parameters: the number of weights of each network, by the names of the plan's entries.
        identity: what of the text decides what is learned from it.
        origin: that, and what the text is called and how long it is.

    Raises:
        OSError: the text cannot be read.
        ValueError: nothing can be learned from it, the numbers of weights cannot be matched, or the length is below 0.
    """

    def __init__(
        self, text: Text, plan: Plan, folder: str | Path | None = None, seed: str | None = None, length: int = 300
    ):
        if length < 0:
            raise ValueError(f"the length of the samples is {length}: expected 0 or more")
        source = catalog.open_source(text.places, **text.reading)
        self.plan, self.folder = plan, Path(folder or Path("models") / f"compare-{source.name}")
        self.sample, task = {"seed": seed, "length": length}, get_task(plan.task)
        text = spooled(text, source, self.folder) if "-" in text.places else text
        recipe = plan.recipe  # all repeats learn from the corpus of the first one
        options = task.corpus_options(plan.first, recipe.seq_length, recipe.random_state, None)
        self.text = replace(text, shape={**text.shape, **options})
        corpus = self.text.load(task)
        corpus.check_parts()
        self.identity, sizes = identify(corpus), (len(corpus.vocabulary), len(corpus.output_vocabulary))
        self.origin = {"name": source.name, **self.identity}
        self.runs = plan.runs(lambda config: weights_of(config, *sizes))
        self.parameters = {run.entry.name: weights_of(run.config, *sizes) for run in self.runs}

    def carry_out(self, show: Callable[[int, Run, Record], None] | None = None) -> Summary:
        """Do what is left to do, each run in a process of its own, and sum up.

        Args:
            show: told the number of a run, from 0, the run, and its record, before it starts and when it has ended.
                None shows nothing, of the training either.

        Raises:
            Stopped, OSError, ValueError: as `runs.carry_out`.
        """
        records = [Record.of(run, self.text.to_dict(), self.identity, self.sample) for run in self.runs]
        told = show and (lambda number, record: show(number, self.runs[number], record))
        records = runs.carry_out(records, self.folder, told)
        rows = []
        for name, count in self.parameters.items():
            of = [record for run, record in zip(self.runs, records, strict=True) if run.entry.name == name]
            config = next(run.config for run in self.runs if run.entry.name == name)
            rows.append(Row(name, config, count, of))
        return Summary(self.origin, self.plan, rows)


def spooled(text: Text, source: Source, folder: Path) -> Text:
    """A text of which standard input is a part, kept in a file, for every run reads it anew."""
    path = folder / f"{source.name}.txt"
    with explaining(path, "--runs"):
        folder.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as (file, name):
            for block in source.blocks():
                file.write(block.encode("utf-8", "surrogatepass"))
            os.replace(name, path)
    return Text([str(path)], {"encoding": "utf-8"}, text.shape)
