"""Where the values of a step stand in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from shakegen.cells.program import order_of
from shakegen.cells.symbol import Symbol

ROW, INPUT, OUTPUT = range(3)  # given memory: products with h and then states; products with x; the output


class Place(NamedTuple):
    """Columns of a piece of memory."""

    memory: int
    start: int
    stop: int

    def joins(self, other: "Place") -> bool:
        """Whether another place begins where this one ends."""
        return (self.memory, self.stop) == (other.memory, other.start)


class Call(NamedTuple):
    """An operation on places, and arrays; with `block`, on blocks of this width, of which some serve several."""

    operation: str
    arguments: list
    attributes: Mapping
    place: Place
    block: int = 0


@dataclass(frozen=True, eq=False)
class Bank:
    """Products within a step that have the same factors: one product.

    Attributes:
        nodes: the blocks of columns of the product.
        kernel: the matrix, with the biases as its last row that is not zero.
        factor, product: all of the memory for the factor, and for the product.
        lefts: the places of the inputs in the factor.
    """

    nodes: list[Symbol]
    kernel: np.ndarray
    factor: Place
    product: Place
    lefts: list[Place]


def are_neighbours(first: list[Place], left: list[Place], right: list[Place]) -> bool:
    """Whether the arguments of an operation stand behind those of a run of others, or are the same for all."""
    pairs = list(zip(first, left, right, strict=True))
    widths = {place.stop - place.start for places in pairs for place in places}
    if not all(two.joins(three) or (one == two == three and len(widths) == 1) for one, two, three in pairs):
        return False
    return any(two.joins(three) for _, two, three in pairs)


def line_up(memory: int, nodes: Iterable[Symbol]) -> dict[Symbol, Place]:
    """Places side by side."""
    places, start = {}, 0
    for node in nodes:
        places[node] = Place(memory, start, start + node.shape[-1])
        start += node.shape[-1]
    return places


def sort_columns(nodes: list[Symbol], wanted: list[Symbol]) -> list[Symbol]:
    """Blocks of columns in an order in which many operations are on neighbours: alike ones, and the last used first."""
    order = order_of(wanted)
    levels: dict[Symbol, int] = {}
    consumers: dict[Symbol, list[Symbol]] = {}
    for node in order:
        levels[node] = 1 + max((levels[one] for one in node.inputs), default=-1)
        for one in node.inputs:
            consumers.setdefault(one, []).append(node)

    def key(node: Symbol) -> tuple:
        chain = []
        while (
            len(after := consumers.get(node, [])) == 1
            and "arguments" in after[0].attributes
            and len(after[0].inputs) == 1
        ):
            node = after[0]
            chain.append((node.operation, *(one for one in node.attributes["arguments"] if isinstance(one, float))))
        ends = min(((one.operation, -levels[one]) for one in after), default=("", 0))
        ends_last = [("~", "")] if chain else []  # after longer chains that begin alike
        return [*((operation, str(numbers)) for operation, *numbers in chain), *ends_last], ends

    return sorted(nodes, key=key)
