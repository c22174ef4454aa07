"""The interface of a task for training, comparing and the commands. Only numpy at import."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shakegen.model.base import Model
from shakegen.network.config import Config
from shakegen.text.drawn_targets import DrawnTargets
from shakegen.text.ngram import Baseline
from shakegen.text.windows import Batches
from shakegen.training.recipe import Recipe

if TYPE_CHECKING:
    import keras

    from shakegen.model.model_file import Training
    from shakegen.training.learner import Learner
    from shakegen.training.workers.replicas import Replicas


BLOCK, FEWEST_BLOCKS, MOST_BLOCKS = 200, 5, 400  # symbols of a block at least; blocks of a text


def average_blocks(values: np.ndarray) -> list[float]:
    """The means of a figure of each symbol over contiguous blocks of a text, as equal as may be, shape (symbols,).

    The figures of near symbols depend on each other, those of blocks hardly do. Of a short text there are none.
    """
    count = min(len(values) // BLOCK, MOST_BLOCKS)
    return [float(block.mean()) for block in np.array_split(values, count)] if count >= FEWEST_BLOCKS else []


@dataclass(frozen=True)
class Measure:
    """A figure of how well a network predicts."""

    part: str  # of the text, validation or test
    key: str  # its name in the scores of that part
    head: str  # of its column in a terminal
    title: str
    unit: str = ""  # in a sentence

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
        needed: the demand on validation text besides its length, for a message.
        first_output: the outputs before it are no targets.
        sample_temperature: the temperature of `write_sample`; None where nothing is drawn.
        idle: names of options without effect on the task, by the reason.
    """

    kind: ClassVar[type[Model]]
    measures: ClassVar[tuple[Measure, ...]]
    example: ClassVar[str]
    needed: ClassVar[str] = ""
    first_output: ClassVar[int] = 0
    sample_temperature: ClassVar[float | None] = None
    idle: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    # Options and corpora.

    @abstractmethod
    def make_config(self, corpus=None, recipe: str | None = None, **options) -> Config:
        """A configuration with the usual options of the task for a corpus and the given ones.

        Args:
            corpus: the text; None where it is not known yet.
            recipe: one of `RECIPES`, or None for the one that fits the corpus.
            options: of `Config`.

        Raises:
            ValueError: as `Config`.
        """

    @abstractmethod
    def make_recipe(self, corpus=None, recipe: str | None = None, **options) -> Recipe:
        """The recipe of a new run; corpus and recipe as for `make_config`.

        Raises:
            ValueError: as `Recipe`, or an option does not fit the corpus.
        """

    def fit_recipe(self, recipe: Recipe, of) -> Recipe:
        """A recipe for a network with the vocabulary of a corpus or a beginning, or None; what was given stays."""
        return recipe

    def check_recipe(self, recipe: Recipe) -> None:
        """Raise ValueError if a recipe does not fit the task; any does, unless a task says otherwise."""
        return

    def weight_shapes(self, config: Config, corpus, vocabulary) -> dict[str, tuple[int, ...]]:
        """The shapes of the weights of a network, by their names."""
        return config.weight_shapes(len(vocabulary))

    @abstractmethod
    def corpus_options(
        self,
        seq_length: int | None,
        random_state: int,
        base: Model | None,
        recipe: str | None = None,
        level: str = "char",
        resumes: bool = False,
    ) -> dict:
        """The options of `make_corpus` that follow from a recipe, a level, and the model that a run starts from.

        A run that resumes keeps its vocabulary, even if another one is usual today.
        """

    @abstractmethod
    def make_corpus(self, source, **options):
        """The corpus of a `text.reading.Source`; options and errors as for its `from_source`."""

    def name_file(self, corpus, config: Config) -> str:
        """The usual name of a model file, without `.h5`."""
        return f"{corpus.name}-{config.cell}"

    # Training.

    @abstractmethod
    def merge_vocabularies(self, base: Model | None, corpus):
        """The vocabulary of a network for a corpus that may start from a model; raises ValueError if it cannot."""

    @abstractmethod
    def make_batches(self, corpus, vocabulary, recipe: Recipe) -> Batches:
        """The batches of a run, in the ids of a vocabulary."""

    @abstractmethod
    def make_network(self, config: Config, corpus, vocabulary, recipe: Recipe, **options) -> keras.Model:
        """The network to train with its first weights, not compiled; options as for `network.build`."""

    def make_learner(self, network: keras.Model, replicas: Replicas, recipe: Recipe) -> Learner:
        """The learner of a network, with the loss of the task."""
        from shakegen.training.learner import Learner
        from shakegen.training.read_out_loss import ReadOutCrossentropy

        if recipe.loss_share == 1 and not self.first_output:
            return Learner(network, replicas)
        loss = ReadOutCrossentropy(network, self.first_output)
        return Learner(network, replicas, loss.forward, loss)

    @abstractmethod
    def transfer_weights(self, weights: dict, base: Model, vocabulary) -> dict:
        """The weights of a model in a network of a larger vocabulary; its other weights are those in `weights`."""

    @abstractmethod
    def make_validation(self, config: Config, corpus, vocabulary, most: int):
        """A score of weights on about so many characters of validation text, in nats; None without enough of it."""

    @abstractmethod
    def lacks_validation(self, corpus) -> bool:
        """Whether there is validation text that cannot choose an epoch: it is too short, or nothing in it counts."""

    def make_model(
        self, config: Config, corpus, vocabulary, weights: dict, history: list[dict], training: Training
    ) -> Model:
        """The model of some weights."""
        return self.kind(config, vocabulary, weights, corpus.origin(), history, training)

    @abstractmethod
    def make_sampler(self, config: Config, corpus, vocabulary, options: dict, shown: bool) -> keras.callbacks.Callback:
        """The callback that shows a sample after each epoch on standard error, or keeps it for the logs alone.

        The options are sample_seed, sample_length, temperature, beam_width, random_state.
        """

    @abstractmethod
    def describe_score(self, model: Model) -> str:
        """How well the best epoch of a model predicts validation text, in words; "" where there was none."""

    # Comparing.

    def measure_baseline(self, corpus) -> Baseline | None:
        """How well counts of the training text predict the validation text, where a task has such a baseline."""
        return None

    @abstractmethod
    def score(self, model, corpus, part: str) -> dict | None:
        """The figures of a model on a part of its corpus; None if the part is empty.

        `blocks` holds figures over equal blocks of the part, by name, for the error of the whole; a list may be empty.
        """

    def score_baselines(self, corpus) -> dict[str, dict]:
        """The figures of models that need no training run, by their names and by parts, like those of `score`."""
        return {}

    @abstractmethod
    def characters_per_symbol(self, corpus) -> float:
        """The characters of the training text for each step of a network."""

    @abstractmethod
    def write_sample(self, model, corpus, seed: str | None, length: int, random_state: int) -> str:
        """A sample to compare; it continues a seed, or the usual one."""

    @abstractmethod
    def use_model(self, model, count: int) -> int:
        """Read or write about `count` symbols, to be timed; returns the number of their characters."""


def draw_targets(batches: Batches, recipe: Recipe) -> Batches:
    """Batches with the share of targets that a recipe asks for; the others count in no loss."""
    if recipe.loss_share == 1:
        return batches
    return DrawnTargets(batches, recipe.loss_share, recipe.random_state)
