"""The outcome of a comparison: a row for each network, with means and spreads over its runs. Only Python."""

import csv
import io
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shakegen.compare.plan import Plan
from shakegen.compare.record import Record
from shakegen.files import write_whole
from shakegen.network.config import Config
from shakegen.text.ngram import Baseline
from shakegen.training.tasks import Task, get_task

COSTS = ("training_characters_per_second", "sampling_characters_per_second", "minutes", "peak_memory_mib")


@dataclass(frozen=True)
class Measurement:
    """A measurement of several runs.

    Attributes:
        values: the value of each run.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """The standard deviation over the runs, n - 1 in its denominator; None of fewer than two."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    def to_dict(self) -> dict:
        return {"mean": self.mean, "spread": self.spread, "values": list(self.values)}


@dataclass(frozen=True)
class Row:
    """One network of a comparison, and its runs.

    Attributes:
        name: of its entry.
        config: the network.
        parameters: its number of weights.
        records: of its runs.
    """

    name: str
    config: Config
    parameters: int
    records: list[Record]

    @cached_property
    def finished(self) -> list[Record]:
        return [record for record in self.records if record.state == "finished"]

    @property
    def failures(self) -> list[str]:
        """Why runs did not finish, each reason once, with the number of runs."""
        reasons = [f"{record.state}: {record.reason}" for record in self.records if record.state != "finished"]
        return [f"{reasons.count(reason)} of {len(self.records)} {reason}" for reason in dict.fromkeys(reasons)]

    @cached_property
    def figures(self) -> dict[str, Measurement]:
        """The measurements of the finished runs, by name: the measures of the task, then `COSTS`."""
        figures = {}
        for measure in get_task(self.config.task).measures:
            figures[measure.name] = self._figure(lambda of, m=measure: (of[m.part] or {}).get(m.key))
        for name in COSTS[:2]:
            figures[name] = self._figure(lambda of, name=name: of[name])
        figures["minutes"] = self._figure(lambda of: of["seconds"] / 60)
        figures["peak_memory_mib"] = self._figure(
            lambda of: of["peak_memory_bytes"] and of["peak_memory_bytes"] / 2**20
        )
        return figures

    def _figure(self, value) -> Measurement:
        values = (value(record.figures) for record in self.finished)
        return Measurement(tuple(value for value in values if value is not None))

    @property
    def histories(self) -> list[list[dict]]:
        """The histories of the finished runs; of all runs if none has finished."""
        records = self.finished or self.records
        return [record.figures["history"] for record in records if record.figures.get("history")]

    @property
    def sample(self) -> str:
        """The sample of the first finished run."""
        return self.finished[0].figures["sample"] if self.finished else ""

    def flat(self) -> dict:
        """All numbers, for a line of a table."""
        sizes = {"name": self.name, "cell": self.config.cell, "units": self.config.units}
        sizes |= {"layers": self.config.layers, **self.config.cell_options, "parameters": self.parameters}
        flat = sizes | {"runs": len(self.records), "finished": len(self.finished)}
        for name, figure in self.figures.items():
            flat |= {name: figure.mean, f"{name}_spread": figure.spread}
        return flat

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        runs = [
            {"name": record.name, "state": record.state, "reason": record.reason}
            | {"random_state": record.what["recipe"]["random_state"], **record.figures}
            for record in self.records
        ]
        return {
            "name": self.name,
            "config": self.config.to_dict(),
            "parameters": self.parameters,
            "failures": self.failures,
            "figures": {name: figure.to_dict() for name, figure in self.figures.items()},
            "runs": runs,
        }


@dataclass(frozen=True)
class Summary:
    """The outcome of a comparison.

    Attributes:
        corpus: the text: name, sha256, length, split.
        plan: the plan of the comparison.
        rows: in the plan's order.
        baseline: the best n-gram model of the text, where the task has one.
    """

    corpus: dict
    plan: Plan
    rows: Sequence[Row]
    baseline: Baseline | None = None

    @property
    def task(self) -> Task:
        """The task that the networks learned."""
        return get_task(self.rows[0].config.task)

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        baseline = self.baseline and self.baseline._asdict()
        rows = [row.to_dict() for row in self.rows]
        return {"corpus": self.corpus, "baseline": baseline, **self.plan.to_dict(), "rows": rows}

    def save_csv(self, path: Path) -> None:
        """Write the table, a line for each network, whole or not at all.

        Raises:
            OSError: the file cannot be written.
        """
        content = io.StringIO(newline="")
        rows = [row.flat() for row in self.rows]
        names = dict.fromkeys(name for row in rows for name in row)  # cells have different options
        writer = csv.DictWriter(content, names)
        writer.writeheader()
        writer.writerows(rows)
        write_whole(path, content.getvalue().encode(), "`csv`")

    def describe(self) -> str:
        """The plan in a few sentences."""
        plan, corpus, first = self.plan, self.corpus, self.plan.recipe.random_state
        equal = {"units": "number of units", "parameters": "number of weights within 1 %", "time": "time"}[plan.match]
        states = f"random states {first} to {first + plan.repeats - 1}" if plan.repeats > 1 else f"random state {first}"
        split = ", ".join(map(str, corpus["split"]))
        means = " Means ± standard deviations." if plan.repeats > 1 else ""
        baseline = f" On the validation text {self.baseline}." if self.baseline else ""
        return (
            f"Text: {corpus['name']}, {corpus['length']:,} characters, split {split}. The networks have the same "
            f"{equal}, and learn for {plan.budget} each, with {states}.{means}{baseline}"
        )
