"""Fixtures of the tests of training."""

import numpy as np
import pytest

from shakegen.text.corpus import Corpus


@pytest.fixture(scope="module")
def corpus():
    """Two lines of a poem, again and again; a fifth of it validates."""
    poem = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n" * 15
    return Corpus.from_text(poem, split=(0.8, 0.2, 0))


@pytest.fixture
def noisy(poem):
    """A text whose validation part is noise: a network soon gets worse at it."""
    noise = "".join(np.random.default_rng(0).permutation(list(poem[:300])))
    return Corpus.from_text(poem[:2000] + noise)
