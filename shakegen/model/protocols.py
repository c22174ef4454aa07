"""Ways to evaluate a model on a text other than to read it in order. Only numpy; `Dynamic` loads TensorFlow when used.

A protocol has a `name`, under which its figures are reported, and gives blocks as `evaluation.surprisal` does.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shakegen.checks import check_ids, is_number, is_whole
from shakegen.model import evaluation
from shakegen.network.quiet import quiet_tensorflow

BESIDE = 256  # windows read side by side

Blocks = Iterator[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Windows:
    """Windows of a text, each read from the start state, as nanoGPT evaluates; the mean over all their symbols.

    Attributes:
        length: how many symbols of a window are read. As many are predicted: the last one follows the window.
        draws: how many windows are drawn at random, with replacement; None reads every window of the text.
        random_state: of the draw.

    Raises:
        ValueError: a number is out of range.
    """

    length: int = 256
    draws: int | None = None
    random_state: int = 0

    name = "windows"

    def __post_init__(self):
        if not is_whole(self.length, 1):
            raise ValueError(f"the windows have {self.length!r} symbols: expected 1 or more; 256 is usual")
        if self.draws is not None and not is_whole(self.draws, 1):
            raise ValueError(f"the number of windows to draw is {self.draws!r}: expected 1 or more; 2,000 is usual")
        if not is_whole(self.random_state, 0, math.inf):
            raise ValueError(f"the random state is {self.random_state!r}: expected a whole number, 0 or more")

    def surprisal(self, model, ids: np.ndarray) -> Blocks:
        """The blocks of a text; raises ValueError if no window fits in it."""
        if len(ids) <= self.length:
            raise ValueError(f"the text has {len(ids):,} symbols: expected more than the {self.length:,} of a window")
        starts, engine = np.arange(len(ids) - self.length), model.engine
        if self.draws is not None:
            starts = np.random.default_rng(self.random_state).choice(starts, self.draws)
        for some in np.array_split(starts, -(-len(starts) // BESIDE)):
            yield from evaluation.read_beside(engine, ids, some, self.length, model.vocabulary.unknown)


@dataclass(frozen=True)
class Dynamic:
    """Dynamic evaluation (Krause et al. 2018, https://arxiv.org/abs/1709.07432): the network learns from the text.

    It reads the text in order, in segments. After it has predicted a segment, it takes one step of gradient descent on
    the surprisal of that segment. So every prediction depends on earlier symbols alone, and the figures are those of a
    code for the text, as in plain evaluation. The model itself stays as it is.

    Attributes:
        rate: of learning: by how much a weight changes whose gradient is of its usual size. That is its root mean
            square over segments of text that the network itself writes.
            In a step, the gradient changes no weight by more than 30 times that.
        decay: the share of the way back to its trained value that a weight of mean gradient goes in a step; others go
            more or less, in proportion to their gradients.
        segment: symbols in a segment.

    Raises:
        ValueError: a number is out of range.
    """

    rate: float = 5e-4
    decay: float = 1e-3
    segment: int = 20

    name = "dynamic"

    def __post_init__(self):
        if not is_number(self.rate, 0, 1):
            raise ValueError(f"the dynamic rate is {self.rate!r}: expected a number from 0 to 1; 0.0005 is usual")
        if not is_number(self.decay, 0, 1):
            raise ValueError(f"the dynamic decay is {self.decay!r}: expected a share from 0 to 1; 0.001 is usual")
        if not is_whole(self.segment, 1, 1 << 12):
            raise ValueError(f"a segment has {self.segment!r} symbols: expected 1 to 4,096; 20 is usual")

    def surprisal(self, model, ids: np.ndarray) -> Blocks:
        """The blocks of a text, one for each segment.

        Raises:
            ValueError: as `evaluation.surprisal`; or the model is an `Ensemble`.
        """
        if not hasattr(model, "config"):
            raise ValueError("a mixture does not learn from the text: expected one model for dynamic evaluation")
        with quiet_tensorflow():
            from shakegen.model.adapting import borrow_network

        evaluation.check_length(ids)
        check_ids(ids, len(model.vocabulary))
        with borrow_network(model, self) as network:
            for begin in range(0, len(ids) - 1, self.segment):
                inputs, targets = ids[begin:-1][: self.segment], ids[begin + 1 :][: self.segment]
                more = begin + self.segment < len(ids) - 1
                logits = network.learn(inputs, targets) if more else network.read(inputs)
                yield evaluation.score_targets(logits, targets, model.vocabulary.unknown)
