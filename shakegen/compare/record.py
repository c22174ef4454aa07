"""A run in a file beside its model: its settings, and its measurements once it has ended. Only Python."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from shakegen.compare.plan import PlannedRun
from shakegen.files import write_whole
from shakegen.model.model_file import rename_losses

FORMAT = "shakegen comparison run"
STATES = ("running", "finished", "diverged", "failed")
ENDED = ("finished", "diverged")  # a repetition would give the same


@dataclass(frozen=True)
class Record:
    """A run and its outcome.

    Attributes:
        name: of the run.
        what: the causes of its results: `corpus`, `config`, `recipe`.
        text: how to read the text again, the arguments of `text.Text`.
        sample: the sample to write in the end: `seed` and `length`.
        state: one of `STATES`; a stopped run is running, for it goes on.
        reason: why it failed or diverged.
        figures: the measurements, by name; `worker.carry_out` lists them.
    """

    name: str
    what: dict
    text: dict
    sample: dict
    state: str = "running"
    reason: str = ""
    figures: dict = field(default_factory=dict)

    @classmethod
    def of(cls, run: PlannedRun, text: dict, corpus: dict, sample: dict) -> "Record":
        """The record of a run that has not begun.

        Args:
            run: of a plan.
            text: how to read the text.
            corpus: the properties of the text that decide the outcome, from `text.identify`.
            sample: the sample to write in the end.
        """
        what = {"corpus": corpus, "config": run.config.to_dict(), "recipe": run.recipe.to_dict()}
        return cls(run.name, json.loads(json.dumps(what)), text, sample)

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ENDED

    def write(self, folder: Path) -> None:
        """Write it to its file, whole or not at all."""
        write_whole(self.path(folder), json.dumps({"format": FORMAT, **vars(self)}).encode(), "--runs")

    def path(self, folder: Path) -> Path:
        return folder / f"{self.name}.json"

    def model(self, folder: Path) -> Path:
        """Where the model file of the run is."""
        return folder / f"{self.name}.h5"

    @classmethod
    def read(cls, path: Path) -> "Record":
        """The record in a file.

        Raises:
            ValueError: it is not one.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values.pop("format") != FORMAT or values["state"] not in STATES:
                raise ValueError
            record = cls(**values)
            if "history" in record.figures:
                record.figures["history"] = rename_losses(record.figures["history"])
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError(
                f"{path} is not a run of a comparison: remove it, or name another folder with --runs"
            ) from None
        return record


def explain_difference(path: Path, before: dict, now: dict) -> str:
    """The message that a run is not that of a file: it names the first difference."""
    other_run = "another run"
    for part, values in now.items():
        for name, value in values.items():
            other = before.get(part, {}).get(name)
            if other != value:
                named = f"{name.replace('_', ' ')} {other}, not {value}"
                other_run = "a run on another text" if name == "sha256" else f"a run with {named}"
                return f"{path} is of {other_run}: name another folder with --runs, or remove this one"
    return f"{path} is of {other_run}: name another folder with --runs, or remove this one"
