"""Equations rewritten for a loop: fewer operations in it, and one product in place of several."""

from collections import Counter

from shakegen.cells.operations import apply
from shakegen.cells.program import depends_on, order_of, part_of, separate_products, substitute
from shakegen.cells.symbol import BATCH, Symbol

LINEAR = ("add", "subtract", "part", "concat")


def is_product(symbol: Symbol) -> bool:
    return symbol.operation == "matmul"


def merge_products(wanted: list[Symbol], left: Symbol) -> list[Symbol]:
    """Make one product of all products of a symbol with weights."""
    wanted, whole, weights = separate_products(wanted, left, keep_left=True)
    if not weights:
        return wanted
    weight = weights[0] if len(weights) == 1 else apply("concat", *weights)
    return substitute(wanted, {whole: apply("matmul", left, weight)})


def regroup_sums(wanted: list[Symbol], x: Symbol) -> list[Symbol]:
    """Add vectors of weights to the inputs' products first, wherever they stand in a sum: before the loop."""
    order = order_of(wanted)
    uses = Counter(one for symbol in order for one in symbol.inputs) + Counter(wanted)
    inner = {
        one for s in order if s.operation == "add" for one in s.inputs if one.operation == "add" and uses[one] == 1
    }
    new: dict[Symbol, Symbol] = {}

    def terms_of(symbol: Symbol) -> list[Symbol]:
        return [term for one in symbol.inputs for term in (terms_of(one) if one in inner else [new[one]])]

    for symbol in order:
        (new[symbol],) = substitute([symbol], {one: new[one] for one in symbol.inputs})
        if symbol.operation != "add" or symbol in inner:
            continue
        terms = terms_of(symbol)
        products = [term for term in terms if is_product(term) and term.inputs[0] is x]
        vectors = [term for term in terms if len(term.shape) == 1]
        if products and vectors:
            first = [*products, *vectors]
            rest = (term for term in terms if term not in first)
            new[symbol] = sum(rest, sum(first[1:], first[0]))
    return [new[symbol] for symbol in wanted]


def of_weights(wanted: list[Symbol]) -> set[Symbol]:
    """The symbols that depend on weights alone."""
    return {one for one in order_of(wanted) if BATCH not in one.shape and one.operation != "constant"}


def find_groups(wanted: list[Symbol], x: Symbol, states: list[Symbol], linear: bool) -> list[Symbol]:
    """The largest parts of the equations that depend on the input and on no state; or the input itself.

    Args:
        linear: whether only parts that are linear in the input are taken.
    """
    order = order_of(wanted)
    alone = depends_on(wanted, [x]) - depends_on(wanted, states)
    if linear:
        alone = linear_parts(order, x, alone, of_weights(wanted))
    used = [*(one for symbol in order if symbol not in alone for one in symbol.inputs), *wanted]
    return list(dict.fromkeys(one for one in used if one in alone))


def linear_parts(order: list[Symbol], x: Symbol, alone: set[Symbol], weights: set[Symbol]) -> set[Symbol]:
    """Products of the input, sums and parts of these, and the input itself."""
    linear: set[Symbol] = set()
    for symbol in order:
        if is_product(symbol) and symbol.inputs[0] is x:
            linear.add(symbol)
        elif symbol.operation in LINEAR and linear.intersection(symbol.inputs) and symbol in alone:
            others = [one for one in symbol.inputs if one not in linear]
            if not others or (symbol.operation != "concat" and all(one in weights for one in others)):
                linear.add(symbol)
    return {x, *linear}


def narrow_products(wanted: list[Symbol]) -> list[Symbol]:
    """Let parts of products, and of sums of products, be products with parts of the weights."""
    parts = [symbol for symbol in order_of(wanted) if symbol.operation == "part" and BATCH in symbol.shape]
    return substitute(wanted, {symbol: narrow(symbol, 0, symbol.shape[-1]) for symbol in parts})


def narrow(symbol: Symbol, start: int, stop: int) -> Symbol:
    """Columns of a symbol; of a product or a sum of products, computed from the columns of the weights alone."""
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
