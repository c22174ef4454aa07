"""What a comparison needs to know of each task: its texts, its measures, its samples. Only numpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shakegen import catalog, evaluation
from shakegen.autocomplete.corpus import WordCorpus
from shakegen.compare.matching import weights_of
from shakegen.config import TASKS, Config
from shakegen.recipe import Recipe

STREAM, MOST_STREAMS = 20_000, 256  # characters of a stream at least, streams at most
PER_SUGGESTION = 12  # characters of a sample for each at which words are suggested


@dataclass(frozen=True)
class Text:
    """What is learned from, and how it is read.

    Attributes:
        places: files, folders or names, as for `catalog.open_source`.
        reading: how they are read, likewise.
        shape: what is made of them, as for `catalog.load_corpus`: `split`; and for the autocomplete task as for
            `autocomplete.corpus.WordCorpus.from_source`.
    """

    places: Sequence[str]
    reading: dict
    shape: dict

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        return {"places": list(self.places), "reading": self.reading, "shape": self.shape}


@dataclass(frozen=True)
class Measure:
    """A figure of how well a network predicts.

    Attributes:
        part, key: where it is in a run's figures: `validation` or `test`, and its name there.
        head: of its column in a terminal.
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
        return f"{self.part}_{self.key}"


class Characters:
    """The next character, or symbol."""

    unit, loss_scale = "bits/char", float(1 / np.log(2))
    measures = (
        Measure("validation", "bits_per_character", "valid.", "bits/char, validation"),
        Measure("test", "bits_per_character", "test", "bits/char, test"),
        Measure("test", "accuracy", "accuracy", "accuracy, test", usual=False),
    )

    def shaped(self, shape: dict, recipe: Recipe) -> dict:
        """The shape of a text with what follows from how it is learned.

        Raises:
            ValueError: it is for another task.
        """
        if "vocabulary_size" in shape:
            raise ValueError("a vocabulary size is for the task autocomplete: leave it out")
        return shape

    def load(self, text: Text):
        """The corpus."""
        return catalog.load_corpus(text.places, **text.reading, **text.shape)

    def identity(self, corpus) -> dict:
        """What of a corpus decides what is learned from it, ready for JSON."""
        return {"sha256": corpus.sha256, "split": list(corpus.split), "symbols": len(corpus.vocabulary)}

    def count(self, corpus, config: Config) -> int:
        """The number of weights of a network for a corpus."""
        return weights_of(config, len(corpus.vocabulary))

    def score(self, model, corpus, part: str) -> dict | None:
        """How well a model predicts a part of its corpus, or None of an empty one.

        Each character from all before it; a long text is read in parts side by side, which begin from the start state.
        """
        ids = getattr(corpus, part)
        if len(ids) < 2:
            return None
        streams = max(1, min(MOST_STREAMS, len(ids) // STREAM))
        found = evaluation.estimate(model.engine, ids, streams)
        return {"bits_per_character": found.bits_per_character, "accuracy": float(found.accuracy)}

    def sample(self, model, corpus, seed: str | None, length: int, random_state: int) -> str:
        """What a model writes after a seed, by default a line end."""
        seed = "\n" if seed is None else seed
        return (seed + model.sample(seed, length, 0.8, random_state, on_unknown="skip")).strip("\n")

    def draw(self, model, count: int) -> None:
        """Write so many characters: what is timed."""
        model.sample("", count, 1.0, 0)


class Words:
    """The word at each of its characters: autocomplete."""

    unit, loss_scale = "nats", 1.0
    measures = (
        Measure("validation", "cross_entropy", "valid.", "cross entropy in nats, validation"),
        Measure("test", "cross_entropy", "test", "cross entropy in nats, test"),
        Measure("test", "masked_accuracy", "accuracy", "accuracy, test"),
        Measure("test", "long_context_accuracy", "0 typed", "accuracy before a character is typed, test"),
        Measure("test", "short_context_accuracy", "3 typed", "accuracy from 3 characters typed on, test", usual=False),
        Measure("test", "study_accuracy", "study", "accuracy as the study of memory counts it, test", usual=False),
    )

    def shaped(self, shape: dict, recipe: Recipe) -> dict:
        """The shape of a text with what follows from how it is learned; all repeats have the same split."""
        return {**shape, "length": recipe.seq_length, "random_state": recipe.random_state}

    def load(self, text: Text):
        """The corpus."""
        return WordCorpus.from_source(catalog.open_source(text.places, **text.reading), **text.shape)

    def identity(self, corpus) -> dict:
        """What of a corpus decides what is learned from it, ready for JSON."""
        words = {"words": len(corpus.words.words), "split_by_random_state": corpus.random_state}
        return {"sha256": corpus.sha256, "split": list(corpus.split), **words}

    def count(self, corpus, config: Config) -> int:
        """The number of weights of a network for a corpus."""
        return weights_of(config, len(corpus.vocabulary), len(corpus.words))

    def score(self, model, corpus, part: str) -> dict | None:
        """How well a model predicts a part of its corpus, or None of an empty one."""
        rows = getattr(corpus, part)
        return model.evaluate(corpus, rows).to_dict() if len(rows) else None

    def sample(self, model, corpus, seed: str | None, length: int, random_state: int) -> str:
        """What a model suggests at each character typed of a text, by default the beginning of a test observation."""
        if seed is None:
            seed = corpus.observations.texts([*corpus.test, 0][:1])[0].strip()
        typing, lines = model.typing(), []
        for character in seed[: max(1, length // PER_SUGGESTION)]:
            typing.write(character)
            offered = ", ".join(f"{word} {share:.0%}" for word, share in typing.likeliest(3))
            lines.append(f"{typing.text}…  {offered}")
        return "\n".join(lines)

    def draw(self, model, count: int) -> None:
        """Read so many characters, with suggestions at each: what is timed."""
        typing = model.typing("")
        for character in ("now and then " * (count // 13 + 1))[:count]:
            typing.write(character)
            typing.likeliest(3)


BY_NAME = dict(zip(TASKS, (Characters(), Words()), strict=True))
