"""Ranks with ties shared, as rank statistics need them."""

from __future__ import annotations

import numpy as np

from striate.types import Array

__all__ = ["average_ranks"]


def average_ranks(values: Array) -> Array:
    """Rank of each of `values` (N,), from 1, float64 (N,); equal values share their mean rank.

    >>> average_ranks(np.array([10.0, 20.0, 10.0])).tolist()
    [1.5, 3.0, 1.5]
    """
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)  # rank of the last member of each group
    shared: Array = (last - (counts - 1) / 2.0)[group.reshape(-1)]
    return shared
