"""A Keras layer for any cell: made from its equations, on TensorFlow, JAX and PyTorch."""

import functools
import importlib

import keras

from shakegen.cells import Cell, Weight, find_cell
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
        kernel_initializer, recurrent_initializer: in place of the cell's own, for weights named `kernel…` and
            `recurrent_kernel…`.
        seed: of the cell's own initializers.

    Call arguments:
        inputs: tensor (batch, inputs).
        states: list of tensors (batch, units), h first.

    Returns:
        The output h, (batch, units), and the list of new states.
    """

    def __init__(self, cell: Cell, kernel_initializer=None, recurrent_initializer=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        check_cell(cell)
        self.record, self.units, self.seed = cell, cell.units, seed
        self.state_size, self.output_size = [cell.units] * len(cell.state_names), cell.units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self._program = None

    def build(self, input_shape):
        inputs, self._weights_by_name = input_shape[-1], {}
        for number, (name, weight) in enumerate(self.record.weights(inputs).items()):
            self._weights_by_name[name] = self.add_weight(
                name=name, shape=weight.shape, initializer=self._initializer(name, weight, number)
            )
        graph = trace(self.record, inputs)
        self._known = [graph.x, *graph.states.values(), *graph.weights.values()]
        self._program = Program(graph.after.values(), self._known, table=KERAS)

    def _initializer(self, name: str, weight: Weight, number: int):
        own = {"kernel": self.kernel_initializer, "recurrent": self.recurrent_initializer}.get(name.partition("_")[0])
        if own is not None:
            return own.clone()  # one instance would draw the same numbers for every weight
        seed = None if self.seed is None else self.seed + number
        return initializer_of(weight, seed)

    def call(self, inputs, states, training=False):
        weights = [keras.ops.convert_to_tensor(weight) for weight in self._weights_by_name.values()]
        states = self._program(dict(zip(self._known, [inputs, *states, *weights], strict=True)))
        return states[0], states

    def get_config(self):
        options = {name: getattr(self.record, name) for name in self.record.options()}
        return {
            **keras.layers.Layer.get_config(self),
            "cell": {"name": self.record.name, "units": self.units, **options},
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


def initializer_of(weight: Weight, seed: int | None = None):
    """The Keras initializer of a weight; blocks of columns side by side may each have their own."""
    names = (weight.initializer,) if isinstance(weight.initializer, str) else weight.initializer

    def make(name):
        return keras.initializers.get({"class_name": name, "config": {} if seed is None else {"seed": seed}})

    try:
        initializers = [make(name) for name in names]
    except (TypeError, ValueError):
        initializers = [keras.initializers.get(name) for name in names]  # those that draw nothing take no seed
    if len(initializers) == 1:
        return initializers[0]

    def initialize(shape, dtype=None):
        block = (*shape[:-1], shape[-1] // len(initializers))
        return keras.ops.concatenate([one(block, dtype=dtype) for one in initializers], axis=-1)

    return initialize


class CellLayer(LearnedInitialState, CompiledLoop, keras.layers.RNN):
    """A recurrent layer of one kind of cell; `as_layer` makes its subclasses.

    Args:
        units: size H of the output and of every state.
        kernel_initializer, recurrent_initializer: in place of the cell's own, for weights named `kernel…` and
            `recurrent_kernel…`.
        seed: of the cell's own initializers.
        learn_initial_state: whether the states that a sequence starts from are weights, instead of zeros.
        Options of the cell, by name, and every argument of `keras.layers.RNN` but the cell.

    Call arguments, and what is returned, are those of `keras.layers.RNN`.

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
        self.cell_options = {name: kwargs.pop(name) for name in self.kind.options() if name in kwargs}
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

    Args:
        kind: a subclass of `cells.Cell`.

    Example:

        layer = as_layer(UGRNN)(64, return_sequences=True)
    """
    made = type(kind.__name__, (CellLayer,), {"kind": kind, "__doc__": kind.__doc__, "__module__": kind.__module__})
    return keras.saving.register_keras_serializable(package="shakegen.cells", name=kind.name)(made)


def layer_of(kind: type[Cell]) -> type[keras.layers.Layer]:
    """The public layer of a cell, or else one made by `as_layer`."""
    if not kind.layer:
        return as_layer(kind)
    module, _, name = kind.layer.partition(":")
    return getattr(importlib.import_module(module), name)
