"""The outcome of a comparison: a row for each network, with its figures over its runs. Only numpy."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shakegen.compare.measurement import Measurement
from shakegen.compare.plan import Plan
from shakegen.compare.record import COSTS, Record
from shakegen.compare.tuning import Trial
from shakegen.files import write_whole
from shakegen.network.config import Config
from shakegen.training.tasks import Measure, Task, get_task


def measure_scores(task: Task, scores: Mapping) -> dict[str, Measurement]:
    """The measures of a task by name, from its scores of both parts of a text, by random states."""
    figures = {}
    for measure in task.measures:
        of = {state: both[measure.part] or {} for state, both in scores.items()}
        values = {state: one[measure.key] for state, one in of.items() if one.get(measure.key) is not None}
        blocks = {state: one.get("blocks", {}).get(measure.key) for state, one in of.items()}
        figures[measure.name] = Measurement(values, {state: some for state, some in blocks.items() if some})
    return figures


@dataclass(frozen=True)
class Row:
    """One network of a comparison, and its runs.

    Attributes:
        name: of its entry.
        config: the network.
        parameters: its number of weights.
        recurrent: how many of them neither read symbols nor predict them.
        records: of its runs.
    """

    name: str
    config: Config
    parameters: int
    recurrent: int
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
        runs = {record.random_state: record.figures for record in self.finished}
        figures = measure_scores(get_task(self.config.task), runs)
        for name, (key, unit) in COSTS.items():
            figures[name] = Measurement({state: of[key] / unit for state, of in runs.items() if of[key] is not None})
        return figures

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
        sizes = {"name": self.name, "cell": self.config.cell, "units": self.config.units, "layers": self.config.layers}
        sizes |= {**self.config.cell_options, "parameters": self.parameters, "recurrent_parameters": self.recurrent}
        return {**sizes, "runs": len(self.records), "finished": len(self.finished), **flatten(self.figures)}

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        runs = [
            {"name": record.name, "state": record.state, "reason": record.reason}
            | {"random_state": record.random_state, **record.figures}
            for record in self.records
        ]
        return {
            "name": self.name,
            "config": self.config.to_dict(),
            "parameters": self.parameters,
            "recurrent_parameters": self.recurrent,
            "failures": self.failures,
            "figures": {name: figure.to_dict() for name, figure in self.figures.items()},
            "runs": runs,
        }


@dataclass(frozen=True)
class BaselineRow:
    """A model beside the networks that needs no training run.

    Attributes:
        name: of it.
        figures: the measures of the task, by name; without values where it has none.
    """

    name: str
    figures: dict[str, Measurement]

    def flat(self) -> dict:
        """All numbers, for a line of a table."""
        return {"name": self.name, **flatten(self.figures)}

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        return {"name": self.name, "figures": {name: figure.to_dict() for name, figure in self.figures.items()}}


def flatten(figures: Mapping[str, Measurement]) -> dict:
    """Means, spreads and errors by name."""
    return {
        f"{name}{end}": value
        for name, figure in figures.items()
        for end, value in (("", figure.mean), ("_spread", figure.spread), ("_error", figure.error))
    }


@dataclass(frozen=True)
class Summary:
    """The outcome of a comparison.

    Attributes:
        corpus: the text: name, sha256, length, split.
        plan: the plan of the comparison, with the settings that were chosen.
        rows: in the plan's order.
        baselines: models that need no run, where the task has some.
        trials: the settings that were tried for each network before.
    """

    corpus: dict
    plan: Plan
    rows: Sequence[Row]
    baselines: Sequence[BaselineRow] = ()
    trials: Sequence[Trial] = ()

    @property
    def task(self) -> Task:
        """The task that the networks learned."""
        return get_task(self.rows[0].config.task)

    @property
    def everything(self) -> list[Row | BaselineRow]:
        """The rows of the networks, then those of the baselines."""
        return [*self.rows, *self.baselines]

    @cached_property
    def measure(self) -> Measure:
        """The measure that decides: the loss on test text, or on validation text if that is all there is."""
        losses = [next(one for one in self.task.measures if one.part == part) for part in ("test", "validation")]
        return next((one for one in losses if any(row.figures[one.name].values for row in self.rows)), losses[0])

    @cached_property
    def differences(self) -> dict[str, Measurement]:
        """How much larger the deciding loss of each other row is than that of the first network, by name."""
        first, *others = self.everything
        own = first.figures[self.measure.name]
        return {row.name: row.figures[self.measure.name].minus(own) for row in others}

    def match_error(self, row: Row) -> float | None:
        """The share by which a network is larger than the number of weights that were to be equal."""
        if self.plan.match not in ("parameters", "recurrent"):
            return None
        counts = [one.parameters if self.plan.match == "parameters" else one.recurrent for one in (row, self.rows[0])]
        return counts[0] / (self.plan.parameters or counts[1]) - 1

    @property
    def failures(self) -> list[str]:
        """Why runs did not finish, by rows."""
        return [f"{row.name}: {failure}" for row in self.rows for failure in row.failures]

    @cached_property
    def without_text(self) -> list[str]:
        """The rows whose difference has no error for other text, though the first network's figure has one."""
        known = self.rows[0].figures[self.measure.name].text_error is not None
        return [
            name
            for name, one in self.differences.items()
            if known and one.runs_error is not None and one.text_error is None
        ]

    def explain_errors(self) -> str:
        """What ± means in the table."""
        figures = [row.figures[self.measure.name] for row in self.rows]
        texts = any(figure.text_error is not None for figure in figures)
        over = ["other random states"] * (self.plan.repeats > 1) + ["other text of this kind"] * texts
        if not over:
            return ""
        sentences = [f"± is half of a 95 % interval, for {' and '.join(over)}."]
        if texts and (bare := self._list_figures_of_runs()):
            named = " and ".join(filter(None, (", ".join(bare[:-1]), bare[-1])))
            sentences.append(f"That of {named}: for other random states only.")
        if self.differences:
            sentences.append(f"Differences are paired by random state{' and by block of the text' * texts}.")
        if self.without_text:
            sentences.append(f"The difference of {' and '.join(self.without_text)}: for other random states only.")
        if self.plan.repeats > 1:
            found = {row.name: figure for row, figure in zip(self.rows, figures, strict=True)}
            for what, ones in (("figures", found), ("difference", self.differences)):
                if lone := [name for name, one in ones.items() if one.text_error and one.runs_error is None]:
                    sentences.append(f"The {what} of {' and '.join(lone)}, from one run: for other text only.")
        return " ".join(sentences)

    def _list_figures_of_runs(self) -> list[str]:
        """The heads of columns whose errors are not for other text, though some of the table are."""
        if self.plan.repeats == 1:
            return []
        heads = {measure.name: measure.head for measure in self.task.measures} | {"epochs": "epochs"}
        shown = {name: [row.figures[name] for row in self.rows if row.figures[name].values] for name in heads}
        return [
            heads[name]
            for name, figures in shown.items()
            if any(one.error for one in figures) and all(one.text_error is None for one in figures)
        ]

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        from shakegen.compare.conclusions import conclude

        differences = {name: one.to_dict() for name, one in self.differences.items()}
        rows = [row.to_dict() | {"match_error": self.match_error(row)} for row in self.rows]
        baselines = [row.to_dict() for row in self.baselines]
        for one in (*rows, *baselines):
            one["difference"] = differences.get(one["name"])
        about = {"corpus": self.corpus, "conclusions": conclude(self), **self.plan.to_dict()}
        trials = [trial.to_dict() for trial in self.trials]
        return {**about, "measure": self.measure.name, "trials": trials, "rows": rows, "baselines": baselines}

    def save_csv(self, path: Path) -> None:
        """Write the table, a line for each network and baseline, whole or not at all.

        Raises:
            OSError: the file cannot be written.
        """
        content, lines = io.StringIO(newline=""), []
        for row in self.everything:
            difference = self.differences.get(row.name)
            lines.append(row.flat() | (flatten({"difference": difference}) if difference else {}))
        names = dict.fromkeys(name for line in lines for name in line)  # cells have different options
        writer = csv.DictWriter(content, names)
        writer.writeheader()
        writer.writerows(lines)
        write_whole(path, content.getvalue().encode(), "`csv`")

    def describe(self) -> str:
        """The plan in a few sentences."""
        plan, corpus, first = self.plan, self.corpus, self.plan.recipe.random_state
        equal = {"units": "units", "parameters": "weights", "recurrent": "recurrent weights"}.get(plan.match)
        alike = f"have equally many {equal}, and learn" if equal else "learn"
        states = f"random states {first} to {first + plan.repeats - 1}" if plan.repeats > 1 else f"random state {first}"
        split = ", ".join(map(str, corpus["split"]))
        tuned = ""
        if self.trials:
            setting, count = self.trials[0].setting.replace("_", " "), len(self.trials[0].losses)
            tuned = (
                f" The validation text chose the {setting} of each tuned network among {count} runs with random state "
                f"{first}; the best of these is its first repeat, too, which flatters it a little."
            )
        return (
            f"Text: {corpus['name']}, {corpus['length']:,} characters, split {split}. The networks {alike} for "
            f"{plan.budget} each, with {states}.{tuned}"
        )
