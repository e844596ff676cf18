"""Two runs on the same pictures, changed alike: which of them surely bears an axis better.

Compared one by one along forty axes, two equal runs would look different on two by luck. So the
intervals that decide hold all at once: in 95 of 100 repeats none of them misses. They are as many
standard errors wide as the largest of all differences strays in 95 % of the resamples (max-t; Westfall &
Young 1993; Romano & Wolf 2005). Corrections that see only p-values, such as Holm's, would need finer
ones than a thousand resamples can tell, and ignore that the axes share their pictures, so their luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.metrics.plain import plain_pair
from striate.stress.curves import Estimate, StressCurve, estimate
from striate.stress.judged import Measure
from striate.stress.resamples import with_room
from striate.types import Array

__all__ = ["Difference", "differences", "rival_words"]

_NAMED = 3
_LEVEL = 0.95
_SINGLE = 1.96
_FEWEST = 20
"""Standard errors of a single normal difference: no more certain of many."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one run is than another along an axis: the score, averaged over severities.

    `gain` is above 0 where the first is better, whichever way its score points. Both passes are
    resampled alike, so its interval is that of a paired difference, of this axis alone. `together`: the
    interval that holds with those of all the other axes at once.
    """

    axis: str
    title: str
    gain: Estimate
    together: tuple[float, float]

    @property
    def surely(self) -> int:
        """1 where the first is better, −1 where it is worse, 0 where all axes together leave it open."""
        low, high = self.together
        return int(low > 0) - int(high < 0)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "axis": self.axis,
            **self.gain.to_dict(),
            "interval_of_all": plain_pair(self.together),
            "surely": ("worse", None, "better")[self.surely + 1],
        }


def differences(
    ours: Sequence[StressCurve], theirs: Sequence[StressCurve], *, more_is_better: bool
) -> list[Difference]:
    """Of the axes that both were measured along at the same severities."""
    known = {one.axis.name: one for one in theirs}
    sign = 1 if more_is_better else -1
    pairs = [
        (one, known[one.axis.name])
        for one in ours
        if one.axis.name in known and _severities(one) == _severities(known[one.axis.name])
    ]
    gains = [_gain(one, other, sign) for one, other in pairs]
    return [
        Difference(one.axis.name, one.axis.title, estimate(gain), interval)
        for (one, _), gain, interval in zip(pairs, gains, _all_together(gains), strict=True)
    ]


def _severities(curve: StressCurve) -> list[int]:
    return [one.severity for one in curve.levels]


def _gain(one: StressCurve, other: StressCurve, sign: int) -> Measure:
    values = [level.score.value for level in one.levels]
    others = [level.score.value for level in other.levels]
    most = max(one.bounds[1], other.bounds[1]) - min(one.bounds[0], other.bounds[0])
    value = sign * float(np.mean(values) - np.mean(others))
    draws = sign * (one.draws - other.draws).mean(axis=0)
    return Measure(value, draws, one.pictures, (-most, most))


def _all_together(gains: Sequence[Measure]) -> list[tuple[float, float]]:
    """Intervals of all `gains` that hold at once, with the room that each one's pictures need.

    NaN for those with hardly a draw, as of AP where nothing is to be found: one would take them all.
    """
    known = [at for at, one in enumerate(gains) if np.isfinite(one.draws).sum() >= _FEWEST]
    found = [(float("nan"), float("nan"))] * len(gains)
    for at, interval in zip(known, _joint([gains[at] for at in known]), strict=True):
        found[at] = interval
    return found


def _joint(gains: Sequence[Measure]) -> list[tuple[float, float]]:
    """Symmetric intervals as wide as the largest deviation over all `gains` asks for."""
    if not gains:
        return []
    shared = min(len(one.draws) for one in gains)  # few axes change only some of the pictures
    draws = np.stack([one.draws[:shared] for one in gains])  # (K, R)
    draws = draws[:, np.isfinite(draws).all(axis=0)]
    if draws.shape[1] < 2:
        return [(float("nan"), float("nan"))] * len(gains)
    errors = np.array([_error(one, row) for one, row in zip(gains, draws, strict=True)])
    middle = draws.mean(axis=1)
    apart = np.abs(draws - middle[:, None]) / errors[:, None]
    reach = errors * max(_SINGLE, float(np.quantile(apart.max(axis=0), _LEVEL)))
    return [
        with_room(one.value, (one.value - by, one.value + by), one.pictures, one.bounds)
        for one, by in zip(gains, reach.tolist(), strict=True)
    ]


def _error(gain: Measure, draws: Array) -> float:
    """The standard error of `gain`, as if a picture more had been seen in favour of each run.

    Of a few pictures on which the runs differ, all for the same one, resampling alone is too sure
    (Bonett & Price 2012).
    """
    each = gain.bounds[1] / gain.pictures
    return float(np.hypot(draws.std(ddof=1), np.sqrt(2) * each))


def rival_words(run: str, other: str, found: Sequence[Difference]) -> str:
    """Who is surely better on which axes, those of the largest difference by name."""
    if not found:
        return f"No axis was measured on both {run} and {other}."
    better = sorted((one for one in found if one.surely > 0), key=lambda one: -one.gain.value)
    worse = sorted((one for one in found if one.surely < 0), key=lambda one: one.gain.value)
    said = (
        f"Averaged over severities {run} is surely better than {other} on {len(better)} of {len(found)} "
        f"axes{_named(better)}, surely worse on {len(worse)}{_named(worse)}."
    )
    blind = sum(not np.isfinite(one.together).all() for one in found)
    if blind:
        said += f" On {blind} of them that cannot be told from these pictures."
    if len(found) == 1:
        return said
    return (
        f"{said} Surely: the 95 % intervals of all {len(found)} axes hold at once; two equal runs would "
        "be told apart on some axis in one comparison of twenty."
    )


def _named(some: Sequence[Difference]) -> str:
    if not some:
        return ""
    named = ", ".join(f"{one.title} by {abs(one.gain.value):.2g}" for one in some[:_NAMED])
    return f" ({named}{' …' if len(some) > _NAMED else ''})"
