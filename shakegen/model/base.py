"""A trained network of any task, in numpy."""

import copy
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, NamedTuple, Self

import numpy as np

from shakegen.inference import Engine
from shakegen.model import model_file, shelf
from shakegen.model.model_file import Training
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import Outputs
from shakegen.text.vocabulary import Vocabulary


class LossUnit(NamedTuple):
    """The unit in which a loss is shown."""

    name: str  # such as "bits/char"
    nats: float  # in one unit
    column: str  # the name in tables, such as "bits_per_character"


@dataclass(eq=False)
class Model:
    """A trained network of any task.

    Models compare by identity, and may serve several threads at once.

    Attributes:
        config: the architecture.
        vocabulary: the symbols that it reads, of the level of the configuration.
        weights: float32 arrays by the names of `Config.weight_shapes`; they are read-only.
        corpus: the text that it learned: name, sha256, length in characters, split, validation (fields of `Part`).
        history: a dictionary for each epoch, or part of a long one: `epoch`, passes over the text by then; `loss` and
            `val_loss`, nats/symbol; `seconds` since the run began; `learning_rate`; `characters_per_second`;
            `steps`, batches by then. Older files have the first three only.
        training: the state of its training run; None if the file has none, or if it was not read.
    """

    config: Config
    vocabulary: Vocabulary
    weights: Mapping[str, np.ndarray] = field(repr=False)
    corpus: dict = field(default_factory=dict)
    history: list[dict] = field(default_factory=list, repr=False)
    training: Training | None = field(default=None, repr=False)

    kinds: ClassVar[dict[str, type["Model"]]] = {}  # by task
    task: ClassVar[str] = ""
    refusal: ClassVar[str] = ""  # the end of the error where a file is of another task
    defers_read_out: ClassVar[bool] = False

    def __init_subclass__(cls):
        cls.kinds.setdefault(cls.task, cls)

    def __post_init__(self):
        shapes = self.config.weight_shapes(len(self.vocabulary), len(self.output_vocabulary))
        places = {name: place for place, name in enumerate(shapes)}
        ordered = sorted(self.weights.items(), key=lambda item: places.get(item[0], len(places)))  # as Keras has them
        self.weights = MappingProxyType({name: protect(weight) for name, weight in ordered})

    def __getstate__(self) -> dict:
        """The attributes for pickles and copies: all but the engine, which is made again."""
        state = {name: value for name, value in vars(self).items() if name != "_engine"}
        return state | {"weights": dict(self.weights)}

    def __setstate__(self, state: dict) -> None:
        vars(self).update(state)
        self.__post_init__()

    @classmethod
    def load(cls, path: str | Path, with_training: bool = False) -> Self:
        """Read the model file at a path, or the pretrained model of a name, as `shelf.find_file` finds it.

        Raises:
            OSError, ModelFileError: as `model_file.read`.
            ValueError: the network is for another task.
        """
        content = model_file.read(shelf.find_file(path), with_training)
        kind = cls.kinds[content["config"].task]
        if issubclass(cls, kind):
            return cls(**content)
        if issubclass(kind, cls):
            return kind(**content)
        raise ValueError(f"{path} {cls.refusal}")

    def save(self, path: str | Path, with_training: bool = False) -> None:
        """Write a model file, whole or not at all, as `model_file.save` does; by default the model alone."""
        model_file.save(self, path, with_training)

    @functools.cached_property
    def _engine(self) -> Engine:
        return self.make_engine(self.config, self.weights)

    @classmethod
    def make_engine(cls, config: Config, weights: Mapping[str, np.ndarray]) -> Engine:
        """A network of this kind as a step function."""
        return Engine(config, weights, defer_read_out=cls.defers_read_out)

    @property
    def engine(self) -> Engine:
        """The network as a step function; each use gives a new one, so that no two share their buffers."""
        return copy.copy(self._engine)  # copies share arrays that never change, and measured speeds

    @property
    def output_vocabulary(self) -> Vocabulary | Outputs:
        """The outputs of the network, one logit each."""
        return self.vocabulary

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(weight.size for weight in self.weights.values())

    @property
    def weights_by_part(self) -> dict[str, int]:
        """The number of weights of the embedding, if there is one, of all recurrent layers, and of the read-out."""
        counts: dict[str, int] = {}
        for name, weight in self.weights.items():
            part = "recurrent" if name.startswith("layer") else name.partition("/")[0]
            counts[part] = counts.get(part, 0) + weight.size
        return counts

    @property
    def best_epoch(self) -> dict:
        """The history's entry of the epoch that these weights come from: the one with the best validation loss."""
        return model_file.best_of(self.history)

    @property
    def loss_unit(self) -> LossUnit:
        """The unit in which its losses are shown."""
        return self.unit_of(self.config)

    @classmethod
    def unit_of(cls, config: Config) -> LossUnit:
        """The unit in which losses of a network are shown."""
        raise NotImplementedError

    @property
    def validation_bits(self) -> float | None:
        """Bits per character on the validation text; None where there was none, or where words are predicted."""
        return None

    def keras_model(self):
        """The same network as a `keras.Model` from ids (N, T) to logits (N, T, outputs)."""
        from shakegen.network.build import build

        model = build(self.config, len(self.vocabulary), outputs=len(self.output_vocabulary))
        model.set_weights(list(self.weights.values()))
        return model


def protect(array: np.ndarray) -> np.ndarray:
    """A view of an array through which nothing can be changed."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
