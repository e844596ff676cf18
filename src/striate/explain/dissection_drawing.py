"""Pictures with what a unit saw lit, and what is really there outlined."""

from __future__ import annotations

import numpy as np

from striate.explain.dissection import SeenMask
from striate.pictures.resize import resize
from striate.pictures.views import grey_levels
from striate.types import Array, Picture

__all__ = ["lit"]

_UNLIT, _GAINS = 120.0, (0.5, 0.9)
"""How bright the brightest of the unlit part becomes, 0 to 255, within what it may be dimmed by."""
_UNIT, _TRUTH, _HALO = (255, 196, 0), (64, 224, 255), (16, 20, 28)
_SIDE = 480


def lit(picture: Picture, mask: SeenMask, active: Array, concept: int) -> Picture:
    """`picture` uint8 (H, W, 3), dim and grey but where the unit is `active` (h, w) by `active_in`.

    An orange line surrounds what is lit, a blue one the concept. Reduced to 480 pixels at most.
    """
    size_hw = (picture.shape[0], picture.shape[1])
    scale = min(1.0, _SIDE / max(size_hw))
    small = (max(1, round(size_hw[0] * scale)), max(1, round(size_hw[1] * scale)))
    shown = resize(picture, small)
    rows, columns = (
        _nearest(lines, side, side_now)
        for lines, side, side_now in zip((mask.rows, mask.columns), size_hw, small, strict=True)
    )
    inside = np.ix_(rows >= 0, columns >= 0)
    taken = np.ix_(rows[rows >= 0], columns[columns >= 0])
    bright, truth = np.zeros(small, bool), np.zeros(small, bool)
    bright[inside] = active[taken]
    truth[inside] = (mask.labels == concept)[taken]
    grey = grey_levels(shown)
    gain = float(np.clip(_UNLIT / max(1.0, float(np.percentile(grey, 95))), *_GAINS))
    grey = (grey * gain).astype(np.uint8)[:, :, None]
    found = np.where(bright[:, :, None], shown, grey)
    for area, ink in ((truth, _TRUTH), (bright, _UNIT)):
        line = _edge(area) | (_grown(area) & ~area)  # two pixels: seen on a telephone, too
        found[_grown(line) & ~line] = _HALO
        found[line] = ink
    return np.ascontiguousarray(found, np.uint8)


def _nearest(lines: Array, side: int, side_now: int) -> Array:
    """For each line of the drawing which of `lines`, of a picture of `side`, it shows, or −1."""
    if not len(lines):
        return np.full(side_now, -1)
    wanted = (np.arange(side_now) + 0.5) * side / side_now - 0.5
    at = np.abs(lines[:, None] - wanted).argmin(axis=0)
    step = float(np.diff(lines).max()) if len(lines) > 1 else 1.0
    found: Array = np.where(np.abs(lines[at] - wanted) <= max(step, side / side_now), at, -1)
    return found


def _edge(area: Array) -> Array:
    """The outermost pixels of `area` (H, W); where it meets the edge of the picture there are none."""
    padded = np.pad(area, 1, mode="edge")
    around = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    found: Array = area & ~around
    return found


def _grown(area: Array) -> Array:
    padded = np.pad(area, 1)
    found: Array = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:] | area
    return found
