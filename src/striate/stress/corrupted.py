"""The fifteen corruptions as their inventors sum them up: mCE beside a stated baseline.

mCE (Hendrycks & Dietterich 2019; `corruptions.mce`) needs the errors of a baseline. Without one the
mean error is given, and called so. For detectors Michaelis et al. 2019 take the mean score (mPC) and its
share of the clean one (rPC).

A ratio has no value where the baseline makes no error. Resamples in which that happens are not left out,
which would make the rest look surer than it is: they count against both ends of the interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from striate.metrics.plain import plain
from striate.pictures.lettering import listed
from striate.stress.corruptions import COMMON, CorruptionName, mce_against
from striate.stress.curves import Estimate, StressCurve, estimate, mean_of
from striate.stress.judged import Measure
from striate.stress.knee import loss_of
from striate.stress.resamples import ends, unseen
from striate.types import Array

__all__ = ["Corrupted", "corrupted_from"]

_SEVERITIES = 5
_NAMED = 3
_TAIL = 0.025
"""Share of the resamples beyond either end of an interval."""
_NOTHING = 1e-9
"""Differences of errors up to this are rounding."""


@dataclass(frozen=True, slots=True)
class Corrupted:
    """One number over the 15 corruptions, what it is called and what it means.

    `baseline`: the run that it was to be relative to; `by_corruption`: the ratio of each, where it is.
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
    if len(ours) < len(COMMON):
        return None
    if task == "detect":
        return _performance(clean, ours)
    errors = _errors(ours, is_error=task == "regress")
    if task != "classify":
        return _unnormalised(task, ours, errors, "which is defined for classes alone")
    if baseline is None:
        why = "which is relative to a baseline: --against RUN names one"
        return _unnormalised(task, ours, errors, why)
    name, other, others = baseline
    theirs = _fifteen(others)
    why = _no_divisor(name, theirs)
    if why:
        return replace(_unnormalised(task, ours, errors, why), baseline=name)
    base = _errors(theirs, is_error=False)
    return _relative_to(name, errors, clean, base, other, ours[0].pictures)


def _no_divisor(name: str, curves: Sequence[StressCurve]) -> str:
    """Why the errors of the baseline `name` cannot be divided by; "" where they can."""
    absent = [one for one in COMMON if one not in {curve.axis.name for curve in curves}]
    if absent:
        return f"for {name} was not measured under {_listed(absent)}: there was no time left"
    errors = _errors(curves, is_error=False)[:, 0]
    faultless = [one for one, error in zip(COMMON, errors, strict=True) if not error > 0]
    if faultless:
        return f"which divides by the errors of {name}: there are none under {_listed(faultless)}"
    return ""


def _unnormalised(task: str, curves: Sequence[StressCurve], errors: Array, why: str) -> Corrupted:
    """The mean error, and why it is not mCE."""
    meaning = f"Mean of the errors over 15 corruptions and 5 severities. It is not mCE, {why}."
    mean, pictures = errors.mean(axis=0), curves[0].pictures
    bounds = (0.0, 1.0) if task == "classify" else (0.0, max(one.bounds[1] for one in curves))
    return Corrupted(
        "mean corruption error, unnormalised",
        meaning,
        estimate(Measure(float(mean[0]), mean[1:], pictures, bounds)),
    )


def _fifteen(curves: Sequence[StressCurve]) -> list[StressCurve]:
    """Those of the 15 that were measured at all severities."""
    named = {one.axis.name: one for one in curves if len(one.levels) == _SEVERITIES}
    return [named[name] for name in COMMON if name in named]


def _listed(names: Sequence[str]) -> str:
    spoken = [one.replace("_", " ") for one in names]
    if len(spoken) > _NAMED + 1:
        spoken = [*spoken[:_NAMED], f"{len(spoken) - _NAMED} more"]
    return listed(spoken)


def _errors(curves: Sequence[StressCurve], *, is_error: bool) -> Array:
    """Mean error over severities, float64 (15, 1 + R): its value, then its draws."""
    rows = []
    for curve in curves:
        value = np.mean([one.score.value for one in curve.levels])
        rows.append(np.concatenate([[value], curve.draws.mean(axis=0)]))
    found = np.stack(rows)
    return found if is_error else 1 - found


