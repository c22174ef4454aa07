"""How a loop over a step's graph goes forward and back: what is computed before it, kept in it, summed after it.

- Before the loop: all that depends on weights alone, and the inputs' products with weights, biases added (`groups`).
- In the loop, forward: the rest. Activations of products are kept, and other products; from these and the states the
  way back computes the remainder anew.
- In the loop, backward: the gradients δ by products and groups are stored. The gradient by h through its product with
  weights is left to the step before, which reads δ.
- After the loop: the gradient of each weight is one product, or one sum, over all steps.
"""

import functools
from dataclasses import dataclass

from shakegen.cells.gradient import blocks_of, differentiate, part_of
from shakegen.cells.graph import Graph, trace
from shakegen.cells.operations import apply
from shakegen.cells.program import depends_on, order_of, substitute
from shakegen.cells.symbol import BATCH, Symbol, input_symbol

LINEAR = ("add", "subtract", "part", "concat")
COSTLY = ("tanh", "sigmoid", "relu", "activate", "exp", "log", "sqrt", "softplus", "divide", "maximum")


@dataclass(frozen=True, eq=False)
class Plan:
    """A loop over the steps of a cell.

    Attributes:
        graph: the step.
        groups: what enters a step from its input, as symbols of the graph; linear in x.
        loop_groups: their symbols within the loop, inputs of shape ("N", ·).
        prepared: what weights alone lead to, as symbols of the graph.
        loop_weights: their symbols within the loop; the first is that of `recurrent`, if there is one.
        recurrent: whether h is multiplied by a weight.
        states: the symbols of the states before a step.
        after: the symbols, within the loop, of the states after it.
        kept: what is kept of each step, symbols within the loop.
        d_after: symbols of the gradients by the states after.
        d_states: those by the states before, but for what h did through its product; None where there is none.
        deltas: what is stored on the way back.
        group_deltas: for each group, the number of the delta that holds its gradient, and the columns there.
        weight_terms: for each loop weight, the terms that its gradient is the sum of: (left, delta, start, stop), the
            left being the number of a kept symbol, or "h", or None for a sum over the batch.
    """

    graph: Graph
    groups: list[Symbol]
    loop_groups: list[Symbol]
    prepared: list[Symbol]
    loop_weights: list[Symbol]
    recurrent: bool
    states: list[Symbol]
    after: list[Symbol]
    kept: list[Symbol]
    d_after: list[Symbol]
    d_states: list[Symbol | None]
    deltas: list[Symbol]
    group_deltas: list[tuple[int, int, int]]
    weight_terms: list[list[tuple]]


@functools.lru_cache(maxsize=256)
def plan(cell, inputs: int) -> Plan:
    """The plan of a cell's loop; raises CellError as `trace` does."""
    graph = trace(cell, inputs)
    states, after = list(graph.states.values()), list(graph.after.values())
    after = merge_products(after, states[0])
    after = regroup_sums(after, graph.x)
    groups = find_groups(after, graph.x)
    loop_groups = [input_symbol(f"group{k}", *group.shape) for k, group in enumerate(groups)]
    narrow_groups = [narrow(group, 0, group.shape[-1]) for group in groups]
    after = substitute(after, dict(zip(groups, loop_groups, strict=True)))
    prepared = find_prepared(after)
    product = next((one for one in order_of(after) if is_product(one) and one.inputs[0] is states[0]), None)
    if product is not None:
        first = product.inputs[1]
        prepared.sort(key=lambda weight: weight is not first)
    loop_weights = [input_symbol(f"weight{k}", *weight.shape) for k, weight in enumerate(prepared)]
    renamed = dict(zip(prepared, loop_weights, strict=True))
    after = substitute(after, renamed)
    product = next((one for one in order_of(after) if is_product(one) and one.inputs[0] is states[0]), None)

    d_after = [input_symbol(f"d_{name}", BATCH, cell.units) for name in graph.states]
    vectors = [weight for weight in loop_weights if len(weight.shape) == 1]
    sources = [*loop_groups, *states, *vectors, *([] if product is None else [product])]
    # A state may be one symbol with another, or with an input: gradients of one symbol add up.
    seeds: dict[Symbol, Symbol] = {}
    for symbol, d in zip(after, d_after, strict=True):
        seeds[symbol] = seeds[symbol] + d if symbol in seeds else d
    gradients = differentiate(seeds, sources)
    terms: list[tuple[Symbol, Symbol | str | None, Symbol]] = []
    if product is not None:
        terms.append((product.inputs[1], "h", gradients.by[product]))
    for weight, pairs in gradients.products.items():
        terms += [(weight, left, delta) for left, delta in pairs]
    terms += [(vector, None, gradients.by[vector]) for vector in vectors if vector in gradients.by]
    group_gradients = [gradients.by[group] for group in loop_groups]
    deltas = gather([*(delta for _, _, delta in terms), *group_gradients])
    lefts = [left for _, left, _ in terms if isinstance(left, Symbol)]
    d_states = [gradients.by.get(state) for state in states]
    kept = find_kept([*deltas, *(d for d in d_states if d is not None)], lefts, {*states, *after}, loop_groups)
    return Plan(
        graph,
        narrow_groups,
        loop_groups,
        prepared,
        loop_weights,
        product is not None,
        states,
        after,
        kept,
        d_after,
        d_states,
        deltas,
        [place_of(delta, deltas) for delta in group_gradients],
        [
            [
                (kept.index(left) if isinstance(left, Symbol) else left, *place_of(delta, deltas))
                for weight, left, delta in terms
                if weight is own
            ]
            for own in loop_weights
        ],
    )


