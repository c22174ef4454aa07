"""The configuration of a network, checked, and the shapes of its weights. Only Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Annotated

from shakegen.cells import Cell, find_cell
from shakegen.cells.block import Block
from shakegen.cells.cell import LARGEST
from shakegen.cells.registry import CELLS, DEFAULT, VARIABLE, is_known

TASKS = ("next", "autocomplete")
EMBEDDINGS = {"char": 0, "subword": 256, "word": 256}  # usual sizes
LETTERS = 32  # the embedding of the letters a to z, usual
DROPOUT = 0.5  # the most that is usual
USUAL_DROPOUT = f"0 to {DROPOUT}, by epochs, weights and text"
MOST_LEVELS = 1 << 10
WIDEST = 64  # steps of a convolution; width of a perceptron, times the units


class Usual(int):
    """A number that follows from other settings because none was given; `dataclasses.replace` lets it follow anew."""


class CellOptions(Mapping):
    """All options of a cell, read only; `given` holds the chosen ones."""

    def __init__(self, cell: type[Cell], given: Mapping):
        self._all, self.given = resolve_options(cell, given), given

    def __getitem__(self, name: str):
        return self._all[name]

    def __iter__(self):
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return repr(dict(self))


@dataclass(frozen=True, init=False)
class Config:
    """The architecture of a language model.

    Attributes:
        cell: the name of the recurrent unit, such as gru; `shakegen.cells.find_cell` has them.
        units: the size H of every recurrent layer's state.
        layers: how many recurrent layers are stacked.
        dropout: the share of each layer's outputs that is dropped in training; None is usual: 0 to 0.5, by the epochs,
            the weights and the length of the text (`Recipe.dropout_scale`).
        level: the symbols that it reads and predicts: char, subword or word.
        embedding: the size of a learned vector per symbol; 0 feeds symbols one-hot. By default 0, and 256 for subwords
            and words; with blocks it is as large as a layer.
        learn_initial_state: whether a text starts from a learned state instead of zeros.
        residual: whether every layer above the first adds its input to its output.
        variational_dropout: whether a sequence drops the same outputs at every step (Gal & Ghahramani 2016).
        task: the prediction after each symbol: the next symbol, or, with autocomplete, the word that it is part of.
        convolution: the width of a convolution over time before every cell; 4 is usual, 0 is none. This, or `mlp`, puts
            a block around the cell, with norms and residual connections: `cells.block`.
        mlp: the width of a gated perceptron after every cell, times the units; 1 is usual, 0 is none.
        cell_options: the options of the cell, all of them, by name; each is also an attribute, and an argument:
            `Config("nlstm", depth=3).depth`.

    Raises:
        TypeError: no cell has the option.
        ValueError: a value is out of range, or an option belongs to other cells; the message names the expected values.
    """

    cell: str
    units: int
    layers: int
    dropout: float | None
    level: str
    embedding: int
    learn_initial_state: bool
    residual: bool
    variational_dropout: bool
    task: str
    convolution: int
    mlp: int
    cell_options: Mapping = field(hash=False)

    def __init__(
        self,
        cell: str = DEFAULT,
        units: int = 256,
        layers: int = 2,
        dropout: float | None = None,
        level: Annotated[str, tuple(EMBEDDINGS)] = "char",
        embedding: int | None = None,
        learn_initial_state: bool = False,
        residual: bool = True,
        variational_dropout: bool = False,
        task: Annotated[str, TASKS] = "next",
        convolution: int = 0,
        mlp: int = 0,
        cell_options: Mapping = MappingProxyType({}),
        **options,
    ):
        values = {"cell": cell, "units": units, "layers": layers, "dropout": dropout, "level": level, "task": task}
        values |= {"embedding": embedding, "learn_initial_state": learn_initial_state, "residual": residual}
        values |= {"variational_dropout": variational_dropout, "convolution": convolution, "mlp": mlp}
        kind = find_cell(cell)
        if isinstance(cell_options, CellOptions):  # of `replace`, perhaps with another cell
            cell_options = {name: value for name, value in cell_options.given.items() if name in kind.options()}
        given = {**cell_options, **options}
        values["cell_options"] = CellOptions(kind, {name: to_python(value) for name, value in given.items()})
        for name, value in values.items():
            object.__setattr__(self, name, to_python(value))
        self._check()

    def __getattr__(self, name: str):
        options = self.__dict__.get("cell_options", {})
        if name not in options:
            raise AttributeError(f"a network of the cell {self.__dict__.get('cell')!r} has no setting {name!r}")
        return options[name]

    def __reduce__(self):
        return Config.from_dict, (self.to_dict(),)

    def _check(self):
        for name, known in (("level", EMBEDDINGS), ("task", TASKS)):
            if getattr(self, name) not in tuple(known):
                raise ValueError(f"there is no {name} {getattr(self, name)!r}: expected one of {', '.join(known)}")
        if self.task == "autocomplete" and self.level != "char":
            raise ValueError(
                f"level is {self.level!r}, but the task is autocomplete: it reads characters, and predicts words"
            )
        ranges = {"units": (1, LARGEST), "layers": (1, LARGEST), "convolution": (0, WIDEST), "mlp": (0, WIDEST)}
        for name, span in ranges.items():
            check_whole(name, getattr(self, name), *span)
        if self.embedding is None or isinstance(self.embedding, Usual):
            object.__setattr__(self, "embedding", Usual(self.units if self.has_blocks else EMBEDDINGS[self.level]))
        check_whole("embedding", self.embedding, 0, LARGEST)
        if self.has_blocks and self.embedding != self.units:
            raise ValueError(
                f"embedding is {self.embedding}, but blocks add their input to their output: expected as many as "
                f"units, {self.units}; leave it out"
            )
        if self.has_blocks and self.residual is False:
            raise ValueError("residual is False, but blocks add their input to their output in any case: leave it out")
        if self.layers * max(1, len(self.make_cell().memories)) > MOST_LEVELS:
            raise ValueError(f"layers times memories of a cell are over {MOST_LEVELS}: expected fewer of either")
        if self.dropout is not None and (type(self.dropout) not in (int, float) or not 0 <= self.dropout < 1):
            raise ValueError(f"dropout is {self.dropout!r}: expected a number from 0 up to, but not including, 1")
        for name in ("learn_initial_state", "residual", "variational_dropout"):
            if type(getattr(self, name)) is not bool:
                raise ValueError(f"{name} is {getattr(self, name)!r}: expected true or false")

    @classmethod
    def autocomplete(cls, cell: str = DEFAULT, units: int = 256, **changes) -> "Config":
        """The usual networks of the autocomplete task: one layer, and an embedding of 32 characteristics."""
        blocks = bool(changes.get("convolution") or changes.get("mlp"))
        usual = {"layers": 1, "embedding": None if blocks else LETTERS}
        return cls(cell, units, **{**usual, **changes}, task="autocomplete")

    @classmethod
    def study(cls, cell: str = DEFAULT, units: int = 600, **changes) -> "Config":
        """The networks of the study of memory, or others like them, for the autocomplete task.

        Two layers, an embedding as large as a layer, neither dropout nor residual connections but those of blocks; a
        cell may have settings of its own there, `Cell.study` (Madsen 2019, https://doi.org/10.23915/distill.00016).
        """
        blocks = bool(changes.get("convolution") or changes.get("mlp"))
        study = {"layers": 2, "embedding": units, "dropout": 0.0, "residual": blocks, **find_cell(cell).study}
        return cls(cell, units, **{**study, **changes}, task="autocomplete")

    @classmethod
    def setting_names(cls, cell: str | None = None) -> list[str]:
        """The names of all settings of a network, or of any network of one cell."""
        own = [one.name for one in fields(cls) if one.name != "cell_options"]
        return own + (list(find_cell(cell).options()) if cell else [])

    def to_dict(self) -> dict:
        """All settings, with the options of the cell, ready for JSON."""
        return {**{name: getattr(self, name) for name in self.setting_names()}, **self.cell_options}

    @classmethod
    def from_dict(cls, values: Mapping) -> "Config":
        """The configuration that `to_dict` wrote.

        Raises:
            ValueError: a setting is unknown, or a value is out of range.
        """
        values = dict(values)
        cell = values.get("cell", DEFAULT)
        if not isinstance(cell, str) or not is_known(cell):
            raise ValueError(
                f"its cell {cell!r} is not here: install the package that has it, or name the class in the "
                f"environment, {VARIABLE}=module:Class"
            )
        known = cls.setting_names(cell)
        unknown = sorted(set(values) - {*known})
        if unknown:
            raise ValueError(f"there is no setting {unknown[0]!r} of a network: it may come from a newer shakegen")
        return cls(**values)

    @property
    def has_blocks(self) -> bool:
        """Whether there is a block around every cell."""
        return bool(self.convolution or self.mlp)

    @property
    def adds_layers(self) -> bool:
        """Whether outputs of layers are added up. Those of blocks are sums already."""
        return self.residual and not self.has_blocks

    def make_cell(self) -> Cell:
        """The recurrent unit of each layer."""
        return find_cell(self.cell)(self.units, **self.cell_options)

    def make_layer(self) -> Cell:
        """The equations of each layer: those of its cell, or of the block around it."""
        cell = self.make_cell()
        return Block(self.units, cell, self.convolution, self.mlp) if self.has_blocks else cell

    def weight_shapes(self, vocabulary_size: int, outputs: int | None = None) -> dict[str, tuple[int, ...]]:
        """The name and shape of every weight, in the order of Keras's `model.get_weights()`.

        `layer1/kernel` is the first recurrent layer's input kernel, `layer1/kernel_1` that of its first nested level,
        `dense/bias` the read-out's bias, and so on; shapes and gate orders are those of Keras's layers. There are
        as many outputs as symbols, unless their number is given.
        """
        outputs = vocabulary_size if outputs is None else outputs
        equations, inputs = self.make_layer(), vocabulary_size
        shapes: dict[str, tuple[int, ...]] = {}
        if self.embedding:
            shapes["embedding/embeddings"] = (vocabulary_size, self.embedding)
            inputs = self.embedding
        for layer in range(1, self.layers + 1):
            own = equations.shapes(inputs, self.learn_initial_state)
            shapes |= {f"layer{layer}/{name}": shape for name, shape in own.items()}
            inputs = self.units
        shapes["dense/kernel"] = (self.units, outputs)
        shapes["dense/bias"] = (outputs,)
        return shapes


def to_python(value):
    """A number of numpy as one of Python; other values as they are."""
    return value.item() if hasattr(value, "item") else value


def check_whole(name: str, value, least: int, most: int) -> None:
    """Refuse a setting that is no whole number of a range."""
    if type(value) not in (int, Usual) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}: expected a whole number from {least} to {most}")


def resolve_options(cell: type[Cell], given: Mapping) -> dict:
    """All options of a cell: the given values, checked, and defaults for the rest.

    Raises:
        TypeError: no cell has the option.
        ValueError: the option belongs to other cells, or its value is out of range.
    """
    options = cell.options()
    for name, value in given.items():
        if name not in options:
            owners = [other.name for other in CELLS.values() if name in other.options()]
            if not owners:
                raise TypeError(f"there is no setting {name!r} of a network")
            known = " and ".join(filter(None, (", ".join(owners[:-1]), owners[-1])))
            raise ValueError(f"{name} is {value!r}, but the cell is {cell.name}: it is for {known} only")
        cell.check_option(name, value)
    return {name: given.get(name, one.default) for name, one in options.items()}
