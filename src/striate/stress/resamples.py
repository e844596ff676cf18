"""The same luck for every pass: pictures drawn again and again, counted once, used for all curves.

A clean and a changed score of the same pictures rise and fall together, so their difference is known far
better than either. That is only seen if both are resampled with the same pictures (the paired bootstrap,
Efron & Tibshirani 1993).

Resampling cannot draw what was never seen: of five pictures that are all right every resample is all
right. So intervals also leave room for the share of other pictures that so few cannot exclude
(`unseen`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.types import Array

__all__ = ["Resamples", "ends", "resamples_for", "unseen", "with_room"]

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


def unseen(pictures: int) -> float:
    """Share of pictures that may be otherwise although none of `pictures` (1 or more) was.

    The upper end of Clopper & Pearson's 95 % interval of a share of which none was seen; about 3.7 / N,
    as the rule of three has 3 / N for the one-sided one.

    >>> [round(unseen(pictures), 3) for pictures in (1, 10, 100)]
    [0.975, 0.308, 0.036]
    """
    return float(1 - ((1 - _LEVEL) / 2) ** (1 / pictures))


def with_room(
    value: float, interval: tuple[float, float], pictures: int, bounds: tuple[float, float]
) -> tuple[float, float]:
    """`interval` of a mean over `pictures`, never narrower than so few allow.

    Its ends are at least those of a mean of which the share `unseen` lies at either of `bounds`. An
    unknown end stays unknown.
    """
    room = unseen(pictures)
    low, high = ((1 - room) * value + room * bound for bound in bounds)
    unknown = np.isnan([value, *interval]).any()
    return interval if unknown else (min(interval[0], low), max(interval[1], high))
