"""Resampling, against its definition."""

import numpy as np

from shakegen.sampling.particles.resampling import resample


def test_resampling_keeps_totals_and_gives_each_row_its_share():
    rng = np.random.default_rng(0)
    weights = np.log(rng.dirichlet(np.full(8, 0.2), 3)).ravel()
    groups = np.repeat([0, 1, 2], 8)
    groups[:2] = -1
    order = rng.permutation(24)
    weights, groups = weights[order], groups[order]
    parents, after = resample(weights, groups, np.full(24, 0.4))
    assert (parents[groups < 0] == np.flatnonzero(groups < 0)).all()
    for group in range(3):
        own = groups == group
        assert (groups[parents[own]] == group).all()
        total = np.exp(weights[own]).sum()
        assert np.isclose(np.exp(after[own]).sum(), total)
        uneven = total**2 / (np.exp(weights[own]) ** 2).sum() < own.sum() / 2
        assert uneven == (np.ptp(after[own]) == 0)
        if uneven:
            shares = np.exp(weights[own]) / total * own.sum()
            offspring = [(parents[own] == row).sum() for row in np.flatnonzero(own)]
            assert (np.abs(offspring - shares) < 1).all()
    assert resample(np.zeros(5), np.zeros(5, int), np.full(5, 0.3))[0] is None
    assert resample(np.full(4, -np.inf), np.zeros(4, int), np.full(4, 0.3))[0] is None
