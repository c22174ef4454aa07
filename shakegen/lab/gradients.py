"""How far gradients reach, before and after training, and the effect of clipping.

The reach is the norm of ∂loss_t/∂h_{t-k} by the lag k. A loss at step t depends on the state k steps before through k
applications of the recurrence. The product of as many Jacobians shrinks or grows exponentially with k, unless the cell
prevents it (Hochreiter 1991; Bengio, Simard & Frasconi 1994). Clipping keeps a step that is too large from undoing all
progress (Pascanu, Mikolov & Bengio 2013).
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from shakegen.lab import cells, check
from shakegen.lab.result import Result, make_table
from shakegen.model.evaluation import LN2
from shakegen.network.config import Config
from shakegen.plotting import Curve, Figure, Panel, Table
from shakegen.text.windows import check_length, cut_windows

OPTIMIZERS = ("adam", "sgd")


@dataclass(frozen=True)
class Gradients(Result):
    """The reach of gradients, a row for each layer of each network before and after training.

    Attributes:
        clipping: one dictionary for each network and clipping: the bits per character at the end of training, the
            median and the largest norm of the gradient on the way, the share of updates that were clipped, the largest
            norm after clipping, and the smallest cosine of the angle between a gradient and its clipped twin.
        curves: one dictionary for each line of the figure: network, layer, state (h, or the memories c together), when,
            and lists, by the lag from 0: the median of the norm over the sequences, and its quartiles.
    """

    clipping: list[dict]
    curves: list[dict]

    @property
    def tables(self) -> list[Table]:
        reach = make_table(self.rows, "Norm of the gradient of a loss by the state h, by the lag in steps")
        return [reach, make_table(self.clipping, "Effect of clipping on the gradient of the weights")]

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
    random_state: int = 0

    def __post_init__(self):
        whole = ("lags", "sequences", "updates", "seq_length", "batch_size")
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
                f"the text to look at has {len(ids)} characters, but {self.lags} lags need {self.lags + 2}: try a "
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
    from shakegen.lab.backpropagation import CLIPPINGS
    from shakegen.network.build import build

    configs, settings = {name: cells.make_config(name, units) for name in names}, settings or GradientSettings()
    size, rows, clipping, curves = len(corpus.vocabulary), [], [], []
    check_length(corpus.train, settings.seq_length, "training text")
    windows = settings.cut_windows(corpus.validation)
    for name, config in configs.items():
        before = reach(name, build(config, size, settings.random_state), config, windows, "before")
        for kind in CLIPPINGS:
            network = build(config, size, settings.random_state)
            clipping.append({"network": name, **clip(network, settings, corpus.train, kind)[kind]})
            progress("{network}, clipping {clipping}: {bits_per_character:.3f} bits/char".format_map(clipping[-1]))
        after = reach(name, network, config, windows, "after")
        curves += before + after
        rows += [summarise(curve) for curve in before + after if curve["state"] == "h"]
    return Gradients(rows, clipping, curves)


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
        ValueError: the text is too short, or the model has blocks around its cells.
    """
    from shakegen.network.build import build

    if model.config.has_blocks:
        raise ValueError(f"{name} has blocks around its cells: expected a model of cells alone")
    settings, ids = settings or GradientSettings(), model.vocabulary.encode(text, on_unknown)
    check_length(ids, settings.seq_length)
    config, windows = model.config, settings.cut_windows(ids)
    trained = build(config, len(model.vocabulary))
    trained.set_weights(list(model.weights.values()))
    untrained = build(config, len(model.vocabulary), settings.random_state)
    curves = reach(name, untrained, config, windows, "before") + reach(name, trained, config, windows, "after")
    rows = [summarise(curve) for curve in curves if curve["state"] == "h"]
    clipping = [
        {"network": f"{name} {when} training", **row}
        for when, network in {"before": untrained, "after": trained}.items()
        for row in clip(network, settings, ids).values()
    ]
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


def summarise(curve: dict) -> dict:
    """A row for a line of the figure."""
    norms, last = curve["median"], len(curve["median"]) - 1
    row = {"network": curve["network"], "layer": curve["layer"], "training": curve["when"]}
    row |= {f"lag {lag}": norms[lag] for lag in sorted({0, 1, 5, 20, last}) if lag <= last}
    factor = (norms[last] / norms[1]) ** (1 / (last - 1)) if last > 1 and norms[1] > 0 else math.nan
    return row | {"factor_per_step": factor}


def clip(network, settings: GradientSettings, ids: np.ndarray, kept: str | None = None) -> dict[str, dict]:
    """The effect of each clipping on the gradients; the network learns with the one that is kept, or not at all."""
    import keras

    from shakegen.lab.backpropagation import CLIPPINGS, clipping_step

    build_optimizer = {"adam": keras.optimizers.Adam, "sgd": lambda rate: keras.optimizers.SGD(rate, momentum=0.9)}
    optimizer = build_optimizer[settings.optimizer](settings.learning_rate) if kept else None
    step, effects = clipping_step(network, settings.clip_value, settings.clip_norm, optimizer, kept or "none"), []
    for number in range(settings.updates):
        effects.append(step(keras.ops.convert_to_tensor(settings.draw_windows(ids, number))).numpy().astype(float))
        if not math.isfinite(effects[-1][0, 0]):  # the loss
            break
    return {kind: clipping_row(kind, *numbers.T) for kind, numbers in zip(CLIPPINGS, np.stack(effects, axis=1))}


def clipping_row(kind: str, losses, before, after, cosines) -> dict:
    """The losses, norms before and after, and cosines of all updates in a few numbers."""
    return {
        "clipping": kind,
        "bits_per_character": float(np.mean(losses[-20:]) / LN2),
        "median_norm": float(np.median(before)),
        "largest_norm": float(np.max(before)),
        "updates_clipped": float(np.mean(after < before * (1 - 1e-5))),
        "largest_norm_left": float(np.max(after)),
        "smallest_cosine": float(np.min(cosines)),
    }
