"""Copied passages against their definition: substrings of a Python string."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shakegen.model import novelty


def ids(text):
    return np.array([ord(c) for c in text], np.uint32)


def compare(text, corpus, **options):
    return novelty.compare(ids(text), ids(corpus), **options)


def naive(text, corpus, lengths):
    longest = max(
        (n for n in range(1, len(text) + 1) for k in range(len(text) - n + 1) if text[k : k + n] in corpus), default=0
    )
    new = {}
    for n in lengths:
        grams = [text[k : k + n] for k in range(len(text) - n + 1)]
        if grams:
            new[n] = sum(gram not in corpus for gram in grams) / len(grams)
    return longest, new


@settings(max_examples=300, deadline=None)
@given(st.text("ab", min_size=1, max_size=40) | st.text("abcdé", min_size=1, max_size=40), st.text("abcd", max_size=60))
def test_figures_are_those_of_substrings(text, corpus):
    lengths = (1, 2, 3, 4, 6, 7, 9, 20)
    found = compare(text, corpus, lengths=lengths)
    longest, new = naive(text, corpus, lengths)
    assert found.longest == longest
    assert list(found.new) == list(new)
    assert np.allclose(list(found.new.values()), list(new.values()))
    passage = text[found.position : found.position + longest]
    assert corpus[found.corpus_position :][:longest] == passage
    assert found.length == len(text)


def test_a_large_corpus_is_looked_through_in_blocks_without_seams():
    random = np.random.default_rng(0)
    text, corpus = random.integers(9, size=300), random.integers(9, size=2 * novelty.BLOCK + 7)
    seam = 2 * novelty.BLOCK - 40
    corpus[novelty.BLOCK - 30 :][:50] = text[200:250]
    corpus[seam:][:47] = text[60:107]
    found = novelty.compare(text, corpus, lengths=(47,))
    assert found.longest in range(50, 55)
    assert np.isclose(found.new[47], 1 - (1 + found.longest - 47 + 1) / (300 - 47 + 1))


def test_a_whole_copy_and_nothing_copied():
    text = "".join(chr(97 + k) for k in np.random.default_rng(1).integers(26, size=5000))
    copied = compare(text, "ZZ" + text + "ZZ")
    assert (copied.longest, copied.position, copied.corpus_position) == (5000, 0, 2)
    assert copied.new == dict.fromkeys(novelty.LENGTHS, 0.0)
    strange = compare(text, text.upper())
    assert strange.longest == 0
    assert strange.new == dict.fromkeys(novelty.LENGTHS, 1.0)


def test_an_empty_text_is_refused():
    with pytest.raises(ValueError) as error:
        compare("", "abc")
    assert str(error.value) == "the text is empty: expected one character or more"
