"""How well the key points of a picture and of its changed copy agree."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from striate.features.repeatability.changes import Changed
from striate.features.repeatability.regions import (
    in_picture,
    local_affine,
    near_pairs,
    one_to_one,
    overlap_pairs,
    project,
)
from striate.features.repeatability.spots import Spots
from striate.randomness import hash64
from striate.types import Array, SizeHW

__all__ = ["RATIO", "SAME_PX", "Common", "PairScore", "common_part", "score_matches", "score_places"]

SAME_PX = 1.5
"""Distance at which Schmid, Mohr & Bauckhage (IJCV 2000) call two points the same."""

RATIO = 0.8
"""Lowe (IJCV 2004, section 7.1): a match whose distance is under 0.8 of the second is accepted."""


@dataclass(frozen=True, slots=True)
class PairScore:
    """The scores of one detector on one pair of pictures, shares from 0 to 1.

    `count_a`, `count_b`: key points in the part that both pictures show. `correspondences`: pairs of
    them with an overlap error below the limit, one to one. `repeatability`: correspondences over the
    smaller count. `same_place`: the same with points at most 1.5 px apart, whatever their size.
    `chance`: the repeatability if the second picture's points, with their sizes, lay anywhere.
    `matching`: correct nearest neighbours among the descriptors over the smaller count. `precision`:
    correct nearest neighbours over all. `distinctness`: the share of corresponding pairs that Lowe's
    ratio test would accept, being nearer than 0.8 of the nearest descriptor of another place.
    NaN: where there is nothing to divide by.
    """

    count_a: int
    count_b: int
    correspondences: int
    repeatability: float
    same_place: float
    chance: float
    matching: float = math.nan
    precision: float = math.nan
    distinctness: float = math.nan

    @property
    def above_chance(self) -> float:
        """The share that chance leaves to be gained, and how much of it is: 0 for luck, 1 for all.

        (repeatability - chance) / (1 - chance), as Cohen's kappa (1960) does for agreement.
        """
        if not self.chance < 1.0:
            return math.nan
        return (self.repeatability - self.chance) / (1.0 - self.chance)


@dataclass(frozen=True, slots=True)
class Common:
    """Key points in the part that both pictures show.

    `rows_a`, `rows_b`: which of the detector's. `points_a`, `points_b`: (N, 2) in the first picture's
    pixels; `shape_a`, `shape_b`: their regions there. `pairs`: (i, j) int64 (K, 2) with an overlap
    error below the limit, many to many, and `errors` (K,).
    """

    rows_a: Array
    rows_b: Array
    points_a: Array
    points_b: Array
    shape_a: Array
    shape_b: Array
    pairs: Array
    errors: Array

    @property
    def fewer(self) -> int:
        """The smaller count."""
        return min(len(self.points_a), len(self.points_b))

    def correspondences(self) -> Array:
        """The pairs (i, j), one to one, int64 (M, 2)."""
        kept = one_to_one(self.pairs[:, 0], self.pairs[:, 1], self.errors)
        found: Array = self.pairs[kept]
        return found


def common_part(a: Spots, b: Spots, changed: Changed, size_hw: SizeHW, *, most: float) -> Common:
    """Which points of `a` (in a picture of `size_hw`) and `b` (in `changed`) both pictures could show,
    and which regions overlap with an error below `most`."""
    back = np.linalg.inv(changed.homography)
    there = project(changed.homography, a.points_xy)
    here = project(back, b.points_xy)
    rows_a = np.flatnonzero(in_picture(there, _size(changed)) & ~_hidden(changed, there))
    own = in_picture(b.points_xy, _size(changed))
    rows_b = np.flatnonzero(own & in_picture(here, size_hw) & ~_hidden(changed, b.points_xy))
    points_a, points_b = a.points_xy[rows_a], here[rows_b]
    shape_a = a.shapes[rows_a]
    shape_b = _mapped(back, b.points_xy[rows_b], b.shapes[rows_b])
    first, second, errors = overlap_pairs(points_a, shape_a, points_b, shape_b, most)
    pairs = np.column_stack([first, second])
    return Common(rows_a, rows_b, points_a, points_b, shape_a, shape_b, pairs, errors)


def score_places(
    common: Common, b: Spots, changed: Changed, size_hw: SizeHW, *, most: float, seed: int
) -> PairScore:
    """The scores that look only at where and how large the regions are."""
    found = len(common.correspondences())
    there = project(changed.homography, common.points_a)
    first, second, gaps = near_pairs(there, b.points_xy[common.rows_b], SAME_PX)
    same = len(one_to_one(first, second, gaps))
    anywhere = _scattered(changed, size_hw, len(common.rows_b), seed)
    back = np.linalg.inv(changed.homography)
    shapes = _mapped(back, anywhere, b.shapes[common.rows_b][: len(anywhere)])
    by_chance = overlap_pairs(common.points_a, common.shape_a, project(back, anywhere), shapes, most)
    return PairScore(
        len(common.points_a),
        len(common.points_b),
        found,
        share(found, common),
        share(same, common),
        share(len(one_to_one(*by_chance)), common),
    )


def score_matches(common: Common, described_a: Array, described_b: Array) -> tuple[float, float, float]:
    """Matching score, precision and distinctness; see `PairScore`.

    `described_a`, `described_b`: descriptors of all key points, (N, D), compared by Euclidean distance.
    """
    first = described_a[common.rows_a].astype(np.float32)
    second = described_b[common.rows_b].astype(np.float32)
    if not common.fewer:
        return share(0, common), math.nan, math.nan
    apart = _distances(first, second)
    agree = np.zeros(apart.shape, np.bool_)
    agree[common.pairs[:, 0], common.pairs[:, 1]] = True
    rows, nearest = np.arange(len(first)), apart.argmin(axis=1)
    kept = one_to_one(rows, nearest, apart[rows, nearest])
    correct = int(agree[rows[kept], nearest[kept]].sum())
    true = common.correspondences()
    other = np.where(agree, np.inf, apart).min(axis=1)[true[:, 0]]
    told = apart[true[:, 0], true[:, 1]] < RATIO * other
    return share(correct, common), correct / len(kept), float(told.mean()) if len(told) else math.nan


def share(found: int, common: Common) -> float:
    """`found` over the smaller count; 0 where only one picture has points, NaN where neither has."""
    if common.fewer:
        return found / common.fewer
    return 0.0 if len(common.points_a) or len(common.points_b) else math.nan


def _distances(first: Array, second: Array) -> Array:
    """Euclidean distances (N, M)."""
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2.0 * first @ second.T
    found: Array = np.sqrt(np.maximum(squares, 0.0))
    return found


def _mapped(homography: Array, points_xy: Array, shapes: Array) -> Array:
    """Ellipses at `points_xy` as the ellipses that the homography makes of them, (N, 2, 2)."""
    bent = local_affine(homography, points_xy)
    found: Array = bent @ shapes @ bent.transpose(0, 2, 1)
    return found


def _hidden(changed: Changed, points_xy: Array) -> Array:
    """bool (N,): the point lies on the picture, and is covered."""
    height, width = changed.hidden.shape
    inside = in_picture(points_xy, (height, width))
    found = np.zeros(len(points_xy), np.bool_)
    x, y = np.rint(points_xy[inside]).astype(int).T
    found[inside] = changed.hidden[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    return found


def _scattered(changed: Changed, size_hw: SizeHW, count: int, seed: int) -> Array:
    """`count` points anywhere in the part of the changed picture that shows the first, float64 (n, 2).

    Fewer where hardly anything is shared.
    """
    rng = np.random.default_rng(hash64(seed, "chance"))
    back = np.linalg.inv(changed.homography)
    height, width = _size(changed)
    drawn = rng.random((max(40 * count, 400), 2)) * (width, height) - 0.5
    shared = in_picture(project(back, drawn), size_hw) & ~_hidden(changed, drawn)
    found: Array = drawn[shared][:count]
    return found


def _size(changed: Changed) -> SizeHW:
    return changed.picture.shape[0], changed.picture.shape[1]
