"""The rows of every batch that a process computes."""

import numpy as np
import pytest

from shakegen.text.windows import Passages
from shakegen.training.workers.shard import Shard

KINDS = [(1, 8), (1, 3), (2, 7)]


@pytest.mark.parametrize(("passage", "size"), KINDS)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_every_row_of_a_batch_is_one_replicas(passage, size, count):
    whole = Passages(np.arange(400), length=10, batch_size=size, passage=passage)
    shares = [Shard(whole, count, range(replica, replica + 1)) for replica in range(count)]
    for number in (0, 1, whole.steps + 2):
        inputs, targets = (
            np.concatenate(parts) for parts in zip(*(share.pair(number) for share in shares), strict=True)
        )
        assert inputs.shape == targets.shape == (count * shares[0].width, 10)
        counts = targets[:, 0] >= 0
        for padded, part in zip((inputs, targets), whole.pair(number), strict=True):
            assert np.array_equal(padded[counts], part)
            assert np.array_equal(shares[0].gather(padded), part)
            assert np.array_equal(np.concatenate([share.deal(part, k) for k, share in enumerate(shares)])[counts], part)
        assert np.all(targets[~counts] == -1)
        begins = np.concatenate([share.begins(number) for share in shares])
        assert np.array_equal(begins[counts], whole.begins(number))
    both = Shard(whole, count, range(2)).pair(1)
    alone = zip(shares[0].pair(1), shares[1].pair(1), strict=True)
    assert all(np.array_equal(pair, np.concatenate(parts)) for pair, parts in zip(both, alone, strict=True))
