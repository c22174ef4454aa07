"""The symbol in a gap, from the text before it alone, or from both sides.

A recurrent network that reads forwards knows nothing of the text that follows; a second one that reads backwards does
(Schuster & Paliwal 1997, "Bidirectional recurrent neural networks"). Filling a gap is the cloze test (Taylor 1953).
"""

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from shakegen.lab import cells, check
from shakegen.lab.repeats import summarise
from shakegen.lab.result import Result
from shakegen.model.evaluation import LN2, score_targets
from shakegen.plotting import Bars, Figure, Panel
from shakegen.text.windows import cut_windows

DIRECTIONS = ("forward", "bidirectional")


@dataclass(frozen=True)
class Cloze(Result):
    """How well each network fills gaps in text that it has not trained on, a row for each cell and direction.

    Attributes:
        gaps: the number of gaps.
        context: symbols on each side of a gap.
        runs: one dictionary for each network: cell, reads, random_state, and what was measured.
        losses: one dictionary for each network: cell, reads, random_state, and the loss before each update, in bits per
            gap.
    """

    gaps: int
    context: int
    runs: list[dict]
    losses: list[dict]

    def figure(self) -> Figure:
        names = list(dict.fromkeys(row["cell"] for row in self.rows))
        repeats = len({run["random_state"] for run in self.runs})
        panels = []
        for measure, label in (("bits_per_gap", "bits/gap"), ("accuracy", "accuracy")):
            by_kind = {(row["cell"], row["reads"]): row[measure] for row in self.rows}
            shown = [kind for kind in DIRECTIONS if any(kind == row["reads"] for row in self.rows)]
            found = {kind: [by_kind[name, kind] for name in names] for kind in shown}
            bars = [
                Bars(kind, [one.mean for one in own], [one.interval for one in own] if repeats > 1 else None)
                for kind, own in found.items()
            ]
            panels.append(Panel("cell", label, bars=bars, groups=names))
        spread = f" (means of {repeats} runs with 95 % intervals)" if repeats > 1 else ""
        return Figure(f"A gap between {self.context} symbols before it and {self.context} after it{spread}", panels)


def cloze(
    names: Annotated[Iterable[str], cells.CELLS],
    corpus,
    directions: Iterable[str] = DIRECTIONS,
    context: int = 20,
    updates: int = 400,
    units: int = 64,
    batch_size: int = 64,
    learning_rate: float = 5e-3,
    gaps: int = 2000,
    repeats: int = 3,
    random_state: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Cloze:
    """Train networks to fill gaps of one symbol in a text, and test them on other gaps.

    A forward network reads the symbols before the gap. A bidirectional one has a second layer, of as many units, that
    reads the symbols after the gap from the last to the first.

    Args:
        names: cells to compare.
        corpus: a `Corpus`: the training text has the gaps to learn from, the validation text the gaps of the test.
        directions: some of DIRECTIONS.
        context: characters, or words, to read on a side of the gap.
        updates: training updates.
        units: size of the state of a layer; each side has a layer.
        batch_size: gaps in a batch.
        learning_rate: learning rate of Adam; gradients are clipped to a norm of 1.
        gaps: gaps of the test, at most, spread over the validation text.
        repeats: networks of each kind, with the random states from `random_state` on.
        random_state: seed of weights and of the gaps to learn from.
        progress: called with a line after each training run.

    Raises:
        ValueError: the text is too short, or an argument is out of range.
    """
    configs = {name: cells.make_config(name, units) for name in names}
    directions = list(dict.fromkeys(directions))
    check.require_known("direction", directions, DIRECTIONS)
    check.require_counts(context=context, updates=updates, batch_size=batch_size, gaps=gaps, repeats=repeats)
    check.require_positive(learning_rate=learning_rate)
    for part, ids in (("training", corpus.train), ("validation", corpus.validation)):
        if len(ids) <= 2 * context:
            raise ValueError(
                f"the {part} text has {len(ids)} symbols, but a gap with {context} on each side needs "
                f"{2 * context + 1}: try a longer text or a smaller `context`"
            )
    import keras

    from shakegen.lab.fitting import fit

    runs, losses, size = [], [], len(corpus.vocabulary)
    last = len(corpus.validation) - 2 * context - 1
    inputs, targets = cut_gaps(corpus.validation, np.unique(np.linspace(0, last, gaps).astype(int)), context)
    states = range(random_state, random_state + repeats)
    for name, direction, state in itertools.product(configs, directions, states):
        network = cloze_network(configs[name], size, context, direction == "bidirectional", state)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float32")
        nats = fit(network, loss, draw_gaps(corpus.train, context, batch_size, state), updates, learning_rate)
        outputs, kind = network.predict(inputs, batch_size=500, verbose=0), {"cell": name, "reads": direction}
        run = kind | {"random_state": state, "parameters": network.count_params()}
        runs.append(run | score(outputs, targets, corpus.vocabulary.unknown))
        losses.append({**kind, "random_state": state, "losses": [loss / LN2 for loss in nats]})
        progress("{cell}, {reads}: {bits_per_gap:.3f} bits/gap, {accuracy:.1%} right".format_map(runs[-1]))
    return Cloze(summarise(runs, "cell", "reads"), len(targets), context, runs, losses)


def cut_gaps(ids: np.ndarray, starts: np.ndarray, context: int) -> tuple[np.ndarray, np.ndarray]:
    """The text around gaps, ids (N, 2 · context), and the symbols in the gaps, (N,); windows begin at `starts`."""
    windows = cut_windows(ids, starts, 2 * context + 1).astype(np.int32)
    return np.delete(windows, context, axis=1), windows[:, context]


def draw_gaps(ids: np.ndarray, context: int, batch_size: int, random_state: int):
    """Batches of `cut_gaps` without end, the same for every network."""
    random = np.random.default_rng(random_state)
    while True:
        yield cut_gaps(ids, random.integers(len(ids) - 2 * context, size=batch_size), context)


def cloze_network(config, size: int, context: int, bidirectional: bool, random_state: int = 0):
    """A Keras model from the text around a gap, ids (N, 2 · context), to logits of the symbol in it, (N, V)."""
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


def score(logits: np.ndarray, targets: np.ndarray, unknown: int | None = None) -> dict:
    """The mean cross entropy in bits, and the share of gaps whose likeliest symbol is right; the unknown one never is.

    Both are NaN for a network that diverged.
    """
    surprisals, right = score_targets(logits.astype(float), targets, unknown)
    bits = float(surprisals.mean() / LN2)
    return {"bits_per_gap": bits, "accuracy": math.nan if math.isnan(bits) else float(right.mean())}
