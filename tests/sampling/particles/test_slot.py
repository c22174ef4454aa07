"""Free places: where a given text begins once more before its end."""

import itertools

import numpy as np
import pytest

from shakegen.sampling.particles.slot import find_nearest, match_first


@pytest.mark.parametrize("length", range(8))
def test_where_a_text_begins_earlier_as_well(length):
    """By enumeration of all texts of two symbols, and of all their beginnings before them."""
    for given in itertools.product(range(2), repeat=length):
        nearest = find_nearest(np.array(given, np.intp), match_first(np.array(given, np.intp), 2))
        for node in range(length + 1):
            text = given[:node] + given
            shifts = range(1, min(node, length - 1) + 1)
            earlier = [shift for shift in shifts if text[node - shift :][:length] == given]
            assert nearest[node] == min(earlier, default=np.inf)
