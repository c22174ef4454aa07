"""Batches whose targets are a random share of those of others."""

import numpy as np

from shakegen.text.drawn_targets import DrawnTargets
from shakegen.text.windows import Passages


def test_every_target_is_kept_as_often_as_its_share_says():
    whole = Passages(np.arange(1000) % 7, 20, 8, random_state=3)
    drawn, kept, count = DrawnTargets(whole, 0.25, random_state=3), np.zeros((8, 20)), 600
    for number in range(count):
        (inputs, targets), (same, all_targets) = drawn.pair(number), whole.pair(number)
        assert np.array_equal(inputs, same)
        assert np.array_equal(targets, np.where(targets == -1, -1, all_targets))
        assert targets.dtype == all_targets.dtype
        kept += targets != -1
    assert np.abs(kept / count - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / count)


def test_a_batch_and_its_rows_follow_from_its_number():
    whole = Passages(np.arange(1000) % 7, 20, 8, passage=2)
    drawn, again = (DrawnTargets(whole, 0.5, random_state=5) for _ in range(2))
    for number in (0, 3):
        inputs, targets = drawn.pair(number)
        assert np.array_equal(again.pair(number), (inputs, targets))
        assert np.array_equal(drawn.pair(number, slice(2, 5)), (inputs[2:5], targets[2:5]))
        assert np.array_equal(drawn.begins(number, slice(2, 5)), whole.begins(number)[2:5])
    assert drawn.carries_state
