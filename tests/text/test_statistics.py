"""Counts and entropies against their definitions, written out."""

import math
from collections import Counter

import numpy as np
import pytest

from shakegen.text import statistics
from shakegen.text.corpus import Corpus


def entropy(ids: list[int], order: int) -> float:
    """-Σ n(c x)/T log₂(n(c x)/n(c)) of a ring."""
    ring = ids * (order + 2)
    contexts = Counter(tuple(ring[i : i + order]) for i in range(len(ids)))
    both = Counter(tuple(ring[i : i + order + 1]) for i in range(len(ids)))
    return -sum(n / len(ids) * math.log2(n / contexts[c[:-1]]) for c, n in both.items())


@pytest.mark.parametrize("length", [1, 2, 5, 400])
@pytest.mark.parametrize("size", [1, 2, 27, 1024, 1025, 5000, 0x110000])
def test_entropies_are_those_of_all_ngrams_counted(size, length, rng):
    few = rng.choice(size, min(size, 5), replace=False)  # so that there are equal n-grams
    ids = rng.choice(few, length).astype(np.min_scalar_type(size - 1))
    found = statistics.entropies(ids, size)
    assert found == pytest.approx([entropy(ids.tolist(), order) for order in range(6)], abs=1e-9)


@pytest.mark.parametrize(("cached", "bucket", "distinct"), [(1, 1, 1), (7, 20, 30), (50, 64, 500), (1000, 333, 4)])
def test_it_does_not_matter_how_many_ngrams_are_looked_at_at_a_time(monkeypatch, rng, cached, bucket, distinct):
    ids = np.minimum(rng.geometric(0.4, 600), 12).astype(np.uint8) - 1
    at_once = statistics.entropies(ids, 12), statistics.entropies(ids, 2000)
    monkeypatch.setattr(statistics, "CACHED", cached)
    monkeypatch.setattr(statistics, "BUCKET", bucket)
    monkeypatch.setattr(statistics, "DISTINCT", distinct)
    assert statistics.entropies(ids, 12) == pytest.approx(at_once[0], abs=1e-9)
    assert statistics.entropies(ids, 2000) == pytest.approx(at_once[1], abs=1e-9)


def test_entropies_fall_with_the_order_and_end_at_none_when_all_is_foretold(rng):
    found = statistics.entropies(rng.integers(0, 4, 3000).astype(np.uint8), 4, orders=9)
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(2, abs=0.01)
    assert statistics.entropies(np.tile(np.arange(8, dtype=np.uint8), 50), 8) == pytest.approx([3, 0, 0, 0, 0, 0])


def test_counts_are_those_of_each_character(rng):
    ids = rng.integers(0, 9, 1000).astype(np.uint8)
    assert statistics.count_ids(ids, 11).tolist() == [Counter(ids.tolist())[k] for k in range(11)]


def test_what_is_in_a_corpus():
    text = "\n\nFirst é line\n" + "middle " * 3000 + "\nlast\n\n"
    found = statistics.describe(Corpus.from_text(text, "mine"))
    assert (found["first_line"], found["last_line"]) == ("First é line", "last")
    assert found["characters"] == len(text) == found["train"] + found["validation"] + found["test"]
    assert found["bytes"] == len(text.encode())
    assert found["lines"] == text.count("\n")
    assert found["counts"] == Counter(text)
    assert found["vocabulary_size"] == len(set(text))
    assert len(found["bits_per_character"]) == 6


def test_lines_are_cut_where_they_are_long():
    text = "begin" + "-" * 30_000 + "end"
    found = statistics.describe(Corpus.from_text(text))
    assert found["first_line"] == "begin" + "-" * 95 + "…"
    assert found["last_line"] == "…" + "-" * 97 + "end"
