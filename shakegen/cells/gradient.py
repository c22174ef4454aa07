"""Reverse mode over a step's graph: the gradients are symbols too, made of the same operations."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from shakegen.cells.operations import apply
from shakegen.cells.program import depends_on, order_of, part_of
from shakegen.cells.symbol import Symbol

SLOPES = {
    "tanh": lambda y: 1 - y * y,
    "sigmoid": lambda y: y * (1 - y),
    "relu": lambda y: apply("positive", y),
    "linear": lambda y: 1.0,
}


def blocks_of(symbol: Symbol) -> list[Symbol]:
    """The blocks of a concatenation, side by side."""
    return [one for block in symbol.inputs for one in blocks_of(block)] if symbol.operation == "concat" else [symbol]


def concat_of(blocks: list[Symbol]) -> Symbol:
    return blocks[0] if len(blocks) == 1 else apply("concat", *blocks)


def multiply(gradient: Symbol, factor) -> Symbol:
    """A gradient times a factor of the same width, or a number; block by block, where the gradient has blocks."""
    if not isinstance(factor, Symbol) or factor.shape == ():
        return gradient if factor == 1.0 else concat_of([block * factor for block in blocks_of(gradient)])
    products, start = [], 0
    for block in blocks_of(gradient):
        stop = start + block.shape[-1]
        products.append(block * part_of(factor, start, stop))
        start = stop
    return concat_of(products)


def activate_gradient(y: Symbol, gradient: Symbol) -> Symbol:
    names, blocks = y.attributes["names"], []
    width = y.shape[-1] // len(names)
    for number, name in enumerate(names):
        start, stop = number * width, (number + 1) * width
        blocks.append(multiply(part_of(gradient, start, stop), SLOPES[name](part_of(y, start, stop))))
    return concat_of(blocks)


def concat_gradients(y: Symbol, gradient: Symbol) -> list[Symbol]:
    starts = [sum(block.shape[-1] for block in y.inputs[:k]) for k in range(len(y.inputs))]
    return [part_of(gradient, s, s + block.shape[-1]) for s, block in zip(starts, y.inputs, strict=True)]


# The gradients by the inputs of an operation, from its symbol y, the gradient d by it, and its inputs. Those by vectors
# (b,) are not summed over the batch; those by matrices are left out, see `Gradients.products`.
RULES: Mapping[str, Callable] = {
    **{name: lambda y, d, a: [multiply(d, SLOPES[y.operation](y))] for name in SLOPES},
    "activate": lambda y, d, a: [activate_gradient(y, d)],
    "add": lambda y, d, a, b: [d, d],
    "subtract": lambda y, d, a, b: [d, multiply(d, -1.0)],
    "multiply": lambda y, d, a, b: [multiply(d, b), multiply(d, a)],
    "divide": lambda y, d, a, b: [multiply(d, 1 / b), multiply(d, -1 * y / b)],
    # Where both are equal, the gradient goes to the first, as in TensorFlow.
    "maximum": lambda y, d, a, b: [multiply(d, 1 - apply("positive", b - a)), multiply(d, apply("positive", b - a))],
    "exp": lambda y, d, a: [multiply(d, y)],
    "log": lambda y, d, a: [multiply(d, 1 / a)],
    "sqrt": lambda y, d, a: [multiply(d, 0.5 / y)],
    "softplus": lambda y, d, a: [multiply(d, apply("sigmoid", a))],
    "normalise": lambda y, d, a: [apply("normalise_gradient", a, d)],
    "matmul": lambda y, d, a, b: [apply("matmul_transposed", d, b), None],
    "concat": lambda y, d, *blocks: concat_gradients(y, d),
}


@dataclass
class Gradients:
    """The gradients by the sources of a graph.

    Attributes:
        by: of each source that some outputs depend on; by a vector (b,), shape (N, b), to be summed over the batch.
        products: for each matrix, its left factor and the gradient by the product: Σ (left)ᵀ δ is its gradient.
    """

    by: dict[Symbol, Symbol] = field(default_factory=dict)
    products: dict[Symbol, list[tuple[Symbol, Symbol]]] = field(default_factory=dict)


def differentiate(seeds: Mapping[Symbol, Symbol], sources: Iterable[Symbol]) -> Gradients:
    """The gradients by some sources, from those by some outputs.

    Args:
        seeds: symbols of the gradients by the outputs.
        sources: symbols that the outputs depend on; nothing is taken further back than to these.
    """
    sources, found = set(sources), Gradients()
    on_the_way = depends_on(seeds, sources)
    sums: dict[Symbol, Symbol] = {}
    parts: dict[Symbol, list[tuple[int, int, Symbol]]] = {}

    def add(symbol: Symbol, gradient: Symbol) -> None:
        sums[symbol] = sums[symbol] + gradient if symbol in sums else gradient

    for output, seed in seeds.items():
        add(output, seed)
    for symbol in reversed(order_of(seeds, ())):
        if symbol in parts:
            add(symbol, joined_parts(symbol, parts[symbol]))
        if symbol not in on_the_way or symbol not in sums:
            continue
        gradient = sums[symbol]
        if symbol in sources:
            found.by[symbol] = gradient
            continue
        if symbol.operation == "matmul":
            found.products.setdefault(symbol.inputs[1], []).append((symbol.inputs[0], gradient))
        if symbol.operation == "part":
            attributes = symbol.attributes
            parts.setdefault(symbol.inputs[0], []).append((attributes["start"], attributes["stop"], gradient))
            continue
        by_inputs = RULES[symbol.operation](symbol, gradient, *symbol.inputs)
        for one, its in zip(symbol.inputs, by_inputs, strict=True):
            if one in on_the_way and its is not None:
                add(one, its)
    return found


def joined_parts(symbol: Symbol, parts: list[tuple[int, int, Symbol]]) -> Symbol:
    """The gradient by a whole, from those by parts of it; where there is none it is zero."""
    ends = sorted({0, symbol.shape[-1], *(end for start, stop, _ in parts for end in (start, stop))})
    blocks = []
    for begin, end in itertools.pairwise(ends):
        terms = [part_of(its, begin - start, end - start) for start, stop, its in parts if start <= begin < stop]
        if terms:
            blocks += blocks_of(sum(terms[1:], terms[0]))
        else:
            blocks.append(apply("zeros", parts[0][2], width=end - begin))
    return concat_of(blocks)
