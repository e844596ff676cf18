"""Measures of predicted numbers and angles.

Arrays are float (N,). With `angle=True` values are degrees, differences wrap at 360° and lie in
(−180, 180], so that 179° and −179° are 2° apart.
"""

from __future__ import annotations

import numpy as np

from striate.metrics.ranks import average_ranks
from striate.types import Array

__all__ = [
    "circular_mean",
    "difference",
    "interval_coverage",
    "interval_width",
    "max_absolute_error",
    "mean_absolute_error",
    "median_absolute_error",
    "pearson",
    "r2_score",
    "root_mean_squared_error",
    "spearman",
    "within",
    "wrap_degrees",
]


def wrap_degrees(angle_deg: Array | float) -> Array:
    """The same angle in (−180, 180] degrees, float64.

    >>> wrap_degrees(np.array([190.0, -180.0, 540.0])).tolist()
    [-170.0, 180.0, 180.0]
    """
    wrapped: Array = 180.0 - (180.0 - np.asarray(angle_deg, dtype=np.float64)) % 360.0
    return wrapped


def circular_mean(angle_deg: Array) -> float:
    """Direction of the mean unit vector of angles (N,), degrees in (−180, 180]; NaN for none.

    >>> round(circular_mean(np.array([170.0, -170.0])), 6)
    180.0
    """
    if not len(angle_deg):
        return float("nan")
    radians = np.deg2rad(np.asarray(angle_deg, dtype=np.float64))
    return float(wrap_degrees(np.rad2deg(np.arctan2(np.sin(radians).mean(), np.cos(radians).mean()))))


def difference(truth: Array, value: Array, *, angle: bool = False) -> Array:
    """`value − truth`, float64, wrapped for angles."""
    plain: Array = np.asarray(value, dtype=np.float64) - np.asarray(truth, dtype=np.float64)
    return wrap_degrees(plain) if angle else plain


def mean_absolute_error(truth: Array, value: Array, *, angle: bool = False) -> float:
    """Mean |value − truth|; NaN for none."""
    return float(np.abs(difference(truth, value, angle=angle)).mean()) if len(truth) else float("nan")


def median_absolute_error(truth: Array, value: Array, *, angle: bool = False) -> float:
    """Median |value − truth|; NaN for none."""
    if not len(truth):
        return float("nan")
    return float(np.median(np.abs(difference(truth, value, angle=angle))))


def max_absolute_error(truth: Array, value: Array, *, angle: bool = False) -> float:
    """Largest |value − truth|; NaN for none."""
    return float(np.abs(difference(truth, value, angle=angle)).max()) if len(truth) else float("nan")


def root_mean_squared_error(truth: Array, value: Array, *, angle: bool = False) -> float:
    """Square root of the mean squared difference; NaN for none."""
    if not len(truth):
        return float("nan")
    return float(np.sqrt(np.square(difference(truth, value, angle=angle)).mean()))


def r2_score(truth: Array, value: Array, *, angle: bool = False) -> float:
    """1 − squared error / squared spread of the truth; NaN when the truth does not vary.

    For angles the spread is about the circular mean, with wrapped differences.
    """
    if not len(truth):
        return float("nan")
    deviations = _deviations(truth, angle)
    if not _varies(deviations, truth):
        return float("nan")
    spread = np.square(deviations).sum()
    return float(1.0 - np.square(difference(truth, value, angle=angle)).sum() / spread)


def pearson(truth: Array, value: Array, *, angle: bool = False) -> float:
    """Linear correlation in [−1, 1]; NaN when either does not vary.

    Angles are unrolled about the circular mean of the truth first, each value beside its truth.
    """
    if len(truth) < 2:
        return float("nan")
    x = _deviations(truth, angle)
    y = x + difference(truth, value, angle=angle)
    x, y = x - x.mean(), y - y.mean()
    if not _varies(x, truth) or not _varies(y, value):
        return float("nan")
    scale = float(np.sqrt(np.square(x).sum() * np.square(y).sum()))
    return float(np.clip((x * y).sum() / scale, -1.0, 1.0))


def spearman(truth: Array, value: Array, *, angle: bool = False) -> float:
    """Rank correlation in [−1, 1], ties sharing their mean rank; NaN when either does not vary."""
    if len(truth) < 2:
        return float("nan")
    x = _deviations(truth, angle)
    return pearson(average_ranks(x), average_ranks(x + difference(truth, value, angle=angle)))


def interval_coverage(truth: Array, low: Array, high: Array, *, angle: bool = False) -> float:
    """Share of truths within [low, high]; NaN for none. Angle intervals run upwards from `low`."""
    if not len(truth):
        return float("nan")
    return float(within(truth, low, high, angle=angle).mean())


def within(truth: Array, low: Array, high: Array, *, angle: bool = False) -> Array:
    """Whether each truth lies in its interval, bool (N,)."""
    middle = (np.asarray(low, dtype=np.float64) + np.asarray(high, dtype=np.float64)) / 2
    reach = np.asarray(high, dtype=np.float64) - middle
    inside: Array = np.abs(difference(middle, truth, angle=angle)) <= reach * (1 + 1e-12)
    return inside


def interval_width(low: Array, high: Array) -> float:
    """Mean of high − low; NaN for none."""
    return float(np.mean(np.asarray(high) - np.asarray(low))) if len(low) else float("nan")


def _deviations(values: Array, angle: bool) -> Array:
    """Distances of `values` from their (circular) mean."""
    values = np.asarray(values, dtype=np.float64)
    return wrap_degrees(values - circular_mean(values)) if angle else values - values.mean()


def _varies(deviations: Array, values: Array) -> bool:
    """Whether `deviations` are more than what rounding leaves of equal `values`."""
    # (the absolute floor is where squares would underflow)
    return float(np.abs(deviations).max()) > max(1e-150, 1e-12 * float(np.abs(values).max()))
