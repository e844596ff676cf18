"""Edges: Canny's lines of strongest change, one pixel wide."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from striate.features.opencv import cv2_module
from striate.features.scalespace import blurred
from striate.types import Array, Picture, check_picture

__all__ = ["Edges", "canny"]

SIGMA = 1.4
LOW_SHARE = 0.4
"""The lower threshold, of the upper one: Canny found a ratio of two or three to one to work."""

LEAST_HIGH = 0.01
"""Upper threshold, at least: below it, rounding to whole grey levels makes edges on even slopes."""

FINE = 2.0**14
"""Gradients are handed on as whole numbers of this fraction."""


@dataclass(frozen=True, slots=True)
class Edges:
    """`mask`: bool (H, W), the pixels on an edge. `low`, `high`: thresholds on the length of the
    gradient, in whites per pixel (black to white in one pixel is 1). `sigma`: blur beforehand, pixels.
    """

    mask: Array = field(repr=False)
    low: float
    high: float
    sigma: float

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "edge_pixels": int(self.mask.sum()),
            "share": round(float(self.mask.mean()), 6),
            "low": round(self.low, 5),
            "high": round(self.high, 5),
            "sigma": self.sigma,
        }


def canny(
    picture: Picture, *, sigma: float = SIGMA, low: float | None = None, high: float | None = None
) -> Edges:
    """The edges of `picture`, uint8 (H, W, 3), in grey (Canny, PAMI 1986).

    A pixel is an edge where the gradient is longest across it, and longer than `high` or connected,
    through such pixels, to one that is; all of them longer than `low`. Left out, `high` is Otsu's
    threshold of the gradient at its crests, which parts contrast from texture, and `low` 0.4 of `high`.
    A `ValueError` for thresholds that are not 0 < low <= high, or a sigma not above 0.
    """
    if not sigma > 0:
        raise ValueError(f"sigma is {sigma}; expected a number above 0")
    cv2 = cv2_module()
    grey = cv2.cvtColor(np.ascontiguousarray(check_picture(picture)), cv2.COLOR_RGB2GRAY)
    image = blurred(grey.astype(np.float32) / 255, sigma)
    dx, dy = (cv2.Sobel(image, cv2.CV_32F, *order, ksize=3, scale=1 / 8) for order in ((1, 0), (0, 1)))
    length = cv2.magnitude(dx, dy)
    if high is None:
        high = max(_otsu(_crests(length)), LEAST_HIGH)
        high = max(high, low or 0.0)
    low = high * LOW_SHARE if low is None else low
    if not 0 < low <= high:
        raise ValueError(f"low is {low} and high {high}; expected 0 < low <= high")
    whole = [np.rint(one * FINE).astype(np.int16) for one in (dx, dy)]
    mask = cv2.Canny(*whole, low * FINE, high * FINE, L2gradient=True) > 0
    return Edges(mask, float(low), float(high), sigma)


def _crests(length: Array) -> Array:
    """The gradient where it is a maximum of its row or column, and more than rounding."""
    middle = length[1:-1, 1:-1]
    across = (middle >= length[1:-1, :-2]) & (middle >= length[1:-1, 2:])
    down = (middle >= length[:-2, 1:-1]) & (middle >= length[2:, 1:-1])
    found: Array = middle[(across | down) & (middle > LEAST_HIGH * LOW_SHARE)]
    return found


def _otsu(values: Array) -> float:
    """The threshold that parts `values` into two groups with the least spread within (Otsu 1979)."""
    if not len(values):
        return 0.0
    if float(values.max() - values.min()) < LEAST_HIGH:  # one group: all of it is edge
        return float(values.min()) / 2
    counts, ends = np.histogram(values, bins=256)
    middles = (ends[1:] + ends[:-1]) / 2
    below, total = counts.cumsum(), counts.sum()
    sums = (counts * middles).cumsum()
    between = np.zeros(256)
    inner = (below > 0) & (below < total)
    between[inner] = (sums[-1] * below[inner] - total * sums[inner]) ** 2 / (
        below[inner] * (total - below[inner])
    )
    return float(ends[1:][between.argmax()])
