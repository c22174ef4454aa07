"""A trained model: its file's content and what one does with it, in numpy."""

import math
from functools import cached_property
from pathlib import Path

import numpy as np

from shakegen.inference import Engine
from shakegen.model import evaluation, model_file, shelf
from shakegen.sampling.generator import Writer
from shakegen.study.autocomplete import measures
from shakegen.study.autocomplete.completion import Completer
from shakegen.study.autocomplete.corpus import LENGTH, WordCorpus


class Model(model_file.ModelFile):
    """What all trained networks have in common.

    Attributes are those of `ModelFile`: config, vocabulary, weights, corpus, history, words.
    """

    @classmethod
    def load(cls, path: str | Path, with_training: bool = False) -> "Model":
        """Read a model file; raises as `model_file.load` does."""
        return cls(**vars(model_file.load(path, with_training)))

    def save(self, path: str | Path, with_training: bool = False) -> None:
        """Write a model file, whole or not at all, as `model_file.save` does; by default the model alone."""
        model_file.save(self, path, with_training)

    @cached_property
    def engine(self) -> Engine:
        """The network as a step function."""
        return Engine(self.config, self.weights, defer_read_out=self.words is not None)

    @property
    def outputs(self) -> int:
        """How many logits there are."""
        return len(self.words or self.vocabulary)

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(weight.size for weight in self.weights.values())

    @property
    def weights_by_part(self) -> dict[str, int]:
        """The number of weights of the embedding, if there is one, of all recurrent layers, and of the read-out."""
        counts = {}
        for name, weight in self.weights.items():
            part = "recurrent" if name.startswith("layer") else name.partition("/")[0]
            counts[part] = counts.get(part, 0) + weight.size
        return counts

    @property
    def best_epoch(self) -> dict:
        """The history's entry of the epoch whose weights these are: the one that predicted validation text best."""
        return model_file.best_of(self.history)

    @property
    def validation_bits(self) -> float | None:
        """Bits per character on the validation text, if there was one; those that spell unknown symbols included."""
        loss, text = self.best_epoch.get("validation_loss"), self.corpus.get("validation", {})
        if loss is None:
            return None
        nats = loss * text.get("symbols", 1) + text.get("spelling", 0)
        return nats / max(1, text.get("characters", 1)) / math.log(2)

    def keras_model(self):
        """The same network as a `keras.Model` from ids (N, T) to logits (N, T, outputs)."""
        from shakegen.network.build import build

        model = build(self.config, len(self.vocabulary), outputs=self.outputs)
        model.set_weights(list(self.weights.values()))
        return model


class LanguageModel(Model, Writer):
    """A trained network that predicts the next symbol: `sample` from it, `evaluate` it.

    How it writes (`sample`, `samples`, `stream`, `beams`, `stochastic_beams`) stands in `Writer`.
    """

    def evaluate(self, text: str, on_unknown: str | None = None) -> evaluation.Evaluation:
        """How well the network predicts a text, read in order with the state carried; as `evaluation.evaluate`.

        Raises:
            UnknownCharacters, UnknownWords, ValueError: as `Vocabulary.encode` does with this `on_unknown`.
        """
        reading = self.vocabulary.read([text], on_unknown)
        return evaluation.evaluate(self.engine, reading.ids, self.vocabulary.unknown).of_text(reading, self.vocabulary)


class WordModel(Model, Completer):
    """A trained network of the autocomplete task: `complete` a text, `evaluate` it.

    How it completes (`complete`, `typing`) stands in `Completer`.
    """

    @property
    def length(self) -> int:
        """The most characters in an observation that it learned from."""
        return self.corpus.get("observation_length", LENGTH)

    def evaluate(self, corpus: WordCorpus, rows: np.ndarray | None = None) -> measures.WordEvaluation:
        """How well the network predicts observations, all of a corpus or some; as `autocomplete.measures.evaluate`.

        Args:
            corpus: with the outputs of this network: `WordCorpus.from_source(…, words=model.words)`.
            rows: numbers of observations.
        """
        return measures.evaluate(
            self.engine, corpus.observations, np.arange(len(corpus.observations)) if rows is None else rows
        )


KINDS = {"next": LanguageModel, "autocomplete": WordModel}
REFUSED = {
    "next": "predicts whole words and cannot write: expected a model of the next character; try `shakegen complete`",
    "autocomplete": "predicts no words: expected a model that `shakegen train --task autocomplete` made",
}


def load(path: str | Path, task: str | None = None, with_training: bool = False) -> LanguageModel | WordModel:
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
    model = model_file.load(path, with_training)
    if task not in (None, model.config.task):
        raise ValueError(f"{path} {REFUSED[task]}")
    return KINDS[model.config.task](**vars(model))


def find(task: str = "next") -> Path:
    """The model file to use where none is named: the newest in `./models` for that task, else the one that ships."""
    own = (path for path in shelf.own_models() if model_file.task_of(path) in (task, None))
    return next(own, shelf.pretrained(task))
