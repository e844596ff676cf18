"""Stress by truncation: the thing pushed out of the frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.randomness import uniforms
from striate.stress.axes.warping import Projective, rim_colours
from striate.stress.changes import Axis, Changed, Material
from striate.types import Array, PictureArray, SizeHW

__all__ = ["TRUNCATION"]


_USUAL = 0.45
"""The edge is chosen over which so much is pushed out by the smallest move: the same at all levels."""


def _truncated(pictures: PictureArray, level: float, material: Material) -> Changed:
    """Each picture moved left, right, up or down by whole pixels, nothing resampled."""
    size_hw: SizeHW = (pictures.shape[1], pictures.shape[2])
    # chance decides between edges that are equally near
    chance = uniforms(0, 0, material.seeds, 4, stream="truncation")
    found = np.empty_like(pictures)
    if len(pictures):
        found[:] = rim_colours(pictures)[:, None, None]
    moves = []
    for row in range(len(pictures)):
        ways = _ways(None if material.masks is None else material.masks[row], size_hw)
        down, right = _push(ways[_nearest(ways, size_hw, chance[row])], level)
        to = (_kept(down, size_hw[0]), _kept(right, size_hw[1]))
        own = (_kept(-down, size_hw[0]), _kept(-right, size_hw[1]))
        found[row][to] = pictures[row][own]
        moves.append(Projective(np.array([[1.0, 0, right], [0, 1, down], [0, 0, 1]])))
    return Changed(found, tuple(moves))


def _kept(by: int, side: int) -> slice:
    """The part of a side that is still in the frame after a move `by` pixels."""
    return slice(max(by, 0), max(side + min(by, 0), 0))


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """Over one edge: the step (down, right), and the share that is outside after 0, 1, 2 … steps."""

    step: tuple[int, int]
    outside: Array

    def steps(self, share: float) -> int:
        return int(np.argmin(np.abs(self.outside - share)))


def _ways(mask: Array | None, size_hw: SizeHW) -> list[_Way]:
    """Up, down, left and right."""
    if mask is None or not mask.any():
        counts = np.ones(size_hw[0]), np.ones(size_hw[1])  # no object: the picture itself
    else:
        counts = mask.sum(axis=1), mask.sum(axis=0)
    ordered = [counts[0], counts[0][::-1], counts[1], counts[1][::-1]]
    steps = [(-1, 0), (1, 0), (0, -1), (0, 1)]
    return [
        _Way(step, np.concatenate([[0], np.cumsum(count)]) / count.sum())
        for step, count in zip(steps, ordered, strict=True)
    ]


def _nearest(ways: list[_Way], size_hw: SizeHW, chance: Array) -> int:
    far = [way.steps(_USUAL) / size_hw[way.step[0] == 0] for way in ways]
    return int(np.lexsort((chance, np.round(np.divide(far, 0.05))))[0])


def _push(way: _Way, level: float) -> tuple[int, int]:
    """Pixels down and right after which about `level` of the object lies outside."""
    count = way.steps(level)
    return way.step[0] * count, way.step[1] * count


TRUNCATION: tuple[Axis, ...] = (
    Axis(
        name="truncation",
        title="Pushed out of the frame",
        family="occlusion",
        unit="share outside",
        levels=(0.15, 0.3, 0.45, 0.6, 0.75),
        change=_truncated,
        source="moved over its nearest edge until so much of the object is outside, or of the picture "
        "where no object is known; what comes in has the median colour of the rim",
    ),
)
"""The axis of truncation."""
