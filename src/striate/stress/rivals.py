"""Two runs on the same pictures, changed alike: which of them surely bears an axis better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.stress.curves import Estimate, StressCurve, estimate
from striate.stress.judged import Measure

__all__ = ["Difference", "differences", "rival_words"]

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one run is than another along an axis: the score, averaged over severities.

    `gain` is above 0 where the first is better, whichever way its score points. Both passes are
    resampled alike, so its interval is that of a paired difference.
    """

    axis: str
    title: str
    gain: Estimate

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"axis": self.axis, **self.gain.to_dict()}


def differences(
    ours: Sequence[StressCurve], theirs: Sequence[StressCurve], *, more_is_better: bool
) -> list[Difference]:
    """Of the axes that both were measured along at the same severities."""
    known = {one.axis.name: one for one in theirs}
    sign = 1 if more_is_better else -1
    return [
        Difference(one.axis.name, one.axis.title, _gain(one, known[one.axis.name], sign))
        for one in ours
        if one.axis.name in known and _severities(one) == _severities(known[one.axis.name])
    ]


def _severities(curve: StressCurve) -> list[int]:
    return [one.severity for one in curve.levels]


def _gain(one: StressCurve, other: StressCurve, sign: int) -> Estimate:
    values = [level.score.value for level in one.levels]
    others = [level.score.value for level in other.levels]
    most = max(one.bounds[1], other.bounds[1]) - min(one.bounds[0], other.bounds[0])
    value = sign * float(np.mean(values) - np.mean(others))
    draws = sign * (one.draws - other.draws).mean(axis=0)
    return estimate(Measure(value, draws, one.pictures, (-most, most)))


def rival_words(run: str, other: str, found: Sequence[Difference]) -> str:
    """Who is surely better on which axes, those of the largest difference by name."""
    if not found:
        return f"No axis was measured on both {run} and {other}."
    better = sorted((one for one in found if one.gain.low > 0), key=lambda one: -one.gain.value)
    worse = sorted((one for one in found if one.gain.high < 0), key=lambda one: one.gain.value)
    return (
        f"Averaged over severities {run} is surely better than {other} on {len(better)} of {len(found)} "
        f"axes{_named(better)}, surely worse on {len(worse)}{_named(worse)}."
    )


def _named(some: Sequence[Difference]) -> str:
    if not some:
        return ""
    named = ", ".join(f"{one.title} by {abs(one.gain.value):.2g}" for one in some[:_NAMED])
    return f" ({named}{' …' if len(some) > _NAMED else ''})"
