"""The interface of a task: all that training, comparing and the commands need to know of it. Only numpy at import."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shakegen.model.base import Model
from shakegen.network.config import Config
from shakegen.text.windows import Batches
from shakegen.training.recipe import Recipe

if TYPE_CHECKING:
    import keras

    from shakegen.model.model_file import Training


@dataclass(frozen=True)
class Measure:
    """A figure of how well a network predicts.

    Attributes:
        part, key: its place in a run's figures: `validation` or `test`, and its name there.
        head: the head of its column in a terminal.
        title: in words.
        digits: after the point.
        usual: whether a narrow table has it.
    """

    part: str
    key: str
    head: str
    title: str
    digits: int = 3
    usual: bool = True

    @property
    def name(self) -> str:
        """The name of the figure in a table."""
        return f"{self.part}_{self.key}"


class Task(ABC):
    """A task: its corpora, its training and its measures.

    Attributes:
        kind: the class of its models.
        measures: the figures by which networks are compared.
        example: the rest of a command that uses a model, `{}` for its file.
    """

    kind: ClassVar[type[Model]]
    measures: ClassVar[tuple[Measure, ...]]
    example: ClassVar[str]

    @property
    def name(self) -> str:
        """One of `config.TASKS`."""
        return self.kind.task

    # What is learned, and with which options.

    @abstractmethod
    def make_config(self, **options) -> Config:
        """A configuration with the options that are usual for the task, and others that are given.

        Raises:
            ValueError: an option is out of range.
        """

    @abstractmethod
    def make_recipe(self, corpus=None, **options) -> Recipe:
        """The recipe of a new run, on a corpus if there is one already.

        Raises:
            ValueError: an option is out of range, or does not fit the corpus.
        """

    def check_recipe(self, recipe: Recipe) -> None:  # noqa: B027
        """Refuse a recipe that has no meaning for the task; raises ValueError."""

    @abstractmethod
    def corpus_options(self, config: Config, seq_length: int | None, random_state: int, base: Model | None) -> dict:
        """The options of `make_corpus` that follow from a network, a recipe, and the model that a run starts from."""

    @abstractmethod
    def make_corpus(self, source, **options):
        """The corpus of a `text.reading.Source`; options and errors as for its `from_source`."""

    def name_file(self, corpus, config: Config) -> str:
        """The usual name of a model file, without `.h5`."""
        return f"{corpus.name}-{config.cell}"

    # Training.

    @abstractmethod
    def merge_vocabularies(self, base: Model | None, corpus):
        """The vocabulary of a network that goes on from a model, if there is one, with a corpus.

        Raises:
            ValueError: the model cannot go on with this corpus.
        """

    @abstractmethod
    def make_batches(self, corpus, vocabulary, recipe: Recipe) -> Batches:
        """The batches of a run, in the ids of a vocabulary."""

    @abstractmethod
    def make_network(self, config: Config, corpus, vocabulary, **options) -> keras.Model:
        """The network to train, not compiled, from ids to what the loss takes; options as for `network.build`.

        Its weights are those of the network that is kept, in the same order.
        """

    @abstractmethod
    def make_loss(self, network: keras.Model) -> keras.losses.Loss:
        """The loss of such a network, in nats: a mean, with a `count` of the targets that it is the mean of."""

    @abstractmethod
    def transfer_weights(self, weights: dict, base: Model, vocabulary) -> dict:
        """The weights of a model in a network of a vocabulary; where they do not reach, `weights` stay."""

    @abstractmethod
    def make_validation(self, config: Config, corpus, vocabulary, most: int):
        """A score of weights on about so many characters of validation text, in nats; None without such text."""

    def make_model(
        self, config: Config, corpus, vocabulary, weights: dict, history: list[dict], training: Training
    ) -> Model:
        """The model of some weights."""
        return self.kind(config, vocabulary, weights, corpus.origin(), history, training)

    @abstractmethod
    def make_sampler(self, config: Config, corpus, options: dict, shown: bool) -> keras.callbacks.Callback:
        """The callback that shows a sample after each epoch.

        Args:
            config: the network.
            corpus: its corpus.
            options: sample_seed, sample_length, temperature, beam_width, random_state.
            shown: whether to print it on standard error; else it is for the logs alone.
        """

    @abstractmethod
    def describe_score(self, model: Model) -> str:
        """How well the best epoch of a model predicts validation text, in words; "" where there was none."""

    # Comparing.

    @abstractmethod
    def score(self, model, corpus, part: str) -> dict | None:
        """How well a model predicts a part of its corpus, or None of an empty one."""

    @abstractmethod
    def characters_per_symbol(self, corpus) -> float:
        """The characters of the training text for each step of a network."""

    @abstractmethod
    def write_sample(self, model, corpus, seed: str | None, length: int, random_state: int) -> str:
        """A sample to compare, that continues a seed, or the usual one."""

    @abstractmethod
    def use_model(self, model, count: int) -> int:
        """Read or write about so many symbols, to be timed; gives the number of their characters."""
