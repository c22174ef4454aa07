"""Fixtures of the commands' tests."""

import pytest

from shakegen.model import AutocompleteModel, LanguageModel
from shakegen.model.precision import round_weights
from shakegen.network.config import Config
from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.study.autocomplete.outputs import SYMBOLS
from shakegen.text import reading
from shakegen.text.corpus import Corpus

HISTORY = [
    {"epoch": epoch, "loss": 3.0 / epoch, "val_loss": 2.9 / epoch, "seconds": 30.0 * epoch} for epoch in (1, 2, 3)
]


@pytest.fixture
def all_kinds(tmp_path, poem, poem_file, random_weights):
    """poem.txt, and a random model of each kind for it: char.h5; word.h5 and autocomplete.h5, of 16 bits."""
    for level in ("char", "word"):
        corpus = Corpus.from_text(poem, "poem", level=level)
        config = Config("lstm", units=6, level=level, embedding={"char": 0, "word": 5}[level])
        weights = {name: weight * 2 for name, weight in random_weights(config, len(corpus.vocabulary)).items()}
        weights = {"char": weights, "word": round_weights(weights)}[level]
        model = LanguageModel(config, corpus.vocabulary, weights, corpus.origin(), HISTORY)
        model.save(tmp_path / f"{level}.h5")
    words = AutocompleteCorpus.from_source(reading.from_file(poem_file), length=40)
    config = Config.study("gru", units=6)
    weights = random_weights(config, len(SYMBOLS), outputs=len(words.words))
    weights["dense/kernel"] *= 9
    model = AutocompleteModel(config, SYMBOLS, round_weights(weights), words.origin(), HISTORY, words=words.words)
    model.save(tmp_path / "autocomplete.h5")
    return tmp_path


@pytest.fixture
def write(shakegen, random_model, tmp_path):
    """`shakegen sample`: 12 characters of a small random model over a to z and space."""
    random_model().save(tmp_path / "models" / "small.h5")

    def run(*arguments, **options):
        return shakegen("sample", "--length", 12, "--random-state", 1, *arguments, **options)

    return run
