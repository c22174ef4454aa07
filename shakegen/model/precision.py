"""Weights of 16 bits, where that changes little: half a file, or half a page. Only numpy."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from shakegen.model.base import Model

PRECISIONS = ("auto", "float16", "float32")
TOLERANCE = 0.02  # the largest change of a logit by weights of 16 bits
STREAMS, STEPS = 8, 512  # of the text along which it is measured


def shrink(model: Model) -> tuple[Model, float]:
    """A model for a small file: without its training run, with weights of 16 bits where that changes little.

    `Model.save` writes 16 bits for each weight where that loses nothing.

    Args:
        model: a `LanguageModel` or an `AutocompleteModel`; it stays as it is.

    Returns:
        The model, and the largest change of a logit by 16 bits; weights stay as they are if it is over 0.02.
    """
    rounded = round_weights(model.weights)
    change = measure_change(model, rounded)
    weights = rounded if change <= TOLERANCE else model.weights
    return dataclasses.replace(model, weights=weights, training=None), change


def choose_precision(model, precision: str) -> tuple[Mapping[str, np.ndarray], str]:
    """The weights of a model in a precision, one of `PRECISIONS`, as float32 arrays, and that precision.

    Raises:
        ValueError: there is no such precision, or a weight is too large for it.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"the precision is {precision!r}: expected {', '.join(PRECISIONS)}")
    rounded = round_weights(model.weights)
    if precision == "float16" and not all(np.isfinite(weight).all() for weight in rounded.values()):
        raise ValueError("the precision is 'float16', but a weight is beyond 65,504: expected auto or float32")
    if precision == "float32" or (precision == "auto" and not measure_change(model, rounded) <= TOLERANCE):
        return model.weights, "float32"
    return rounded, "float16"


def round_weights(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights rounded to 16 bits, as float32 arrays; those above 65,504 become infinite."""
    with np.errstate(over="ignore"):
        return {name: weight.astype(np.float16).astype(np.float32) for name, weight in weights.items()}


def measure_change(model, weights: Mapping[str, np.ndarray]) -> float:
    """The largest change of a logit where a model has other weights; infinite or NaN where these are not numbers.

    Both read the same texts, which the model writes itself: along random symbols, a network that has learned much may
    go any way after the smallest change. A model that predicts other things than it reads gets random symbols.
    """
    if not all(np.isfinite(weight).all() for weight in weights.values()):
        return np.inf
    random = np.random.default_rng(0)
    engines = [type(model).make_engine(model.config, one) for one in (model.weights, weights)]
    states = [engine.start(STREAMS) for engine in engines]
    size, writes = len(model.vocabulary), model.output_vocabulary is model.vocabulary
    ids, largest = random.integers(0, size, STREAMS), 0.0
    for _ in range(STEPS):
        results = [engine.step(ids, state)[0] for engine, state in zip(engines, states, strict=True)]
        if model.defers_read_out:
            results = [engine.read_out(one) for engine, one in zip(engines, results, strict=True)]
        largest = np.maximum(largest, np.abs(results[0] - results[1]).max())  # NaN stays
        if writes:
            ids = (results[0] + random.gumbel(size=results[0].shape)).argmax(axis=1)
        else:
            ids = random.integers(0, size, STREAMS)
    return float(largest)
