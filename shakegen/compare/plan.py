"""The plan of a comparison: the networks, their equal budget, and their runs. Only Python."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from shakegen.cells.registry import STANDARD, find_cell, option_names, parse_cell
from shakegen.compare.matching import match_weights
from shakegen.network.config import Config
from shakegen.training.recipe import LARGEST_RANDOM_STATE, Recipe

MATCHES = ("units", "parameters", "recurrent", "time")
TUNED = ("learning_rate", "dropout")  # settings that leave the number of weights as it is
OWN: dict[str, type] = dict.fromkeys(("units", "layers", "embedding", "convolution", "mlp"), int)
OWN |= dict.fromkeys(("learn_initial_state", "residual", "variational_dropout"), bool)
OWN |= dict.fromkeys(("dropout", "learning_rate"), float)


@dataclass(frozen=True)
class Entry:
    """One of the networks that are compared.

    Attributes:
        cell: the recurrent unit.
        settings: its own, by name; they override the settings of all networks.
    """

    cell: str
    settings: dict = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Entry":
        """The entry of `CELL[:SETTING=VALUE]…`, such as `nlstm:depth=3`.

        Raises:
            ValueError: there is no cell or setting of this name, or the value is of another kind.
        """
        cell, settings = parse_cell(text, OWN)
        return cls(cell.name, settings)

    @property
    def name(self) -> str:
        """For example `gru`, or `nlstm:depth=3` with settings of its own."""
        return ":".join([self.cell, *(f"{name}={format_value(value)}" for name, value in self.settings.items())])

    @property
    def file_name(self) -> str:
        """The name as a part of a file's name."""
        return re.sub(r"[^\w.]+", "-", self.name.replace("=", ""))


def parse_tune(text: str) -> tuple[str, tuple[float, ...]]:
    """The name and the values of a setting to choose: `learning-rate=3e-3,6e-3,1e-2`.

    Raises:
        ValueError: the setting cannot be chosen, or there are not two values or more.
    """
    name, _, values = text.partition("=")
    name = name.strip().replace("-", "_")
    try:
        numbers = tuple(dict.fromkeys(map(float, values.split(","))))
    except ValueError:
        numbers = ()
    if name not in TUNED or len(numbers) < 2:
        raise ValueError(
            f"cannot tune {text!r}: expected {' or '.join(TUNED).replace('_', '-')}, =, and two numbers or more with "
            "commas between them, such as learning-rate=3e-3,6e-3,1e-2"
        )
    return name, numbers


def format_value(value) -> str:
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value).lower()


