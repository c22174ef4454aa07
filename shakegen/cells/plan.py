"""The plan of a loop over a step's graph, forward and back: values computed before it, kept in it, summed after it.

- Before the loop: all that depends on weights alone, and all that depends on the inputs and on no state (`groups`).
- In the loop, forward: the rest. Activations of products are kept, and other products; from these and the states the
  way back computes the remainder anew.
- In the loop, backward: the gradients δ by products and groups are stored. The gradient by h through its product with
  weights is left to the step before, which reads δ.
- After the loop: the gradient of each weight is one product, or one sum, over all steps.
"""

import functools
from dataclasses import dataclass

from shakegen.cells.gradient import blocks_of, differentiate
from shakegen.cells.graph import Graph, trace_training
from shakegen.cells.operations import CellError
from shakegen.cells.program import depends_on, order_of, structure_of, substitute
from shakegen.cells.rewriting import (
    LINEAR,
    find_groups,
    find_prepared,
    find_product,
    is_product,
    merge_products,
    narrow_products,
    regroup_sums,
)
from shakegen.cells.symbol import BATCH, Symbol, input_symbol

COSTLY = ("tanh", "sigmoid", "relu", "activate", "exp", "log", "sqrt", "softplus", "divide", "maximum")


@dataclass(frozen=True, eq=False)
class Plan:
    """A loop over the steps of a cell.

    Attributes:
        graph: the step.
        groups: the parts of a step that come from its input and no state, as symbols of the graph.
        loop_groups: their symbols within the loop, inputs of shape ("N", ·).
        prepared: values that follow from weights alone, as symbols of the graph.
        loop_weights: their symbols within the loop; the first is that of `recurrent`, if there is one.
        recurrent: whether h is multiplied by a weight.
        states: the symbols of the states before a step.
        after: the symbols, within the loop, of the states after it.
        kept: values kept of each step, symbols within the loop.
        d_after: symbols of the gradients by the states after.
        d_states: those by the states before, but for what h did through its product; None where there is none.
        deltas: values stored on the way back.
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
def plan(cell, inputs: int, by_id: bool = False, drop_h: bool = False) -> Plan:
    """The plan of a cell's loop.

    Args:
        cell: a `Cell`.
        inputs: how many numbers an input has.
        by_id: whether inputs are one-hot. Then groups are computed once for each of them, and are as large as they can
            be. Else they are linear in the input: the loop itself computes the rest faster.
        drop_h: as for `trace_training`.

    Raises:
        CellError: the equations of the cell are wrong, as for `trace`.
    """
    graph = trace_training(cell, inputs, drop_h)
    states = list(graph.states.values())
    after = regroup_sums(merge_products(list(graph.after.values()), states[0]), graph.x)
    groups = find_groups(after, graph.x, states, linear=not by_id)
    loop_groups = [input_symbol(f"group{k}", *group.shape) for k, group in enumerate(groups)]
    after = substitute(after, dict(zip(groups, loop_groups, strict=True)))
    product = find_product(after, states[0])
    prepared = find_prepared(after)
    prepared.sort(key=lambda weight: product is None or weight is not product.inputs[1])
    loop_weights = [input_symbol(f"weight{k}", *weight.shape) for k, weight in enumerate(prepared)]
    after = substitute(after, dict(zip(prepared, loop_weights, strict=True)))
    product = find_product(after, states[0])

    d_after = [input_symbol(f"d_{name}", BATCH, cell.units) for name in graph.states]
    vectors = [weight for weight in loop_weights if len(weight.shape) == 1]
    seeds = sum_seeds(after, d_after)
    gradients = differentiate(seeds, [*loop_groups, *states, *vectors, *([] if product is None else [product])])
    d_states = [gradients.by.get(state) for state in states]
    terms: list[tuple[Symbol, Symbol | str | None, Symbol]] = []
    if product is not None:
        terms.append((product.inputs[1], "h", gradients.by[product]))
    terms += [(weight, left, delta) for weight, pairs in gradients.products.items() for left, delta in pairs]
    terms += [(vector, None, gradients.by[vector]) for vector in vectors if vector in gradients.by]
    group_gradients = [gradients.by[group] for group in loop_groups]
    deltas = gather([*(delta for _, _, delta in terms), *group_gradients])
    lefts = [left for _, left, _ in terms if isinstance(left, Symbol)]
    given, wanted = {*states, *after, *graph.masks}, [*deltas, *(d for d in d_states if d is not None)]
    kept = find_kept(wanted, lefts, given, {*loop_groups}, d_after)

    def place_term(left, delta) -> tuple:
        return (kept.index(left) if isinstance(left, Symbol) else left, *place_of(delta, deltas))

    return Plan(
        graph,
        narrow_products(groups),
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
        [[place_term(left, delta) for weight, left, delta in terms if weight is own] for own in loop_weights],
    )


def find_kept(
    wanted: list[Symbol], lefts: list[Symbol], given: set[Symbol], groups: set[Symbol], d_after: list[Symbol]
) -> list[Symbol]:
    """The values to keep of a step forward, so that the way back can compute the wanted symbols.

    Args:
        wanted: symbols on the way back.
        lefts: the left factors of products with weights; kept in any case.
        given: the states before and after, and masks, which the way back has.
        groups: the parts that come from the input, which the way back does not have.
    """
    order = order_of(wanted)
    backward = depends_on(wanted, d_after)
    free, linear = set(given), set()  # values that follow from states and weights alone; sums and parts of products
    for symbol in order:
        if BATCH not in symbol.shape:
            free.add(symbol)
            linear.add(symbol)
        elif symbol in groups or is_product(symbol):
            linear.add(symbol)
        elif symbol not in backward and symbol not in given:
            if free.issuperset(symbol.inputs) and symbol.inputs:
                free.add(symbol)
            elif symbol.operation in LINEAR and linear.issuperset(symbol.inputs):
                linear.add(symbol)
    kept, seen, stack = dict.fromkeys(lefts), set(), list(reversed(wanted))
    while stack:
        symbol = stack.pop()
        if symbol in seen or symbol in kept or symbol in free:
            continue
        seen.add(symbol)
        costly = symbol.operation in COSTLY and symbol not in backward
        if symbol not in backward and (costly or symbol in linear):
            whole = symbol.inputs[0] if symbol.operation == "part" else None
            kept[whole if whole is not None and whole.operation in COSTLY else symbol] = None
        elif symbol.operation == "part" and symbol.inputs[0] in kept:
            continue
        else:
            stack += reversed(symbol.inputs)
    return list(kept)


def sum_seeds(after: list[Symbol], d_after: list[Symbol]) -> dict[Symbol, Symbol]:
    """The gradients by the states after a step, by symbol; those of one symbol add up."""
    seeds: dict[Symbol, Symbol] = {}
    for symbol, d in zip(after, d_after, strict=True):
        seeds[symbol] = seeds[symbol] + d if symbol in seeds else d
    return seeds


def gather(gradients: list[Symbol]) -> list[Symbol]:
    """Gradients to be stored, the first one first; none that is a run of blocks of another one that is stored."""
    stored = gradients[:1]
    for gradient in sorted(gradients[1:], key=lambda one: -one.shape[-1]):
        if all(run_of(gradient, other) is None for other in stored):
            stored.append(gradient)
    return stored


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


@functools.lru_cache(maxsize=256)
def loop_size(cell, inputs: int, by_id: bool = False, drop_h: bool = False) -> int:
    """A number of inputs whose plan has the same loop: H, unless the step itself depends on the number."""
    own = plan(cell, inputs, by_id, drop_h)
    try:
        usual = plan(cell, cell.units, by_id, drop_h)
    except CellError:  # the equations are for other sizes
        return inputs
    same = structure_of(loop_symbols(own)) == structure_of(loop_symbols(usual))
    return cell.units if same and own.weight_terms == usual.weight_terms else inputs


def loop_symbols(steps: Plan) -> list[Symbol]:
    """All symbols of a loop, in a fixed order."""
    gradients = [d for d in steps.d_states if d is not None]
    return [*steps.loop_groups, *steps.loop_weights, *steps.after, *steps.kept, *steps.deltas, *gradients]
