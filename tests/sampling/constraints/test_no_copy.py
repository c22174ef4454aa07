"""No copies of a corpus: the index against a plain search of the text."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shakegen.sampling import ancestral
from shakegen.sampling.constraints import CopyIndex, NoCopy, Rules, copy_index
from shakegen.text.vocabulary import Vocabulary

TEXTS = st.text("abc", max_size=40)


def corpus_of(text, dtype=np.uint8):
    vocabulary = Vocabulary("abc")
    return SimpleNamespace(ids=vocabulary.encode(text).astype(dtype), vocabulary=vocabulary)


def new_copies(seed, text, corpus, n):
    """Whether n characters in a row, the last of them in the new text, stand in the corpus."""
    whole = seed + text
    return any(whole[end - n : end] in corpus for end in range(max(n, len(seed) + 1), len(whole) + 1))


@settings(deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(["a", "b", "c", "x", "ab", "cxab", "abcab"]), st.integers(2, 6), st.booleans())
def test_a_symbol_is_allowed_unless_it_completes_a_copy(corpus, seed, symbol, n, wide):
    rule = NoCopy(corpus_of(corpus, np.uint32 if wide else np.uint8), n).bind(["a", symbol, None, "abcabcabc"])
    for state in (rule.start(seed), rule.advance(rule.start(seed[:-1]), 0) if seed.endswith("a") else None):
        if state is not None:
            weights = rule.log_weights(state)
            for k, text in ((0, "a"), (1, symbol), (3, "abcabcabc")):
                expected = not new_copies(seed, text, corpus, n)
                assert rule.allows(state, k) == expected
                assert (weights is None or weights[k] == 0) == expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), max_size=30), st.integers(2, 9))
def test_windows_have_equal_hashes_where_they_are_equal(ids, n):
    ids = np.array(ids, np.uint8)
    if len(ids) >= n:
        windows = np.lib.stride_tricks.sliding_window_view(ids, n)
        digests = copy_index.hash_windows(ids, n)
        assert len(digests) == len(windows)
        assert len(set(digests.tolist())) == len({row.tobytes() for row in windows})


def test_equal_hashes_of_different_passages_are_told_apart(monkeypatch):
    monkeypatch.setattr(copy_index, "hash_windows", lambda ids, n: np.zeros(len(ids) - n + 1, np.uint64))
    corpus = Vocabulary("abc").encode("abcacbabc")
    index = CopyIndex(corpus, 3)
    for passage in ("abc", "cac", "bab", "aaa", "ccc", "cab"):
        ids = Vocabulary("abc").encode(passage)
        assert index.has(0, ids.tobytes()) == (passage in "abcacbabc")
        assert index.find(np.zeros(1, np.uint64), ids[None]).tolist() == [passage in "abcacbabc"]


@pytest.mark.parametrize("truncation", [{}, {"top_k": 3}])
@pytest.mark.parametrize("symbols", [["a", "b", "c", "d"], ["a", "ab", "ca", "cc", "b", "bcaa", "d", None]], ids=str)
def test_a_text_holds_no_copy_at_either_level(symbols, truncation):
    corpus = "".join(np.random.default_rng(0).choice([*"abc"], 3000, p=[0.6, 0.3, 0.1]))
    rules = Rules([NoCopy(corpus_of(corpus), 6)], symbols, ["ab"] * 2)
    logits = np.tile(np.log(np.arange(len(symbols), 0, -1, dtype=np.float32)), (2, 1))
    logits[:, [k for k, text in enumerate(symbols) if text is None]] = -np.inf

    def step(ids, state):
        return logits, state

    drawn = [ids.tolist() for ids in ancestral(step, logits, logits[:, :0], 300, rules=rules, **truncation)]
    for stream in zip(*drawn, strict=True):
        assert not new_copies("ab", "".join(symbols[k] for k in stream), corpus, 6)


@pytest.mark.parametrize("n", [1, 1001, 4.0])
def test_lengths_out_of_range(n):
    with pytest.raises(ValueError) as error:
        NoCopy(corpus_of("abc"), n)
    assert str(error.value) == f"the length of a copy is {n!r}: expected 2 to 1,000 characters; 20 keeps passages out"


def test_a_symbol_without_a_text_breaks_a_passage():
    rule = NoCopy(corpus_of("abc"), 2).bind(["a", "b", None])
    state = rule.advance(rule.start("a"), 2)
    assert not rule.allows(rule.start("a"), 1)
    assert rule.allows(state, 1)


def test_an_index_of_another_length_and_a_corpus_with_an_unknown_symbol_are_refused():
    corpus = corpus_of("abcabc")
    with pytest.raises(ValueError) as error:
        NoCopy(corpus, 3, CopyIndex(corpus.ids, 2))
    assert str(error.value) == "the index is of 2 characters, but n is 3: expected the same"
    unknown = SimpleNamespace(ids=corpus.ids, vocabulary=Vocabulary("abc", unknown=True))
    with pytest.raises(ValueError) as error:
        NoCopy(unknown, 3)
    assert str(error.value) == (
        "the corpus has an unknown symbol: expected all of its characters, without a vocabulary size"
    )