@dataclass(frozen=True)
class Plan:
    """A comparison before it begins.

    Attributes:
        entries: the networks.
        recipe: how all learn; its random state is that of the first repeat, the next ones have the next numbers.
        match: the quantity that is held equal: `units`; `parameters`, the number of weights; `recurrent`, the number of
            weights that neither read nor predict symbols; or `time`, the minutes, which the recipe must have.
            For weights, the units are found: within 1 % or as near as whole units allow.
        repeats: runs of each network, with different random states.
        settings: settings of `Config` for all networks.
        parameters: the number of weights to match; None takes that of the first network with its units.
        task: the task of the networks, one of `config.TASKS`; it decides the default settings.
        tune: the name and the values of a setting, one of `TUNED`, to choose for each entry without one of its own:
            the value whose run with the first random state has the lowest loss on the validation text.

    Raises:
        ValueError: something is missing, is given twice, or contradicts the match.
    """

    entries: tuple[Entry, ...]
    recipe: Recipe
    match: str = "units"
    repeats: int = 5
    settings: dict = field(default_factory=dict)
    parameters: int | None = None
    task: str = "next"
    tune: tuple[str, tuple[float, ...]] | None = None

    def __post_init__(self):
        if self.match not in MATCHES:
            raise ValueError(f"there is no match {self.match!r}: expected one of {', '.join(MATCHES)}")
        task = self._find_task()
        files = [entry.file_name for entry in self.entries]
        twice = next((entry.name for entry in self.entries if files.count(entry.file_name) > 1), None)
        if not files:
            raise ValueError(f"there is nothing to compare: expected cells such as {','.join(STANDARD)}")
        if twice:
            raise ValueError(f"{twice} is there twice: expected each cell once, or with different settings")
        most = LARGEST_RANDOM_STATE - self.recipe.random_state + 1
        if type(self.repeats) is not int or not 1 <= self.repeats <= most:
            raise ValueError(f"the number of repeats is {self.repeats}: expected a whole number from 1 to {most}")
        if self.match == "time" and self.recipe.minutes is None:
            raise ValueError("to match time is to hold the minutes equal: expected `minutes`, not `epochs`")
        task.check_recipe(self.recipe)
        self._refuse_contradictions()
        for entry in self.entries:
            self._config(entry)
            self.make_recipe(entry, 0)
        if self.tune:
            self.try_out()

    def _find_task(self):
        from shakegen.training.tasks import get_task  # numpy and the rooms of every task, for which no help should wait

        return get_task(self.task)

    def _refuse_contradictions(self) -> None:
        shared = {name for entry in self.entries for name in find_cell(entry.cell).options()}
        idle = next((name for name in self.settings if name in option_names() and name not in shared), None)
        if idle:
            raise ValueError(f"`{idle}` is given, but no cell that is compared has it: leave it out")
        own = next((entry.name for entry in self.entries if "units" in entry.settings), None)
        if own and self.match != "time":
            raise ValueError(f"{own} has units of its own, but {self.match} are to be equal: leave them out")
        if self.parameters is None:
            return
        if self.match not in ("parameters", "recurrent"):
            raise ValueError(f"a number of parameters is given, but {self.match} is to be equal: leave out one of them")
        if "units" in self.settings:
            raise ValueError("`units` and `parameters` are both given: expected one of them, the other follows")
        if type(self.parameters) is not int or self.parameters < 1:
            raise ValueError(f"the number of parameters is {self.parameters}: expected a whole number above 0")

    def _config(self, entry: Entry, units: int | None = None) -> Config:
        own = {name: value for name, value in entry.settings.items() if name != "learning_rate"}
        own |= {} if units is None else {"units": units}
        lacking = set(option_names()) - set(find_cell(entry.cell).options())  # settings that this cell cannot share
        shared = {name: value for name, value in self.settings.items() if name not in lacking}
        return self._find_task().make_config(cell=entry.cell, **{**shared, **own})

    @property
    def first(self) -> Config:
        """The first network, with its own number of units."""
        return self._config(self.entries[0])

    def configs(self, count: Callable[[Config], int]) -> dict[str, Config]:
        """The networks by the names of their entries; the argument counts the weights that are to be equal."""
        if self.match not in ("parameters", "recurrent"):
            return {entry.name: self._config(entry) for entry in self.entries}
        weights = self.parameters or count(self.first)
        return match_weights({entry.name: partial(self._config, entry) for entry in self.entries}, weights, count)

    def make_recipe(self, entry: Entry, repeat: int) -> Recipe:
        """How a network learns in a repeat, from 0; each repeat has a random state of its own."""
        rate = entry.settings.get("learning_rate", self.recipe.learning_rate)
        return replace(self.recipe, random_state=self.recipe.random_state + repeat, learning_rate=rate)

    def is_tuned(self, entry: Entry) -> bool:
        """Whether a setting is chosen for an entry."""
        return self.tune is not None and self.tune[0] not in entry.settings

    def try_out(self) -> "Plan":
        """The runs with the first random state that choose settings: those of all values, for the entries in turn."""
        name, values = self.tune or ("", ())
        entries = [
            replace(entry, settings={**entry.settings, **own})
            for entry in self.entries
            for own in ([{name: value} for value in values] if self.is_tuned(entry) else [{}])
        ]
        return replace(self, entries=tuple(entries), repeats=1, tune=None)

    def choose(self, values: Iterable[float]) -> "Plan":
        """The plan with the values that were chosen for the tuned entries, in their order."""
        name, left = (self.tune or ("", ()))[0], iter(values)
        entries = [
            replace(entry, settings={**entry.settings, name: next(left)}) if self.is_tuned(entry) else entry
            for entry in self.entries
        ]
        return replace(self, entries=tuple(entries), tune=None)

    @property
    def runs(self) -> int:
        """How many runs it takes. A run that chose a setting is the first repeat of its network, too."""
        return len(self.try_out().entries) + len(self.entries) * (self.repeats - 1)

    @property
    def random_states(self) -> range:
        """The random states of the repeats."""
        return range(self.recipe.random_state, self.recipe.random_state + self.repeats)

    @property
    def budget(self) -> str:
        """How long each run is, in words."""
        if self.recipe.minutes is not None:
            return f"{self.recipe.minutes:g} minute{'s' * (self.recipe.minutes != 1)}"
        return f"{self.recipe.epochs:g} epoch{'s' * (self.recipe.epochs != 1)}"

    def to_dict(self) -> dict:
        """The equal settings, ready for JSON."""
        budget = {"epochs": self.recipe.epochs, "minutes": self.recipe.minutes}
        return {"match": self.match, "repeats": self.repeats, **{k: v for k, v in budget.items() if v is not None}}
