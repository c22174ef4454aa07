"""The gates and memories of single units along a text, and the units that follow a feature of it.

After Karpathy, Johnson & Fei-Fei (2015), "Visualizing and understanding recurrent networks". Only numpy.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from shakegen.lab import colouring, features
from shakegen.lab.result import Result, plain, table_of
from shakegen.plotting import Figure, Heat, Panel, Table

CLOSED, OPEN = 0.1, 0.9  # a gate below, or above, is called so, as by Karpathy et al.
DRAWN = 100  # characters in the figure
BEFORE = 60  # characters shown before a feature first appears


@dataclass(frozen=True)
class Gates(Result):
    """Units of a network along a text, a row for each.

    Attributes:
        gates: one dictionary for each layer and gate: over all units and the part of the text that is shown, its mean,
            and how often it is closed (below 0.1) and open (above 0.9).
        feature: what was looked for, or None.
        by_chance: the absolute correlation that the best of the units compared exceeds by chance in 1 of 20 cases, or
            None.
        together: the correlation of the best mixture of all units compared, `features.together`, or None.
        begin: where in the text the part that is shown begins.
        characters: of that part.
        traces: one dictionary for each unit: layer, unit, signal, the name of what is shown of it, and values, by name,
            lists as long as `characters`: gates from 0 to 1, c, h and g as they are.
    """

    gates: list[dict]
    feature: str | None
    by_chance: float | None
    together: float | None
    begin: int
    characters: list[str]
    traces: list[dict]

    @property
    def tables(self) -> list[Table]:
        title = ""
        if self.feature:
            title = (
                f"Units that follow {self.feature}; by chance, the best has {self.by_chance:.2f} once in 20 times; all "
                f"units together have {self.together:.2f}"
            )
        units = table_of(self.rows, title)
        return [units, table_of(self.gates, "All units, along the part that is shown")] if self.gates else [units]

    @property
    def parts(self) -> list:
        return [colouring.view(self.characters, self.traces, shades), *self.tables]

    def figure(self) -> Figure:
        names = [character.replace("\n", "↵") for character in self.characters[:DRAWN]]
        values = [shades(trace["values"][trace["signal"]], trace["signal"])[:DRAWN] for trace in self.traces]
        units = [f"{trace['signal']} of {trace['layer']}.{trace['unit']}" for trace in self.traces]
        heat = Heat(np.array(values), "-1 … 1; gates: closed … open", rows=units, columns=names)
        return Figure("Units along a text", [Panel("", "layer.unit", heat=heat)])


def gates(
    model,
    ids: np.ndarray,
    find: str | None = None,
    layer: int | None = None,
    units: Iterable[int] | None = None,
    signal: str | None = None,
    count: int = 5,
    shown: int = 400,
    random_state: int = 0,
) -> Gates:
    """Read a text and look at units: those that are named, or that best follow a feature, or that vary most.

    Args:
        model: a `LanguageModel`.
        ids: the text, shape (T,).
        find: a feature, of `features.FEATURES`, that units are ranked by.
        layer: of the units, from 1; all layers by default, of `units` the first.
        units: their numbers, from 0.
        signal: what is looked at of a unit, by its letter; by default its memories c, or h where it has none.
        count: how many units.
        shown: characters of the text that are shown; from a little before the feature begins.
        random_state: of the estimate what correlation there would be by chance.

    Raises:
        ValueError: there is no such layer, unit, signal or feature, or the text has fewer than two characters; the
            message says which.
    """
    if len(ids) < 2:
        raise ValueError(f"the text has {len(ids)} characters: expected 2 or more")
    if count < 1 or shown < 1:
        raise ValueError(f"{count} units along {shown} characters are asked for: expected 1 or more of each")
    check_place(model.config, layer, units)
    alphabet = [model.vocabulary.decode([k]) for k in range(len(model.vocabulary))]
    symbols = [alphabet[k] for k in ids]
    wanted = signals_of(model, signal)
    read = model.engine.activations(ids, wanted)
    candidates = [
        (number, unit, name)
        for number in ([layer or 1] if units is not None else [layer] if layer else range(1, len(read) + 1))
        for name in wanted
        for unit in (range(model.config.units) if units is None else units)
    ]
    signals = np.stack([squashed(read[number - 1][name][:, unit], name) for number, unit, name in candidates], axis=1)
    scores, by_chance, together, begin = signals.std(axis=0), None, None, 0
    if find:
        feature = features.feature_of(find, symbols)
        scores, by_chance = features.correlations(signals, feature), features.chance(signals, feature, random_state)
        together = features.together(signals, feature)
        begin = max(0, int(np.argmax(feature > 0)) - BEFORE)
    order = np.argsort(-np.abs(scores), kind="stable")[:count] if units is None else range(len(candidates))
    rows, traces = [], []
    _, state = model.engine.prime(ids[:begin])
    inside = model.engine.activations(ids[begin : begin + shown], state=state)
    for place in order:
        number, unit, name = candidates[place]
        values = {key: plain(array[:, unit]) for key, array in inside[number - 1].items()}
        score = {"correlation": float(scores[place])} if find else {}
        seen = {"mean": float(signals[:, place].mean()), "deviation": float(signals[:, place].std())}
        rows.append({"layer": number, "unit": int(unit), "signal": name, **score, **seen})
        traces.append({"layer": number, "unit": int(unit), "signal": name, "values": values})
    summary = [row for number, values in enumerate(inside, 1) for row in gate_rows(number, values)]
    return Gates(rows, summary, find, by_chance, together, begin, symbols[begin : begin + shown], traces)


def check_place(config, layer: int | None, units: Iterable[int] | None) -> None:
    """Refuse a layer or units that a network does not have."""
    if layer is not None and not 1 <= layer <= config.layers:
        raise ValueError(f"there is no layer {layer}: expected one from 1 to {config.layers}")
    for unit in units or ():
        if not 0 <= unit < config.units:
            raise ValueError(f"there is no unit {unit}: expected one from 0 to {config.units - 1}")


def signals_of(model, signal: str | None) -> list[str]:
    """The letters of what is looked at of each unit."""
    (first, *_) = model.engine.activations(np.zeros(1, int))
    if signal is not None and signal not in first:
        raise ValueError(f"a unit of this {model.config.cell} has no {signal!r}: expected one of {', '.join(first)}")
    return [signal] if signal else [name for name in first if is_memory(name)] or ["h"]


def is_memory(name: str) -> bool:
    return name.startswith("c")


def is_gate(name: str) -> bool:
    return name[0] in "ifozr"


def squashed(values, name: str) -> np.ndarray:
    """A memory as its cell shows it, tanh c, and anything else as it is."""
    return np.tanh(values) if is_memory(name) else np.asarray(values)


def shades(values, name: str) -> np.ndarray:
    """Values from -1 to 1, for colours: of a gate from closed to open, of what has no bounds by its largest."""
    values = squashed(values, name).astype(float)
    return 2 * values - 1 if is_gate(name) else values / max(1.0, np.abs(values).max(initial=0.0))


def gate_rows(layer: int, values: dict[str, np.ndarray]) -> list[dict]:
    """How open the gates of a layer are."""
    return [
        {
            "layer": layer,
            "gate": name,
            "mean": float(gate.mean()),
            "closed": float((gate < CLOSED).mean()),
            "open": float((gate > OPEN).mean()),
        }
        for name, gate in values.items()
        if is_gate(name)
    ]
