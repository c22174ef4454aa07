"""Equations rewritten for a loop: fewer operations in it, and one product in place of several."""

import functools

from shakegen.cells.gradient import part_of
from shakegen.cells.operations import apply
from shakegen.cells.program import order_of, substitute
from shakegen.cells.symbol import BATCH, Symbol

LINEAR = ("add", "subtract", "part", "concat")


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
    """Columns of a symbol that is linear in the input, computed from the columns of the weights alone."""
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


def find_product(wanted: list[Symbol], left: Symbol) -> Symbol | None:
    """The product of a symbol with a weight, if there is one."""
    return next((one for one in order_of(wanted) if is_product(one) and one.inputs[0] is left), None)