def _relative_to(
    name: str, errors: Array, clean: Measure, base: Array, other: Measure, pictures: int
) -> Corrupted:
    """mCE with its interval, and the relative one if the baseline loses something everywhere."""
    before, other_before = (1 - np.concatenate([[one.value], one.draws]) for one in (clean, other))
    found = mce_against(
        _five(errors[:, 0]),
        _five(base[:, 0]),
        title=name,
        clean=float(before[0]),
        other_clean=float(other_before[0]),
    )
    said = [f"Mean over 15 corruptions of the error as a share of that of {name}: below 1 is better."]
    whole, doubtful = _ratio(errors, base, pictures, least=0.0)
    said += _doubt(f"{name} makes no error under some corruption", doubtful, base.shape[1] - 1, "mCE")
    relative, lost = None, base - other_before
    spared = [one for one, value in zip(COMMON, lost[:, 0], strict=True) if not value > _NOTHING]
    if spared:
        said.append(f"No relative mCE: {name} loses nothing under {_listed(spared)}.")
    else:
        relative, doubtful = _ratio(errors - before, lost, pictures, least=-np.inf)
        what = f"{name} loses nothing under some corruption"
        said += _doubt(what, doubtful, lost.shape[1] - 1, "relative mCE")
    shares = {str(one): share for one, share in found.by_corruption.items()}
    return Corrupted("mCE", " ".join(said), whole, relative, "relative mCE", name, shares)


def _five(errors: Array) -> dict[CorruptionName, list[float]]:
    """Only the mean over severities matters to mCE."""
    return {name: [float(one)] * _SEVERITIES for name, one in zip(COMMON, errors, strict=True)}


def _ratio(top: Array, under: Array, pictures: int, *, least: float) -> tuple[Estimate, int]:
    """The mean over rows of `top / under` (K, 1 + R), values before draws, and how many draws are
    without a value, since they would divide by 0 or less: these may be anything from `least` up.

    Room is left for the pictures that may be missing: that one run errs on all of these, the other on
    none.
    """
    drawn = np.divide(top, under, out=np.full(top.shape, np.nan), where=under > _NOTHING).mean(axis=0)
    value, draws = float(drawn[0]), drawn[1:]
    undefined = np.isnan(draws)
    low, high = ends(draws)
    if undefined.any():
        cut = int(_TAIL * len(draws))
        low = float(np.sort(np.where(undefined, least, draws))[cut])
        high = float(np.sort(np.where(undefined, np.inf, draws))[-1 - cut])
    room = unseen(pictures)
    ours, theirs = (1 - room) * top[:, 0], (1 - room) * under[:, 0]
    lowest = ours if least >= 0 else ours - room  # a difference may fall, too
    low = min(low, float(np.where(lowest < 0, lowest / theirs, lowest / (theirs + room)).mean()))
    high = max(high, float(((ours + room) / theirs).mean()))
    if not np.isfinite([low, high]).all():
        low, high = float("nan"), float("nan")
    return Estimate(value, low, high), int(undefined.sum())


def _doubt(what: str, doubtful: int, draws: int, name: str) -> list[str]:
    """What resamples without a value mean for the interval of `name`."""
    if not doubtful:
        return []
    many = doubtful > _TAIL * draws
    so = f"{name} has no interval" if many else "they count against both ends of the interval"
    return [f"In {doubtful} of {draws} resamples {what}: {so}."]


def _performance(clean: Measure, curves: Sequence[StressCurve]) -> Corrupted:
    """mPC and rPC: 1 less the share that is lost of the clean score, with its interval."""
    mean = 1 - _errors(curves, is_error=False).mean(axis=0)
    pictures = curves[0].pictures
    lost = loss_of(
        (clean.value, clean.draws),
        (float(mean[0]), mean[1:]),
        0.0,
        more_is_better=True,
        pictures=pictures,
    )
    meaning = "Mean AP50 over 15 corruptions and 5 severities (Michaelis et al. 2019)"
    if not lost.is_known:
        meaning += ". No rPC: the clean AP50, of which it is the share, is not surely above 0."
        return Corrupted("mPC", meaning, mean_of(curves))
    share = Estimate(1 - lost.value, 1 - lost.high, 1 - lost.low)
    return Corrupted(
        "mPC", f"{meaning}; rPC is its share of the clean AP50.", mean_of(curves), share, "rPC"
    )