def is_product(symbol: Symbol) -> bool:
    return symbol.operation == "matmul"


def merge_products(wanted: list[Symbol], left: Symbol) -> list[Symbol]:
    """Make one product of all products of a symbol with weights."""
    products = [one for one in order_of(wanted) if is_product(one) and one.inputs[0] is left]
    if len(products) < 2:
        return wanted
    whole = apply("matmul", left, apply("concat", *(one.inputs[1] for one in products)))
    replacements, start = {}, 0
    for product in products:
        stop = start + product.shape[-1]
        replacements[product] = part_of(whole, start, stop)
        start = stop
    return substitute(wanted, replacements)


def regroup_sums(wanted: list[Symbol], x: Symbol) -> list[Symbol]:
    """Add vectors of weights to the inputs' products first, wherever they stand in a sum: before the loop."""
    new: dict[Symbol, Symbol] = {}
    order = order_of(wanted)
    within = {one for symbol in order if symbol.operation == "add" for one in symbol.inputs if one.operation == "add"}
    for symbol in order:
        if symbol.operation != "add" or symbol in within:
            continue
        terms = terms_of(symbol)
        products = [term for term in terms if is_product(term) and term.inputs[0] is x]
        vectors = [term for term in terms if len(term.shape) == 1]
        if products and vectors:
            first = [*products, *vectors]
            new[symbol] = sum_of([sum_of(first), *(term for term in terms if term not in first)])
    return substitute(wanted, new) if new else wanted


def terms_of(symbol: Symbol) -> list[Symbol]:
    return [term for one in symbol.inputs for term in terms_of(one)] if symbol.operation == "add" else [symbol]


def sum_of(terms: list[Symbol]) -> Symbol:
    return functools.reduce(lambda a, b: a + b, terms)


def of_weights(wanted: list[Symbol]) -> set[Symbol]:
    """The symbols that depend on weights alone."""
    alone: set[Symbol] = set()
    for symbol in order_of(wanted):
        if BATCH not in symbol.shape and symbol.operation != "constant":
            alone.add(symbol)
    return alone


def find_groups(wanted: list[Symbol], x: Symbol) -> list[Symbol]:
    """The largest parts of the equations that are linear in the input and depend on no state; or the input itself."""
    weights, linear = of_weights(wanted), set()
    for symbol in order_of(wanted):
        if is_product(symbol) and symbol.inputs[0] is x:
            linear.add(symbol)
        elif symbol.operation in LINEAR and linear.intersection(symbol.inputs):
            others = [one for one in symbol.inputs if one not in linear]
            if not others or (symbol.operation != "concat" and all(one in weights for one in others)):
                linear.add(symbol)
    used = [*(one for symbol in order_of(wanted) if symbol not in linear for one in symbol.inputs), *wanted]
    return list(dict.fromkeys(one for one in used if one in linear or one is x))


