"""The character in the middle, from what stands before it alone, or from both sides.

A recurrent network that reads forwards knows nothing of what follows; a second one that reads backwards does (Schuster
& Paliwal 1997, "Bidirectional recurrent neural networks"). Filling a gap is the cloze test (Taylor 1953).
"""

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from shakegen.lab import cells, check
from shakegen.lab.result import Result
from shakegen.plotting import Bars, Figure, Panel
from shakegen.text.windows import cut_windows

DIRECTIONS = ("forward", "bidirectional")


@dataclass(frozen=True)
class Cloze(Result):
    """How well each network fills the gaps of a text that it has not trained on, a row for each cell and direction.

    Attributes:
        gaps: how many were filled.
        context: symbols on each side of a gap.
        losses: one dictionary for each network: cell, reads, and the loss before each update, in bits per gap.
    """

    gaps: int
    context: int
    losses: list[dict]

    def figure(self) -> Figure:
        names = list(dict.fromkeys(row["cell"] for row in self.rows))
        panels = []
        for measure, label in (("bits_per_gap", "bits/gap"), ("accuracy", "accuracy")):
            by_kind = {(row["cell"], row["reads"]): row[measure] for row in self.rows}
            shown = [kind for kind in DIRECTIONS if any(kind == row["reads"] for row in self.rows)]
            bars = [Bars(kind, [by_kind[name, kind] for name in names]) for kind in shown]
            panels.append(Panel("cell", label, bars=bars, groups=names))
        return Figure(f"A gap between {self.context} symbols before it and {self.context} after it", panels)


def cloze(
    names: Iterable[str],
    corpus,
    directions: Iterable[str] = DIRECTIONS,
    context: int = 20,
    updates: int = 400,
    units: int = 64,
    batch_size: int = 64,
    learning_rate: float = 5e-3,
    gaps: int = 2000,
    random_state: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Cloze:
    """Train networks to fill gaps of one symbol in a text, and let them fill others.

    Args:
        names: of the cells, of `cells.CELLS`.
        corpus: a `Corpus`: its training text has the gaps to learn from, its validation text those to be filled.
        directions: of DIRECTIONS. A forward network reads the symbols before the gap; a bidirectional one has a
            second layer, of as many units, that reads those after it from the last to the first.
        context: how many symbols are read on a side.
        updates: of training.
        units: H of a layer.
        batch_size: gaps in a batch.
        learning_rate: of Adam; gradients are clipped to a norm of 1.
        gaps: to be filled, spread over the validation text, at most.
        random_state: of weights and gaps.
        progress: called with a line after each training run.

    Raises:
        ValueError: the text is too short, or an argument is out of range.
    """
    check.at_least_1(context=context, updates=updates, batch_size=batch_size, gaps=gaps)
    check.above_0(learning_rate=learning_rate)
    for part, ids in (("training", corpus.train), ("validation", corpus.validation)):
        if len(ids) <= 2 * context:
            raise ValueError(
                f"the {part} text has {len(ids)} symbols, but a gap with {context} on each side needs "
                f"{2 * context + 1}: try a longer text or a smaller --context"
            )
    from shakegen.lab.fitting import fit

    rows, losses, size = [], [], len(corpus.vocabulary)
    last = len(corpus.validation) - 2 * context - 1
    inputs, targets = gap(corpus.validation, np.unique(np.linspace(0, last, gaps).astype(int)), context)
    for name, direction in itertools.product(names, directions):
        network = cloze_network(cells.config(name, units), size, context, direction == "bidirectional", random_state)
        batches = random_gaps(corpus.train, context, batch_size, random_state)
        found = fit(network, cross_entropy(), batches, updates, learning_rate)
        outputs = network.predict(inputs, batch_size=500, verbose=0)
        rows.append({"cell": name, "reads": direction, "parameters": network.count_params(), **score(outputs, targets)})
        losses.append({"cell": name, "reads": direction, "losses": [loss / math.log(2) for loss in found]})
        progress("{cell}, {reads}: {bits_per_gap:.3f} bits/gap, {accuracy:.1%} right".format_map(rows[-1]))
    return Cloze(rows, len(targets), context, losses)


def gap(ids: np.ndarray, starts: np.ndarray, context: int) -> tuple[np.ndarray, np.ndarray]:
    """What stands around gaps, (N, 2 · context), and what belongs there, (N,); windows begin at `starts`."""
    windows = cut_windows(ids, starts, 2 * context + 1).astype(np.int32)
    return np.delete(windows, context, axis=1), windows[:, context]


def random_gaps(ids: np.ndarray, context: int, batch_size: int, random_state: int):
    """Batches of `gap` without end, the same for every network."""
    random = np.random.default_rng(random_state)
    while True:
        yield gap(ids, random.integers(len(ids) - 2 * context, size=batch_size), context)


def cloze_network(config, size: int, context: int, bidirectional: bool, random_state: int = 0):
    """A Keras model from what stands around a gap, ids (N, 2 · context), to logits of what belongs there, (N, V)."""
    import keras

    from shakegen.network.build import recurrent_layer

    seeds = itertools.count(1000 * random_state)
    around = keras.Input((2 * context,), dtype="int32")
    sides = {"before": around[:, :context], "after": keras.ops.flip(around[:, context:], axis=1)}
    if not bidirectional:
        del sides["after"]
    read = [recurrent_layer(config, name, seeds)(keras.ops.one_hot(ids, size))[:, -1] for name, ids in sides.items()]
    hidden = keras.layers.concatenate(read) if bidirectional else read[0]
    read_out = keras.layers.Dense(size, kernel_initializer=keras.initializers.GlorotUniform(next(seeds)))
    return keras.Model(around, read_out(hidden))


def cross_entropy():
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def score(logits: np.ndarray, targets: np.ndarray) -> dict:
    """The mean cross entropy in bits, and the share of gaps whose likeliest symbol is right."""
    from shakegen.model.evaluation import predicted

    surprisals, right = predicted(logits.astype(float), targets)
    return {"bits_per_gap": float(surprisals.mean() / math.log(2)), "accuracy": float(right.mean())}
