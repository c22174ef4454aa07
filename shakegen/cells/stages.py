"""The step of a cell in three stages, for many steps in a row: before the recurrence, the recurrence, and after it.

Early values need no state: they are computed for all steps at once. So are the late ones, which no later step needs,
such as the perceptron of a block. Only the rest runs step by step. A state that is an early value of the step before,
such as a delayed input of a convolution, is early too.
"""

import numpy as np

from shakegen.cells.places import INPUT, OUTPUT, ROW, Place, line_up
from shakegen.cells.program import order_of
from shakegen.cells.symbol import Symbol

EARLY, KEPT = OUTPUT + 1, OUTPUT + 2  # given memory besides: early values, and values that the recurrence hands on


class Stages:
    """The stages of a step, compiled.

    Args:
        output: the node of the output.
        after: the nodes of the states after the step, by state.
        places: of the products with x and with h, and of the states.
        widths: of the given memory of a step.
        compile_part: as `NumpyStep.compile_part`.
        sums: the calls that add products with x to those with h.

    Attributes:
        widths: of a row of early values, and of one of values that the recurrence hands on.
        reads_input: whether the recurrence reads products with x; else early values suffice.
        is_late: whether the output is computed after the recurrence, which else hands it on.
    """

    def __init__(self, output: Symbol, after: dict, places: dict[Symbol, Place], widths: list[int], compile_part, sums):
        given = {node: place for node, place in places.items() if place.memory == INPUT}
        turns, early = find_early(order_of([output, *after.values()]), after, set(given))
        loop = [state for state in after if state not in early]
        recurrent = any(place.memory == ROW and node not in after for node, place in places.items())
        inside = set(order_of([*(after[one] for one in loop), *([output] if recurrent else [])], early))
        inside |= {*loop, *(node for node in places if node not in early)}
        late = order_of([output], early | inside)
        handed = [output] if output in inside else [one for node in late for one in node.inputs if one in inside]
        used = {*after.values(), output, *(one for node in (*late, *inside) for one in node.inputs)}
        used |= {one for nodes, _ in turns[1:] for node in nodes for one in node.inputs}
        stored = line_up(EARLY, [one for nodes, states in turns for one in (*nodes, *states) if one in used])
        kept = line_up(KEPT, dict.fromkeys(handed))
        self.is_late = output not in inside
        self.reads_input = bool(sums) or any(one in given for node in inside for one in node.inputs)
        self.widths = [sum(node.shape[-1] for node in nodes) for nodes in (stored, kept)]
        self._turns = []
        known, (row, x, units) = dict(given), widths
        for nodes, states in turns:
            targets = [(node, move(stored[node], OUTPUT)) for node in nodes if node in stored]
            part = compile_part(targets, known, [0, x, self.widths[0]]) if targets else None
            known |= dict(targets)
            shifts = [(known[after[one]], stored.get(one), places[one]) for one in states]
            known |= {one: move(stored[one], OUTPUT) for one in states if one in stored}
            self._turns.append((part, shifts))
        targets = [(after[one], places[one]) for one in loop] + [(one, move(at, OUTPUT)) for one, at in kept.items()]
        self._loop = {
            single: compile_part(targets, places | stored, [row, x, self.widths[1], self.widths[0]], sums, single)
            for single in (False, True)
        }
        if self.is_late:
            known = given | stored | kept
            self._late = compile_part([(output, Place(OUTPUT, 0, units))], known, [0, x, units, *self.widths])

    def compute_early(self, inputs: np.ndarray, row: np.ndarray) -> np.ndarray:
        """The early values, shape (T · N, ·), from the products with x; early states in the row go on to the end."""
        early, row = np.empty((len(inputs), self.widths[0]), inputs.dtype), np.atleast_2d(row)
        for part, shifts in self._turns:
            if part:
                call_all(part.bind(inputs, inputs, early)[0])
            for source, target, state in shifts:
                values = view(early if source.memory == OUTPUT else inputs, source)
                before = view(row, state)
                if target is not None:
                    shifted = view(early, target)
                    shifted[: len(row)], shifted[len(row) :] = before, values[: -len(row)]
                before[:] = values[-len(row) :]
        return early

    def bind(self, row: np.ndarray, x: np.ndarray, kept: np.ndarray, early: np.ndarray):
        """The calls of the recurrence, over the memory of one step; as `NumpyStep.bind`."""
        return self._loop[kept.ndim == 1].bind(row, x, kept, early)[0]

    def compute_late(self, inputs: np.ndarray, outputs: np.ndarray, early: np.ndarray, kept: np.ndarray) -> None:
        """Write the outputs of all steps, from the values that the recurrence handed on, (T · N, ·)."""
        call_all(self._late.bind(inputs, inputs, outputs, early, kept)[0])


def call_all(calls) -> None:
    for function, arguments in calls:
        function(*arguments)


def move(place: Place, memory: int) -> Place:
    return place._replace(memory=memory)


def view(memory: np.ndarray, place: Place) -> np.ndarray:
    return memory[..., place.start : place.stop]


def find_early(order: list[Symbol], after: dict[Symbol, Symbol], sources: set[Symbol]):
    """The nodes of an order that are early, and then the states, in turns; and all of these with the sources."""
    early, turns = set(sources), []
    while True:
        nodes = []
        for node in order:
            if node not in early and node.inputs and early.issuperset(node.inputs):
                early.add(node)
                nodes.append(node)
        states = [state for state, node in after.items() if node in early and state not in early]
        early.update(states)
        turns.append((nodes, states))
        if not states:
            return turns, early
