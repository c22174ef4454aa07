"""Several models of one vocabulary, and an n-gram model of their text, that predict together. Only numpy."""

from collections.abc import Mapping

import numpy as np

from shakegen.inference import Mixture
from shakegen.model import evaluation
from shakegen.model.predictor import Predictor
from shakegen.text import encoding, ngram, splits
from shakegen.text.corpus import Corpus
from shakegen.text.reading import Source

FITTED = 20_000  # symbols of the validation text that decide the weight of the n-gram model
ROUNDS, LEAST = 100, 1e-6  # of the fit; the least share


class Ensemble(Predictor):
    """Models that predict together: the mean of their probabilities. It samples and is evaluated like each of them.

    Args:
        models: `LanguageModel`s of the same vocabulary, by name.
        text: the `text.Source` that the first one learned from: then a Kneser-Ney model of its training text takes
            part. The validation text chooses the order, and the share of it in the mean.

    Attributes:
        vocabulary, corpus: those of the first model.
        shares: the weight of each in the mean by name, the n-gram model included; they add up to 1.

    Raises:
        ValueError: the vocabularies differ, the text is another one, or it has no validation part.
    """

    def __init__(self, models: Mapping, text: Source | None = None):
        first, *_ = self._models = dict(models)
        model = self._models[first]
        self.vocabulary, self.corpus = model.vocabulary, model.corpus
        for name, other in self._models.items():
            if other.vocabulary != self.vocabulary:
                raise ValueError(
                    f"{first} and {name} cannot be mixed, for their vocabularies differ: expected models of the same "
                    "text and level"
                )
        self._steps: list[ngram.KneserNey] = []
        self.shares = dict.fromkeys(self._models, 1 / len(self._models))
        if text is not None:
            corpus = read_corpus(first, model, text)
            order, bits = ngram.predict_parts(corpus, ["validation"])
            if not order:
                raise ValueError(
                    f"{first} learned with the split {','.join(map(str, corpus.split))}, without validation text: "
                    "expected some, which decides how much the n-gram model counts"
                )
            share = fit_share(self.engine, 2.0 ** -bits["validation"][:FITTED], corpus.validation[:FITTED])
            self._steps.append(ngram.KneserNey(corpus.train[-ngram.COUNTED :], len(self.vocabulary), order))
            self.shares = {name: weight * (1 - share) for name, weight in self.shares.items()}
            self.shares[f"{order}-gram"] = share

    @property
    def engine(self) -> Mixture:
        """The mixture as a step function; each use gives a new one, so that no two share their buffers."""
        engines = [*(model.engine for model in self._models.values()), *self._steps]
        return Mixture(engines, list(self.shares.values()))


def read_corpus(name: str, model, text: Source) -> Corpus:
    """The corpus that a `LanguageModel` learned from, with its vocabulary and its split, from the text."""
    if encoding.measure(text).sha256 != model.corpus.get("sha256"):
        raise ValueError(f"{text.title} is not the text that {name} learned from: expected that very text")
    split = tuple(model.corpus.get("split", splits.DEFAULT))
    return Corpus.from_source(text, vocabulary=model.vocabulary, split=split)


def fit_share(networks, of_ngram: np.ndarray, ids: np.ndarray) -> float:
    """The share of an n-gram model in the mean with networks that makes a text likeliest.

    Expectation-maximisation: the share is the mean probability that a symbol came from the n-gram model. The likelihood
    is concave in it, so no other share is better.

    Args:
        networks: a step function.
        of_ngram: the probability of each symbol under the n-gram model, shape (T,).
        ids: the text, shape (T,); its first symbol is given.
    """
    of_networks = np.exp(-np.concatenate([block for block, _ in evaluation.surprisal(networks, ids)]))
    share = 0.5
    for _ in range(ROUNDS):
        own = share * of_ngram[1:]
        share = float(np.mean(own / np.maximum(own + (1 - share) * of_networks, np.finfo(float).tiny)))
    return min(max(share, LEAST), 1 - LEAST)
