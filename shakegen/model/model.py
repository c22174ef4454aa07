"""Trained language models and autocomplete models, in numpy."""

import contextlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, overload

import numpy as np

from shakegen.checks import check_ids
from shakegen.model import evaluation, model_file, shelf
from shakegen.model.base import LossUnit, Model
from shakegen.model.predictor import Predictor
from shakegen.study.autocomplete import measures
from shakegen.study.autocomplete.completion import Completion, Typing
from shakegen.study.autocomplete.corpus import STUDY_LENGTH, AutocompleteCorpus, encode_text
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.study.connectivity import script
from shakegen.text.levels import VOCABULARIES

log = logging.getLogger(__name__)


@dataclass(eq=False)
class LanguageModel(Predictor, Model):
    """A trained network that predicts the next symbol: `sample` from it, `evaluate` it."""

    task = "next"
    refusal = "predicts whole words and cannot write: expected a model of the next character; try `shakegen complete`"

    @property
    def kind(self) -> str:
        """Its name in a list of models."""
        return self.config.level

    @classmethod
    def unit_of(cls, config):
        column = f"bits_per_{VOCABULARIES[config.level].symbol}"
        return LossUnit(f"bits/{config.level}", evaluation.LN2, column)

    @property
    def validation_bits(self) -> float | None:
        """Bits per character on the validation text, if there was one, with the spelling of unknown symbols."""
        loss, text = self.best_epoch.get("val_loss"), self.corpus.get("validation", {})
        if loss is None:
            return None
        nats = loss * text.get("symbols", 1) + text.get("spelling", 0)
        return nats / max(1, text.get("characters", 1)) / evaluation.LN2

    def validation_figures(self) -> dict:
        """How well it predicts the validation text, by the names of the figures."""
        return {"validation_bits_per_character": self.validation_bits}

    def normalize(self, text: str) -> str:
        """A text as the network reads it: as it is."""
        return text

    def read_script(self, text: str, on_unknown: str | None = None) -> script.Script:
        """A text with the targets of the network along it; raises as `Vocabulary.encode`."""
        return script.of_symbols(self.vocabulary, text, on_unknown)


@dataclass(eq=False)
class AutocompleteModel(Model):
    """A trained network of the autocomplete task: `complete` a text, `evaluate` it.

    Attributes:
        words: its outputs.
    """

    words: Outputs = field(kw_only=True, repr=False)

    task = "autocomplete"
    refusal = "predicts no words: expected a model that `shakegen train --task autocomplete` made"
    defers_read_out = True
    kind: ClassVar[str] = "autocomplete"

    @property
    def output_vocabulary(self) -> Outputs:
        return self.words

    @property
    def length(self) -> int:
        """The most characters in an observation that it learned from."""
        return self.corpus.get("observation_length", STUDY_LENGTH)

    def complete(self, text: str = "", top: int = 3, matching: bool = False) -> list[Completion]:
        """The likeliest words to complete the last one of a text, best first.

        Args:
            text: any text; it is read as words of a to z. The last word is unfinished if no space follows.
            top: the largest number of words.
            matching: offer only words that begin as the unfinished one.

        Raises:
            ValueError: `top` is below 1.
        """
        return self.typing(text).likeliest(top, matching)

    def typing(self, text: str = "") -> Typing:
        """A text to type on, with suggestions at every key."""
        return Typing(self.engine, self.words, self.length, text)

    def evaluate(self, corpus: AutocompleteCorpus, rows: np.ndarray | None = None) -> measures.AutocompleteEvaluation:
        """How well the network predicts observations, all of a corpus or some; as `autocomplete.measures.evaluate`.

        Args:
            corpus: with the outputs of this network: `AutocompleteCorpus.from_source(…, words=model.words)`.
            rows: numbers of observations.

        Raises:
            TypeError: it is no such corpus.
            ValueError: the corpus has other outputs, or there is no such observation.
        """
        if not hasattr(corpus, "observations"):
            raise TypeError(f"the corpus is of the type {type(corpus).__name__}: expected an AutocompleteCorpus")
        corpus.check_words(self.words)
        rows = np.arange(len(corpus.observations)) if rows is None else np.asarray(rows)
        check_ids(rows, len(corpus.observations))
        return measures.evaluate(self.engine, corpus.observations, rows)

    @classmethod
    def unit_of(cls, config):
        return LossUnit("nats/position", 1.0, "cross_entropy")

    def validation_figures(self) -> dict:
        """How well it predicts the validation text, and how many words it knows, by the names of the figures."""
        return {"words": len(self.words.words), "validation_cross_entropy": self.best_epoch.get("val_loss")}

    def normalize(self, text: str) -> str:
        """A text as the network reads it: words of a to z, a space before each."""
        return SYMBOLS.decode(encode_text([text]))

    def read_script(self, text: str, on_unknown: str | None = None) -> script.Script:
        """A text with the targets of the network along it."""
        return script.of_words(self.words, text)


@overload
def load(path: str | Path, task: Literal["autocomplete"], with_training: bool = False) -> AutocompleteModel: ...


@overload
def load(path: str | Path, task: str | None = None, with_training: bool = False) -> LanguageModel | Any: ...


def load(path: str | Path, task: str | None = None, with_training: bool = False) -> LanguageModel | Any:
    """Read a model file: a `LanguageModel`, or an `AutocompleteModel`.

    Args:
        path: of the file; or the name of a pretrained model, such as "sonnets-lstm". A file of that name wins.
        task: the task that the network must have, one of `config.TASKS`; by default any. Type checkers know an
            `AutocompleteModel` by it.
        with_training: whether to read the state of its training run, too.

    Raises:
        OSError, ModelFileError: as `model_file.read`.
        ValueError: the network is for another task, or there is no such task.
    """
    if task is not None:
        check_task(task)
    return (Model if task is None else Model.kinds[task]).load(path, with_training)


def check_task(task) -> None:
    """Refuse a task that there is not; raises ValueError."""
    if task not in Model.kinds:
        raise ValueError(f"there is no task {task!r}: expected {' or '.join(map(repr, Model.kinds))}")


def find(task: str = "next") -> Path:
    """The model file to use where none is named: the newest in `./models` for that task, else the one that ships.

    Files that cannot be used are passed over; the log says which of them are models.

    Raises:
        ValueError: there is no such task.
    """
    check_task(task)
    for path in shelf.own_models():
        with contextlib.suppress(OSError):
            if model_file.task_of(path) != task:
                continue
            try:
                model_file.read(path)
            except ValueError as error:
                log.warning("Passed over: %s", error)
            else:
                return path
    return shelf.pretrained(task)
