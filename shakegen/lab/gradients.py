"""How far gradients reach, before and after training, and the effect of clipping.

The reach is the norm of ∂loss_t/∂h_{t-k} by the lag k. A loss at step t depends on the state k steps before through k
applications of the recurrence. The product of as many Jacobians shrinks or grows exponentially with k, unless the cell
prevents it (Hochreiter 1991; Bengio, Simard & Frasconi 1994). Clipping keeps a step that is too large from undoing all
progress (Pascanu, Mikolov & Bengio 2013).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from shakegen.cells.graph import find_kinds
from shakegen.inference import Engine
from shakegen.lab import cells, check
from shakegen.lab.gates import gate_rows, gate_tables
from shakegen.lab.repeats import estimate, summarise
from shakegen.lab.result import Result, make_table
from shakegen.network.config import Config
from shakegen.plotting import Curve, Figure, Panel, Table
from shakegen.text.windows import check_length, cut_windows

OPTIMIZERS = ("adam", "sgd")
# Over all runs, not their mean; NaN where one of them diverged.
EXTREMES = {"largest_norm": np.max, "largest_norm_left": np.max, "smallest_cosine": np.min}
READ = 1000  # characters along which the gates are looked at


@dataclass(frozen=True)
class Gradients(Result):
    """The reach of gradients, a row for each layer of each network before and after training.

    Attributes:
        gates: one dictionary for each gate of each layer, before and after training: as those of `gates.Gates`.
        clipping: one dictionary for each network and clipping: the mean loss of the last 20 batches, in bits per
            symbol; the median and the largest norm of the gradient on the way, the share of updates that were
            clipped, the largest norm after clipping, and the smallest cosine of the angle between a gradient and its
            clipped twin.
        curves: one dictionary for each line of the figure: network, layer, state (h, or a memory), when, and lists, by
            the lag from 0: the median of the norm over the sequences of all runs, and its quartiles.
    """

    gates: list[dict]
    clipping: list[dict]
    curves: list[dict]

    @property
    def tables(self) -> list[Table]:
        reach = make_table(self.rows, "Norm of the gradient of a loss by the state h, by the lag in steps (medians)")
        gates = gate_tables(self.gates, f"Gates along {READ:,} characters at most")
        clipping = "Effect of clipping on the gradient of the weights; bits are those of the last 20 batches"
        return [reach, *gates, make_table(self.clipping, clipping)]

    def figure(self) -> Figure:
        panels = []
        for when in ("before", "after"):
            lines = [self._line(curve) for curve in self.curves if curve["when"] == when]
            panels.append(Panel("lag k", "norm of ∂loss/∂h, of ∂loss/∂c", lines, title=f"{when} training", log_y=True))
        return Figure("How far gradients reach (medians and quartiles over the losses of all runs)", panels)

    def _line(self, curve: dict) -> Curve:
        layers = max(other["layer"] for other in self.curves if other["network"] == curve["network"])
        name = curve["network"] if layers == 1 else f"{curve['network']} layer {curve['layer']}"
        lags, memory = range(len(curve["median"])), curve["state"] if curve["state"] != "h" else ""
        band = None if memory else (curve["low"], curve["high"])
        return Curve(name, lags, curve["median"], memory, dashed=bool(memory), band=band)


@dataclass(frozen=True)
class GradientSettings:
    """How the experiment trains and measures its networks.

    Attributes:
        lags: largest lag, in steps.
        sequences: losses to look at, each at the end of a window of its own.
        updates: training updates; for a MODEL, batches to try clipping on.
        seq_length: characters in a window of training.
        batch_size: windows in a batch.
        learning_rate: learning rate of the optimizer.
        optimizer: optimizer; sgd has a momentum of 0.9.
        clip_value: largest element, when clipping by value.
        clip_norm: largest norm, when clipping by norm.
        repeats: networks of each cell, with the random states from `random_state` on.
        random_state: seed of weights and windows.

    Raises:
        ValueError: a number is out of range.
    """

    lags: int = 60
    sequences: int = 64
    updates: int = 300
    seq_length: int = 64
    batch_size: int = 32
    learning_rate: float = 1e-2
    optimizer: Annotated[str, OPTIMIZERS] = "adam"
    clip_value: float = 5.0
    clip_norm: float = 1.0
    repeats: int = 3
    random_state: int = 0

    def __post_init__(self):
        whole = ("lags", "sequences", "updates", "seq_length", "batch_size", "repeats")
        check.require_counts(**{name: getattr(self, name) for name in whole})
        check.require_positive(learning_rate=self.learning_rate, clip_value=self.clip_value, clip_norm=self.clip_norm)
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"the optimizer is {self.optimizer!r}: expected {' or '.join(OPTIMIZERS)}")

    def draw_windows(self, ids: np.ndarray, number: int) -> np.ndarray:
        """Windows for an update, by its number, (N, T + 1), int32, the same for every network."""
        random = np.random.default_rng((self.random_state, number))
        starts = random.integers(len(ids) - self.seq_length, size=self.batch_size)
        return cut_windows(ids, starts, self.seq_length + 1).astype(np.int32)

    def cut_windows(self, ids: np.ndarray) -> np.ndarray:
        """Windows spread over the text, (sequences, lags + 2); the experiment takes the loss of their last characters.

        Raises:
            ValueError: the text is too short.
        """
        if len(ids) < self.lags + 2:
            raise ValueError(
                f"the text to look at has {len(ids)} symbols, but {self.lags} lags need {self.lags + 2}: try a "
                "longer text or fewer `lags`"
            )
        starts = np.linspace(0, len(ids) - self.lags - 2, self.sequences).astype(int)
        return cut_windows(ids, starts, self.lags + 2).astype(np.int32)


def of_cells(
    names: Iterable[str],
    corpus,
    units: int = 64,
    settings: GradientSettings | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Gradients:
    """Train a network of each cell on a text, three times: without clipping, by value and by norm.

    The reach after training is that of the network clipped by norm.

    Args:
        names: some of `cells.CELLS`.
        corpus: a `Corpus`: networks learn its training text; gradients are measured on its validation text.
        units: size of the state of the layer; for CELLS only.
        settings: how networks are trained and measured.
        progress: called with a line after each training run.

    Raises:
        ValueError: an argument is out of range, or the text is too short.
    """
    from shakegen.lab.clipping import CLIPPINGS, Trials
    from shakegen.network.build import build

    configs, settings = {name: cells.make_config(name, units) for name in names}, settings or GradientSettings()
    size, seen, clipping, symbol = len(corpus.vocabulary), [], [], corpus.vocabulary.symbol
    check_length(corpus.train, settings.seq_length, "training text")
    windows = settings.cut_windows(corpus.validation)
    for name, config in configs.items():
        network = build(config, size)
        trials = Trials(network, settings, learns=True, symbol=symbol)
        for state in range(settings.random_state, settings.random_state + settings.repeats):
            own, start = replace(settings, random_state=state), build(config, size, state).get_weights()
            network.set_weights(start)
            seen.append(look(name, network, config, windows, corpus.validation, "before"))
            for kind in CLIPPINGS:
                network.set_weights(start)
                effect = trials.run(own, corpus.train, kind)[kind]
                clipping.append({"network": name, "random_state": state, **effect})
                progress(f"{name}, clipping {kind}: {effect[f'bits_per_{symbol}']:.3f} bits/{corpus.level}")
            seen.append(look(name, network, config, windows, corpus.validation, "after"))
    effects = summarise(clipping, "network", "clipping")
    for effect in effects:
        effect |= {name: float(of(effect[name].values)) for name, of in EXTREMES.items()}
    return collect(seen, effects)


def of_model(
    model, text: str, name: str = "model", settings: GradientSettings | None = None, on_unknown: str | None = None
) -> Gradients:
    """Look at a trained model, and at an untrained network of its kind.

    Args:
        model: a `LanguageModel`.
        text: the text to read.
        name: the name of the model in tables and figures.
        settings: how gradients are measured; nothing is trained, and clipping is tried on batches of the text.
        on_unknown: as for `Vocabulary.encode`.

    Raises:
        UnknownCharacters: the text has characters that the model never saw, and `on_unknown` is "error".
        ValueError: the text is too short.
    """
    from shakegen.lab.clipping import Trials
    from shakegen.network.build import build

    settings, ids = settings or GradientSettings(), model.vocabulary.encode(text, on_unknown)
    check_length(ids, settings.seq_length, symbol=model.vocabulary.symbol)
    config, windows, clipping, seen = model.config, settings.cut_windows(ids), [], []
    network = build(config, len(model.vocabulary), settings.random_state)
    trials = Trials(network, settings, learns=False, symbol=model.vocabulary.symbol)
    for when in ("before", "after"):
        if when == "after":
            network.set_weights(list(model.weights.values()))
        clipping += [{"network": f"{name} {when}", **effect} for effect in trials.run(settings, ids).values()]
        seen.append(look(name, network, config, windows, ids, when))
    return collect(seen, clipping)


@dataclass(frozen=True)
class Look:
    """A network before or after training: norms (lags, sequences) by layer and state, and rows about its gates."""

    network: str
    when: str
    norms: dict[tuple[int, str], np.ndarray]
    gates: list[dict]


def look(name: str, network, config: Config, windows: np.ndarray, ids: np.ndarray, when: str) -> Look:
    """Look at the gradients of a network by its states, and at its gates."""
    from shakegen.lab.backpropagation import state_gradients
    from shakegen.network.build import named_weights

    weights = named_weights(config, network)
    kinds = find_kinds(config.make_layer(), config.embedding or network.output_shape[-1])
    norms: dict[tuple[int, str], np.ndarray] = {}
    gates: list[dict] = []
    exact = {name: weight.astype(float) for name, weight in weights.items()}  # numbers of 32 bits end near 1e-38
    for layer, gradients in enumerate(state_gradients(config, exact, windows), 1):
        norms |= {(layer, state): np.linalg.norm(array.astype(float), axis=2) for state, array in gradients.items()}
    for layer, values in enumerate(Engine(config, weights).activations(ids[:READ]), 1):
        gates += [{"network": name, "training": when, **row} for row in gate_rows(layer, values, kinds)]
    return Look(name, when, norms, gates)


def collect(seen: Iterable[Look], clipping: list[dict]) -> Gradients:
    """The result of all runs; the losses of all runs are taken together."""
    groups: dict[tuple[str, str], list[Look]] = {}
    for one in sorted(seen, key=lambda one: one.when == "after"):
        groups.setdefault((one.network, one.when), []).append(one)
    rows, curves = [], []
    for (name, when), looks in groups.items():
        for layer, state in looks[0].norms:
            norms = [one.norms[layer, state] for one in looks]
            low, median, high = np.quantile(np.concatenate(norms, axis=1), (0.25, 0.5, 0.75), axis=1)
            last = len(median) - 1
            curve = {"network": name, "layer": layer, "state": state, "when": when}
            curves.append(curve | {"median": median.tolist(), "low": low.tolist(), "high": high.tolist()})
            if state == "h":
                reach = {f"lag {lag}": float(median[lag]) for lag in sorted({0, 1, 5, 20, last}) if lag <= last}
                found = (find_factor(np.median(one, axis=1)) for one in norms)
                factors = [one for one in found if one is not None]
                factor = estimate(factors) if factors else None
                rows.append({"network": name, "layer": layer, "training": when, **reach, "factor_per_step": factor})
    gates = [row for looks in groups.values() for one in looks for row in one.gates]
    return Gradients(rows, summarise(gates, "network", "training", "layer", "gate"), clipping, curves)


def find_factor(norms: np.ndarray) -> float | None:
    """The factor by which norms fall or rise in a step, from lag 1 to the last, on average; None if there is none."""
    last = len(norms) - 1
    return None if last < 2 or norms[1] == 0 else (norms[last] / norms[1]) ** (1 / (last - 1))
