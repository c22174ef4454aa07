"""A trained language model: its file's content and what one does with it, in numpy."""

import math
from functools import cached_property
from pathlib import Path

import numpy as np

from shakegen import modelfile, sampling
from shakegen.inference import Engine


class LanguageModel(modelfile.ModelFile):
    """A trained network: `sample` from it, `save` it, or take its `keras_model()` elsewhere.

    Attributes are those of `ModelFile`: config, vocabulary, weights, corpus, history.
    """

    @classmethod
    def load(cls, path: str | Path) -> "LanguageModel":
        """Read a model file; raises as `modelfile.load` does."""
        return cls(**vars(modelfile.load(path)))

    def save(self, path: str | Path) -> None:
        """Write a model file, whole or not at all; raises OSError."""
        modelfile.save(self, path)

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
        return min(self.history, key=lambda epoch: epoch.get("validation_loss", epoch["loss"]), default={})

    @property
    def validation_bits(self) -> float | None:
        """Bits per character on the validation text, if there was one."""
        loss = self.best_epoch.get("validation_loss")
        return None if loss is None else loss / math.log(2)

    def keras_model(self):
        """The same network as a `keras.Model` from one-hot (N, T, V) to logits (N, T, V)."""
        from shakegen.network import build

        model = build(self.config, len(self.vocabulary))
        model.set_weights(list(self.weights.values()))
        return model

    def samples(
        self,
        seed: str = "",
        length: int = 200,
        temperature: float = 1.0,
        random_state: int = 0,
        count: int = 1,
        on_unknown: str = "error",
    ) -> list[str]:
        """Several continuations of one seed text, drawn side by side; arguments as for `sample`."""
        if count < 1:
            raise ValueError(f"the count is {count}: expected 1 text or more")
        sampling.check(length, temperature, random_state)
        engine = self.engine
        seed_ids = self.vocabulary.encode(seed, on_unknown)
        logits, state = engine.prime(seed_ids, count)
        drawn = np.empty((length, count), self.vocabulary.dtype)
        draws = sampling.ancestral(engine.step, logits, state, length, temperature, random_state)
        for position, ids in enumerate(draws):
            drawn[position] = ids
        return [self.vocabulary.decode(ids) for ids in drawn.T]

    def sample(self, seed: str = "", length: int = 200, temperature: float = 1.0, random_state: int = 0, **options):
        """Continue a seed text.

        Args:
            seed: the text to continue, of any length; empty starts from the zero state.
            length: how many new characters to draw.
            temperature: 0 is greedy, 1 the network's own distribution.
            random_state: the same one gives the same text.
            on_unknown: "error" or "skip", for characters of the seed that the model never saw.

        Returns:
            The new characters, without the seed.

        Raises:
            UnknownCharacters: the seed has characters that the model never saw.
            ValueError: a number is out of range.
        """
        return self.samples(seed, length, temperature, random_state, **options)[0]


load = LanguageModel.load
