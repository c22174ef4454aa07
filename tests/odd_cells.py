"""Cells that use every operation and every kind of state, for the tests of graphs, loops and gradients."""

from shakegen.cells import (
    Cell,
    Weight,
    activate,
    concat,
    exp,
    log,
    maximum,
    option,
    relu,
    rows,
    sigmoid,
    softplus,
    split,
    sqrt,
    tanh,
)  # fmt: skip
from shakegen.cells.registry import CELLS


class MinimalGRU(Cell):
    """A cell without products with h; its state is a sum."""

    name, gates = "test-minimal", ("z", "h")

    def weights(self, inputs):
        return {"kernel": Weight((inputs, 2 * self.units)), "bias": Weight((2 * self.units,), "zeros")}

    def step(self, x, s, w):
        z, h = split(x @ w.kernel + w.bias, 2)
        z = sigmoid(z)
        return {"h": s.h - z * s.h + z * h, "z": z}


class Gallery(Cell):
    """Every operation, the input and h beside their products, several products of each, blocks of odd widths."""

    name = "test-gallery"

    rank: int = option(2, least=1, help="Columns of the narrow products.")

    @property
    def state_names(self):
        return ("h", "n", "m")

    def weights(self, inputs):
        return {
            "first": Weight((inputs, self.units)),
            "second": Weight((inputs, self.rank)),
            "up": Weight((self.rank, self.units)),
            "recurrent_kernel": Weight((self.units, 2 * self.units), "orthogonal"),
            "other": Weight((self.units, self.rank)),
            "reads": Weight((inputs + self.units, self.units)),
            "decay": Weight((self.units,), "ones"),
            "biases": Weight((2, self.units), "zeros"),
        }

    def step(self, x, s, w):
        b, c = rows(w.biases)
        a, d = split(s.h @ w.recurrent_kernel + concat(b, c), 2)
        narrow = relu(x @ w.second + s.h @ w.other)
        m = maximum(s.m + tanh(a), sigmoid(d))
        rate = exp(-softplus(w.decay) * sigmoid(x @ w.first + b))
        n = rate * s.n + sqrt(1.5 - rate * rate) * (narrow @ w.up)
        read = concat(x, s.n) @ w.reads
        p, q = activate(concat(read, n + read - c), "tanh", "sigmoid")
        return {"h": p * q / (2 + log(1 + n * n)) + 0.5 * s.h, "n": n, "m": m * 0.5, "gate": q}


class Copycat(Cell):
    """Two states are one and the same symbol, the product with the input."""

    name = "test-copycat"

    @property
    def state_names(self):
        return ("h", "again", "was")

    def weights(self, inputs):
        return {"kernel": Weight((inputs, self.units))}

    def step(self, x, s, w):
        z = x @ w.kernel
        return {"h": z, "again": z, "was": s.h * s.again}


class Partial(Cell):
    """A product with h, whose gradient is a part of a wider one, and a state that passes through."""

    name = "test-partial"

    @property
    def state_names(self):
        return ("h", "n", "before")

    def weights(self, inputs):
        square = Weight((self.units, self.units), "orthogonal")
        return {"kernel": Weight((inputs, 2 * self.units)), "recurrent_kernel": square, "bias": Weight((self.units,))}

    def step(self, x, s, w):
        a, c = activate(concat(s.h @ w.recurrent_kernel + w.bias, s.n) + x @ w.kernel, "sigmoid", "tanh")
        return {"h": a * c, "n": c + 0.1 * s.before, "before": s.h}


for cell in (MinimalGRU, Gallery, Copycat, Partial):
    del CELLS[cell.name]  # other tests see the cells of the package alone
