"""The fifteen corruptions as their inventors sum them up: mCE beside a stated baseline.

mCE (Hendrycks & Dietterich 2019; `corruptions.mce`) needs the errors of a baseline. Without one the
mean error is given, and called so. For detectors Michaelis et al. 2019 take the mean score (mPC) and its
share of the clean one (rPC).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.metrics.plain import plain
from striate.stress.corruptions import COMMON, CorruptionName, mce_against
from striate.stress.curves import Estimate, StressCurve, estimate, mean_of
from striate.stress.judged import Measure
from striate.stress.resamples import ends
from striate.types import Array

__all__ = ["Corrupted", "corrupted_from"]

_SEVERITIES = 5


@dataclass(frozen=True, slots=True)
class Corrupted:
    """One number over the 15 corruptions, what it is called and what it means.

    `by_corruption`: the ratio of each, where there is a baseline.
    """

    name: str
    meaning: str
    overall: Estimate
    relative: Estimate | None = None
    relative_name: str = ""
    baseline: str | None = None
    by_corruption: Mapping[str, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "meaning": self.meaning,
            **self.overall.to_dict(),
            "relative": None
            if self.relative is None
            else {"name": self.relative_name, **self.relative.to_dict()},
            "baseline": self.baseline,
            "by_corruption": None
            if self.by_corruption is None
            else {name: plain(one) for name, one in self.by_corruption.items()},
        }


def corrupted_from(
    task: str,
    clean: Measure,
    curves: Sequence[StressCurve],
    *,
    baseline: tuple[str, Measure, Sequence[StressCurve]] | None = None,
) -> Corrupted | None:
    """Over `curves`, of which all 15 must be there with all severities; else None.

    `baseline`: the name of another run, its clean score and curves on the same pictures, drawn alike.
    """
    ours = _fifteen(curves)
    if ours is None:
        return None
    if task == "detect":
        return _performance(clean, ours)
    errors = _errors(ours, is_error=task == "regress")
    theirs = None if baseline is None else _fifteen(baseline[2])
    if task == "classify" and baseline is not None and theirs is not None:
        found = _relative_to(baseline[0], errors, clean, _errors(theirs, is_error=False), baseline[1])
        if found is not None:
            return found
    return _unnormalised(task, ours, errors)


def _unnormalised(task: str, curves: Sequence[StressCurve], errors: Array) -> Corrupted:
    """The mean error; mCE is defined for classes alone."""
    meaning = "Mean of the errors over 15 corruptions and 5 severities."
    if task == "classify":
        meaning += " It is not mCE, which is relative to a baseline: --against RUN names one."
    else:
        meaning += " It is not mCE, which is defined for classes alone."
    mean, pictures = errors.mean(axis=0), curves[0].pictures
    bounds = (0.0, 1.0) if task == "classify" else (0.0, max(one.bounds[1] for one in curves))
    return Corrupted(
        "mean corruption error, unnormalised",
        meaning,
        estimate(Measure(float(mean[0]), mean[1:], pictures, bounds)),
    )


def _fifteen(curves: Sequence[StressCurve]) -> list[StressCurve] | None:
    named = {one.axis.name: one for one in curves if len(one.levels) == _SEVERITIES}
    return [named[name] for name in COMMON] if named.keys() >= set(COMMON) else None


def _errors(curves: Sequence[StressCurve], *, is_error: bool) -> Array:
    """Mean error over severities, float64 (15, 1 + R): its value, then its draws."""
    rows = []
    for curve in curves:
        value = np.mean([one.score.value for one in curve.levels])
        rows.append(np.concatenate([[value], curve.draws.mean(axis=0)]))
    found = np.stack(rows)
    return found if is_error else 1 - found


def _relative_to(
    name: str, errors: Array, clean: Measure, others: Array, other: Measure
) -> Corrupted | None:
    """mCE with its interval; None where the baseline makes no error at all under some corruption."""
    whole, relative = [], []
    before = 1 - np.concatenate([[clean.value], clean.draws])
    other_before = 1 - np.concatenate([[other.value], other.draws])
    first = None
    for at in range(errors.shape[1]):
        try:
            found = mce_against(
                _five(errors[:, at]),
                _five(others[:, at]),
                title=name,
                clean=float(before[at]),
                other_clean=float(other_before[at]),
            )
        except UsageError:
            if at == 0:
                return None
            continue
        first = first or found
        whole.append(found.mce)
        relative.append(float("nan") if found.relative_mce is None else found.relative_mce)
    assert first is not None
    return Corrupted(
        "mCE",
        f"Mean over 15 corruptions of the error as a share of that of {name}: below 1 is better.",
        _estimate(np.asarray(whole)),
        None if first.relative_mce is None else _estimate(np.asarray(relative)),
        "relative mCE",
        name,
        {str(one): share for one, share in first.by_corruption.items()},
    )


def _five(errors: Array) -> dict[CorruptionName, list[float]]:
    """Only the mean over severities matters to mCE."""
    return {name: [float(one)] * _SEVERITIES for name, one in zip(COMMON, errors, strict=True)}


def _performance(clean: Measure, curves: Sequence[StressCurve]) -> Corrupted:
    scores = 1 - _errors(curves, is_error=False).mean(axis=0)
    whole = np.concatenate([[clean.value], clean.draws])
    return Corrupted(
        "mPC",
        "Mean AP50 over 15 corruptions and 5 severities (Michaelis et al. 2019); rPC is its share of "
        "the clean AP50.",
        mean_of(curves),
        _estimate(np.divide(scores, whole, out=np.full(scores.shape, np.nan), where=whole > 0)),
        "rPC",
    )


def _estimate(found: Array) -> Estimate:
    return Estimate(float(found[0]), *ends(found[1:]))
