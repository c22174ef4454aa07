"""The predictions of a model along a text, and how much each depends on each earlier character. Only numpy."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shakegen.checks import is_whole
from shakegen.study.connectivity.gradients import Gradients

LONGEST = 4096
POSITIONS = 256  # a block whose logits are computed at once

TITLES = {"true": "the {}", "likeliest": "the likeliest {}", "chosen": "the {} asked for"}


@dataclass(frozen=True)
class Connections:
    """A model along a text of T symbols.

    Attributes:
        name: of the model.
        characters: the symbols that it read, each as text.
        what: the kind of the targets, "word" or "next character".
        targets: the word, or the symbol, whose logit is traced at each position.
        kinds: "true" for a target from the text, "likeliest" where the text does not tell it, or "chosen".
        suggestions: the likeliest outputs at each position, best first, with probabilities.
        norms: the squared L2 norm of the gradient of the target's logit at t by the one-hot input at s, shape (T, T);
            zero where s > t.
    """

    name: str
    characters: list[str]
    what: str
    targets: list[str]
    kinds: list[str]
    suggestions: list[list[tuple[str, float]]]
    norms: np.ndarray

    @cached_property
    def shares(self) -> np.ndarray:
        """The connectivity of each output, relative to its strongest, 0 to 1, shape (T, T)."""
        highest = self.norms.max(axis=1, keepdims=True)
        return self.norms / np.where(highest > 0, highest, 1)

    def title(self, position: int) -> str:
        """The kind of the target at a position, as in "the likeliest word"."""
        return TITLES[self.kinds[position]].format(self.what)

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        return {
            "model": self.name,
            "characters": self.characters,
            "targets": self.targets,
            "kinds": self.kinds,
            "suggestions": [[[text, share] for text, share in offers] for offers in self.suggestions],
            "connectivity": [row[: t + 1].tolist() for t, row in enumerate(self.norms)],
        }


def connections(
    model, text: str, name: str = "", target: str | None = None, top: int = 3, on_unknown: str | None = None
) -> Connections:
    """Read a text with a model and trace every prediction back.

    Args:
        model: a `model.LanguageModel`, or a `model.AutocompleteModel`.
        text: any text that it can read.
        name: the name of the model.
        target: the word, or the symbol, whose logit to trace at every position; by default the true one, or the
            likeliest where the true one is unknown.
        top: the number of suggestions at each position.
        on_unknown: for symbols that a language model does not know, as `Vocabulary.encode` takes it.

    Raises:
        ValueError: the text is empty or longer than LONGEST, or the model does not know a symbol or the target.
    """
    script = model.read_script(text, on_unknown)
    if not 0 < len(script.ids) <= LONGEST:
        raise ValueError(f"the text has {len(script.ids)} characters: expected 1 to {LONGEST}")
    if not is_whole(top, 1):
        raise ValueError(f"the number of suggestions is {top!r}: expected 1 or more")
    if target is not None and target not in script.outputs:
        raise ValueError(f"the model does not predict {target!r}: expected a {script.what} that it knows")
    gradients, outputs = Gradients(model.config, model.weights, script.ids), np.array(script.outputs, object)
    allowed = np.array([text is not None for text in script.outputs])
    suggestions, likeliest = [], []
    for first in range(0, len(script.ids), POSITIONS):
        logits = np.where(allowed, gradients.logits(slice(first, first + POSITIONS)), -np.inf).astype(float)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        for row in shares / shares.sum(axis=1, keepdims=True):
            best = np.argsort(-row, kind="stable")[:top]
            likeliest.append(best[0])
            suggestions.append([(outputs[k], float(row[k])) for k in best if row[k] > 0])
    if target is not None:
        targets, kinds = np.full(len(script.ids), script.outputs.index(target)), ["chosen"] * len(script.ids)
    else:
        known = script.truths >= 0
        targets, kinds = np.where(known, script.truths, likeliest), np.where(known, "true", "likeliest").tolist()
    norms = gradients.connectivity(targets)
    return Connections(name, script.characters, script.what, outputs[targets].tolist(), kinds, suggestions, norms)
