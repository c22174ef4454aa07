"""A Keras layer for any cell: made from its equations, on TensorFlow, JAX and PyTorch."""

import dataclasses
import functools
import importlib
import inspect
import random
from numbers import Integral

import keras
import numpy as np

from shakegen.cells import Cell, CellError, Weight, find_cell
from shakegen.cells.check import check_cell
from shakegen.cells.graph import trace
from shakegen.cells.program import Program
from shakegen.layers.compiled import CompiledLoop
from shakegen.layers.initial_state import LearnedInitialState
from shakegen.layers.operations import KERAS


@keras.saving.register_keras_serializable(package="shakegen")
class EquationCell(keras.layers.Layer):
    """One step of a cell, for `keras.layers.RNN`.

    Args:
        cell: a `cells.Cell`.
        kernel_initializer, recurrent_initializer: in place of the cell's own, for the weights `kernel` and
            `recurrent_kernel`.
        seed: of the cell's own initializers.

    Call arguments:
        inputs: tensor (batch, inputs).
        states: list of tensors (batch, units), h first.

    Returns:
        The output h, (batch, units), and the list of new states.
    """

    def __init__(self, cell: Cell, kernel_initializer=None, recurrent_initializer=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.record, self.units, self.seed = cell, cell.units, seed
        self.state_size, self.output_size = [cell.units] * len(cell.state_names), cell.units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self._program = None

    def build(self, input_shape):
        inputs, self._weights_by_name = input_shape[-1], {}
        check_cell(self.record, inputs)
        given = {"kernel": self.kernel_initializer, "recurrent_kernel": self.recurrent_initializer}
        for number, (name, weight) in enumerate(self.record.weights(inputs).items()):
            seed = None if self.seed is None else self.seed + 10 * number
            initializer = given.get(name) or initializer_of(weight, seed)
            self._weights_by_name[name] = self.add_weight(name=name, shape=weight.shape, initializer=initializer)
        graph = trace(self.record, inputs)
        self._known = [graph.x, *graph.states.values(), *graph.weights.values()]
        self._program = Program(graph.after.values(), self._known, table=KERAS)

    def call(self, inputs, states, training=False):
        weights = [keras.ops.convert_to_tensor(weight) for weight in self._weights_by_name.values()]
        states = self._program(dict(zip(self._known, [inputs, *states, *weights], strict=True)))
        return states[0], states

    def get_config(self):
        return {
            **keras.layers.Layer.get_config(self),
            "cell": {"name": self.record.name, **dataclasses.asdict(self.record)},
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        options = dict(config.pop("cell"))
        return cls(find_cell(options.pop("name"))(**options), **config)

    def get_initial_state(self, batch_size=None):
        return [keras.ops.zeros((batch_size, self.units), self.compute_dtype) for _ in self.state_size]


def initializer_of(weight: Weight, seed: int | None = None) -> keras.initializers.Initializer:
    """The Keras initializer of a weight."""
    if callable(weight.initializer):
        return Drawn(weight.initializer, seed)
    names = (weight.initializer,) if isinstance(weight.initializer, str) else weight.initializer
    return Blocks(names, seed) if len(names) > 1 else make_initializer(names[0], seed)


def make_initializer(name: str, seed: int | None) -> keras.initializers.Initializer:
    try:
        kind = type(keras.initializers.get(name))
    except ValueError:
        raise CellError(f"there is no initializer {name!r}: expected one of Keras's, for example orthogonal") from None
    seeded = seed is not None and "seed" in inspect.signature(kind).parameters
    return kind(seed=seed) if seeded else kind()


@keras.saving.register_keras_serializable(package="shakegen")
class Blocks(keras.initializers.Initializer):
    """Blocks of columns side by side, each with an initializer of its own.

    Args:
        names: of the initializers.
        seed: of the first block; each draws other numbers.
    """

    def __init__(self, names, seed=None):
        self.names, self.seed = tuple(names), seed

    def __call__(self, shape, dtype=None):
        block = (*shape[:-1], shape[-1] // len(self.names))
        seeds = [None if self.seed is None else self.seed + number for number in range(len(self.names))]
        values = [
            make_initializer(name, seed)(block, dtype=dtype) for name, seed in zip(self.names, seeds, strict=True)
        ]
        return keras.ops.concatenate(values, axis=-1)

    def get_config(self):
        return {"names": list(self.names), "seed": self.seed}


class Drawn(keras.initializers.Initializer):
    """Numbers that a function draws.

    Args:
        draw: a function of a numpy generator of random numbers and a shape.
        seed: of the generator; None for other numbers each time, which `keras.utils.set_random_seed` determines.
    """

    def __init__(self, draw, seed=None):
        self.draw, self.seed = draw, seed

    def __call__(self, shape, dtype=None):
        seed = random.getrandbits(64) if self.seed is None else self.seed
        return keras.ops.convert_to_tensor(self.draw(np.random.default_rng(seed), shape), dtype=dtype)


class CellLayer(LearnedInitialState, CompiledLoop, keras.layers.RNN):
    """A recurrent layer of one kind of cell; `as_layer` makes its subclasses.

    Args:
        units: size H of the output and of every state.
        kernel_initializer, recurrent_initializer: in place of the cell's own, for the weights `kernel` and
            `recurrent_kernel`.
        seed: of the cell's own initializers.
        learn_initial_state: whether the states that a sequence starts from are weights, instead of zeros.
        Options of the cell, by name, and every argument of `keras.layers.RNN` but the cell.

    Call arguments and results are the same as for `keras.layers.RNN`.

    Raises:
        CellError: the equations of the cell are wrong; the message names the line.
        ValueError: an option is out of range.
    """

    kind: type[Cell]
    dropout = recurrent_dropout = 0.0

    def __init__(
        self,
        units,
        *,
        kernel_initializer=None,
        recurrent_initializer=None,
        seed=None,
        learn_initial_state=False,
        **kwargs,
    ):
        if not isinstance(units, Integral) or isinstance(units, bool) or units < 1:
            raise ValueError(f"`units` must be an integer of at least 1. Received: {units!r}")
        options = self.kind.options()
        self.cell_options = {name: kwargs.pop(name, one.default) for name, one in options.items()}
        for name, value in self.cell_options.items():
            self.kind.check_option(name, value)
        cell = EquationCell(
            self.kind(units, **self.cell_options),
            kernel_initializer,
            recurrent_initializer,
            seed,
            dtype=kwargs.get("dtype"),
            name=f"{self.kind.name}_cell",
        )
        super().__init__(cell, learn_initial_state=learn_initial_state, **kwargs)
        self.units, self.seed = units, seed

    def _recurrence(self):
        return self.cell.record

    def get_config(self):
        config, cell = super().get_config(), self.cell.get_config()
        del config["cell"]
        kept = {name: cell[name] for name in ("kernel_initializer", "recurrent_initializer", "seed")}
        return {**config, **self.cell_options, **kept, "units": self.units}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@functools.cache
def as_layer(kind: type[Cell]) -> type[CellLayer]:
    """The Keras layer of a cell: a class like `keras.layers.LSTM`, for any app, on TensorFlow, JAX and PyTorch.

    To load a saved model that has one, define the cell and call `as_layer` first.

    Args:
        kind: a subclass of `cells.Cell`.

    Example:

        layer = as_layer(CFN)(64, return_sequences=True)
    """
    made = type(
        f"{kind.__name__}Layer", (CellLayer,), {"kind": kind, "__doc__": kind.__doc__, "__module__": kind.__module__}
    )
    return keras.saving.register_keras_serializable(package="shakegen.cells", name=kind.name)(made)


def layer_of(kind: type[Cell]) -> type[keras.layers.Layer]:
    """The public layer of a cell, or else one made by `as_layer`."""
    if not kind.layer:
        return as_layer(kind)
    module, _, name = kind.layer.partition(":")
    return getattr(importlib.import_module(module), name)
