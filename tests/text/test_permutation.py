import math

import numpy as np
import pytest
from scipy import stats

from shakegen.text.permutation import Permutation

SIZES = [*range(1, 40), 63, 64, 65, 1000, 4096, 4097, 10_007]


def test_a_permutation_of_any_size_has_every_number_once():
    for size in SIZES:
        for key in ((0,), (1, 7), (1 << 40, 3)):
            assert np.array_equal(np.sort(Permutation(size, *key)(np.arange(size))), np.arange(size))


def test_any_place_can_be_asked_for_alone():
    order = Permutation(1000, 5)(np.arange(1000))
    for place in (0, 17, 999):
        assert Permutation(1000, 5)(np.array([place])) == order[place]


def test_the_largest_sizes_need_no_memory():
    order = Permutation(1 << 50, 3)
    found = order(np.arange(10_000))
    assert len(set(found.tolist())) == 10_000
    assert stats.kstest(found / (1 << 50), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("size", [3, 4, 5])
def test_every_order_is_as_likely(size):
    orders = [tuple(Permutation(size, key)(np.arange(size))) for key in range(3600)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == math.factorial(size)
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("size", [100, 129])
def test_where_neighbours_go_is_uniform_and_independent(size):
    """A table of 10 by 10 blocks that two neighbours fall into, over keys."""
    places = np.array([Permutation(size, 1, key)(np.array([40, 41])) for key in range(4000)])
    cells = (places * 10 // size) @ [10, 1]
    pairs = np.arange(size)[:, None] * 10 // size * 10 + np.arange(size) * 10 // size
    likely = np.bincount(pairs[~np.eye(size, dtype=bool)], minlength=100)
    expected = likely / likely.sum() * len(places)
    assert stats.chisquare(np.bincount(cells, minlength=100), expected).pvalue > 1e-3


def test_another_key_gives_another_order():
    orders = [Permutation(1000, *key)(np.arange(1000)) for key in ((0, 0), (0, 1), (1, 0), (1, 1))]
    agreeing = [np.mean(a == b) for number, a in enumerate(orders) for b in orders[:number]]
    assert max(agreeing) < 0.01
