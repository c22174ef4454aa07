"""The gates and memories of single units along a text, and the units that follow a feature of it.

After Karpathy, Johnson & Fei-Fei (2015), "Visualizing and understanding recurrent networks". Only numpy.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from shakegen.cells.graph import find_kinds
from shakegen.lab import features
from shakegen.lab.result import Result, make_table
from shakegen.plotting import Figure, Fragment, Heat, Panel, Table
from shakegen.plotting.coloured_text import coloured_text, pack_bytes
from shakegen.plotting.figure import to_json

CLOSED, OPEN = 0.1, 0.9  # a gate below, or above, counts as closed, or open, as with Karpathy et al.
SCALES = {"gate": ("0, closed", "1, open"), "memory": ("tanh -1", "1"), "value": ("low", "high")}  # ends of the colours
DRAWN = 100  # characters in the figure
BEFORE = 60  # characters shown before a feature first appears
MARKUP = """
<div class="choice"><label>unit <select></select></label> <label>shows <select></select></label>
<span class="scale"><span></span> <i class="both"></i> <span></span></span></div>
<p class="text"></p>
<dl aria-live="polite"></dl>
"""


@dataclass(frozen=True)
class Gates(Result):
    """Units of a network along a text, a row for each.

    Attributes:
        gates: one dictionary for each layer and gate, over all units and the part of the text that is shown: the mean,
            the share of values below 0.1, closed, and above 0.9, open, and the mean of the unit that has the highest.
        feature: the feature that the units are ranked by, or None.
        by_chance: the absolute correlation that the best of the units exceeds by chance in 1 of 20 cases, or None.
        together: the correlation of the best mixture of all units that were looked at,
            `features.combined_correlation`, or None.
        begin: the place in the text where the part that is shown begins.
        characters: the symbols of that part.
        traces: one dictionary for each unit: layer and unit, from 1, and signal; by name, the kinds of values (memory,
            gate, value), and values, lists as long as `characters`.
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
                f"Units that follow {self.feature}. Chance level of the best unit (95 %): {self.by_chance:.2f}. All "
                f"units that were looked at, combined: {self.together:.2f}"
            )
        return [make_table(self.rows, title), *gate_tables(self.gates, "All units, along the part that is shown")]

    @property
    def parts(self) -> list:
        return [self.colour_text(), *self.tables]

    def colour_text(self) -> Fragment:
        """The part of its page that shows the units along the text, one at a time."""
        units = [
            {
                "title": f"layer {trace['layer']}, unit {trace['unit']}",
                "signal": trace["signal"],
                "scales": {name: SCALES[trace["kinds"][name]] for name in trace["values"]},
                "values": {name: np.round(np.array(v, float), 3).tolist() for name, v in trace["values"].items()},
                "shades": {
                    name: pack_bytes(127 * shades(v, trace["kinds"][name]), np.int8)
                    for name, v in trace["values"].items()
                },
            }
            for trace in self.traces
        ]
        return coloured_text("shakegen.lab", "gates", MARKUP, {"characters": self.characters, "units": units})

    def figure(self) -> Figure:
        names = [character.replace("\n", "↵") for character in self.characters[:DRAWN]]
        kinds = [trace["kinds"][trace["signal"]] for trace in self.traces]
        values = np.array(
            [shades(one["values"][one["signal"]], kind)[:DRAWN] for one, kind in zip(self.traces, kinds, strict=True)]
        )
        units = [f"{trace['signal']} of {trace['layer']}.{trace['unit']}" for trace in self.traces]
        label = "; ".join(" … ".join(SCALES[kind]) for kind in dict.fromkeys(kinds))
        if {*kinds} == {"gate"}:
            heat = Heat((values + 1) / 2, label, rows=units, columns=names, limits=(0, 1))
        else:
            heat = Heat(values, label, rows=units, columns=names, limits=(-1, 1))
        return Figure("Units along a text", [Panel("", "layer.unit", heat=heat)])


