"""A recurrent unit is one record: its name, options, weights, states and the equations of a step."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, dataclass_transform

from shakegen.cells.graph import Names
from shakegen.cells.operations import CellError
from shakegen.cells.symbol import Symbol

LARGEST = 1 << 16
MOST_ZONEOUT = 0.99
# Settings of networks, of training and of layers: no option of a cell may have these names.
RESERVED = (
    "cell units layers dropout level embedding learn_initial_state residual variational_dropout convolution mlp task "
    "cell_options learning_rate name seed dtype trainable kernel_initializer recurrent_initializer bias_initializer "
    "kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer kernel_constraint "
    "recurrent_constraint bias_constraint recurrent_dropout return_sequences return_state go_backwards stateful unroll "
    "zero_output_for_mask compiled_loop"
)


@dataclasses.dataclass(frozen=True)
class Weight:
    """A weight of a cell.

    Attributes:
        shape: (rows, columns), or (columns,).
        initializer: a name of `keras.initializers`, such as "glorot_uniform", "orthogonal", "zeros"; or several, for as
            many blocks of columns side by side; or a function of a numpy generator of random numbers and a shape.
    """

    shape: tuple[int, ...]
    initializer: str | tuple[str, ...] | Callable = "glorot_uniform"


class OnnxNode(NamedTuple):
    """A standard node of ONNX, for the states of a cell and its weights `kernel`, `recurrent_kernel` and `bias`.

    Attributes:
        kind: of the node, such as LSTM.
        gates: the letters of the cell's gates, in the order of the node.
        activations: of the cell's equations, in the order of the node.
        attributes: more of the node, by name.
    """

    kind: str
    gates: str
    activations: list[str]
    attributes: Mapping[str, Any] = {}


def option(
    default, choices: tuple = (), least: int | None = None, most: float = LARGEST, flag: str = "", help: str = ""
) -> Any:
    """An option of a cell, a field of its class: `depth: int = option(2, least=1, help="Nested memories.")`.

    Args:
        default: its usual value, which also says its kind: a number, true or false, or a text.
        choices: of a text.
        least, most: of a number.
        flag: of the command line, where it is not called as the field is.
        help: in a few words.
    """
    if type(default) not in (bool, int, float, str):
        raise ValueError(f"the default of an option is {default!r}: expected a number, true or false, or a text")
    metadata = {"choices": choices, "least": least, "most": most, "flag": flag, "help": help}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(frozen_default=True)
@dataclasses.dataclass(frozen=True)
class Cell:
    """A recurrent unit. A subclass states `name`, `gates` or `weights`, and `step`; everything else follows.

        class Elman(Cell):
            name, gates = "elman", ("h",)

            def step(self, x, s, w):
                return {"h": tanh(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias)}

    Options are fields made by `option`. Instances are compared by their options.

    Attributes:
        units: the size H of every state.
        zoneout: the share of the states that a step of training leaves as they were; elsewhere each state is the mean
            that this has (Krueger, Maharaj, Kramár et al. 2017, "Zoneout", arXiv 1606.01305).
        name: of the cell, as `--cell` takes it.
        gates: the letters of the gates, whose weights stand side by side.
        layer: the public Keras layer, `module:Class`; "" for one made by `as_layer`.
        zoned: the states that zoneout acts on; None for all of them.
        presets: names of variants that the lab compares, and their options.
        study: settings of `Config.study` that are this cell's own.
        study_bias: the initializers of its gates' biases in the study, where they differ.
    """

    units: int
    _: dataclasses.KW_ONLY
    zoneout: float = option(
        0.0, least=0, most=MOST_ZONEOUT, help="Share of the states that a step of training leaves as they were."
    )

    name: ClassVar[str] = ""
    gates: ClassVar[tuple[str, ...]] = ()
    layer: ClassVar[str] = ""
    zoned: ClassVar[tuple[str, ...] | None] = None
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    study: ClassVar[Mapping[str, Any]] = {}
    study_bias: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(frozen=True)(cls)
        own = vars(cls)
        usual: dict[str, Any] = {"layer": Cell.layer}  # the parent's has its equations, activations and zoned states
        if not {"step", "weights", "state_names"}.isdisjoint(own):
            usual["onnx_node"] = Cell.onnx_node  # the parent's has its equations
        for name, value in usual.items():
            setattr(cls, name, own.get(name, value))
        for name in cls.options():
            if name in RESERVED.split() or (hasattr(Cell, name) and name not in Cell.options()):
                raise ValueError(f"{cls.__qualname__} has an option {name!r}: expected a name that no setting has")
        if own.get("name"):
            from shakegen.cells.registry import register

            register(cls)

    @property
    def state_names(self) -> tuple[str, ...]:
        """The states that a step hands to the next one, (N, H) each; the first one, h, is the output."""
        return ("h",)

    @property
    def memories(self) -> tuple[str, ...]:
        """The states that are kept inside: all but the output."""
        return self.state_names[1:]

    def weights(self, inputs: int) -> dict[str, Weight]:
        """The weights, by name, in the order in which a model file has them.

        By default those of the gates side by side: `kernel` (inputs, gates · H), `recurrent_kernel` (H, gates · H) and
        `bias` (gates · H,).
        """
        columns = len(self.gates) * self.units
        return {
            "kernel": Weight((inputs, columns)),
            "recurrent_kernel": Weight((self.units, columns), "orthogonal"),
            "bias": Weight((columns,), "zeros"),
        }

    def onnx_node(self) -> OnnxNode | None:
        """The standard node of ONNX that computes a step without zoneout; None where there is none, or a slower one."""
        return None

    def shapes(self, inputs: int, learn_initial_state: bool) -> dict[str, tuple[int, ...]]:
        """The shapes of all weights of a layer, by name, in the order in which its Keras layer has them."""
        starts = [f"initial_state_{k}" for k in range(len(self.state_names))] if learn_initial_state else []
        return {
            **dict.fromkeys(starts, (self.units,)),
            **{name: weight.shape for name, weight in self.weights(inputs).items()},
        }

    def step(self, x: Symbol, s: Names, w: Names) -> dict[str, Symbol]:
        """The equations of one step, in the operations of `shakegen.cells.operations`.

        They are written down once for all cells that are equal: numbers that may change are options, not globals.

        Args:
            x: the input, (N, inputs).
            s: the states before, by name, (N, H) each.
            w: the weights, by name.

        Returns:
            The states after the step, by name, and with other names more values to show, for example gates.
        """
        raise CellError(f"the cell {self.name!r} has no step: expected a method step(self, x, s, w)")

    def inputs_of(self, weights: Mapping) -> int:
        """How many numbers an input has, from the weights, or arrays of them, by name.

        Raises:
            CellError: no weight depends on it.
        """
        few, more = self.weights(1), self.weights(2)
        for name, weight in few.items():
            for axis, (one, two) in enumerate(zip(weight.shape, more[name].shape, strict=True)):
                if one != two:
                    return (weights[name].shape[axis] - one) // (two - one) + 1
        raise CellError(f"no weight of the cell {self.name!r} depends on the number of inputs: expected one that does")

    @classmethod
    def options(cls) -> dict[str, dataclasses.Field]:
        """The fields that `option` made, by name."""
        return {field.name: field for field in dataclasses.fields(cls) if "choices" in field.metadata}

    @classmethod
    def check_option(cls, name: str, value) -> None:
        """Refuse a value that an option cannot have.

        Raises:
            ValueError: the value is out of range, or of another kind.
        """
        field = cls.options()[name]
        kind, choices = type(field.default), field.metadata["choices"]
        least, most = field.metadata["least"], field.metadata["most"]
        if choices and value not in choices:
            raise ValueError(f"there is no {name} {value!r} here: expected {' or '.join(map(str, choices))}")
        kinds = {bool: "true or false", str: "a text", int: "a whole number", float: "a number"}
        fits = type(value) is kind or (kind is float and isinstance(value, int | float) and type(value) is not bool)
        if kind in (bool, str):
            if not fits:
                raise ValueError(f"{name} is {value!r}: expected {kinds[kind]}")
            return
        least = -most if least is None else least
        if not fits or not least <= value <= most:
            raise ValueError(f"{name} is {value!r}: expected {kinds[kind]} from {least} to {most}")
