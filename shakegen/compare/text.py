"""The text of a comparison. Only numpy."""

from collections.abc import Sequence
from dataclasses import dataclass

from shakegen.text import catalog
from shakegen.training.tasks import Task


@dataclass(frozen=True)
class Text:
    """A text to learn from, and how it is read.

    Attributes:
        places: files, folders or names, as for `catalog.open_source`.
        reading: how they are read, likewise.
        shape: the options of a task's `make_corpus`.
    """

    places: Sequence[str]
    reading: dict
    shape: dict

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        return {"places": list(self.places), "reading": self.reading, "shape": self.shape}

    def load(self, task: Task):
        """The corpus of the text for a task."""
        return task.make_corpus(catalog.open_source(self.places, **self.reading), **self.shape)


def identify(corpus) -> dict:
    """Everything of a corpus that can change training, ready for JSON."""
    origin = {name: value for name, value in corpus.origin().items() if name != "name"}
    return {**origin, "outputs": len(corpus.output_vocabulary)}