def gates(
    model,
    ids: np.ndarray,
    find: Annotated[str | None, features.FEATURES] = None,
    layer: int | None = None,
    units: Iterable[int] | None = None,
    signal: str | None = None,
    count: int = 5,
    shown: int = 400,
    random_state: int = 0,
) -> Gates:
    """Read a text and look at units: the named ones, or those closest to a feature, or the most changeable.

    Args:
        model: a `LanguageModel`.
        ids: the text, shape (T,).
        find: rank the units by how closely they follow this feature of the text.
        layer: layer of the units, from 1.  [default: all; with `units`, the first]
        units: numbers of units, from 1, such as 3,17.  [default: the best, or the most changeable]
        signal: the signal to show, by its letter in the equations of the cell: h, a memory such as c, or a gate.
            [default: the memories, else h]
        count: number of units to show.
        shown: number of characters to show, from a little before the feature begins.
        random_state: seed of the chance level.

    Raises:
        ValueError: the layer, unit, signal or feature does not exist, or the text has fewer than two characters; the
            message says which.
    """
    if len(ids) < 2:
        raise ValueError(f"the text has {len(ids)} symbols: expected 2 or more")
    if count < 1 or shown < 1:
        raise ValueError(f"{count} units along {shown} characters are asked for: expected 1 or more of each")
    units = None if units is None else list(units)
    check_place(model.config, layer, units)
    alphabet = [model.vocabulary.decode([k]) for k in range(len(model.vocabulary))]
    symbols = [alphabet[k] for k in ids]
    kinds = find_kinds(model.config.make_layer(), model.config.embedding or len(alphabet))
    wanted = choose_signals(model, signal, kinds)
    read = model.engine.activations(ids, wanted)
    candidates = [
        (number, unit, name)
        for number in ([layer or 1] if units is not None else [layer] if layer else range(1, len(read) + 1))
        for name in wanted
        for unit in (range(1, model.config.units + 1) if units is None else units)
    ]
    signals = np.stack(
        [squash(read[number - 1][name][:, unit - 1], kinds[name]) for number, unit, name in candidates], axis=1
    )
    scores, by_chance, together, begin = signals.std(axis=0), None, None, 0
    if find:
        feature = features.compute_feature(find, symbols)
        scores, by_chance = features.correlations(signals, feature), features.chance(signals, feature, random_state)
        together = features.combined_correlation(signals, feature)
        begin = max(0, int(np.argmax(feature > 0)) - BEFORE)
    order = np.argsort(-np.abs(scores), kind="stable")[:count] if units is None else range(len(candidates))
    rows, traces = [], []
    _, state = model.engine.prime(ids[:begin])
    inside = model.engine.activations(ids[begin : begin + shown], state=state)
    for place in order:
        number, unit, name = candidates[place]
        values = {key: to_json(array[:, unit - 1]) for key, array in inside[number - 1].items()}
        score = {"correlation": float(scores[place])} if find else {}
        seen = {"mean": float(signals[:, place].mean()), "deviation": float(signals[:, place].std())}
        rows.append({"layer": number, "unit": int(unit), "signal": name, **score, **seen})
        traces.append({"layer": number, "unit": int(unit), "signal": name, "kinds": kinds, "values": values})
    summary = [row for number, values in enumerate(inside, 1) for row in gate_rows(number, values, kinds)]
    return Gates(rows, summary, find, by_chance, together, begin, symbols[begin : begin + shown], traces)


def check_place(config, layer: int | None, units: list[int] | None) -> None:
    """Refuse a layer or units that a network does not have."""
    if units == []:
        raise ValueError("no unit is named: expected one or more, or leave `units` out")
    if layer is not None and not 1 <= layer <= config.layers:
        raise ValueError(f"there is no layer {layer}: expected one from 1 to {config.layers}")
    for unit in units or ():
        if not 1 <= unit <= config.units:
            raise ValueError(f"there is no unit {unit}: expected one from 1 to {config.units}")


def choose_signals(model, signal: str | None, kinds: dict[str, str]) -> list[str]:
    """The names of the signals to look at in each unit."""
    if signal is not None and signal not in kinds:
        raise ValueError(f"a unit of this {model.config.cell} has no {signal!r}: expected one of {', '.join(kinds)}")
    return [signal] if signal else [name for name, kind in kinds.items() if kind == "memory"] or ["h"]


def squash(values, kind: str) -> np.ndarray:
    """tanh of a memory, as an LSTM lets it out; other values as they are."""
    return np.tanh(values) if kind == "memory" else np.asarray(values)


def shades(values, kind: str) -> np.ndarray:
    """Values from -1 to 1, for colours: gates from closed to open, unbounded values by the largest finite one.

    What is no number, None in a trace, is 0, and what is infinite is -1 or 1.
    """
    values = squash(np.asarray(values, float), kind)
    if kind == "gate":
        return np.nan_to_num(2 * values - 1)
    largest = np.abs(values[np.isfinite(values)]).max(initial=1.0)
    return np.clip(np.nan_to_num(values / largest), -1, 1)


def gate_rows(layer: int, values: dict[str, np.ndarray], kinds: dict[str, str]) -> list[dict]:
    """The mean of each gate of a layer, how often it is closed and open, and the mean of its most open unit."""
    return [
        {
            "layer": layer,
            "gate": name,
            "mean": float(gate.mean()),
            "closed": float((gate < CLOSED).mean()),
            "open": float((gate > OPEN).mean()),
            "highest_unit": float(gate.mean(axis=0).max()),
        }
        for name, gate in values.items()
        if kinds[name] == "gate"
    ]


def gate_tables(rows: list[dict], title: str) -> list[Table]:
    """The table of `gate_rows`; none for a cell without gates."""
    return [make_table(rows, f"{title}; closed: below {CLOSED}, open: above {OPEN}")] if rows else []
