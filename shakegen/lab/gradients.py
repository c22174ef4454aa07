"""How far gradients reach: the norm of ∂loss_t/∂h_{t-k} by the lag k, before and after training; what clipping does.

A loss at step t depends on the state k steps before through k applications of the recurrence; the product of as many
Jacobians shrinks or grows exponentially with k, unless the cell does something about it (Hochreiter 1991; Bengio,
Simard & Frasconi 1994). Clipping keeps a step that came out too large from undoing all learning (Pascanu, Mikolov &
Bengio 2013).
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from shakegen.lab import cells, check
from shakegen.lab.result import Result, table_of
from shakegen.network.config import Config
from shakegen.plotting import Curve, Figure, Panel, Table
from shakegen.text.windows import check_length, cut_windows

CLIPPINGS = ("none", "value", "norm")
OPTIMIZERS = ("adam", "sgd")


@dataclass(frozen=True)
class Gradients(Result):
    """The reach of gradients, a row for each layer of each network before and after training.

    Attributes:
        clipping: one dictionary for each network and way to clip: the bits per character at the end of training, the
            median and the largest norm of the gradient on the way, the share of updates where clipping did anything,
            the largest norm after it, and the smallest cosine of the angle that it turned a gradient by.
        curves: one dictionary for each line of the figure: network, layer, state (h, or the memories c together), when,
            and lists, by the lag from 0: the median of the norm over the sequences, and its quartiles.
    """

    clipping: list[dict]
    curves: list[dict]

    @property
    def tables(self) -> list[Table]:
        reach = table_of(self.rows, "The norm of the gradient of a loss by the state h of so many steps before")
        return [reach, table_of(self.clipping, "What clipping does to the gradient of the weights")]

    def figure(self) -> Figure:
        panels = []
        for when in ("before", "after"):
            lines = [self._line(curve) for curve in self.curves if curve["when"] == when]
            panels.append(Panel("lag k", "norm of ∂loss/∂h, of ∂loss/∂c", lines, title=f"{when} training", log_y=True))
        return Figure("How far gradients reach", panels)

    def _line(self, curve: dict) -> Curve:
        layers = max(other["layer"] for other in self.curves if other["network"] == curve["network"])
        name = curve["network"] if layers == 1 else f"{curve['network']} layer {curve['layer']}"
        lags, memory = range(len(curve["median"])), curve["state"] == "c"
        band = None if memory else (curve["low"], curve["high"])
        return Curve(name, lags, curve["median"], "c" if memory else "", dashed=memory, band=band)


@dataclass(frozen=True)
class Run:
    """How the networks of the experiment are trained and measured.

    Attributes:
        lags: the largest lag looked at; gradients are by the states of as many steps before.
        sequences: how many losses are looked at, each at the end of a window of its own.
        updates: of training; of a model that is trained already, batches that clipping is tried on.
        seq_length, batch_size: characters in a window, and windows in a batch, of training.
        learning_rate, optimizer: "adam", or "sgd" with a momentum of 0.9.
        clip_value, clip_norm: the largest element, and the largest norm, that the two ways to clip leave.
        random_state: of weights and windows.

    Raises:
        ValueError: a number is out of range.
    """

    lags: int = 60
    sequences: int = 64
    updates: int = 300
    seq_length: int = 64
    batch_size: int = 32
    learning_rate: float = 1e-2
    optimizer: str = "adam"
    clip_value: float = 5.0
    clip_norm: float = 1.0
    random_state: int = 0

    def __post_init__(self):
        whole = ("lags", "sequences", "updates", "seq_length", "batch_size")
        check.at_least_1(**{name: getattr(self, name) for name in whole})
        check.above_0(learning_rate=self.learning_rate, clip_value=self.clip_value, clip_norm=self.clip_norm)
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"the optimizer is {self.optimizer!r}: expected {' or '.join(OPTIMIZERS)}")

    def batch(self, ids: np.ndarray) -> Callable[[int], np.ndarray]:
        """Windows by the number of the update, (N, T + 1), the same for every network."""

        def draw(number):
            random = np.random.default_rng((self.random_state, number))
            starts = random.integers(len(ids) - self.seq_length, size=self.batch_size)
            return cut_windows(ids, starts, self.seq_length + 1).astype(np.int32)

        return draw

    def looked_at(self, ids: np.ndarray) -> np.ndarray:
        """The windows whose last characters' losses are looked at, spread over the text, (sequences, lags + 2).

        Raises:
            ValueError: the text is too short.
        """
        if len(ids) < self.lags + 2:
            raise ValueError(
                f"the text to look at has {len(ids)} characters, but {self.lags} lags need {self.lags + 2}: try a "
                "longer text or fewer --lags"
            )
        starts = np.linspace(0, len(ids) - self.lags - 2, self.sequences).astype(int)
        return cut_windows(ids, starts, self.lags + 2).astype(np.int32)


def of_cells(
    names: Iterable[str],
    corpus,
    units: int = 64,
    run: Run | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Gradients:
    """Train a network of each cell on a text, three times: without clipping, by value and by norm.

    The reach after training is that of the run that clipped by norm.

    Args:
        names: of the cells, of `cells.CELLS`.
        corpus: a `Corpus`: its training text to learn from, its validation text to look at.
        units: H of the one layer.
        run: how.
        progress: called with a line after each training run.

    Raises:
        ValueError: an argument is out of range, or the text is too short.
    """
    from shakegen.network.build import build

    run, size, rows, clipping, curves = run or Run(), len(corpus.vocabulary), [], [], []
    check_length(corpus.train, run.seq_length, "training text")
    windows = run.looked_at(corpus.validation)
    for name in names:
        config = cells.config(name, units)
        network = build(config, size, run.random_state)
        before = reach(name, network, config, windows, "before")
        for kind in CLIPPINGS:
            network = build(config, size, run.random_state)
            clipping.append({"network": name, **clip(network, run, corpus.train, kind)[kind]})
            progress("{network}, clipping {clipping}: {bits_per_character:.3f} bits/char".format_map(clipping[-1]))
        after = reach(name, network, config, windows, "after")
        curves += before + after
        rows += [summary(curve) for curve in before + after if curve["state"] == "h"]
    return Gradients(rows, clipping, curves)


def of_model(model, text: str, name: str = "model", run: Run | None = None) -> Gradients:
    """Look at a trained model, and at the untrained network that it could have been.

    Args:
        model: a `LanguageModel`.
        text: what it reads.
        name: what to call it.
        run: how; nothing is trained, and clipping is tried on batches of the text.

    Raises:
        UnknownCharacters: the text has characters that the model never saw.
        ValueError: the text is too short.
    """
    from shakegen.network.build import build

    run, ids = run or Run(), model.vocabulary.encode(text)
    check_length(ids, run.seq_length)
    config, windows = model.config, run.looked_at(ids)
    trained = build(config, len(model.vocabulary))
    trained.set_weights(list(model.weights.values()))
    untrained = build(config, len(model.vocabulary), run.random_state)
    curves = reach(name, untrained, config, windows, "before") + reach(name, trained, config, windows, "after")
    rows = [summary(curve) for curve in curves if curve["state"] == "h"]
    networks = {f"{name} before training": untrained, f"{name} after training": trained}
    clipping = [{"network": title, **row} for title, net in networks.items() for row in clip(net, run, ids).values()]
    return Gradients(rows, clipping, curves)


def reach(name: str, network, config: Config, windows: np.ndarray, when: str) -> list[dict]:
    """The lines of the figure that belong to one network."""
    from shakegen.lab.backpropagation import network_state_gradients

    curves = []
    for layer, (h, *memories) in enumerate(network_state_gradients(network, config, windows), 1):
        states = {"h": [h], "c": memories} if memories else {"h": [h]}
        for state, gradients in states.items():
            norms = np.linalg.norm(np.concatenate(gradients, axis=2).astype(float), axis=2)
            low, median, high = np.quantile(norms, (0.25, 0.5, 0.75), axis=1)
            curve = {"network": name, "layer": layer, "state": state, "when": when}
            curves.append(curve | {"median": median.tolist(), "low": low.tolist(), "high": high.tolist()})
    return curves


def summary(curve: dict) -> dict:
    """A line of the figure in a few numbers."""
    norms, last = curve["median"], len(curve["median"]) - 1
    row = {"network": curve["network"], "layer": curve["layer"], "training": curve["when"]}
    row |= {f"lag {lag}": norms[lag] for lag in sorted({0, 1, 5, 20, last}) if lag <= last}
    factor = (norms[last] / norms[1]) ** (1 / (last - 1)) if last > 1 and norms[1] > 0 else math.nan
    return row | {"factor_per_step": factor}


def clip(network, run: Run, ids: np.ndarray, kept: str | None = None) -> dict[str, dict]:
    """What each clipping does to the gradients on the way; the network learns with one of them, or not at all."""
    import keras

    from shakegen.lab import backpropagation

    made = {"adam": keras.optimizers.Adam, "sgd": lambda rate: keras.optimizers.SGD(rate, momentum=0.9)}
    optimizer = made[run.optimizer](run.learning_rate) if kept else None
    step = backpropagation.clipping_step(network, run.clip_value, run.clip_norm, optimizer, kept or "none")
    found = backpropagation.run(step, run.batch(ids), run.updates).astype(float)
    return {kind: clipping_row(kind, found[:, k].T) for k, kind in enumerate(backpropagation.CLIPPINGS)}


def clipping_row(kind: str, found: np.ndarray) -> dict:
    """The losses, norms before and after, and cosines of all updates in a few numbers."""
    losses, before, after, cosines = found
    return {
        "clipping": kind,
        "bits_per_character": float(np.mean(losses[-20:]) / math.log(2)),
        "median_norm": float(np.median(before)),
        "largest_norm": float(np.max(before)),
        "updates_clipped": float(np.mean(after < before * (1 - 1e-5))),
        "largest_norm_left": float(np.max(after)),
        "smallest_cosine": float(np.min(cosines)),
    }
