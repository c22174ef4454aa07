"""The precision of weights on the page: 16 bits, where that changes little."""

from collections.abc import Mapping

import numpy as np

PRECISIONS = ("auto", "float16", "float32")
TOLERANCE = 0.02  # the largest change of a logit by weights of 16 bits
STEPS = 256  # symbols of the text along which it is measured


def choose_precision(model, precision: str) -> tuple[dict[str, np.ndarray], str]:
    """The weights as the page has them, as float32 arrays, and their precision there.

    Raises:
        ValueError: there is no such precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"the precision is {precision!r}: expected {', '.join(PRECISIONS)}")
    exact = {name: np.asarray(weight, np.float32) for name, weight in model.weights.items()}
    if precision == "float32":
        return exact, precision
    with np.errstate(over="ignore"):
        rounded = {name: weight.astype(np.float16).astype(np.float32) for name, weight in exact.items()}
    if precision == "auto" and not logits_agree(model, exact, rounded):
        return exact, "float32"
    return rounded, "float16"


def logits_agree(model, exact: Mapping, rounded: Mapping) -> bool:
    """Whether no logit differs by more than `TOLERANCE` along a text, half of it random, half of the model."""
    if not all(np.isfinite(weight).all() for weight in rounded.values()):
        return False
    ids = np.random.default_rng(0).integers(0, len(model.vocabulary), STEPS)
    engines = [type(model).make_engine(model.config, weights) for weights in (exact, rounded)]
    states = [engine.start() for engine in engines]
    writes = model.output_vocabulary is model.vocabulary  # so that it can read what it predicts
    for number in range(STEPS):
        results = [
            engine.step(ids[number : number + 1], state)[0] for engine, state in zip(engines, states, strict=True)
        ]
        logits = [
            engine.read_out(one)[0] if model.defers_read_out else one[0]
            for engine, one in zip(engines, results, strict=True)
        ]
        if not np.abs(logits[0] - logits[1]).max() <= TOLERANCE:
            return False
        if number + 1 < STEPS and writes and number % 2:
            ids[number + 1] = logits[0].argmax()
    return True
