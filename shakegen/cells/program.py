"""Symbols computed, once or again and again, and the symbols that they depend on."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from shakegen.cells.operations import NUMPY
from shakegen.cells.symbol import BATCH, Symbol, input_symbol


class Program:
    """Symbols to compute again and again, from other values of the same inputs.

    Args:
        wanted: the symbols.
        known: symbols that are given each time.
        constants: values of further inputs, for example weights; values that depend on these alone are computed once.
        table: the operations, by name.
    """

    def __init__(self, wanted, known, constants: Mapping = MappingProxyType({}), table: Mapping = NUMPY):
        self.wanted, self._constants = list(wanted), dict(constants)
        steps = fold(self.wanted, known, self._constants, table)
        self._calls = [(one, table[one.operation], one.inputs, one.attributes) for one in steps]

    def __call__(self, values: Mapping) -> list:
        """The values of the wanted symbols, from those of the known ones."""
        values = {**self._constants, **values}
        for symbol, function, inputs, attributes in self._calls:
            values[symbol] = function(*[values[one] for one in inputs], **attributes)
        return [values[symbol] for symbol in self.wanted]


def translate(
    wanted: Iterable[Symbol],
    known: Mapping[Symbol, Any],
    constants: dict[Symbol, Any],
    step: Callable[[Symbol, list], Any],
    constant: Callable[[Symbol, Any], Any],
) -> list:
    """Write symbols down in the language of another program, which has a reference to each value, such as its name.

    Args:
        wanted: the symbols.
        known: the references to values that are there.
        constants: values of further inputs; all that is computed from these alone is added, and written as a constant.
        step: writes an operation, from its symbol and the references to its inputs, and gives the reference to it.
        constant: writes a value that depends on no known one, from its symbol and the value.

    Returns:
        The references to the wanted symbols.
    """
    wanted, references = list(wanted), dict(known)

    def refer(symbol: Symbol):
        return references[symbol] if symbol in references else constant(symbol, constants[symbol])

    for symbol in fold(wanted, known, constants):
        references[symbol] = step(symbol, [refer(one) for one in symbol.inputs])
    return [refer(symbol) for symbol in wanted]


def fold(
    wanted: Iterable[Symbol], known: Iterable[Symbol], constants: dict[Symbol, Any], table: Mapping = NUMPY
) -> list[Symbol]:
    """The symbols left to compute, in order. Symbols that depend on no known one become constants."""
    wanted, known = list(wanted), list(known)
    varying, order = depends_on(wanted, known), order_of(wanted, [*known, *constants])
    evaluate([one for one in order if one not in varying], constants, table)
    return [one for one in order if one in varying]


def evaluate(wanted: Iterable[Symbol], values: dict[Symbol, Any], table: Mapping[str, Callable] = NUMPY) -> list:
    """Values of symbols.

    Args:
        wanted: the symbols.
        values: of the inputs; all that is computed on the way is added.
        table: the operations, by name.
    """
    wanted = list(wanted)
    for symbol in order_of(wanted, values):
        if symbol.operation == "constant":
            values[symbol] = symbol.attributes["value"]
        else:
            inputs = [values[one] for one in symbol.inputs]
            values[symbol] = table[symbol.operation](*inputs, **symbol.attributes)
    return [values[symbol] for symbol in wanted]


def order_of(wanted: Iterable[Symbol], known: Iterable[Symbol] = ()) -> list[Symbol]:
    """The symbols that the wanted ones are computed from, and these, each after its inputs; but for known ones."""
    done, order, stack = set(known), [], list(wanted)
    while stack:
        symbol = stack[-1]
        if symbol in done:
            stack.pop()
            continue
        waiting = [one for one in symbol.inputs if one not in done]
        if waiting:
            stack += waiting
        else:
            order.append(symbol)
            done.add(symbol)
            stack.pop()
    return order


def depends_on(wanted: Iterable[Symbol], sources: Iterable[Symbol]) -> set[Symbol]:
    """The symbols on the way to the wanted ones that depend on some sources, these included."""
    reached = set(sources)
    for symbol in order_of(wanted):
        if reached.intersection(symbol.inputs):
            reached.add(symbol)
    return reached


def substitute(wanted: Iterable[Symbol], replacements: dict[Symbol, Symbol]) -> list[Symbol]:
    """The wanted symbols with others in the place of some that they are made of; symbols that stay are the same."""
    wanted, new = list(wanted), dict(replacements)
    for symbol in order_of(wanted, new):
        inputs = tuple(new[one] for one in symbol.inputs)
        same = inputs == symbol.inputs
        new[symbol] = symbol if same else Symbol(symbol.operation, inputs, symbol.shape, symbol.attributes, symbol.line)
    return [new[symbol] for symbol in wanted]


def part_of(symbol: Symbol, start: int, stop: int) -> Symbol:
    """Columns of a symbol; if it is a concatenation, columns of the block that has them."""
    if (start, stop) == (0, symbol.shape[-1]):
        return symbol
    if symbol.operation == "part":
        first = symbol.attributes["start"]
        return part_of(symbol.inputs[0], first + start, first + stop)
    if symbol.operation == "concat":
        begin = 0
        for block in symbol.inputs:
            end = begin + block.shape[-1]
            if begin <= start and stop <= end:
                return part_of(block, start - begin, stop - begin)
            begin = end
    return symbol.apply("part", symbol, start=start, stop=stop)


def separate_products(wanted: list[Symbol], left: Symbol, keep_left: bool) -> tuple[list[Symbol], Symbol, list[Symbol]]:
    """Replace all products of a symbol with weights by parts of one symbol that is known.

    Args:
        wanted: the symbols to compute.
        left: the symbol.
        keep_left: whether it may itself be used besides; else it becomes a part too, as its product with a one.

    Returns:
        The wanted symbols; the symbol of the products side by side; the weights, by which the columns are made. Where
        the symbol itself was a part, that comes last, as many columns as it has, and has no weight.
    """
    order = order_of(wanted)
    products = [one for one in order if one.operation == "matmul" and one.inputs[0] is left]
    itself = left in wanted or any(left in one.inputs for one in order if one not in products)
    parts = [*products, *([] if keep_left or not itself else [left])]
    whole = input_symbol(f"products of {left.name}", BATCH, sum(part.shape[-1] for part in parts))
    replacements, start = {}, 0
    for part in parts:
        stop = start + part.shape[-1]
        replacements[part] = part_of(whole, start, stop)
        start = stop
    return substitute(wanted, replacements), whole, [product.inputs[1] for product in products]


def structure_of(wanted: Iterable[Symbol]) -> tuple:
    """The operations that lead to some symbols: equal for equations that are alike in all but the names of symbols."""
    wanted = list(wanted)
    order = order_of(wanted)
    numbers = {symbol: number for number, symbol in enumerate(order)}
    steps = [
        (one.operation, tuple(numbers[i] for i in one.inputs), one.shape, tuple(sorted(one.attributes.items())))
        for one in order
    ]
    return tuple(steps), tuple(numbers[one] for one in wanted)
