"""The curve of a run along one axis: scores, intervals and losses by severity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.metrics.intervals import wilson_interval
from striate.metrics.plain import plain, plain_pair
from striate.stress.changes import Axis
from striate.stress.judged import Judged, Measure
from striate.stress.knee import Loss, Verdict, knee_of, loss_of, steepest, verdict_of
from striate.stress.resamples import ends, with_room
from striate.types import Array

__all__ = ["Estimate", "Level", "StressCurve", "curve_of", "estimate", "mean_of"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval; NaN ends where there is none."""

    value: float
    low: float
    high: float

    @property
    def interval(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def words(self) -> str:
        """With its interval: "0.950 (0.764 to 0.991)"."""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def to_dict(self) -> dict[str, Any]:
        return {"value": plain(self.value), "interval": plain_pair(self.interval)}


def estimate(measure: Measure) -> Estimate:
    """With Wilson's interval where it is a share of the pictures, else with the middle of its draws and
    room for what so few pictures cannot exclude."""
    value, count = measure.value, measure.pictures
    if measure.is_share:
        low, high = wilson_interval(round(value * count), count)
        return Estimate(value, float(low), float(high))
    interval = ends(measure.draws)
    if count:
        interval = with_room(value, interval, count, measure.bounds)
    return Estimate(value, *interval)


@dataclass(frozen=True, slots=True)
class Level:
    """One severity: the score, what is lost, and further measures (calibration …)."""

    severity: int
    level: float
    score: Estimate
    loss: Loss
    more: Mapping[str, Estimate]
    flipped: int
    """Pictures that were right and are now wrong."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "severity": self.severity,
            "level": self.level,
            "score": plain(self.score.value),
            "interval": plain_pair(self.score.interval),
            "loss": plain(self.loss.value),
            "loss_interval": plain_pair((self.loss.low, self.loss.high)),
            "fallen": self.flipped,
            **{name: one.to_dict() for name, one in self.more.items()},
        }


@dataclass(frozen=True, slots=True, eq=False)
class StressCurve:
    """All severities that were measured, mild to harsh. `draws` float64 (S, R): of the scores.

    `pictures`, `bounds`: how many there are, and what one of them can contribute to a score. An axis
    may change only some of a card's pictures: `clean` is the score of those as they are.
    """

    axis: Axis
    levels: tuple[Level, ...]
    draws: Array
    pictures: int
    bounds: tuple[float, float]
    clean: Estimate
    seconds: float = 0.0

    @property
    def losses(self) -> list[Loss]:
        return [one.loss for one in self.levels]

    @property
    def verdict(self) -> Verdict:
        return verdict_of(self.losses)

    @property
    def knee(self) -> Level | None:
        """The mildest severity with a sure loss above a tenth."""
        at = knee_of(self.losses)
        return None if at is None else self.levels[at]

    @property
    def steepest(self) -> Level | None:
        """The severity on the way to which most is lost."""
        at = steepest(self.losses)
        return None if at is None else self.levels[at]

    @property
    def worst_loss(self) -> float:
        """The largest mean loss; NaN where there is nothing to lose."""
        known = [one.value for one in self.losses if one.is_known]
        return max(known) if known else float("nan")

    @property
    def mean_loss(self) -> float:
        """Over the severities; NaN where there is nothing to lose."""
        known = [one.value for one in self.losses if one.is_known]
        return float(np.mean(known)) if known else float("nan")

    def at(self, severity: int) -> Level | None:
        """The level of a severity, if it was measured."""
        return next((one for one in self.levels if one.severity == severity), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        axis, knee, steep = self.axis, self.knee, self.steepest
        return {
            "axis": axis.name,
            "title": axis.title,
            "family": axis.family,
            "unit": axis.unit,
            "source": axis.source,
            "verdict": self.verdict,
            "knee": None if knee is None else {"severity": knee.severity, "level": knee.level},
            "steepest": None if steep is None else {"severity": steep.severity, "level": steep.level},
            "mean_loss": plain(self.mean_loss),
            "pictures": self.pictures,
            "clean": plain(self.clean.value),
            "seconds": round(self.seconds, 3),
            "levels": [one.to_dict() for one in self.levels],
        }


def curve_of(
    axis: Axis,
    clean: Judged,
    passes: Sequence[tuple[int, Judged]],
    chance: float,
    *,
    more_is_better: bool,
    fallen: Sequence[int],
    seconds: float = 0.0,
) -> StressCurve:
    """The curve of `passes`: (severity, what it came to), mild to harsh."""
    before, pictures = (clean.headline.value, clean.headline.draws), len(clean.marks)
    levels = []
    for (severity, found), count in zip(passes, fallen, strict=True):
        after = (found.headline.value, found.headline.draws)
        levels.append(
            Level(
                severity,
                axis.levels[severity - 1],
                estimate(found.headline),
                loss_of(before, after, chance, more_is_better=more_is_better, pictures=pictures),
                {name: estimate(one) for name, one in found.more.items()},
                count,
            )
        )
    draws = np.stack([one.headline.draws for _, one in passes])
    all_bounds = np.array([one.headline.bounds for _, one in passes])
    bounds = float(all_bounds[:, 0].min()), float(all_bounds[:, 1].max())
    return StressCurve(axis, tuple(levels), draws, pictures, bounds, estimate(clean.headline), seconds)


def mean_of(curves: Sequence[StressCurve]) -> Estimate:
    """The mean score over all severities of `curves`, with the interval that their pairing gives."""
    values = [level.score.value for curve in curves for level in curve.levels]
    draws = np.concatenate([curve.draws for curve in curves]).mean(axis=0)
    bounds = min(one.bounds[0] for one in curves), max(one.bounds[1] for one in curves)
    return estimate(Measure(float(np.mean(values)), draws, curves[0].pictures, bounds))
