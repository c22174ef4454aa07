"""Resampling: rows with little weight give way to copies of others."""

import numpy as np


def resample(weights: np.ndarray, groups: np.ndarray, uniform: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Systematic resampling (Carpenter et al. 1999) of the groups whose effective size is below half of their size.

    Args:
        weights: logarithms, shape (N,).
        groups: their numbers; -1 belongs to none and stays.
        uniform: a random number for each row, the same throughout a group.

    Returns:
        The parent of each row, or None if every row is its own; and the log weights, all equal in a resampled group,
        with the same sum as before.
    """
    order = np.argsort(groups, kind="stable")
    order = order[groups[order] >= 0]
    if not len(order):
        return None, weights
    starts = np.concatenate([[0], 1 + np.flatnonzero(np.diff(groups[order]))])
    sizes = np.diff([*starts, len(order)])
    logs = weights[order]
    highest = np.maximum.reduceat(logs, starts)
    highest[highest == -np.inf] = 0
    shares = np.exp(logs - np.repeat(highest, sizes))
    totals = np.add.reduceat(shares, starts)
    uneven = (totals**2 < np.add.reduceat(shares**2, starts) * sizes / 2) & (totals > 0)
    if not uneven.any():
        return None, weights
    group = np.repeat(np.arange(len(sizes)), sizes)
    sums = np.cumsum(shares / np.repeat(np.where(totals > 0, totals, 1), sizes))
    sums -= np.repeat(np.concatenate([[0], sums])[starts], sizes)
    sums[sums > 1 - 1e-9] = 1  # rounding must not reach rows without weight
    places = np.arange(len(order)) - np.repeat(starts, sizes)
    points = group + (places + uniform[order]) / np.repeat(sizes, sizes)
    chosen = order[np.minimum(np.searchsorted(group + sums, points, side="right"), len(order) - 1)]
    changes = uneven[group]
    parents, logs = np.arange(len(weights)), weights.copy()
    parents[order[changes]] = chosen[changes]
    logs[order[changes]] = np.repeat(highest + np.log(np.where(totals > 0, totals, 1) / sizes), sizes)[changes]
    return parents, logs
