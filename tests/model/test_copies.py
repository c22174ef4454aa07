"""The index of a corpus is made once, found again, and made anew when it is damaged."""

import numpy as np
import pytest

from shakegen.model import copies
from shakegen.sampling.constraints import copy_index
from shakegen.text import id_cache
from shakegen.text.corpus import Corpus


@pytest.fixture
def made(monkeypatch):
    """The lengths of the passages for which entries were made."""
    monkeypatch.setattr(copies, "LEAST_CACHED", 100)
    lengths = []

    def build(ids, n):
        lengths.append(n)
        return copy_index.build_entries(ids, n)

    monkeypatch.setattr(copies, "build_entries", build)
    return lengths


def allowed(constraint):
    rule = constraint.bind([*"abet "])
    return [rule.allows(rule.start("comp"), k) for k in range(5)]


def test_an_index_is_made_once_for_each_length_and_text(made, poem):
    corpus = Corpus.from_text(poem)
    first = allowed(copies.keep_from_copying(corpus, 5))
    assert first == [False, True, True, True, True]
    assert allowed(copies.keep_from_copying(corpus, 5)) == first
    assert made == [5]
    copies.keep_from_copying(corpus, 6)
    copies.keep_from_copying(Corpus.from_text(poem + "x"), 5)
    assert made == [5, 6, 5]


def test_a_damaged_index_is_made_anew(made, poem):
    corpus = Corpus.from_text(poem)
    first = allowed(copies.keep_from_copying(corpus, 5))
    (path,) = id_cache.folder().glob("*.copies")
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    assert allowed(copies.keep_from_copying(corpus, 5)) == first
    assert made == [5, 5]


def test_a_small_corpus_is_not_cached(poem):
    copies.keep_from_copying(Corpus.from_text(poem), 5)
    assert not id_cache.folder().exists()


def test_a_text_has_no_copy_by_the_measure_of_novelty(random_model, poem):
    from shakegen.model import novelty
    from shakegen.text.vocabulary import Vocabulary

    corpus = Corpus.from_text("".join(np.random.default_rng(0).choice([*"abcdefgh"], 3000)))
    text = random_model().sample("", 400, 1.0, 1, constraints=[copies.keep_from_copying(corpus, 3)])
    vocabulary = Vocabulary(corpus.vocabulary.symbols, unknown=True)
    assert novelty.compare(vocabulary.encode(text), corpus.ids).longest == 2


def test_a_corpus_of_words_is_refused(poem):
    with pytest.raises(ValueError) as error:
        copies.keep_from_copying(Corpus.from_text(poem, level="word"), 5)
    assert str(error.value) == (
        "the corpus has words as symbols: expected one of characters, `load_corpus(…)` gives it"
    )
