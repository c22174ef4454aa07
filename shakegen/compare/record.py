"""A run in a file beside its model: its settings, and its measurements once it has ended. Only numpy."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from shakegen.cells.graph import digest
from shakegen.cells.registry import BUILT_IN
from shakegen.compare.plan import Plan
from shakegen.files import parse_json, write_whole
from shakegen.model.model_file import is_epoch, is_number
from shakegen.network.config import Config
from shakegen.text import catalog
from shakegen.text.splits import PARTS
from shakegen.training.tasks import Task

FORMAT = "shakegen comparison run"
STATES = ("running", "finished", "diverged", "failed")
ENDED = ("finished", "diverged")  # a repetition would give the same
COSTS = {
    "training_characters_per_second": ("training_characters_per_second", 1),
    "sampling_characters_per_second": ("sampling_characters_per_second", 1),
    "epochs": ("epochs", 1),
    "minutes": ("seconds", 60),
    "peak_memory_mib": ("peak_memory_bytes", 2**20),
}  # figures of a table by name: the name in a record, and what it is divided by
TYPED = ("typed", "positions", "top_1", "top_2", "top_3")  # the figures of autocomplete by characters typed


@dataclass(frozen=True)
class Text:
    """A text to learn from, and how it is read.

    Attributes:
        places: files, folders or names, as for `catalog.open_source`.
        reading: how they are read, likewise.
        shape: the options of a task's `make_corpus`.
    """

    places: Sequence[str]
    reading: dict
    shape: dict

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        return {"places": list(self.places), "reading": self.reading, "shape": self.shape}

    def load(self, task: Task):
        """The corpus of the text for a task."""
        return task.make_corpus(catalog.open_source(self.places, **self.reading), **self.shape)


def identify(corpus) -> dict:
    """The properties of a corpus that decide the outcome of training on it, ready for JSON."""
    origin = {name: value for name, value in corpus.origin().items() if name != "name"}
    return {**origin, "outputs": len(corpus.output_vocabulary)}


def describe_cell(config: Config) -> dict:
    """The equations of a cell that this package lacks, as a cause of the results: its file may change."""
    if config.cell in BUILT_IN:
        return {}
    return {"cell": {"equations": digest(config.make_cell(), config.embedding or config.units)}}


@dataclass(frozen=True)
class Record:
    """A run and its outcome.

    Attributes:
        name: of the run.
        what: the causes of its results: `corpus`, `config`, `recipe`, and `cell`, the equations of one that this
            package lacks.
        text: how to read the text again, the arguments of `Text`.
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

    @property
    def config(self) -> Config:
        """The network."""
        return Config.from_dict(self.what["config"])

    @property
    def random_state(self) -> int:
        """Of the run."""
        return self.what["recipe"]["random_state"]

    @property
    def has_ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ENDED

    def fail(self, folder: Path, reason: str) -> "Record":
        """The record of this run once it has failed, with all that its file has by then."""
        return replace(Record.read(self.path(folder)), state="failed", reason=reason)

    def write(self, folder: Path) -> None:
        """Write it to its file, whole or not at all."""
        write_whole(self.path(folder), json.dumps({"format": FORMAT, **vars(self)}, allow_nan=False).encode(), "`runs`")

    def path(self, folder: Path) -> Path:
        return folder / f"{self.name}.json"

    def model(self, folder: Path) -> Path:
        """Where the model file of the run is."""
        return folder / f"{self.name}.h5"

    def is_whole(self) -> bool:
        """Whether its parts have the right types; raises KeyError, TypeError or AttributeError if one is missing."""
        of, finished = self.figures, self.state == "finished"
        scores = [score for part in PARTS[1:] for score in (of[part] or {}).items()] if finished else []
        rows = [row for _, score in scores if isinstance(score, list) for row in score]
        blocks = [block for name, score in scores if name == "blocks" for one in score.values() for block in one]
        numbers = [score for name, score in scores if name != "blocks" and not isinstance(score, list)]
        numbers += [row[key] for row in rows for key in TYPED]
        numbers += [of[name] for name, _ in COSTS.values()] if finished else []
        return (
            all(isinstance(part, dict) for part in (self.what, *self.what.values(), self.text, self.sample, of))
            and all(isinstance(text, str) for text in (self.name, self.reason, of.get("sample", "")))
            and all(number is None or is_number(number) for number in numbers)
            and all(map(is_number, blocks))
            and all(map(is_epoch, of.get("history", [])))
            and (not finished or is_number(of["seconds"]))
        )

    @classmethod
    def read(cls, path: Path) -> "Record":
        """The record in a file.

        Raises:
            ValueError: it is not one.
        """
        try:
            values = parse_json(path.read_text(encoding="utf-8"))
            if values.pop("format") != FORMAT or values["state"] not in STATES:
                raise ValueError
            record = cls(**values)
            if not record.is_whole():
                raise ValueError
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError(
                f"{path} is not a run of a comparison: remove it, or name another folder with `runs`"
            ) from None
        return record


def plan_records(plan: Plan, configs: dict[str, Config], text: dict, corpus: dict, sample: dict) -> list[Record]:
    """The records of the runs of a plan before they begin: the first run of each network, then the second, and so on.

    Args:
        plan: the networks and their training.
        configs: the networks, by the names of their entries.
        text: how to read the text.
        corpus: the properties of the text that decide the outcome, from `identify`.
        sample: the sample to write in the end.
    """
    records = []
    for repeat in range(plan.repeats):
        for entry in plan.entries:
            config = configs[entry.name]
            what = {"corpus": corpus, "config": config.to_dict(), "recipe": plan.make_recipe(entry, repeat).to_dict()}
            what |= describe_cell(config)
            records.append(Record(f"{entry.file_name}-{repeat}", json.loads(json.dumps(what)), text, sample))
    return records


def explain_difference(path: Path, before: dict, now: dict) -> str:
    """The message that a run is not that of a file: it names the first difference."""
    pairs = [(name, before.get(part, {}).get(name), value) for part in now for name, value in now[part].items()]
    name, *values = next((pair for pair in pairs if pair[1] != pair[2]), ("", None, None))
    was, wanted = ("none" if value is None else value for value in values)
    other = {"": "another run", "sha256": "a run on another text", "equations": "a cell with other equations"}
    run = other.get(name, f"a run with {name.replace('_', ' ')} {was}, not {wanted}")
    return f"{path} is of {run}: name another folder with `runs`, or remove this one"
