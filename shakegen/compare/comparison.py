"""A comparison from its plan to its outcome."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from shakegen.compare import runs
from shakegen.compare.matching import count_weights
from shakegen.compare.plan import Plan
from shakegen.compare.record import Record, Text, identify, plan_records
from shakegen.compare.summary import Row, Summary
from shakegen.files import explaining, replacing
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
        configs: the networks, by the names of the plan's entries.
        records: of all runs before they begin, in the order in which they are carried out.
        parameters: the number of weights of each network, by name.
        identity: the properties of the text that decide the outcome.
        origin: the same, with the name and the length of the text.

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
        self.plan, task = plan, get_task(plan.task)
        recipe = plan.recipe  # all repeats learn from the corpus of the first one
        options = task.corpus_options(recipe.seq_length, recipe.random_state, None, level=plan.first.level)
        text = replace(text, shape={**text.shape, **options})
        corpus = task.make_corpus(source, **text.shape)
        corpus.check_parts()
        self.identity, sizes = identify(corpus), (len(corpus.vocabulary), len(corpus.output_vocabulary))
        self.origin = {"name": source.name, **self.identity}
        self.configs = plan.configs(lambda config: count_weights(config, *sizes))
        self.parameters = {name: count_weights(config, *sizes) for name, config in self.configs.items()}
        sample = {"seed": seed, "length": length}
        records = plan_records(plan, self.configs, text.to_dict(), self.identity, sample)
        self.folder = Path(folder) if folder else runs.find_folder(records, f"compare-{source.name}")
        if not folder and self.folder.name != f"compare-{source.name}":
            log.info("models/compare-%s has other runs: these go to %s.", source.name, self.folder)
        self.text = spool(text, source, self.folder) if "-" in text.places else text
        self.records = [replace(record, text=self.text.to_dict()) for record in records]

    def carry_out(self, show: Callable[[int, Record, int], None] | None = None) -> Summary:
        """Do the runs that are left, each in a process of its own, and sum up.

        Args:
            show: as for `runs.carry_out`.

        Raises:
            Stopped, OSError, ValueError: as `runs.carry_out`.
        """
        records, count = runs.carry_out(self.records, self.folder, show), len(self.configs)
        rows = [
            Row(name, config, self.parameters[name], records[number::count])
            for number, (name, config) in enumerate(self.configs.items())
        ]
        task = get_task(self.plan.task)
        return Summary(self.origin, self.plan, rows, task.measure_baseline(self.text.load(task)))


def spool(text: Text, source: Source, folder: Path) -> Text:
    """Keep a text in a file, because every run reads it anew; standard input is a part of it."""
    path = folder / f".{source.name}.txt"
    with explaining(path, "`runs`"), replacing(path) as file:
        for block in source.blocks():
            file.write(block.encode("utf-8", "surrogatepass"))
    return Text([str(path)], {"encoding": "utf-8"}, text.shape)
