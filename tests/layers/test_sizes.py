"""Sizes that are rounded up, and sequences in blocks."""

import numpy as np
import pytest
import tensorflow as tf

from shakegen.layers.sizes import STEPS, cut, join, round_up


def test_numbers_of_sequences_are_rounded_up_to_few():
    rounded = [round_up(size) for size in range(1, 1025)]
    np.testing.assert_array_equal(round_up(tf.range(1, 1025)), rounded)
    assert all(size <= more < 8 + size * 1.25 for size, more in enumerate(rounded, 1))
    assert len(set(rounded)) <= 30
    assert sorted(rounded) == rounded
    assert round_up(0) == 0


@pytest.mark.parametrize("length", [1, STEPS, STEPS + 1])
def test_blocks_are_the_sequences_in_another_order(length, rng):
    sequences = tf.constant(rng.normal(size=(2, length, 3)))
    blocks = cut(sequences)
    assert blocks.shape == (-(-length // STEPS), 2, STEPS, 3)
    np.testing.assert_array_equal(blocks[-1, :, (length - 1) % STEPS], sequences[:, -1])
    np.testing.assert_array_equal(join(blocks, length), sequences)
