"""How far a training run has come."""

from dataclasses import asdict, dataclass

from shakegen.checks import is_number
from shakegen.model.model_file import ModelFileError


@dataclass
class Position:
    """How far a run has come.

    Attributes:
        step: batches learned from.
        reports: epochs, or parts of long ones, that have ended.
        rate: the learning rate of the last batch.
        planned_rate: the recipe's rate for the last batch.
        rate_scale: a factor of the recipe's rates, 1 unless callbacks such as `ReduceLROnPlateau` have set the rate.
        loss, losses: the sum of the losses since the last report, and their number.
        seconds: since the run began, without those between a stop and a resumption.
        first: of these, up to the end of the first batch, which compiles.
        ended: the minutes that were given when the clock ended it; 0 as long as it has not.
        busy, timed: the seconds that batches took since the last report, and how many these were; the first one of a
            process, which compiles, is not among them.
    """

    step: int = 0
    reports: int = 0
    rate: float = 0.0
    planned_rate: float = 0.0
    rate_scale: float = 1.0
    loss: float = 0.0
    losses: int = 0
    seconds: float = 0.0
    first: float = 0.0
    ended: float = 0.0
    busy: float = 0.0
    timed: int = 0

    @classmethod
    def from_dict(cls, values) -> "Position":
        """The position with these attributes; raises ModelFileError if one is missing, unknown or out of range."""
        kinds = {name: type(value) for name, value in asdict(cls()).items()}
        if isinstance(values, dict):
            usable = values.keys() == kinds.keys() and all(is_number(value) and value >= 0 for value in values.values())
            if usable and all(type(values[name]) is int for name in kinds if kinds[name] is int):
                return cls(**values)
        raise ModelFileError("the position of the training run to resume is impossible: the file may be damaged")
