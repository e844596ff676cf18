"""The same luck for every pass: pictures drawn again and again, counted once, used for all curves.

A clean and a changed score of the same pictures rise and fall together, so their difference is known far
better than either. That is only seen if both are resampled with the same pictures (the paired bootstrap,
Efron & Tibshirani 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.types import Array

__all__ = ["Resamples", "ends", "resamples_for"]

_COUNTS = 12_000_000
"""Counts kept at most: 48 MB."""
_MOST, _LEAST = 1000, 200
_LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """`counts` float32 (R, N): how often each of N pictures is drawn; every row adds up to N."""

    counts: Array

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def pictures(self) -> int:
        """How many there are."""
        return int(self.counts.shape[1])

    def means(self, values: Array) -> Array:
        """Mean of `values` (N,) or (N, K) in each resample, float64 (R,) or (R, K)."""
        # float32 sums of ten thousand numbers are good to six digits, and ten times as fast
        summed = self.counts @ np.asarray(values, np.float32)
        return np.asarray(summed, np.float64) / self.pictures


def resamples_for(pictures: int, *, seed: int, most: int = _MOST) -> Resamples:
    """Between 200 and 1000 resamples of that many pictures (1 or more), fewer of many pictures."""
    rows = int(np.clip(_COUNTS // pictures, min(_LEAST, most), most))
    rng = np.random.default_rng(seed)
    counts = np.empty((rows, pictures), np.float32)
    for row in counts:
        row[:] = np.bincount(rng.integers(0, pictures, pictures), minlength=pictures)
    return Resamples(counts)


def ends(drawn: Array) -> tuple[float, float]:
    """The middle 95 % of `drawn` (R,), undefined ones left out; (NaN, NaN) for none."""
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)
