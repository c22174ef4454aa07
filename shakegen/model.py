"""A trained language model: its file's content and what one does with it, in numpy."""

import math
from functools import cached_property
from pathlib import Path

from shakegen import evaluation, modelfile
from shakegen.inference import Engine
from shakegen.writing import Writer


class LanguageModel(modelfile.ModelFile, Writer):
    """A trained network: `sample` from it, `evaluate` it, `save` it, or take its `keras_model()` elsewhere.

    How it writes (`sample`, `samples`, `stream`, `beams`, `stochastic_beams`) stands in `Writer`.

    Attributes are those of `ModelFile`: config, vocabulary, weights, corpus, history.
    """

    @classmethod
    def load(cls, path: str | Path, with_training: bool = False) -> "LanguageModel":
        """Read a model file; raises as `modelfile.load` does."""
        return cls(**vars(modelfile.load(path, with_training)))

    def save(self, path: str | Path, with_training: bool = False) -> None:
        """Write a model file, whole or not at all, as `modelfile.save` does; by default the model alone."""
        modelfile.save(self, path, with_training)

    @cached_property
    def engine(self) -> Engine:
        """The network as a step function."""
        return Engine(self.config, self.weights)

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(weight.size for weight in self.weights.values())

    @property
    def best_epoch(self) -> dict:
        """The history's entry of the epoch whose weights these are: the one that predicted validation text best."""
        return modelfile.best_of(self.history)

    @property
    def validation_bits(self) -> float | None:
        """Bits per character on the validation text, if there was one; those that spell unknown symbols included."""
        loss, text = self.best_epoch.get("validation_loss"), self.corpus.get("validation", {})
        if loss is None:
            return None
        nats = loss * text.get("symbols", 1) + text.get("spelling", 0)
        return nats / max(1, text.get("characters", 1)) / math.log(2)

    def keras_model(self):
        """The same network as a `keras.Model` from ids (N, T) to logits (N, T, V)."""
        from shakegen.network import build

        model = build(self.config, len(self.vocabulary))
        model.set_weights(list(self.weights.values()))
        return model

    def evaluate(self, text: str, on_unknown: str | None = None) -> evaluation.Evaluation:
        """How well the network predicts a text, read in order with the state carried; as `evaluation.evaluate`.

        Raises:
            UnknownCharacters, UnknownWords, ValueError: as `Vocabulary.encode` does with this `on_unknown`.
        """
        reading = self.vocabulary.read([text], on_unknown)
        return evaluation.evaluate(self.engine, reading.ids, self.vocabulary.unknown).of_text(reading, self.vocabulary)


load = LanguageModel.load
