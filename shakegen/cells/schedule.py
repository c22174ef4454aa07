"""The order of a step's operations in numpy, and the memory for each: few calls, few copies.

An operation on blocks that are neighbours in memory is one call for all of them: blocks are laid out so that many are.
Results stand in the place of operands that are needed no more, and states and factors of products where they belong.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from shakegen.cells.places import OUTPUT, ROW, Bank, Call, Place, are_neighbours
from shakegen.cells.program import order_of
from shakegen.cells.symbol import ELEMENTWISE, Symbol

COMMUTATIVE = ("add", "multiply", "maximum")
JOINING = (*ELEMENTWISE, "tanh", "exp", "log", "sqrt", "log1p", "minimum")  # whose results are as their arguments stand
VIEWS = ("columns", "part", "concat")  # operations whose results cannot be written anywhere


class Schedule:
    """The calls of a step.

    Args:
        targets: nodes, and the places where they are wanted after the step.
        places: of the nodes that are known before it.
        banks: products within the step: nodes of the operation "columns" that have the same inputs, with the place of
            the factor and that of each node.
        widths: of the pieces of memory, of which some are in use already.
        calls: the first ones.
        dtype: of all numbers.
        single: whether the step is for one stream. For several, columns of given memory are no block in a row, and
            operations on them are slow: no result is put there that need not be.

    Attributes:
        calls: of a step, in order.
        widths: of the pieces of memory.
        places: for each piece of memory, all places there that the calls or the caller use.
    """

    def __init__(
        self,
        targets: list,
        places: dict[Symbol, Place],
        banks: list[Bank],
        widths: list[int],
        calls: Sequence[Call],
        dtype,
        single: bool,
    ):
        self.calls, self._dtype, self._first = list(calls), dtype, ROW if single else OUTPUT + 1
        self.widths, self._places = list(widths), dict(places)
        self._banks = {node: bank for bank in banks for node in bank.nodes}
        self._waiting = order_of([node for node, _ in targets], places)
        self._uses = Counter(one for node in self._waiting for one in set(node.inputs))
        self._kept = {node for node, _ in targets}  # and all nodes that others are views of
        self._kept |= {one for node in self._waiting if node.operation == "part" for one in (node, *node.inputs)}
        copies = self._find_homes(targets, banks)
        while self._waiting:
            ready = [node for node in self._waiting if all(one in self._places for one in node.inputs)]
            free = [node for node in ready if self._is_free(node)]
            if free:
                self._emit(max(self._find_packs(free), key=len))
            else:  # states that are each needed for the other
                copies.append((ready[0], self._homes.pop(ready[0])))
        for node, place in copies:
            self._call("copy", [self._places[node]], place)
        self.places: list[list[Place]] = [[] for _ in self.widths]
        used = [*(place for call in self.calls for place in (*call.arguments, call.place)), *(p for _, p in targets)]
        for place in dict.fromkeys(one for one in used if isinstance(one, Place)):
            self.places[place.memory].append(place)

    def _call(self, operation: str, arguments: list, place: Place, attributes: Mapping = MappingProxyType({})) -> None:
        widths = {one.stop - one.start for one in (*arguments, place) if isinstance(one, Place)}
        block = min(widths) if operation in JOINING and len(widths) > 1 else 0
        self.calls.append(Call(operation, arguments, attributes, place, block))

    def _find_homes(self, targets: list, banks: list[Bank]) -> list[tuple[Symbol, Place]]:
        """Find where results are written at once; return those to be copied at the end."""
        self._homes: dict[Symbol, Place] = {}
        copies, movable = [], {node for node in self._waiting if node.operation not in VIEWS}
        for node, place in targets:
            if node in movable and node not in self._homes and place.memory in (ROW, OUTPUT):
                self._homes[node] = place
            else:
                copies.append((node, place))
        staged = [node for node, _ in copies if self._root(node) in self._places and node.operation != "columns"]
        for node in dict.fromkeys(staged):  # states before the step, which are about to be overwritten
            if node in self._waiting:
                self._emit([node])
            place = self._allocate(node.shape[-1])
            self._call("copy", [self._places[node]], place)
            self._places[node] = place
        for bank in banks:
            for left, place in zip(bank.nodes[0].inputs, bank.lefts, strict=True):
                if left in movable:
                    self._homes.setdefault(left, place)
        self._readers: dict[Place, set[Symbol]] = {}
        for node in self._waiting:
            if node.operation != "part":
                for one in map(self._root, node.inputs):
                    if one in self._places:
                        self._readers.setdefault(self._places[one], set()).add(node)
        return copies

    def _root(self, node: Symbol) -> Symbol:
        while node.operation == "part":
            node = node.inputs[0]
        return node

    def _is_free(self, node: Symbol) -> bool:
        """Whether no node that is yet to be computed reads the place of a node."""
        home = self._homes.get(node)
        return home is None or not self._readers.get(home, set()).intersection(self._waiting) - {node}

    def _allocate(self, width: int) -> Place:
        self.widths.append(width)
        return Place(len(self.widths) - 1, 0, width)

    def _arguments(self, node: Symbol) -> list:
        places = iter([self._places[one] for one in node.inputs])
        arguments = [next(places) if one is None else one for one in node.attributes["arguments"]]
        if node.operation in COMMUTATIVE and all(isinstance(one, Place) for one in arguments):
            arguments.sort()
        return arguments

    def _find_packs(self, nodes: Iterable[Symbol]) -> list[list[Symbol]]:
        """Groups of nodes that one call can compute."""
        groups: dict[tuple, list[Symbol]] = {}
        for node in nodes:
            if node.operation in VIEWS:
                groups[(node.operation, node.inputs if node.operation == "columns" else node)] = [node]
                continue
            kinds = tuple(
                one if isinstance(one, float) else "node" if isinstance(one, Place) else id(one)
                for one in self._arguments(node)
            )
            joins = node.operation in JOINING and not any(isinstance(kind, int) for kind in kinds)
            groups.setdefault((node.operation, kinds, None if joins else node), []).append(node)
        return [pack for group in groups.values() for pack in self._find_runs(group)]

    def _find_runs(self, group: list[Symbol]) -> list[list[Symbol]]:
        """Runs of nodes whose arguments are neighbours in memory, and their results too."""
        if len(group) == 1:
            return [group]
        places = {node: [one for one in self._arguments(node) if isinstance(one, Place)] for node in group}
        runs: list[list[Symbol]] = []
        for node in sorted(group, key=places.__getitem__):
            last = runs[-1][-1] if runs else None
            if last is not None and are_neighbours(places[runs[-1][0]], places[last], places[node]):
                here, there = self._homes.get(last), self._homes.get(node)
                if here.joins(there) if here and there else here is there:
                    runs[-1].append(node)
                    continue
            runs.append([node])
        return runs

    def _emit(self, pack: list[Symbol]) -> None:
        first = pack[0]
        if first.operation == "part":
            whole, columns = self._places[first.inputs[0]], first.attributes["attributes"]
            self._places[first] = Place(whole.memory, whole.start + columns["start"], whole.start + columns["stop"])
        elif first.operation == "columns":
            pack = self._emit_product(self._banks[first])
        elif first.operation == "concat":
            self._emit_concat(first)
        else:
            arguments = [self._arguments(node) for node in pack]
            joined = [
                Place(one.memory, one.start, last.stop) if isinstance(one, Place) else one  # or one place for all
                for one, last in zip(arguments[0], arguments[-1], strict=True)
            ]
            place = self._find_place(pack, joined)
            joined = [np.array(one, self._dtype) if isinstance(one, float) else one for one in joined]  # numpy converts
            self._call(first.operation, joined, place, first.attributes["attributes"])  # numbers anew in every call
            start = place.start
            for node in pack:
                self._places[node] = Place(place.memory, start, start + node.shape[-1])
                start += node.shape[-1]
        self._waiting = [node for node in self._waiting if node not in pack]
        for node in pack:
            self._uses.subtract(set(node.inputs))

    def _find_place(self, pack: list[Symbol], joined: list) -> Place:
        """Where the results of a call go: home, or in the place of an operand, or elsewhere."""
        width = sum(node.shape[-1] for node in pack)
        if pack[0] in self._homes:
            home = self._homes[pack[0]]
            return Place(home.memory, home.start, home.start + width)
        for place in joined:
            if isinstance(place, Place) and place.memory >= self._first and place.stop - place.start == width:
                gone = [one for node in pack for one in set(node.inputs) if self._covers(place, one)]
                counts = Counter(gone)
                if all(self._uses[one] == counts[one] and self._may_go(one) for one in counts):
                    return place
        return self._allocate(width)

    def _covers(self, place: Place, node: Symbol) -> bool:
        own = self._places[node]
        return own.memory == place.memory and place.start <= own.start and own.stop <= place.stop

    def _may_go(self, node: Symbol) -> bool:
        return node.operation != "input" and node not in self._kept and node not in self._homes

    def _emit_product(self, bank: Bank) -> list[Symbol]:
        for left, place in zip(bank.nodes[0].inputs, bank.lefts, strict=True):
            if self._places[left] != place:
                self._call("copy", [self._places[left]], place)
        self._call("matmul", [bank.factor, bank.kernel], bank.product)
        start = bank.product.start
        for node in bank.nodes:
            self._places[node] = Place(bank.product.memory, start, start + node.shape[-1])
            start += node.shape[-1]
        return bank.nodes

    def _emit_concat(self, node: Symbol) -> None:
        place = self._places[node] = self._allocate(node.shape[-1])
        start = place.start
        for one in node.inputs:
            stop = start + one.shape[-1]
            self._call("copy", [self._places[one]], Place(place.memory, start, stop))
            start = stop
