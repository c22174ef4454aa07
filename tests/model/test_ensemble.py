"""Several models as one: its parts, the weight of the n-gram model, and what cannot be mixed."""

import numpy as np
import pytest

from shakegen.model import Ensemble, LanguageModel
from shakegen.model.evaluation import surprisal
from shakegen.network.config import Config
from shakegen.text import Corpus, ngram, reading, splits
from shakegen.text.vocabulary import Vocabulary

SPLIT = (0.8, 0.1, 0.1)


@pytest.fixture
def corpus(poem, rng):
    """A text that repeats lines now and then, with noise."""
    lines = poem.splitlines(keepends=True)[:2]
    text = "".join(lines[k] if k < 2 else "".join(rng.permutation([*lines[0]])) for k in rng.integers(3, size=60))
    return text, Corpus.from_text(text, split=SPLIT)


@pytest.fixture
def make(corpus, random_weights):
    """A model that claims to have learned the corpus."""

    def make(random_state=0, **origin):
        config, known = Config("gru", units=6, layers=1), corpus[1]
        weights = random_weights(config, len(known.vocabulary), random_state)
        return LanguageModel(config, known.vocabulary, weights, known.origin() | origin)

    return make


def shares_of(engine, ids):
    return np.exp(-np.concatenate([block for block, _ in surprisal(engine, ids)]))


def test_it_is_evaluated_and_writes_as_the_mean(make, corpus):
    models = {"a": make(1), "b": make(2)}
    ensemble, ids = Ensemble(models), corpus[1].test
    mean = np.mean([shares_of(model.engine, ids) for model in models.values()], axis=0)
    assert ensemble.shares == {"a": 0.5, "b": 0.5}
    assert ensemble.evaluate(corpus[1].vocabulary.decode(ids)).nats_per_symbol == pytest.approx(-np.log(mean).mean())
    best = ensemble.beams("Shall", 5, width=3)[0]
    whole = corpus[1].vocabulary.encode("Shall" + best.text)
    expected = np.log(np.mean([shares_of(model.engine, whole) for model in models.values()], axis=0))[-5:].sum()
    assert best.log_probability == pytest.approx(expected, abs=1e-4)
    assert ensemble.sample("Shall", 30, random_state=1) == ensemble.samples("Shall", 30, count=2, random_state=1)[0]


def test_the_share_of_the_ngram_model_makes_the_validation_text_likeliest(make, corpus):
    text, known = corpus
    model = make()
    ensemble = Ensemble({"a": model}, reading.from_bytes(text.encode()))
    (name, share), other = list(ensemble.shares.items())[1], ensemble.shares["a"]
    order, bits = ngram.predict_parts(known, ["validation"])
    first, second = shares_of(model.engine, known.validation), 2.0 ** -bits["validation"][1:]

    def cost(share):
        return -np.log((1 - share) * first + share * second).mean()

    assert (name, other + share) == (f"{order}-gram", pytest.approx(1))
    assert share == pytest.approx(min(np.linspace(0.0005, 0.9995, 1000), key=cost), abs=2e-3)
    found = ensemble.evaluate(known.vocabulary.decode(known.validation)).nats_per_symbol
    second = shares_of(ngram.KneserNey(known.train, len(known.vocabulary), order), known.validation)
    assert found == pytest.approx(cost(share), rel=1e-5)


def test_a_file_without_a_split_has_the_usual_one(make, corpus):
    old, new, text = make(), make(split=[*splits.DEFAULT]), reading.from_bytes(corpus[0].encode())
    del old.corpus["split"]
    assert Ensemble({"a": old}, text).shares == Ensemble({"a": new}, text).shares


def test_what_cannot_be_mixed(make, corpus, random_model):
    other = random_model(Config("gru", units=3))
    level = LanguageModel(other.config, Vocabulary(other.vocabulary.symbols, unknown=True), other.weights)
    for wrong in (other, level):
        with pytest.raises(ValueError) as error:
            Ensemble({"a": make(), "b": wrong})
        assert str(error.value) == (
            "a and b cannot be mixed, for their vocabularies differ: expected models of the same text and level"
        )
    text = reading.from_bytes(corpus[0].encode(), title="my.txt")
    with pytest.raises(ValueError) as error:
        Ensemble({"a": make(sha256="1")}, text)
    assert str(error.value) == "my.txt is not the text that a learned from: expected that very text"
    with pytest.raises(ValueError) as error:
        Ensemble({"a": make(split=[1, 0, 0])}, text)
    assert str(error.value) == (
        "a learned with the split 1,0,0, without validation text: expected some, which decides how much the n-gram "
        "model counts"
    )
