"""How far AP50 may be off by luck of the pictures."""

from __future__ import annotations

import numpy as np

from striate.metrics.detection.matching import Matches
from striate.metrics.detection.precision import RECALLS
from striate.metrics.detection.tables import Found, Truth
from striate.types import Array

__all__ = ["bootstrap_ap50"]

_WORK = 6_000_000  # answers drawn in all: well under a second
_CHUNK = 2_000_000  # at a time: 16 MB


def bootstrap_ap50(
    found: Found, truth: Truth, matches: Matches, *, classes: int, pictures: int, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval (95 %) of AP50 over resampled pictures; (NaN, NaN) without objects.

    What answers are right does not change when pictures are drawn again, only how often each is counted:
    100 to 500 resamples by the number of answers. `matches`: IoU 0.5 and any size first.
    """
    objects = matches.objects[0]
    if not objects.any() or not pictures:
        return float("nan"), float("nan")
    resamples = int(np.clip(_WORK // max(len(found), 1), 100, 500))
    rng = np.random.default_rng(seed)
    # how often each picture is drawn
    drawn = rng.multinomial(pictures, np.full(pictures, 1 / pictures), size=resamples)
    values = np.full((resamples, classes), np.nan)
    order = np.lexsort((-found.scores, found.labels))
    order = order[matches.counted[0, 0][order]]
    ends = np.searchsorted(found.labels[order], np.arange(classes + 1))
    for k in np.unique(truth.labels[objects]):
        mine = truth.pictures[objects & (truth.labels == k)]
        total = drawn @ np.bincount(mine, minlength=pictures)  # (R,)
        rows = order[ends[k] : ends[k + 1]]
        values[:, k] = _ap_of_draws(drawn, total, found.pictures[rows], matches.right[0, 0][rows])
    some = ~np.isnan(values).all(axis=1)
    low, high = np.quantile(np.nanmean(values[some], axis=1), [0.025, 0.975])
    return float(low), float(high)


def _ap_of_draws(drawn: Array, total: Array, pictures: Array, right: Array) -> Array:
    """AP of one class in each resample, (R,); NaN where it has no objects.

    `drawn`: (R, pictures); `total`: objects (R,); `pictures`, `right`: of its answers, best first.
    """
    values = np.where(total > 0, 0.0, np.nan)
    hits = np.flatnonzero(right)
    if not len(hits):
        return values
    pictures = pictures[: hits[-1] + 1]  # what comes after the last right one changes nothing
    step = max(1, _CHUNK // len(pictures))
    for begin in range(0, len(drawn), step):
        times = drawn[begin : begin + step]
        shown = np.cumsum(times[:, pictures], axis=1)[:, hits]
        true = np.cumsum(times[:, pictures[hits]], axis=1)
        precision = true / np.maximum(shown, 1)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        best = np.concatenate([best, np.zeros((len(best), 1))], axis=1)
        for row in np.flatnonzero(total[begin : begin + step]):
            reached = np.searchsorted(true[row], RECALLS * total[begin + row] - 1e-9, "left")
            values[begin + row] = best[row, reached].mean()
    return values
