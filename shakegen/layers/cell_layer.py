"""A Keras layer for any cell: made from its equations, on TensorFlow, JAX and PyTorch."""

import dataclasses
import functools
import importlib
from numbers import Real
from operator import attrgetter

import keras

from shakegen.cells import Cell, find_cell
from shakegen.cells.check import check_cell
from shakegen.layers.carried import CarriesStates
from shakegen.layers.compiled import CompiledLoop
from shakegen.layers.equation_step import ROLES, EquationStep, dtype_of_steps, to_plain
from shakegen.layers.initial_state import LearnedInitialState
from shakegen.layers.nlstm_cell import at_least_1

KINDS = ("initializer", "regularizer", "constraint")
ARGUMENTS = {f"{role}_{kind}": getattr(keras, f"{kind}s") for kind in KINDS for role in ROLES}
CELL_ARGUMENTS = (*ARGUMENTS, "dropout", "recurrent_dropout", "seed")


@keras.saving.register_keras_serializable(package="shakegen")
class EquationCell(EquationStep, keras.layers.Layer):
    """One step of a cell. `CellLayer` draws its masks; in `keras.layers.RNN` nothing is dropped and no state is held.

    Args:
        cell: a `cells.Cell`.
        kernel_initializer, recurrent_initializer, bias_initializer: in place of the cell's own, for the weights
            `kernel`, `recurrent_kernel` and `bias`, of every level.
        kernel_regularizer, kernel_constraint and so on: for these weights; those of kernels also for other matrices.
        dropout, recurrent_dropout: as for `CellLayer`.
        seed: of the cell's own initializers, and of all masks.

    Call arguments and results are those of `EquationStep`.
    """

    def __init__(self, cell: Cell, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs):
        given = {name: module.get(kwargs.pop(name, None)) for name, module in ARGUMENTS.items()}
        super().__init__(**kwargs)
        for name, value in given.items():
            setattr(self, name, value)
        self.record, self.units, self.seed = cell, cell.units, seed
        self.dropout = check_rate("dropout", dropout)
        self.recurrent_dropout = check_rate("recurrent_dropout", recurrent_dropout)
        if dropout or recurrent_dropout or cell.zoneout:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.state_size, self.output_size = [cell.units] * len(cell.state_names), cell.units

    def build(self, input_shape):
        check_cell(self.record, input_shape[-1])
        super().build(input_shape)

    def get_config(self):
        return {
            **keras.layers.Layer.get_config(self),
            **{name: module.serialize(getattr(self, name)) for name, module in ARGUMENTS.items()},
            "cell": {"name": self.record.name, **dataclasses.asdict(self.record)},
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        options = dict(config.pop("cell"))
        return cls(find_cell(options.pop("name"))(**options), **config)


def check_rate(name: str, rate) -> float:
    if not isinstance(rate, Real) or not 0 <= rate < 1:
        raise ValueError(f"`{name}` must be a number from 0 up to, but not including, 1. Received: {rate!r}")
    return rate


class CellLayer(CarriesStates, LearnedInitialState, CompiledLoop, keras.layers.RNN):
    """A recurrent layer of one kind of cell; `as_layer` makes its subclasses.

    Args:
        units: size H of the output and of every state.
        kernel_initializer, recurrent_initializer, bias_initializer: in place of the cell's own, for the weights
            `kernel`, `recurrent_kernel` and `bias`, of every level.
        kernel_regularizer, kernel_constraint and so on: for these weights; those of kernels also for other matrices.
        dropout: share of the inputs that is dropped in training, the same in every step of a sequence.
        recurrent_dropout: share of h that is dropped in training on its way into products with weights, the same in
            every step of a sequence (Gal & Ghahramani 2016, arXiv 1512.05287).
        seed: of the cell's own initializers, and of all that is dropped.
        learn_initial_state: whether the states that a sequence starts from are weights, instead of zeros.
        compiled_loop: as for `CompiledLoop`.
        **kwargs: options of the cell, by name, and every argument of `keras.layers.RNN` but the cell.

    Call arguments and results are the same as for `keras.layers.RNN`.

    Raises:
        CellError: the equations of the cell are wrong; the message names the line.
        ValueError: an option is out of range.
    """

    kind: type[Cell]

    def __init__(self, units, *, learn_initial_state=False, activity_regularizer=None, **kwargs):
        units = at_least_1("units", units)
        options = self.kind.options()
        self.cell_options = {name: to_plain(kwargs.pop(name, one.default)) for name, one in options.items()}
        for name, value in self.cell_options.items():
            self.kind.check_option(name, value)
        cell = EquationCell(
            self.kind(units, **self.cell_options),
            **{name: kwargs.pop(name) for name in CELL_ARGUMENTS if name in kwargs},
            dtype=dtype_of_steps(kwargs.get("dtype")),
            trainable=kwargs.get("trainable", True),
            name=f"{self.kind.name}_cell",
        )
        super().__init__(
            cell, learn_initial_state=learn_initial_state, activity_regularizer=activity_regularizer, **kwargs
        )
        self.units = units

    dropout = property(attrgetter("cell.dropout"))
    recurrent_dropout = property(attrgetter("cell.recurrent_dropout"))
    seed = property(attrgetter("cell.seed"))

    def _recurrence(self):
        return self.cell.record

    def get_config(self):
        config, cell = super().get_config(), self.cell.get_config()
        del config["cell"]
        kept = {name: cell[name] for name in CELL_ARGUMENTS}
        regularizer = keras.regularizers.serialize(self.activity_regularizer)
        return {**config, **self.cell_options, **kept, "activity_regularizer": regularizer, "units": self.units}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@functools.cache
def as_layer(kind: type[Cell]) -> type[CellLayer]:
    """The Keras layer of a cell: a class like `keras.layers.LSTM`, for any app, on TensorFlow, JAX and PyTorch.

    To load a saved model that has one, define the cell and call `as_layer` first.

    Args:
        kind: a subclass of `cells.Cell`.

    Raises:
        ValueError: the class has no name of its own.

    Example:

        layer = as_layer(CFN)(64, return_sequences=True)
    """
    if not vars(kind).get("name"):
        raise ValueError(f"{kind.__qualname__} has no `name` of its own: expected one, for files name layers by it")
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
