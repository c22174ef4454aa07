"""What a network is: its configuration, checked, and the shapes of the weights that follow from it. Only Python."""

from dataclasses import asdict, dataclass, fields
from typing import Annotated

GATES = {"rnn": 1, "lstm": 4, "gru": 3, "nlstm": 4}
CELLS = tuple(GATES)
TASKS = ("next", "autocomplete")
ACTIVATIONS = ("tanh", "relu")
EMBEDDINGS, DEPTHS = {"char": 0, "word": 256}, {"nlstm": 2}  # what is usual
DROPOUT = 0.4  # usual, in a run of many epochs
LARGEST, MOST_LEVELS = 1 << 16, 1 << 10


@dataclass(frozen=True)
class Config:
    """The architecture of a language model.

    Attributes:
        cell: the recurrent unit: rnn, lstm, gru or nlstm.
        units: the size H of every recurrent layer's state.
        layers: how many recurrent layers are stacked.
        depth: of an nlstm, how many memories are nested; 0 for other cells, and by default 2 for an nlstm.
        dropout: the share of each layer's outputs that is dropped while training; None is usual: 0.4, and less in runs
            of less than 15 epochs (`Recipe.dropout_scale`).
        variational_dropout: whether a sequence drops the same outputs at every step (Gal & Ghahramani 2016).
        level: what it reads and predicts: char or word.
        embedding: the size of a learned vector per symbol; 0 feeds symbols one-hot. By default 0, and 256 for words.
        activation: of an rnn: tanh, or relu, which starts with an identity as recurrent kernel (Le et al. 2015).
        reset_after: of a gru: whether the reset gate comes after the recurrent product, as cuDNN has it.
        learn_initial_state: whether a text starts from a learned state instead of zeros.
        residual: whether every layer above the first adds its input to its output.
        task: what is predicted after each symbol: the next one, or, with autocomplete, the word that it is part of.

    Raises:
        ValueError: a value is out of range, or is for another cell; the message says what was expected.
    """

    cell: Annotated[str, CELLS] = "gru"
    units: int = 256
    layers: int = 2
    depth: int = 0
    dropout: float | None = None
    level: str = "char"
    embedding: int | None = None
    activation: Annotated[str, ACTIVATIONS] = "tanh"
    reset_after: bool = True
    learn_initial_state: bool = False
    residual: bool = True
    variational_dropout: bool = False
    task: Annotated[str, TASKS] = "next"

    def __post_init__(self):
        for name, known in (("cell", CELLS), ("level", EMBEDDINGS), ("task", TASKS)):
            if getattr(self, name) not in tuple(known):
                raise ValueError(f"there is no {name} {getattr(self, name)!r}: expected one of {', '.join(known)}")
        if (self.task, self.level) == ("autocomplete", "word"):
            raise ValueError("level is 'word', but the task is autocomplete: it reads characters, and predicts words")
        for name, unset, usual in (("embedding", None, EMBEDDINGS[self.level]), ("depth", 0, DEPTHS.get(self.cell, 0))):
            if getattr(self, name) == unset:
                object.__setattr__(self, name, usual)
        for name, least in (("units", 1), ("layers", 1), ("depth", int(self.cell == "nlstm")), ("embedding", 0)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= LARGEST:
                raise ValueError(f"{name} is {value!r}: expected a whole number from {least} to {LARGEST}")
        if self.layers * max(1, self.depth) > MOST_LEVELS:
            raise ValueError(f"layers times depth is over {MOST_LEVELS}: expected fewer layers or less depth")
        if self.dropout is not None and (type(self.dropout) not in (int, float) or not 0 <= self.dropout < 1):
            raise ValueError(f"dropout is {self.dropout!r}: expected a number from 0 up to, but not including, 1")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"there is no activation {self.activation!r} here: expected tanh or relu")
        for name in ("reset_after", "learn_initial_state", "residual", "variational_dropout"):
            if type(getattr(self, name)) is not bool:
                raise ValueError(f"{name} is {getattr(self, name)!r}: expected true or false")
        self._check_cell()

    def _check_cell(self):
        """Refuse what is for another cell."""
        for name, usual, cell in (("depth", 0, "nlstm"), ("activation", "tanh", "rnn"), ("reset_after", True, "gru")):
            if self.cell != cell and getattr(self, name) != usual:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}, but the cell is {self.cell}: it is for {cell} only"
                )

    @classmethod
    def autocomplete(cls, cell: str = "gru", units: int = 600, **changes) -> "Config":
        """The networks of the study of memory, or others like them, for the autocomplete task.

        Two layers, of an nlstm one of depth 2; an embedding as large as a layer; neither dropout nor residual
        connections; a gru resets before the recurrent product (Madsen 2019, https://doi.org/10.23915/distill.00016).
        """
        study = {"layers": 1 if cell == "nlstm" else 2, "embedding": units, "dropout": 0.0, "residual": False}
        study["reset_after"] = cell != "gru"
        return cls(cell, units, **{**study, **changes}, task="autocomplete")

    def to_dict(self) -> dict:
        """All fields, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "Config":
        """The configuration of `to_dict`.

        Raises:
            ValueError: a field is unknown, or a value is out of range.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"there is no setting {unknown[0]!r} of a network: it may come from a newer shakegen")
        return cls(**values)

    def weight_shapes(self, vocabulary_size: int, outputs: int | None = None) -> dict[str, tuple[int, ...]]:
        """The name and shape of every weight, in the order of Keras's `model.get_weights()`.

        `layer1/kernel` is the first recurrent layer's input kernel, `layer1/kernel_1` that of its first nested level,
        `dense/bias` the read-out's bias, and so on; shapes and gate orders are those of Keras's layers. There are
        as many outputs as symbols, unless their number is given.
        """
        outputs = vocabulary_size if outputs is None else outputs
        gates, units, inputs, shapes = GATES[self.cell] * self.units, self.units, vocabulary_size, {}
        if self.embedding:
            shapes["embedding/embeddings"] = (vocabulary_size, self.embedding)
            inputs = self.embedding
        states = {"lstm": 2, "nlstm": self.depth + 1}.get(self.cell, 1) if self.learn_initial_state else 0
        for layer in range(1, self.layers + 1):
            for state in range(states):
                shapes[f"layer{layer}/initial_state_{state}"] = (units,)
            for level in range(max(1, self.depth)):
                suffix = f"_{level}" if level else ""
                shapes[f"layer{layer}/kernel{suffix}"] = (inputs, gates)
                shapes[f"layer{layer}/recurrent_kernel{suffix}"] = (units, gates)
                two_biases = self.cell == "gru" and self.reset_after
                shapes[f"layer{layer}/bias{suffix}"] = (2, gates) if two_biases else (gates,)
                inputs = units
        shapes["dense/kernel"] = (units, outputs)
        shapes["dense/bias"] = (outputs,)
        return shapes
