"""A trained model: its network, where it came from, and what one does with it, in numpy."""

import copy
import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Concatenate, NamedTuple, ParamSpec, Self, TypeVar

import numpy as np

from shakegen.inference import Engine
from shakegen.model import evaluation, model_file, shelf
from shakegen.model.model_file import ModelFile, Training
from shakegen.network.config import Config
from shakegen.sampling.generator import TextGenerator
from shakegen.study.autocomplete import measures
from shakegen.study.autocomplete.completion import Completer
from shakegen.study.autocomplete.corpus import LENGTH, AutocompleteCorpus, unfinished
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.study.connectivity import script
from shakegen.text.vocabulary import Vocabulary

P, R = ParamSpec("P"), TypeVar("R")


class LossUnit(NamedTuple):
    """The unit in which a loss is shown.

    Attributes:
        name: such as "bits/char".
        nats: how many nats one of it is.
        column: its name in tables, such as "bits_per_character".
    """

    name: str
    nats: float
    column: str


def delegate(part: str, method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """A method that calls one of a part of its object; it keeps that method's signature and docstring."""

    @functools.wraps(method)
    def call(self, *arguments: P.args, **options: P.kwargs) -> R:
        return method(getattr(self, part), *arguments, **options)

    return call


@dataclass(eq=False)
class Model:
    """A trained network of any task.

    Weights cannot be changed in place: `dict(model.weights)` and copies of its arrays are the begin of a new model.
    Models compare by identity, and may serve several threads at once.

    Attributes:
        config: the architecture.
        vocabulary: the symbols that it reads.
        weights: float32 arrays by the names of `Config.weight_shapes`, read-only.
        corpus, history, training: as `model_file.ModelFile` has them.
    """

    config: Config
    vocabulary: Vocabulary
    weights: Mapping[str, np.ndarray] = field(repr=False)
    corpus: dict = field(default_factory=dict)
    history: list[dict] = field(default_factory=list, repr=False)
    training: Training | None = field(default=None, repr=False)

    task: ClassVar[str] = ""
    refusal: ClassVar[str] = ""  # why a file of another task does not serve
    defers_read_out: ClassVar[bool] = False

    def __post_init__(self):
        self.weights = MappingProxyType({name: protect(weight) for name, weight in self.weights.items()})

    def __getstate__(self) -> dict:
        """What pickles and copies keep: all but the engine, which is made again."""
        state = {name: value for name, value in vars(self).items() if name != "_engine"}
        return state | {"weights": dict(self.weights)}

    def __setstate__(self, state: dict) -> None:
        vars(self).update(state)
        self.__post_init__()

    @classmethod
    def load(cls, path: str | Path, with_training: bool = False) -> Self:
        """Read a model file.

        Raises:
            OSError, ModelFileError: as `model_file.load`.
            ValueError: the network is for another task.
        """
        content = model_file.load(path, with_training)
        kind = KINDS[content.config.task]
        if not issubclass(kind, cls) and not issubclass(cls, kind):
            raise ValueError(f"{path} {cls.refusal}")
        return (cls if issubclass(cls, kind) else kind).from_file(content)

    @classmethod
    def from_file(cls, content: ModelFile) -> Self:
        """The model that a file holds."""
        return cls(**cls._fields_of(content))

    @staticmethod
    def _fields_of(content: ModelFile) -> dict:
        names = ("config", "vocabulary", "weights", "corpus", "history", "training")
        return {name: getattr(content, name) for name in names}

    def to_file(self) -> ModelFile:
        """What its file holds."""
        return ModelFile(self.config, self.vocabulary, self.weights, self.corpus, self.history, self.training)

    def save(self, path: str | Path, with_training: bool = False) -> None:
        """Write a model file, whole or not at all, as `model_file.save` does; by default the model alone."""
        model_file.save(self.to_file(), path, with_training)

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
        return copy.copy(self._engine)  # which never steps itself; what the copies share, none changes

    @property
    def outputs(self) -> int:
        """The number of logits."""
        return len(self.vocabulary)

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
        """The history's entry of the epoch whose weights these are: the one that predicted validation text best."""
        return model_file.best_of(self.history)

    @property
    def loss_unit(self) -> LossUnit:
        """The unit in which its losses are shown."""
        return self.unit_of(self.config)

    @classmethod
    def unit_of(cls, config: Config) -> LossUnit:
        """The unit in which losses of such a network are shown."""
        raise NotImplementedError

    @property
    def validation_bits(self) -> float | None:
        """Bits per character on the validation text; None where there was none, or where words are predicted."""
        return None

    def keras_model(self):
        """The same network as a `keras.Model` from ids (N, T) to logits (N, T, outputs)."""
        from shakegen.network.build import build

        model = build(self.config, len(self.vocabulary), outputs=self.outputs)
        model.set_weights(list(self.weights.values()))
        return model


@dataclass(eq=False)
class LanguageModel(Model):
    """A trained network that predicts the next symbol: `sample` from it, `evaluate` it."""

    task = "next"
    refusal = "predicts whole words and cannot write: expected a model of the next character; try `shakegen complete`"

    @property
    def generator(self) -> TextGenerator:
        """What writes with the network; each use gives a new one."""
        return TextGenerator(self.engine, self.vocabulary)

    sample = delegate("generator", TextGenerator.sample)
    samples = delegate("generator", TextGenerator.samples)
    stream = delegate("generator", TextGenerator.stream)
    beams = delegate("generator", TextGenerator.beams)
    stochastic_beams = delegate("generator", TextGenerator.stochastic_beams)
    draft = delegate("generator", TextGenerator.draft)

    def evaluate(self, text: str, on_unknown: str | None = None) -> evaluation.Evaluation:
        """How well the network predicts a text, read in order with the state carried; as `evaluation.evaluate`.

        Raises:
            UnknownCharacters, UnknownWords, ValueError: as `Vocabulary.encode` does with this `on_unknown`.
        """
        reading = self.vocabulary.read([text], on_unknown)
        return evaluation.evaluate(self.engine, reading.ids, self.vocabulary.unknown).of_text(reading, self.vocabulary)

    @property
    def kind(self) -> str:
        """What a list of models calls it."""
        return self.config.level

    @classmethod
    def unit_of(cls, config):
        column = {"char": "bits_per_character", "word": "bits_per_word"}[config.level]
        return LossUnit(f"bits/{config.level}", math.log(2), column)

    @property
    def validation_bits(self) -> float | None:
        """Bits per character on the validation text, if there was one; those that spell unknown symbols included."""
        loss, text = self.best_epoch.get("val_loss"), self.corpus.get("validation", {})
        if loss is None:
            return None
        nats = loss * text.get("symbols", 1) + text.get("spelling", 0)
        return nats / max(1, text.get("characters", 1)) / math.log(2)

    def validation_figures(self) -> dict:
        """How well it predicts the validation text, by the names of the figures."""
        return {"validation_bits_per_character": self.validation_bits}

    def normalize(self, text: str) -> str:
        """A text as the network reads it: as it is."""
        return text

    def read_script(self, text: str, on_unknown: str | None = None) -> script.Script:
        """A text with what the network should predict along it; raises as `Vocabulary.encode`."""
        return script.of_symbols(self.vocabulary, text, on_unknown)


@dataclass(eq=False)
class AutocompleteModel(Model):
    """A trained network of the autocomplete task: `complete` a text, `evaluate` it.

    Attributes:
        words: what it predicts.
    """

    words: Outputs = field(kw_only=True, repr=False)

    task = "autocomplete"
    refusal = "predicts no words: expected a model that `shakegen train --task autocomplete` made"
    defers_read_out = True
    kind: ClassVar[str] = "autocomplete"

    @staticmethod
    def _fields_of(content):
        return Model._fields_of(content) | {"words": content.words}

    def to_file(self):
        content = super().to_file()
        content.words = self.words
        return content

    @property
    def outputs(self) -> int:
        """The number of logits: of the words, padding and unknown words."""
        return len(self.words)

    @property
    def length(self) -> int:
        """The most characters in an observation that it learned from."""
        return self.corpus.get("observation_length", LENGTH)

    @property
    def completer(self) -> Completer:
        """What completes with the network; each use gives a new one."""
        return Completer(self.engine, self.words, self.length)

    complete = delegate("completer", Completer.complete)
    typing = delegate("completer", Completer.typing)

    def evaluate(self, corpus: AutocompleteCorpus, rows: np.ndarray | None = None) -> measures.AutocompleteEvaluation:
        """How well the network predicts observations, all of a corpus or some; as `autocomplete.measures.evaluate`.

        Args:
            corpus: with the outputs of this network: `AutocompleteCorpus.from_source(…, words=model.words)`.
            rows: numbers of observations.
        """
        rows = np.arange(len(corpus.observations)) if rows is None else rows
        return measures.evaluate(self.engine, corpus.observations, rows)

    @classmethod
    def unit_of(cls, config):
        return LossUnit("nats", 1.0, "cross_entropy")

    def validation_figures(self) -> dict:
        """How well it predicts the validation text, and how many words it knows, by the names of the figures."""
        return {"words": len(self.words.words), "validation_cross_entropy": self.best_epoch.get("val_loss")}

    def normalize(self, text: str) -> str:
        """A text as the network reads it: words of a to z, a space before each."""
        return SYMBOLS.decode(unfinished([text]))

    def read_script(self, text: str, on_unknown: str | None = None) -> script.Script:
        """A text with what the network should predict along it."""
        return script.of_words(self.words, text)


KINDS: dict[str, type[Model]] = {kind.task: kind for kind in (LanguageModel, AutocompleteModel)}
WordModel = AutocompleteModel  # its name in earlier versions


def protect(array: np.ndarray) -> np.ndarray:
    """A view of an array through which nothing can be changed."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def load(path: str | Path, task: str | None = None, with_training: bool = False) -> LanguageModel | AutocompleteModel:
    """Read a model file.

    Args:
        path: of the file.
        with_training: whether to read where its training run stands, too.
        task: what the network must be for, one of `config.TASKS`; by default any.

    Raises:
        OSError, ModelFileError: as `model_file.load`.
        ValueError: the network is for another task, or there is no such task.
    """
    if task not in (None, *KINDS):
        raise ValueError(f"there is no task {task!r}: expected {' or '.join(map(repr, KINDS))}")
    return (Model if task is None else KINDS[task]).load(path, with_training)


def find(task: str = "next") -> Path:
    """The model file to use where none is named: the newest in `./models` for that task, else the one that ships."""
    own = (path for path in shelf.own_models() if model_file.task_of(path) in (task, None))
    return next(own, shelf.pretrained(task))
