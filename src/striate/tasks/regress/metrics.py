"""How good a regressor is. JSON-ready; what is undefined is None; intervals are 95 %.

With several targets each top-level number is the mean over targets; `per_target` has them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from striate.metrics import regression as measures
from striate.metrics.intervals import bootstrap_mean, wilson_interval
from striate.metrics.plain import plain, plain_pair
from striate.tasks.regress.config import RegressFacts
from striate.tasks.regress.data import Values, encode
from striate.tasks.regress.types import Regression
from striate.types import Array

__all__ = ["RegressMeter"]

_AVERAGED = ("mae", "rmse", "r2", "median_ae", "pearson", "spearman", "coverage", "mean_width")


class RegressMeter:
    """Metrics of predicted numbers and angles."""

    def __init__(self, facts: RegressFacts) -> None:
        self._facts = facts
        self._truth: list[Array] = []
        self._found: list[Array] = []

    def update(self, predictions: Sequence[Regression], targets: Sequence[Values]) -> None:
        """Take the answers to some pictures, and their truths."""
        if not predictions:
            return
        self._truth.append(encode(targets, len(self._facts.names)))
        self._found.append(np.stack([(one.values, one.lows, one.highs) for one in predictions]))
        assert len(self._truth[-1]) == len(predictions)

    def compute(self) -> dict[str, Any]:
        """All metrics of everything taken so far."""
        facts = self._facts
        columns = len(facts.names)
        truth = np.concatenate([np.zeros((0, columns)), *self._truth])  # (N, K)
        found = np.concatenate([np.zeros((0, 3, columns)), *self._found])  # (N, [value, low, high], K)
        resamples = int(np.clip(20_000_000 // max(truth.size, 1), 100, 1000))
        per_target = {
            name: {
                **_errors_of(truth[:, k], found[:, 0, k], facts.is_angle[k], resamples),
                **_baseline(truth[:, k], facts.is_angle[k], facts.middle[k]),
                **_coverage(truth[:, k], found[:, 1, k], found[:, 2, k], facts.is_angle[k]),
            }
            for k, name in enumerate(facts.names)
        }
        wrong = [np.abs(_errors(truth, found, facts, k)) for k in range(columns)]
        return {
            "n": len(truth),
            **{key: _mean(one[key] for one in per_target.values()) for key in _AVERAGED},
            "mae_interval": _mean_interval(np.mean(wrong, axis=0), resamples),
            "max_error": float(np.max(wrong)) if len(truth) else None,
            "baseline_mae": _mean(one["baseline_mae"] for one in per_target.values()),
            "nominal_coverage": facts.coverage,
            "per_target": per_target,
        }


def _errors(truth: Array, found: Array, facts: RegressFacts, k: int) -> Array:
    return measures.difference(truth[:, k], found[:, 0, k], angle=facts.is_angle[k])


def _mean(values: Iterable[float | None]) -> float | None:
    """Mean of those that are defined."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def _mean_interval(values: Array, resamples: int) -> list[float] | None:
    return plain_pair(bootstrap_mean(values, resamples=resamples))


def _errors_of(truth: Array, value: Array, angle: bool, resamples: int) -> dict[str, Any]:
    """How far the values (N,) of one target are off."""
    off = np.abs(measures.difference(truth, value, angle=angle))
    return {
        "mae": plain(measures.mean_absolute_error(truth, value, angle=angle)),
        "mae_interval": _mean_interval(off, resamples),
        "rmse": plain(measures.root_mean_squared_error(truth, value, angle=angle)),
        "r2": plain(measures.r2_score(truth, value, angle=angle)),
        "median_ae": plain(measures.median_absolute_error(truth, value, angle=angle)),
        "max_error": plain(measures.max_absolute_error(truth, value, angle=angle)),
        "pearson": plain(measures.pearson(truth, value, angle=angle)),
        "spearman": plain(measures.spearman(truth, value, angle=angle)),
        "unit": "degrees" if angle else None,
    }


def _baseline(truth: Array, angle: bool, middle: float) -> dict[str, Any]:
    """The error of always guessing the middle of the training values."""
    always = np.full(truth.shape, middle)
    return {"baseline_mae": plain(measures.mean_absolute_error(truth, always, angle=angle))}


def _coverage(truth: Array, low: Array, high: Array, angle: bool) -> dict[str, Any]:
    """How often the truth lies in the interval, and how wide that is; None without intervals."""
    if not len(truth) or np.isnan(low).any():
        return {"coverage": None, "coverage_interval": None, "mean_width": None}
    inside = measures.within(truth, low, high, angle=angle)
    ends = wilson_interval(int(inside.sum()), len(inside))
    return {
        "coverage": float(inside.mean()),
        "coverage_interval": [float(end) for end in ends],
        "mean_width": measures.interval_width(low, high),
    }
