"""Can a probability be believed? Of the answers given with 80 %, are 80 % right?

The expected calibration error (ECE) sorts answers into bins by confidence and averages, weighted by
bin size, the distance |share right − mean confidence| (Naeini et al. 2015; Guo et al. 2017, eq. 3).
With equal-width bins ((m−1)/M, m/M] that is Guo's definition; equal-mass bins (Nixon et al. 2019)
do not leave the low end nearly empty. Both are biased upwards for few pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from striate.types import Array

__all__ = ["Reliability", "expected_calibration_error", "reliability"]


@dataclass(frozen=True, slots=True)
class Reliability:
    """The bins that hold at least one answer, arrays (B,), by rising confidence.

    `confidence`: mean confidence; `share`: share that was right; `count`: answers, int64.
    """

    confidence: Array
    share: Array
    count: Array

    @property
    def error(self) -> float:
        """The expected calibration error of these bins; NaN without answers."""
        if not len(self.count):
            return float("nan")
        return float(np.average(np.abs(self.share - self.confidence), weights=self.count))


def reliability(
    confidence: Array, right: Array, *, bins: int = 15, by: Literal["width", "mass"] = "width"
) -> Reliability:
    """Bins of answers by confidence.

    `confidence`: float (N,) in [0, 1]; `right`: bool (N,) whether it came true. `by`: "width" for
    bins of equal width, "mass" for bins of equally many answers (to within one).
    """
    confidence = np.asarray(confidence, dtype=np.float64)
    if by == "width":
        # To within float32, 0.6 is 0.6 and belongs to (0.5, 0.6], on every machine.
        where = np.clip(np.ceil(confidence * bins - 1e-6).astype(np.int64) - 1, 0, bins - 1)
    else:
        where = np.empty(len(confidence), dtype=np.int64)
        order = np.argsort(confidence, kind="stable")
        where[order] = np.arange(len(confidence)) * bins // max(len(confidence), 1)
    count = np.bincount(where, minlength=bins)
    filled = count > 0
    total = np.bincount(where, weights=confidence, minlength=bins)
    hits = np.bincount(where, weights=np.asarray(right, dtype=np.float64), minlength=bins)
    return Reliability(total[filled] / count[filled], hits[filled] / count[filled], count[filled])


def expected_calibration_error(
    confidence: Array, right: Array, *, bins: int = 15, by: Literal["width", "mass"] = "width"
) -> float:
    """ECE in [0, 1] of answers with `confidence` (N,) of which `right` (N,) came true.

    >>> expected_calibration_error(np.array([0.8] * 4), np.array([1, 1, 1, 0]), bins=10).__round__(6)
    0.05
    """
    return reliability(confidence, right, bins=bins, by=by).error
