"""A wrong cell gets an error that names the cell and the line to mend."""

import math
import tracemalloc

import numpy as np
import pytest

from shakegen.cells import Cell, CellError, Weight, find_cell, load_cell, maximum, option, sigmoid, split, tanh
from shakegen.cells.check import check_cell
from shakegen.cells.registry import CELLS


class Wrong(Cell):
    """What the wrong cells below have in common."""

    name, gates = "test-wrong", ("g",)


class TooWide(Wrong):
    name, gates = "test-wide", ("a", "b")

    def step(self, x, s, w):
        return {"h": tanh(x @ w.kernel + s.h)}


class NoProduct(Wrong):
    name = "test-product"

    def step(self, x, s, w):
        return {"h": tanh(s.h @ w.kernel)}


class Forgets(Wrong):
    name = "test-forgets"

    @property
    def state_names(self):
        return ("h", "c")

    def step(self, x, s, w):
        return {"h": tanh(x @ w.kernel), "g": s.c}


class TooNarrow(Wrong):
    name, gates = "test-narrow", ("a", "b")

    def step(self, x, s, w):
        return {"h": tanh(x @ w.kernel)}


class NoSuchWeight(Wrong):
    name = "test-weight"

    def step(self, x, s, w):
        return {"h": tanh(x @ w.kernal)}


class NoNumber(Wrong):
    name = "test-number"

    def step(self, x, s, w):
        z = x @ w.kernel + s.h @ w.recurrent_kernel + w.bias
        return {"h": z / (s.h - s.h)}


class Bounded(Wrong):
    name = "test-bounded"

    def step(self, x, s, w):
        z = x @ w.kernel + s.h @ w.recurrent_kernel + w.bias
        return {"h": tanh(maximum(z, -math.inf))}


class Odd(Wrong):
    name = "test-odd"

    def step(self, x, s, w):
        a, b, c = split(x @ w.kernel, 3)
        return {"h": a + b + c}


class Asks(Wrong):
    name = "test-asks"

    def step(self, x, s, w):
        return {"h": x @ w.kernel if s.h else sigmoid(s.h)}


class Returns(Wrong):
    name = "test-returns"

    def step(self, x, s, w):
        return x @ w.kernel


class Squares(Wrong):
    name = "test-squares"

    def step(self, x, s, w):
        return {"h": (x @ w.kernel) ** 2}


class Constant(Wrong):
    name = "test-constant"

    def step(self, x, s, w):
        return {"h": tanh(x @ w.kernel), "g": 1.0}


class Unused(Wrong):
    name = "test-unused"

    def step(self, x, s, w):
        return {"h": tanh(x @ w.kernel + w.bias)}


class OddShape(Wrong):
    name = "test-shape"

    def weights(self, inputs):
        return {"kernel": Weight((inputs, self.units)), "scale": Weight(())}

    def step(self, x, s, w):
        return {"h": tanh(x @ w.kernel) * w.scale}


class Deaf(Wrong):
    name = "test-deaf"

    def weights(self, inputs):
        return {"recurrent_kernel": Weight((self.units, self.units))}

    def step(self, x, s, w):
        return {"h": tanh(s.h @ w.recurrent_kernel)}


for name in [name for name in CELLS if name.startswith("test-")]:
    del CELLS[name]  # other tests see the cells of the package alone


def line_of(kind, text):
    """Where a line stands in this file, as messages have it."""
    with open(__file__, encoding="utf-8") as file:
        lines = file.read().splitlines()
    begin = lines.index(f"class {kind.__name__}(Wrong):")
    number = next(n for n, line in enumerate(lines[begin:], begin + 1) if line.strip() == text)
    return f"line {number} of test_wrong_cells.py (`{text}`)"


