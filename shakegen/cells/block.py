"""The block around a cell: norm, convolution, cell, residual connection; then norm, gated perceptron, and another one.

Blocks are for networks whose cells hardly read their last output, or not at all. All cells have the same block here. It
has the parts that the papers' blocks have in common:

- Griffin (De et al. 2024, arXiv 2402.19427) has RMS norms. A linear layer and a convolution of width 4 stand before its
  cell, a second branch with a GELU gates the cell's output, and a linear layer follows. The gated perceptron has a GELU
  and three times the width. One more norm stands before the read-out.
- xLSTM (Beck et al. 2024, arXiv 2405.04517) has layer norms. Two gates of its sLSTM read a convolution of width 4 with
  a SiLU. A norm of the cell's output follows, and a gated perceptron with a GELU and 4/3 of the width.
- Feng et al. 2024 (arXiv 2410.01201) put a convolution of width 4 before minGRU and minLSTM, and a perceptron behind.

Here norms are layer norms without a shift. There is no branch beside the cell, no linear layer but those of cell and
perceptron, and no bias but the cell's own. The gated perceptron has a SiLU (Shazeer 2020, arXiv 2002.05202).
"""

from shakegen.cells.cell import Cell, Weight
from shakegen.cells.graph import Names, mean_states
from shakegen.cells.operations import CellError, normalise, rows, sigmoid, split


class Block(Cell):
    """y = x + cell(convolution(norm(x))), output = y + (SiLU(a) ⊙ b) W with a, b = norm(y) U.

    The convolution is a weighted sum of each number with its own values in the last steps, which are zeros at first. A
    norm has mean 0 and variance 1 over the width, times a scale. The input has as many numbers as the cell has units.

    Attributes:
        cell: the recurrent unit.
        convolution: the width K of the convolution in steps; 0: none.
        mlp: the width of the perceptron, times the units; 0: none, and no second half.

    Raises:
        CellError: a state of the cell has the name of one of the block's.
    """

    cell: Cell
    convolution: int
    mlp: int

    def __post_init__(self):
        object.__setattr__(self, "name", self.cell.name)  # for messages
        if len(set(self.state_names)) < len(self.state_names):
            raise CellError(
                f"the cell {self.name!r} has a state that its block has too: expected other names than output, delay_1 "
                "and so on"
            )

    @property
    def state_names(self):
        return ("output", *self.cell.state_names, *(f"delay_{k}" for k in range(1, self.convolution)))

    @property
    def memories(self):
        return self.cell.memories

    def weights(self, inputs):
        return {**self._weights_before(inputs), **self.cell.weights(inputs), **self._weights_after()}

    def shapes(self, inputs, learn_initial_state):
        shapes = super().shapes(inputs, False)
        before = {name: shapes[name] for name in self._weights_before(inputs)}
        numbers = range(1, 1 + len(self.cell.state_names)) if learn_initial_state else ()  # "output" is number 0
        return {**before, **{f"initial_state_{k}": (self.units,) for k in numbers}, **shapes}

    def _weights_before(self, inputs: int) -> dict[str, Weight]:
        weights = {"block_norm": Weight((inputs,), "ones")}
        if self.convolution:
            weights["block_convolution"] = Weight((self.convolution, inputs), "lecun_uniform")
        return weights

    def _weights_after(self) -> dict[str, Weight]:
        width = self.mlp * self.units
        if not width:
            return {}
        up, down = Weight((self.units, 2 * width)), Weight((width, self.units))
        return {"block_mlp_norm": Weight((self.units,), "ones"), "block_up": up, "block_down": down}

    def step(self, x, s, w):
        z, delays = normalise(x) * w.block_norm, {}
        if self.convolution:
            last = [z, *(s[f"delay_{k}"] for k in range(1, self.convolution))]
            delays = {f"delay_{k}": one for k, one in enumerate(last[:-1], 1)}
            first, *others = (one * tap for one, tap in zip(last, reversed(rows(w.block_convolution)), strict=True))
            z = sum(others, first)
        states = {name: s[name] for name in self.cell.state_names}
        given = self.cell.step(z, Names(states), w)
        given |= mean_states(self.cell, states, given)
        y = x + given[self.cell.state_names[0]]
        if self.mlp:
            a, b = split((normalise(y) * w.block_mlp_norm) @ w.block_up, 2)
            y = y + (a * sigmoid(a) * b) @ w.block_down
        return {**given, "output": y, **delays}
