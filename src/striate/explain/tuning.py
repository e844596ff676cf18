"""Measures of a tuning curve: where it peaks, how wide it is, how selective.

A curve is the response float (A,) at A angles that divide 180° evenly, each at least 0: what the unit
gives above its answer to an even picture (neurons: above spontaneous firing).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from striate.metrics.plain import plain
from striate.types import Array

__all__ = [
    "Curve",
    "above_blank",
    "half_width",
    "modulation",
    "peak_angle",
    "selectivity",
    "span_at_half",
]


@dataclass(frozen=True, slots=True)
class Curve:
    """A tuning curve and what it tells.

    `peak_deg` in [0, 180). `half_width_deg`: half the width at half the height, None where the curve
    nowhere falls to half (over 90° on a side). `selectivity`: 1 − circular variance: 1 answers to one
    angle only, 0 to all alike. All None for a unit that is silent.
    """

    angles_deg: tuple[float, ...]
    responses: tuple[float, ...]
    peak_deg: float | None
    half_width_deg: float | None
    selectivity: float | None

    @classmethod
    def of(cls, angles_deg: Array, responses: Array, *, silent: bool = False) -> Curve:
        """`responses` (A,) at `angles_deg` (A,)."""
        quiet = silent or not responses.max() > 0
        return cls(
            tuple(map(float, angles_deg)),
            tuple(map(float, responses)),
            None if quiet else peak_angle(responses),
            None if quiet else half_width(responses),
            None if quiet else selectivity(responses),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "peak_deg": self.peak_deg,
            "half_width_deg": self.half_width_deg,
            "selectivity": self.selectivity,
            "angles_deg": list(self.angles_deg),
            "responses": [plain(one) for one in self.responses],
        }


def above_blank(responses: Array, rest: Array | float) -> Array:
    """`responses` as far as they exceed `rest`, the answer to an even picture; float64."""
    found: Array = np.maximum(np.asarray(responses, np.float64) - rest, 0.0)
    return found


def peak_angle(responses: Array) -> float:
    """Degrees in [0, 180): of the highest sample, moved to the top of the parabola through it and its
    neighbours."""
    count = len(responses)
    top = int(np.argmax(responses))
    before, here, after = (float(responses[(top + by) % count]) for by in (-1, 0, 1))
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend < 0 and count > 2 else 0.0
    return float((top + shift) * 180 / count % 180)


def half_width(responses: Array) -> float | None:
    """Half the width of the peak at half its height, degrees; None where a side does not fall so far."""
    count = len(responses)
    top = int(np.argmax(responses))
    sides = [
        _fall(np.take(responses, top + way * np.arange(count // 2 + 1), mode="wrap")) for way in (-1, 1)
    ]
    found = [one * 180 / count for one in sides if one is not None]
    return float(sum(found) / 2) if len(found) == 2 else None


def _fall(side: Array) -> float | None:
    """Steps until `side`, which starts at the top, is at half of it, between samples."""
    half = side[0] / 2
    below = np.flatnonzero(side <= half)
    if not len(below):
        return None
    at = int(below[0])
    return at - float((half - side[at]) / (side[at - 1] - side[at]))


def selectivity(responses: Array) -> float:
    """1 − circular variance = |Σ r e^{2iθ}| / Σ r, 0 to 1 (Ringach et al. 2002); NaN for none.

    >>> float(round(selectivity(np.array([1.0, 0, 0, 0])), 6)), float(round(selectivity(np.ones(4)), 6))
    (1.0, 0.0)
    """
    total = float(np.sum(responses))
    if not total > 0:
        return float("nan")
    turns = np.exp(2j * np.pi * np.arange(len(responses)) / len(responses))
    return min(1.0, float(abs(np.sum(responses * turns)) / total))


def span_at_half(offsets: Array, responses: Array) -> float:
    """Over how many pixels of `offsets` (O,), evenly spaced, `responses` (O,) reach half their height.

    All stretches count: a unit that answers on either side of a gap tolerates both.
    """
    half = float(np.max(responses)) / 2
    if not half > 0:
        return 0.0
    step = float(offsets[1] - offsets[0])
    total = 0.0
    for one, other in pairwise(responses.tolist()):
        high, low = max(one, other), min(one, other)
        if low >= half:
            total += step
        elif high > half:
            total += step * float((high - half) / (high - low))
    return min(total, float(offsets[-1] - offsets[0]))


def modulation(responses: Array) -> float | None:
    """F1/F0 of responses (P,) to a grating at P even phases, uncut at zero but above the blank.

    Above 1 a "simple" cell, which wants its stripes in place; below, a "complex" one, which does not
    care (Skottun et al. 1991). None for a unit that is silent.
    """
    cut = np.maximum(responses, 0.0)
    mean = float(np.mean(cut))
    if not mean > 0:
        return None
    first = 2 * abs(np.fft.rfft(cut)[1]) / len(cut)
    return float(first / mean)
