"""What a network is: its configuration, checked, and the shapes of the weights that follow from it. Only Python."""

from dataclasses import asdict, dataclass, fields

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
CELLS = tuple(GATES)
ACTIVATIONS = ("tanh", "relu")
LARGEST = 1 << 16


@dataclass(frozen=True)
class Config:
    """The architecture of a character-level language model.

    Attributes:
        cell: the recurrent unit: rnn, lstm or gru.
        units: the size H of every recurrent layer's state.
        layers: how many recurrent layers are stacked.
        dropout: the share of each layer's outputs that is dropped while training.
        embedding: the size of a learned vector per character; 0 feeds characters one-hot.

    Raises:
        ValueError: a value is out of range; the message says what was expected.
    """

    cell: str = "gru"
    units: int = 256
    layers: int = 1
    dropout: float = 0.0
    embedding: int = 0

    def __post_init__(self):
        if self.cell not in CELLS:
            raise ValueError(f"there is no cell {self.cell!r}: expected one of {', '.join(CELLS)}")
        for name, least in (("units", 1), ("layers", 1), ("embedding", 0)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= LARGEST:
                raise ValueError(f"{name} is {value!r}: expected a whole number from {least} to {LARGEST}")
        if type(self.dropout) not in (int, float) or not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout!r}: expected a number from 0 up to, but not including, 1")

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

    def weight_shapes(self, vocabulary_size: int) -> dict[str, tuple[int, ...]]:
        """The name and shape of every weight, in the order of Keras's `model.get_weights()`.

        `layer1/kernel` is the first recurrent layer's input kernel, `dense/bias` the read-out's bias, and so on; shapes
        and gate orders are those of Keras's layers.
        """
        gates, units, inputs, shapes = GATES[self.cell], self.units, vocabulary_size, {}
        if self.embedding:
            shapes["embedding/embeddings"] = (vocabulary_size, self.embedding)
            inputs = self.embedding
        for layer in range(1, self.layers + 1):
            shapes[f"layer{layer}/kernel"] = (inputs, gates * units)
            shapes[f"layer{layer}/recurrent_kernel"] = (units, gates * units)
            shapes[f"layer{layer}/bias"] = (2, gates * units) if self.cell == "gru" else (gates * units,)
            inputs = units
        shapes["dense/kernel"] = (units, vocabulary_size)
        shapes["dense/bias"] = (vocabulary_size,)
        return shapes