@pytest.mark.parametrize(
    ("kind", "line", "message"),
    [
        (TooWide, 'return {"h": tanh(x @ w.kernel + s.h)}', "('N', 8) + ('N', 4) do not fit: expected equal widths, "
         "or a number"),
        (NoProduct, 'return {"h": tanh(s.h @ w.kernel)}', "('N', 4) @ (3, 4) is no product: expected (N, a) @ a weight "
         "(a, b)"),
        (TooNarrow, 'return {"h": tanh(x @ w.kernel)}', "its state 'h' becomes ('N', 8), expected ('N', 4)"),
        (NoSuchWeight, 'return {"h": tanh(x @ w.kernal)}', "there is no 'kernal' among kernel, recurrent_kernel, bias"),
        (NoNumber, 'return {"h": z / (s.h - s.h)}', "states of zero and random weights give no number; expected "
         "finite numbers everywhere"),
        (Bounded, 'return {"h": tanh(maximum(z, -math.inf))}', "states of zero and random weights give no number; "
         "expected finite numbers everywhere"),
        (Odd, "a, b, c = split(x @ w.kernel, 3)", "a width of 4 does not split into 3 equal parts"),
        (Squares, 'return {"h": (x @ w.kernel) ** 2}', "unsupported operand type(s) for ** or pow(): 'Symbol' and "
         "'int'"),
        (Asks, 'return {"h": x @ w.kernel if s.h else sigmoid(s.h)}', "an `if` cannot depend on a number that is not "
         "known yet: use maximum, or a cell's option"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)  # fmt: skip
def test_the_line_to_mend_is_named(kind, line, message):
    with pytest.raises(CellError) as error:
        check_cell(kind(4), 3)
    assert str(error.value) == f"the cell {kind.name!r} is wrong in {line_of(kind, line)}: {message}"


def test_a_wide_cell_is_checked_in_little_memory():
    tracemalloc.start()
    check_cell.__wrapped__(find_cell("slstm")(2048), 32)  # not from the cache
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 << 20


def test_numbers_of_numpy_are_numbers_in_equations():
    class Halved(Cell):
        name, gates = "test-halved", ("g",)

        def step(self, x, s, w):
            (z,) = split(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias, np.int64(1))
            return {"h": np.float32(0.5) * tanh(z)}

    check_cell(Halved(4), 3)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Forgets, "the step of the cell 'test-forgets' forgets the state 'c': expected it in what it returns, h, g"),
        (Returns, "the step of the cell 'test-returns' returns Symbol: expected a dictionary of its states, h, and of "
         "any gates to show"),
        (Unused, "no state of the cell 'test-unused' depends on its weight 'recurrent_kernel': expected it in the "
         "equations, or a method weights(self, inputs) without it"),
        (Constant, "the step of the cell 'test-constant' returns 'g' that no input or state leads to: expected a block "
         "of numbers for each sequence"),
        (OddShape, "the weight 'scale' of the cell 'test-shape' has the shape (): expected (rows, columns) or "
         "(columns,), and a name that does not begin with initial_state"),
        (Wrong, "the cell 'test-wrong' has no step: expected a method step(self, x, s, w)"),
        (Deaf, "no state of the cell 'test-deaf' depends on its input: expected x in the equations"),
    ],
)  # fmt: skip
def test_the_cell_is_named(kind, message):
    with pytest.raises(CellError) as error:
        check_cell(kind(4), 3)
    assert str(error.value).endswith(message)


def test_a_cell_of_this_package_is_not_replaced():
    with pytest.raises(ValueError) as error:
        type("Mine", (Cell,), {"name": "gru"})
    assert str(error.value) == "there is a cell 'gru' already: expected another name for Mine"
    assert find_cell("gru").__module__ == "shakegen.cells.gru"


@pytest.mark.parametrize(
    ("place", "message"),
    {
        "nowhere:Mine": "there is no cell nowhere:Mine (No module named 'nowhere'): expected module:Class, as in "
        "my_cells:MyCell",
        "odd_cells:Mine": "there is no cell odd_cells:Mine (module 'odd_cells' has no attribute 'Mine'): expected "
        "module:Class, as in my_cells:MyCell",
        "odd_cells:Weight": "odd_cells:Weight is no cell: expected a class derived from shakegen.cells.Cell, with "
        "a name",
    }.items(),
)
def test_what_is_no_cell_is_refused(place, message):
    with pytest.raises(ValueError) as error:
        load_cell(place)
    assert str(error.value) == message


def test_an_option_that_is_a_setting_already_is_refused():
    with pytest.raises(ValueError) as error:
        type("Mine", (Cell,), {"name": "test-mine", "dropout": option(0.25), "__annotations__": {"dropout": float}})
    assert str(error.value) == "Mine has an option 'dropout': expected a name that no setting has"


def test_a_default_that_json_cannot_give_back_is_refused():
    with pytest.raises(ValueError) as error:
        option((1, 2))
    assert str(error.value) == "the default of an option is (1, 2): expected a number, true or false, or a text"


def test_weights_have_the_same_names_for_any_input():
    class Grows(Cell):
        name, gates = "test-grows", ("g",)

        def weights(self, inputs):
            more = {"skip": Weight((inputs,), "zeros")} if inputs != self.units else {}
            return super().weights(inputs) | more

        def step(self, x, s, w):
            return {"h": tanh(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias)}

    with pytest.raises(CellError) as error:
        check_cell(Grows(4), 4)
    assert str(error.value) == (
        "the weights of the cell 'test-grows' depend on the number of inputs: expected the same names for any"
    )


@pytest.mark.parametrize("name", ["memories", "layer", "step", "compiled_loop", "zero_output_for_mask"])
def test_no_option_has_the_name_of_an_attribute_or_of_an_argument(name):
    with pytest.raises(ValueError, match=f"has an option '{name}'"):
        type("Mine", (Cell,), {"name": "test-mine", name: option(2), "__annotations__": {name: int}})


def test_states_have_names_of_their_own():
    class Twice(Cell):
        name, gates, state_names = "test-twice", ("g",), ("h", "h")

        def step(self, x, s, w):
            return {"h": tanh(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias)}

    with pytest.raises(CellError, match="two states of the cell 'test-twice' have one name: expected another for each"):
        check_cell(Twice(4), 3)
