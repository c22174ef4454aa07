"""A comparison from its plan to its outcome."""

import itertools
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from shakegen.compare import runs
from shakegen.compare.matching import count_recurrent, count_weights
from shakegen.compare.plan import Plan
from shakegen.compare.record import Record, Text, identify, plan_records
from shakegen.compare.summary import BaselineRow, Row, Summary, measure_scores
from shakegen.compare.tuning import collect_trials
from shakegen.files import explaining, replacing
from shakegen.network.config import Config
from shakegen.text import catalog
from shakegen.text.reading import Source
from shakegen.training.tasks import get_task

log = logging.getLogger(__name__)


class Comparison:
    """Networks trained on the same text, in the same order, for the same time.

    Args:
        text: the text that they learn from.
        plan: the networks, and their equal budget.
        folder: for the model file and the measurements of each run. A run that has ended there is not done again, a
            stopped one goes on. By default `models/compare-<corpus>`, or the next number where other runs are there.
        seed: the text that samples continue; None leaves it to the task.
        length: the length of samples, in new characters.

    Attributes:
        records: of the first runs before they begin, in their order: the trials if settings are tuned, else all runs.
        names: the names of the plan's entries, by the names of records.
        origin: the properties of the text that decide the outcome, with its name and its length.

    Raises:
        OSError: the text cannot be read.
        ValueError: nothing can be learned from it, there is no validation text to choose settings by, or the length is
            below 0.
    """

    def __init__(
        self, text: Text, plan: Plan, folder: str | Path | None = None, seed: str | None = None, length: int = 300
    ):
        if length < 0:
            raise ValueError(f"the length of the samples is {length}: expected 0 or more")
        source = catalog.open_source(text.places, **text.reading)
        task = get_task(plan.task)
        recipe = plan.recipe  # all repeats learn from the corpus of the first one
        options = task.corpus_options(recipe.seq_length, recipe.random_state, None, level=plan.first.level)
        text = replace(text, shape={**text.shape, **options})
        corpus = task.make_corpus(source, **text.shape)
        corpus.check_parts()
        self.plan = plan = replace(plan, recipe=task.fit_recipe(recipe, corpus))
        if plan.tune and not len(corpus.validation):
            raise ValueError("to tune is to choose by the validation text: expected a split that has some")
        self.identity = identify(corpus)
        self.sizes = len(corpus.vocabulary), len(corpus.output_vocabulary)
        self.origin = {"name": source.name, **self.identity}
        self.sample = {"seed": seed, "length": length}
        self.names: dict[str, str] = {}
        records = self._plan_records(plan.try_out() if plan.tune else plan, text)
        self.folder = Path(folder) if folder else runs.find_folder(records, f"compare-{source.name}")
        if not folder and self.folder.name != f"compare-{source.name}":
            log.info("models/compare-%s has other runs: these go to %s.", source.name, self.folder)
        self.text = spool(text, source, self.folder, corpus.sha256) if "-" in text.places else text
        self.records = [replace(record, text=self.text.to_dict()) for record in records]

    def count(self, config: Config) -> int:
        """The number of weights of a network for the text."""
        return count_weights(config, *self.sizes)

    def describe(self, record: Record) -> str:
        """The network of a run, and its random state, in words."""
        sizes = f"{record.config.units} units, {self.count(record.config):,} weights"
        return f"{self.names[record.name]}, {sizes}, random state {record.random_state}"

    def _plan_records(self, plan: Plan, text: Text) -> list[Record]:
        configs = plan.configs(count_recurrent if plan.match == "recurrent" else self.count)
        records = plan_records(plan, configs, text.to_dict(), self.identity, self.sample)
        entries = itertools.cycle(plan.entries)
        self.names |= {record.name: entry.name for record, entry in zip(records, entries, strict=False)}
        return records

    def carry_out(self, show: Callable[[int, Record, int], None] | None = None) -> Summary:
        """Do the runs that are left, each in a process of its own, and sum up.

        Args:
            show: as for `runs.carry_out`.

        Raises:
            Interrupted, OSError, ValueError: as `runs.carry_out`.
        """
        plan, trials, baselines = self.plan, [], self._measure_baselines()  # before anybody can change the text
        if plan.tune:
            later = self.plan.runs - len(self.records)
            trials = collect_trials(plan, runs.carry_out(self.records, self.folder, show, later=later))
            plan = plan.choose(trial.chosen for trial in trials)
        before = len(self.records) - len(plan.entries) if trials else 0  # the first repeats were trials
        records = runs.carry_out(self._plan_records(plan, self.text), self.folder, show, before)
        count = len(plan.entries)
        rows = [self._make_row(entry.name, records[number::count]) for number, entry in enumerate(plan.entries)]
        return Summary(self.origin, plan, rows, baselines, trials)

    def _make_row(self, name: str, records: list[Record]) -> Row:
        config = records[0].config
        return Row(name, config, self.count(config), count_recurrent(config), records)

    def _measure_baselines(self) -> list[BaselineRow]:
        task = get_task(self.plan.task)
        scores = task.score_baselines(self.text.load(task))
        return [BaselineRow(name, measure_scores(task, {None: both})) for name, both in scores.items()]


def spool(text: Text, source: Source, folder: Path, sha256: str) -> Text:
    """Keep a text in a file of its own, because every run reads it anew; standard input is a part of it."""
    path = folder / f".{source.name}-{sha256[:12]}.txt"  # another comparison may be at work there, on another text
    with explaining(path, "`runs`"), replacing(path) as file:
        for block in source.blocks():
            file.write(block.encode("utf-8", "surrogatepass"))
    return Text([str(path)], {"encoding": "utf-8"}, text.shape)
