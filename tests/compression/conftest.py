"""Models whose files are tiny."""

import pytest

from shakegen.compression import container
from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.text.subword_vocabulary import SubwordVocabulary
from shakegen.text.vocabulary import Vocabulary
from shakegen.text.word_vocabulary import WordVocabulary


@pytest.fixture
def make_model(random_weights):
    """A model with random weights over some symbols."""

    def make(vocabulary=None, cell="gru", **options):
        vocabulary = vocabulary or Vocabulary("abcdefghijklmnopqrstuvwxyz \n")
        config = Config(cell, **{"units": 4, "layers": 1, "level": vocabulary.level, **options})
        return LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))

    return make


@pytest.fixture
def kinds(make_model):
    """Models of characters, without and with a symbol for unknown ones, of subwords and of words."""
    letters = "abcdefgh \n"
    words = WordVocabulary(["the", " the", " day", "\n", ".", " a", "ab"])
    return {
        "char": make_model(Vocabulary(letters)),
        "unknown": make_model(Vocabulary(letters, unknown=True)),
        "subword": make_model(SubwordVocabulary([*letters, "th", "the", " a"]), embedding=3),
        "word": make_model(words, embedding=3),
    }


@pytest.fixture
def short_lanes(monkeypatch):
    """Lanes and blocks that a short text fills."""
    monkeypatch.setattr(container.block, "LANE", 16)
    monkeypatch.setattr(container.block, "MOST_LANES", 3)
    monkeypatch.setattr(container, "PIECE", 100)
    monkeypatch.setattr(container, "MOST", 103)
