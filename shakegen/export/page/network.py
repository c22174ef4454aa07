"""A model as a description that `engine.js` runs: graphs, arrays, symbols, facts. All of it is ready for JSON."""

import base64
import math
import re
from collections.abc import Iterable, Mapping

import numpy as np

from shakegen.cells.both_ways import trace_both_ways
from shakegen.cells.graph import find_kinds
from shakegen.cells.operations import CellError
from shakegen.cells.program import translate
from shakegen.cells.symbol import Symbol
from shakegen.export.texts import texts_of_outputs
from shakegen.inference.layers import layers_of
from shakegen.model.model_file import choose_dtype
from shakegen.model.precision import choose_precision
from shakegen.text.vocabulary import UNKNOWN
from shakegen.text.word_vocabulary import CHUNK, symbol_pattern

BLANKS = r"\t\v\f\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Python's white space but \n


def describe(model, name: str, precision: str = "auto") -> dict:
    """A model for the engine of the page.

    Args:
        model: a `LanguageModel` or an `AutocompleteModel`.
        name: the name of the model.
        precision: of the weights: float16, float32, or auto for float16 where it changes no logit by more than 0.02.

    Raises:
        ValueError: there is no such precision.
        CellError: the cell cannot be traced back, or has an infinite constant.
    """
    weights, used = choose_precision(model, precision)
    config, arrays = model.config, Arrays(used)
    layers = [describe_layer(*layer, arrays) for layer in layers_of(config, weights)]
    embedding = weights.get("embedding/embeddings")
    return {
        "name": name,
        "task": model.task,
        "level": config.level,
        "units": config.units,
        "residual": config.adds_layers,
        "embedding": None if embedding is None else arrays.add(embedding),
        "layers": layers,
        "dense": [arrays.add(weights["dense/kernel"]), arrays.add(weights["dense/bias"])],
        "arrays": arrays.packed,
        "symbols": symbols_of(model),
        "outputs": texts_of_outputs(model),
        "unknown": model.vocabulary.unknown,
        "length": getattr(model, "length", None),
        "pattern": None if config.level == "char" else write_patterns(apart=config.level == "word"),
        "known": len(model.vocabulary.symbols),
        "facts": facts_of(model, used),
    }


def symbols_of(model) -> list[str]:
    return [UNKNOWN if text is None else text for text in model.vocabulary.to_json()]


def write_patterns(apart: bool) -> dict[str, str]:
    """The patterns that split a text into chunks, and those into words, in the language of JavaScript (flag u)."""
    pattern = symbol_pattern(False, apart).pattern
    return {"chunk": translate_pattern(CHUNK.pattern), "symbol": translate_pattern(pattern)}


def translate_pattern(pattern: str) -> str:
    """A pattern of `word_vocabulary` for JavaScript, where white space and digits are others, and escapes are fewer.

    Possessive quantifiers, which it lacks, are only for speed there.
    """
    pattern = re.sub(r"\\U000([0-9a-f]{5})", r"\\u{\1}", pattern)
    pattern = pattern.replace("}+", "}").replace(")?+", ")?").replace(r"\-", "-").replace(r"\#", "#")
    pattern = pattern.replace(r"[^\S\n]", f"[{BLANKS}]").replace(r"\s", rf"[\n{BLANKS}]")
    return pattern.replace(r"\S", rf"[^\n{BLANKS}]").replace(r"\d", r"\p{Nd}")


def facts_of(model, precision: str) -> dict:
    """The facts that the page tells of a model; None where a number is not finite, which JSON cannot say."""
    facts = {
        **model.config.to_dict(),
        "parameters": model.parameters,
        "corpus": {key: model.corpus.get(key) for key in ("name", "length")},
        "precision": precision,
        **model.validation_figures(),
    }
    return {key: None if isinstance(fact, float) and not math.isfinite(fact) else fact for key, fact in facts.items()}


class Arrays:
    """Arrays in base64; each once."""

    def __init__(self, precision: str):
        self.packed: list[dict] = []
        self._precision = precision
        self._numbers: dict[int, int] = {}
        self._kept: list[np.ndarray] = []  # so that no number of `id` comes again

    def add(self, array: np.ndarray) -> int:
        """The number of an array among those of the description."""
        if id(array) not in self._numbers:
            self._numbers[id(array)] = len(self.packed)
            self._kept.append(array)
            self.packed.append(pack(array, self._precision))
        return self._numbers[id(array)]


def pack(array: np.ndarray, precision: str) -> dict:
    """An array in base64; as float16 only where that is exact."""
    array = np.asarray(array, "<f4")
    if precision == "float16":
        array = array.astype(choose_dtype([array]).newbyteorder("<"))
    return {"shape": array.shape, "type": array.dtype.name, "data": base64.b64encode(array.tobytes()).decode("ascii")}


def describe_layer(cell, weights: Mapping[str, np.ndarray], inputs: int, arrays: Arrays) -> dict:
    """A layer: the kernel of its input, and the step forward and back as programs."""
    ways = trace_both_ways(cell, inputs)
    values = {symbol: weights[name] for name, symbol in ways.weights.items()}
    kernel = ways.make_kernel(values, inputs)
    back = [ways.by_x, *(gradient for gradient in ways.by_states if gradient is not None)]
    forward = write_program([*ways.after.values(), *ways.slopes], [ways.x, *ways.states], values, arrays)
    zeros = np.zeros(cell.units, np.float32)
    return {
        "kernel": arrays.add(kernel),
        "starts": [arrays.add(weights.get(f"initial_state_{k}", zeros)) for k in range(len(ways.states))],
        "names": list(ways.after),
        "kinds": find_kinds(cell, inputs),
        "forward": forward,
        "back": write_program(back, [*ways.slopes, *ways.d_after], values, arrays),
        "carried": [number for number, gradient in enumerate(ways.by_states) if gradient is not None],
    }


def write_program(
    wanted: Iterable[Symbol], known: Iterable[Symbol], values: dict[Symbol, np.ndarray], arrays: Arrays
) -> dict:
    """Symbols to compute, as lists of numbers. Values that depend on weights alone are computed here.

    Returns:
        `inputs`, the widths of the known symbols, which are the first values; `steps`, [operation, numbers of its
        inputs, width, attributes] each, whose values follow; and `outputs`, the numbers of the wanted symbols.
        In the place of a number, {"array": k} is an array of the description, {"number": c} a constant.
    """
    known, steps = list(known), []

    def step(symbol, inputs):
        steps.append([symbol.operation, inputs, symbol.shape[-1], symbol.attributes])
        return len(known) + len(steps) - 1

    def constant(symbol, value):
        if np.ndim(value) == 0 and not np.isfinite(value):
            raise CellError(f"the equations have the constant {value}, which a page cannot hold: expected a finite one")
        return {"number": float(value)} if np.ndim(value) == 0 else {"array": arrays.add(value)}

    outputs = translate(wanted, {symbol: number for number, symbol in enumerate(known)}, values, step, constant)
    return {"inputs": [one.shape[-1] for one in known], "steps": steps, "outputs": outputs}
