"""A setting that is chosen for each network of a comparison, by the validation text. Only Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shakegen.compare.plan import Entry, Plan
from shakegen.compare.record import Record
from shakegen.training.tasks import get_task


@dataclass(frozen=True)
class Trial:
    """The runs that choose a setting for one network.

    Attributes:
        entry: the network before.
        setting: the name of the setting.
        losses: on the validation text by the values that were tried; None where the run did not finish.
    """

    entry: Entry
    setting: str
    losses: Mapping[float, float | None]

    @property
    def chosen(self) -> float:
        """The value with the lowest loss; the first one if no run finished."""
        return min(self.losses, key=lambda value: (self.losses[value] is None, self.losses[value] or 0.0))

    @property
    def at_edge(self) -> bool:
        """Whether it is the least or the largest value that was tried, so that one beyond may be better.

        There is none below a dropout of 0.
        """
        if self.losses[self.chosen] is None:  # no run finished, and nothing chose it
            return False
        return self.chosen in (min(self.losses), max(self.losses)) and self.chosen > 0

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        tried = [{"value": value, "validation": loss} for value, loss in self.losses.items()]
        return {"name": self.entry.name, "setting": self.setting, "chosen": self.chosen, "tried": tried}


def collect_trials(plan: Plan, records: Sequence[Record]) -> list[Trial]:
    """The trials of the entries of a plan that are tuned, from the records of `plan.try_out()`, in its order."""
    measure = next(one for one in get_task(plan.task).measures if one.part == "validation")
    setting, values = plan.tune or ("", ())
    trials, left = [], iter(records)
    for entry in plan.entries:
        tried = [next(left) for _ in (values if plan.is_tuned(entry) else (None,))]
        if plan.is_tuned(entry):
            losses = [one.figures["validation"][measure.key] if one.state == "finished" else None for one in tried]
            trials.append(Trial(entry, setting, dict(zip(values, losses, strict=True))))
    return trials
