"""Two matched pictures side by side, with a line for each place that was found in both."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

import numpy as np

from striate.features.fitting import mapped
from striate.features.marks import Sheet, captioned, muted
from striate.pictures import enlarge, resize
from striate.pictures.draw import PAPER
from striate.pictures.lettering import spaced
from striate.pictures.palette import RGB, WHITE
from striate.types import Array, Picture

if TYPE_CHECKING:
    from striate.features.matching import Match

__all__ = ["draw_match"]

SIDE = 900
"""Longer side of each picture in the figure, at most; small ones are enlarged to a third of it."""

MOST_LINES = 80
"""Lines that can still be told apart."""


def draw_match(found: Match) -> Picture:
    """The figure of `found`, uint8 (H, W, 3), with a caption of its figures."""
    left, right = _fitted(found.picture_a), _fitted(found.picture_b)
    gap = 24
    height = max(left.shape[0], right.shape[0])
    canvas = np.empty((height, left.shape[1] + gap + right.shape[1], 3), np.uint8)
    canvas[:] = PAPER
    corners = []
    for one, x in ((muted(left), 0), (_outlined(found, right), left.shape[1] + gap)):
        top = (height - one.shape[0]) // 2
        canvas[top : top + one.shape[0], x : x + one.shape[1]] = one
        corners.append((x, top))
    sheet = Sheet(canvas, 1, 1 if height < 700 else 2)
    rows = _shown(found)
    starts = _placed(found.points_a[rows], found.picture_a, left) + corners[0]
    ends = _placed(found.points_b[rows], found.picture_b, right) + corners[1]
    colours = _hues(found.points_a[rows])
    sheet.lines(starts, ends, colours)
    sheet.dots(np.concatenate([starts, ends]), [*colours, *colours])
    return captioned(sheet.canvas, _caption(found, len(rows)), tone="good" if found.found else "bad")


def _fitted(picture: Picture) -> Picture:
    longest = max(picture.shape[:2])
    if longest <= SIDE:
        return enlarge(picture, SIDE // 3)
    scale = SIDE / longest
    return resize(
        picture, (max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale)))
    )


def _placed(points_xy: Array, original: Picture, shown: Picture) -> Array:
    """Places of the original picture in what is shown of it."""
    scale = np.array([shown.shape[1] / original.shape[1], shown.shape[0] / original.shape[0]])
    found: Array = (points_xy + 0.5) * scale - 0.5
    return found


def _shown(found: Match) -> Array:
    """The inliers to draw: if there are too many, spread over the first picture."""
    rows = np.flatnonzero(found.inliers)
    if len(rows) <= MOST_LINES:
        return rows
    points = found.points_a[rows].astype(np.float64)
    chosen = [int(found.keypoints_a.response[found.pairs[rows, 0]].argmax())]
    nearest = np.full(len(rows), np.inf)
    while len(chosen) < MOST_LINES:  # the one furthest from all that are drawn already
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(nearest.argmax()))
    picked: Array = rows[np.sort(chosen)]
    return picked


def _hues(points_xy: Array) -> list[RGB]:
    """A colour for each point, by its angle around the middle of all: neighbours look alike."""
    if not len(points_xy):
        return []
    away = points_xy - np.median(points_xy, axis=0)
    turns = (np.arctan2(away[:, 1], away[:, 0]) / (2 * np.pi)) % 1
    colours = (colorsys.hsv_to_rgb(float(turn), 0.55, 1.0) for turn in turns)
    return [(round(r * 255), round(g * 255), round(b * 255)) for r, g, b in colours]


def _outlined(found: Match, right: Picture) -> Picture:
    """The second picture, muted, with the border of the first one where it lies in it."""
    sheet = Sheet(np.ascontiguousarray(muted(right)), 1, 2)
    if found.matrix is not None:
        height, width = found.picture_a.shape[:2]
        border = np.array([(0, 0), (width, 0), (width, height), (0, height)], float) - 0.5
        there = mapped(found.matrix, border)
        if np.isfinite(there).all():
            sheet.polygon(_placed(there, found.picture_b, right), WHITE)
    return sheet.canvas


def _caption(found: Match, drawn: int) -> str:
    inliers, matches = int(found.inliers.sum()), len(found.pairs)
    if not found.found:
        return f"No match: {found.reason}"
    shown = f"; {drawn} are drawn" if drawn < inliers else ""
    return (
        f"{spaced(inliers)} of {spaced(matches)} {found.keypoints_a.kind.upper()} matches "
        f"({found.inlier_ratio:.0%}) fit one {found.model}{shown}"
    )