def narrow(symbol: Symbol, start: int, stop: int) -> Symbol:
    """Columns of what is linear in the input, computed from the columns of the weights alone."""
    if symbol.operation == "part":
        first = symbol.attributes["start"]
        return narrow(symbol.inputs[0], first + start, first + stop)
    if symbol.operation == "matmul":
        return apply("matmul", symbol.inputs[0], part_of(symbol.inputs[1], start, stop))
    if symbol.operation in ("add", "subtract"):
        sides = [narrow(one, start, stop) if one.shape else one for one in symbol.inputs]
        return apply(symbol.operation, *sides)
    return part_of(symbol, start, stop)


def find_prepared(wanted: list[Symbol]) -> list[Symbol]:
    """The largest parts of the equations that depend on weights alone."""
    weights = of_weights(wanted)
    used = (one for symbol in order_of(wanted) if symbol not in weights for one in symbol.inputs)
    return list(dict.fromkeys(one for one in used if one in weights))


def find_kept(wanted: list[Symbol], lefts: list[Symbol], free: set[Symbol], groups: list[Symbol]) -> list[Symbol]:
    """What to keep of a step forward, for the way back to compute the wanted symbols.

    Args:
        wanted: symbols on the way back.
        lefts: what products with weights multiplied; kept in any case.
        free: the states before and after.
        groups: what enters from the input, which the way back does not have.
    """
    kept: list[Symbol] = []

    def keep(symbol: Symbol) -> None:
        if symbol not in kept:
            kept.append(symbol)

    def is_free(symbol: Symbol) -> bool:
        """Whether it follows from states and weights without a product."""
        if symbol in free or BATCH not in symbol.shape:
            return True
        if symbol.operation in ("input", "matmul"):
            return symbol.operation == "input" and symbol not in groups
        return all(map(is_free, symbol.inputs))

    def is_linear(symbol: Symbol) -> bool:
        if BATCH not in symbol.shape or symbol in groups or is_product(symbol):
            return True
        return symbol.operation in LINEAR and symbol not in free and all(map(is_linear, symbol.inputs))

    forward = depends_on(wanted, groups)  # or through a product
    forward |= depends_on(wanted, [one for one in order_of(wanted) if is_product(one)])
    seen: set[Symbol] = set()

    def visit(symbol: Symbol) -> None:
        if symbol in seen or symbol in kept or symbol not in forward or is_free(symbol):
            return
        seen.add(symbol)
        if symbol.operation == "part" and symbol.inputs[0].operation in COSTLY:
            visit(symbol.inputs[0])
        elif is_linear(symbol) or (symbol.operation in COSTLY and not is_backward(symbol)):
            keep(symbol)
        else:
            for one in symbol.inputs:
                visit(one)

    backward = depends_on(wanted, [one for one in order_of(wanted) if is_seed(one)])

    def is_backward(symbol: Symbol) -> bool:
        return symbol in backward

    for left in lefts:
        keep(left)
    for symbol in wanted:
        visit(symbol)
    return kept


def is_seed(symbol: Symbol) -> bool:
    return symbol.operation == "input" and symbol.name.startswith("d_")


def gather(gradients: list[Symbol]) -> list[Symbol]:
    """Gradients to be stored, each once; none that is a run of blocks of another one."""
    stored: list[Symbol] = []
    for gradient in sorted(gradients, key=lambda one: -one.shape[-1]):
        if all(run_of(gradient, other) is None for other in stored):
            stored.append(gradient)
    first = gradients[0] if gradients else None
    return sorted(stored, key=lambda one: one is not first)


def run_of(gradient: Symbol, whole: Symbol) -> tuple[int, int] | None:
    """The columns of a whole where the blocks of a gradient stand in a row; None where they do not."""
    own, blocks = blocks_of(gradient), blocks_of(whole)
    for first in range(len(blocks) - len(own) + 1):
        if all(a is b for a, b in zip(own, blocks[first:], strict=False)):
            start = sum(block.shape[-1] for block in blocks[:first])
            return start, start + gradient.shape[-1]
    return None


def place_of(gradient: Symbol, stored: list[Symbol]) -> tuple[int, int, int]:
    """Where a gradient is stored: the number, and the columns."""
    runs = ((number, run_of(gradient, whole)) for number, whole in enumerate(stored))
    return next((number, *run) for number, run in runs if run is not None)
