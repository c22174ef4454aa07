"""What a comparison needs to know of each task: its texts, its measures, its samples. Only numpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shakegen.model import evaluation
from shakegen.network.config import TASKS, Config
from shakegen.study.autocomplete.corpus import WordCorpus, load_word_corpus
from shakegen.text import catalog
from shakegen.text.corpus import Corpus
from shakegen.training.recipe import Recipe

STREAM, MOST_STREAMS = 20_000, 256  # characters of a stream at least, streams at most
PARTS = ("train", "validation", "test")
PER_SUGGESTION = 12  # characters of a sample for each at which words are suggested


@dataclass(frozen=True)
class Text:
    """What is learned from, and how it is read.

    Attributes:
        places: files, folders or names, as for `catalog.open_source`.
        reading: how they are read, likewise.
        shape: what is made of them: options of `catalog.load_corpus`, or for the autocomplete task of
            `load_word_corpus`.
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
    """The next character, or word."""

    loss_scale = float(1 / np.log(2))
    measures = (
        Measure("validation", "bits_per_character", "valid.", "bits/char, validation"),
        Measure("test", "bits_per_character", "test", "bits/char, test"),
        Measure("test", "accuracy", "accuracy", "accuracy, test", usual=False),
    )

    def unit(self, config: Config) -> str:
        """Of the losses in a history, times `loss_scale`."""
        return f"bits/{config.level}"

    def shaped(self, shape: dict, recipe: Recipe, config: Config) -> dict:
        """The shape of a text with what follows from what is learned, and how."""
        return {**shape, "level": config.level}

    def load(self, text: Text) -> Corpus:
        """The corpus."""
        return catalog.load_corpus(text.places, **text.reading, **text.shape)

    def outputs(self, corpus: Corpus) -> int:
        """How many symbols a network for a corpus predicts."""
        return len(corpus.vocabulary)

    def score(self, model, corpus: Corpus, part: str) -> dict | None:
        """How well a model predicts a part of its corpus, or None of an empty one.

        Each symbol from all before it; a long text is read in parts side by side, which begin from the start state.
        """
        ids, whole = getattr(corpus, part), corpus.parts[PARTS.index(part)]
        if len(ids) < 2:
            return None
        found = evaluation.estimate(model.engine, ids, max(1, min(MOST_STREAMS, len(ids) // STREAM)))
        nats = (found.nats_per_symbol * whole.symbols + whole.spelling) / whole.characters
        return {"bits_per_character": nats * self.loss_scale, "accuracy": float(found.accuracy)}

    def characters_per_symbol(self, corpus: Corpus) -> float:
        """Of the training text: how many characters there are to a step of a network."""
        return corpus.parts[0].characters / corpus.parts[0].symbols

    def sample(self, model, corpus: Corpus, seed: str | None, length: int, random_state: int) -> str:
        """What a model writes after a seed, by default a line end."""
        seed = "\n" if seed is None else seed
        return (seed + model.sample(seed, length, 0.8, random_state, on_unknown="skip")).strip("\n")

    def draw(self, model, count: int) -> int:
        """Write so many symbols: what is timed. Gives the number of their characters."""
        return len(model.sample("", count, 1.0, 0))


class Words:
    """The word at each of its characters: autocomplete."""

    loss_scale = 1.0
    measures = (
        Measure("validation", "cross_entropy", "valid.", "cross entropy in nats, validation"),
        Measure("test", "cross_entropy", "test", "cross entropy in nats, test"),
        Measure("test", "masked_accuracy", "accuracy", "accuracy, test"),
        Measure("test", "long_context_accuracy", "0 typed", "accuracy before a character is typed, test"),
        Measure("test", "short_context_accuracy", "3 typed", "accuracy from 3 characters typed on, test", usual=False),
        Measure("test", "study_accuracy", "study", "accuracy as the study of memory counts it, test", usual=False),
    )

    def unit(self, config: Config) -> str:
        """Of the losses in a history, times `loss_scale`."""
        return "nats"

    def shaped(self, shape: dict, recipe: Recipe, config: Config) -> dict:
        """The shape of a text with what follows from what is learned, and how; all repeats have the same split."""
        return {**shape, "length": recipe.seq_length, "random_state": recipe.random_state}

    def load(self, text: Text) -> WordCorpus:
        """The corpus."""
        return load_word_corpus(text.places, **text.reading, **text.shape)

    def outputs(self, corpus: WordCorpus) -> int:
        """How many words a network for a corpus predicts, with padding and unknown ones."""
        return len(corpus.words)

    def score(self, model, corpus: WordCorpus, part: str) -> dict | None:
        """How well a model predicts a part of its corpus, or None of an empty one."""
        rows = getattr(corpus, part)
        return model.evaluate(corpus, rows).to_dict() if len(rows) else None

    def characters_per_symbol(self, corpus: WordCorpus) -> float:
        """How many characters there are to a step of a network."""
        return 1.0

    def sample(self, model, corpus: WordCorpus, seed: str | None, length: int, random_state: int) -> str:
        """What a model suggests at each character typed of a text, by default the beginning of a test observation."""
        if seed is None:
            seed = corpus.observations.texts([*corpus.test, 0][:1])[0].strip()
        typing, lines = model.typing(), []
        for character in seed[: max(1, length // PER_SUGGESTION)]:
            typing.write(character)
            offered = ", ".join(f"{word} {share:.0%}" for word, share in typing.likeliest(3))
            lines.append(f"{typing.text}…  {offered}")
        return "\n".join(lines)

    def draw(self, model, count: int) -> int:
        """Read so many characters, with suggestions at each: what is timed. Gives their number."""
        typing = model.typing("")
        for character in ("now and then " * (count // 13 + 1))[:count]:
            typing.write(character)
            typing.likeliest(3)
        return count


BY_NAME = dict(zip(TASKS, (Characters(), Words()), strict=True))


def identity(corpus: Corpus | WordCorpus) -> dict:
    """What of a corpus decides what is learned from it, ready for JSON."""
    origin = {name: value for name, value in corpus.origin().items() if name != "name"}
    return {**origin, "outputs": BY_NAME[corpus.task].outputs(corpus)}
