"""Sizes that are rounded up."""

from shakegen.layers.sizes import round_up


def test_sizes_are_rounded_up_to_few():
    for finer, most in (2, 18), (4, 30):
        rounded = [int(round_up(size, finer)) for size in range(1, 1025)]
        assert all(size <= more < 8 + size * (1 + 1 / finer) for size, more in enumerate(rounded, 1))
        assert len(set(rounded)) <= most
        assert sorted(rounded) == rounded
