"""Matching: the same places in two pictures, and the map between them (Lowe 2004, §7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from striate.errors import UnknownNameError
from striate.features.fitting import MAPS, Fit, fit_map, log10_false_alarms
from striate.features.keypoints import Keypoints, describe, detect, is_binary
from striate.features.plane import work_scale
from striate.pictures.write import to_bytes
from striate.types import Array, Picture

__all__ = ["MODELS", "Match", "MatchModel", "match", "nearest_pairs"]

MatchModel: TypeAlias = Literal["homography", "affine", "similarity"]
MODELS: tuple[MatchModel, ...] = ("homography", "affine", "similarity")

MOST_POINTS = 4000
"""Key points of each picture that are compared, strongest first: 4000 · 4000 distances take 0.2 s."""

CERTAIN = -3.0
"""A map is believed if chance gives one as good in fewer than one of a thousand pairs of pictures."""


@dataclass(frozen=True, slots=True)
class Match:
    """Two pictures, what was found in both, and how the first lies in the second.

    `keypoints_a`, `keypoints_b`: in original pixels of their pictures. `pairs`: int64 (M, 2), rows of
    both. `inliers`: bool (M,), the pairs that `matrix` takes to within `threshold_px` of one another.
    `matrix`: float64 (3, 3), takes (x, y, 1) of the first picture to the second; None where there is
    none that can be believed, and then `reason` says why.
    """

    keypoints_a: Keypoints
    keypoints_b: Keypoints
    pairs: Array
    inliers: Array
    matrix: Array | None
    model: str
    threshold_px: float
    reason: str
    picture_a: Picture = field(repr=False)
    picture_b: Picture = field(repr=False)

    def __post_init__(self) -> None:
        count = len(self.pairs)
        if self.pairs.shape != (count, 2) or self.inliers.shape != (count,):
            raise ValueError(
                f"pairs {self.pairs.shape} and inliers {self.inliers.shape}: expected (M, 2) and (M,)"
            )
        if (self.matrix is None) != bool(self.reason):
            raise ValueError("expected either a matrix or a reason why there is none")

    @property
    def found(self) -> bool:
        """Whether the pictures show the same thing."""
        return self.matrix is not None

    @property
    def inlier_ratio(self) -> float:
        """Inliers among the matches; 0 without any."""
        return float(self.inliers.mean()) if len(self.inliers) else 0.0

    @property
    def points_a(self) -> Array:
        """The matched points of the first picture, float32 (M, 2)."""
        found: Array = self.keypoints_a.points_xy[self.pairs[:, 0]]
        return found

    @property
    def points_b(self) -> Array:
        """The matched points of the second picture, float32 (M, 2)."""
        found: Array = self.keypoints_b.points_xy[self.pairs[:, 1]]
        return found

    @property
    def scale_and_turn(self) -> tuple[float, float] | None:
        """How much larger the middle of the first picture is in the second, and by how many degrees,
        clockwise, it is turned there; None without a matrix."""
        if self.matrix is None:
            return None
        height, width = self.picture_a.shape[:2]
        middle = np.array([(width - 1) / 2, (height - 1) / 2, 1])
        x, y, depth = self.matrix @ middle
        # how the mapped point moves when the point does: the derivative of x / depth and y / depth
        slope = (self.matrix[:2, :2] - np.outer((x / depth, y / depth), self.matrix[2, :2])) / depth
        turn = np.degrees(np.arctan2(slope[1, 0] - slope[0, 1], slope[0, 0] + slope[1, 1]))
        return float(np.sqrt(abs(np.linalg.det(slope)))), float(turn)

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        scale, turn = self.scale_and_turn or (None, None)
        rounded = (np.round(one.astype(float), 2).tolist() for one in (self.points_a, self.points_b))
        return {
            "kind": self.keypoints_a.kind,
            "keypoints": [len(self.keypoints_a), len(self.keypoints_b)],
            "matches": len(self.pairs),
            "inliers": int(self.inliers.sum()),
            "inlier_ratio": round(self.inlier_ratio, 4),
            "found": self.found,
            "reason": self.reason,
            "model": self.model,
            "threshold_px": round(self.threshold_px, 3),
            "matrix": None if self.matrix is None else self.matrix.tolist(),
            "scale": None if scale is None else round(scale, 4),
            "turn_deg": None if turn is None else round(turn, 2) + 0.0,  # no -0
            **dict(zip(("points_a_xy", "points_b_xy"), rounded, strict=True)),
            "inlier": self.inliers.tolist(),
        }

    def plot(self) -> Picture:
        """Both pictures side by side, inliers joined by coloured lines, uint8 (H, W, 3)."""
        from striate.features.sidebyside import draw_match

        return draw_match(self)

    def _repr_png_(self) -> bytes:
        return to_bytes(self.plot())


def match(
    picture_a: Picture,
    picture_b: Picture,
    *,
    kind: str = "sift",
    descriptor: str | None = None,
    ratio: float = 0.8,
    model: MatchModel = "homography",
    threshold_px: float = 3.0,
    seed: int = 0,
    limit: int = MOST_POINTS,
) -> Match:
    """Find the places of `picture_a` in `picture_b`, both uint8 (H, W, 3), and the map between them.

    `kind`: a key point detector. `descriptor`: by default "orb" for ORB points, else "rootsift".
    `ratio`: a pair counts if each is the other's nearest, and the second nearest is further by 1 /
    `ratio`. `model`: the map. `threshold_px`: how far from its partner a mapped point may land, in
    pixels of the second picture; if that is larger than 1600 pixels, of its reduction to that size.
    `seed`: of the random samples; the same arguments give the same answer. `limit`: key points of each.
    """
    if model not in MAPS:
        raise UnknownNameError("model", model, MAPS)
    if not 0 < ratio <= 1:
        raise ValueError(f"ratio is {ratio}; expected a number above 0, at most 1")
    if not 0 < threshold_px < float("inf"):
        raise ValueError(f"threshold_px is {threshold_px}; expected a number above 0")
    name = descriptor or ("orb" if kind == "orb" else "rootsift")
    found = [detect(picture, kind, limit=limit) for picture in (picture_a, picture_b)]
    rows = [
        describe(picture, points, name)
        for picture, points in zip((picture_a, picture_b), found, strict=True)
    ]
    pairs = nearest_pairs(rows[0], rows[1], ratio=ratio, binary=is_binary(name))
    pairs = _distinct(pairs, found[0], found[1])
    threshold = threshold_px / work_scale((picture_b.shape[0], picture_b.shape[1]))
    rng = np.random.default_rng(seed)
    a, b = found[0].points_xy[pairs[:, 0]], found[1].points_xy[pairs[:, 1]]
    fit = fit_map(a, b, model, threshold_px=threshold, rng=rng)
    reason = _reason(found, pairs, fit, model, threshold, picture_b)
    inliers = np.zeros(len(pairs), bool) if fit is None or reason else fit.inliers
    matrix = None if fit is None or reason else fit.matrix / abs(fit.matrix[2, 2])
    return Match(
        found[0], found[1], pairs, inliers, matrix, model, threshold, reason, picture_a, picture_b
    )


def nearest_pairs(rows_a: Array, rows_b: Array, *, ratio: float, binary: bool) -> Array:
    """Rows that are each other's nearest, and clearly nearer than the second one: int64 (M, 2).

    `rows_a`, `rows_b`: descriptors. `ratio`: of the distance to the nearest of `rows_b` and to the
    second nearest, at most this; 1 asks for nothing. `binary`: distance is the number of other bits.
    """
    if not len(rows_a) or not len(rows_b):
        return np.zeros((0, 2), np.int64)
    if binary:  # as vectors of 0 and 1, whose squared distance is the number of other bits
        rows_a, rows_b = (np.unpackbits(rows, axis=1).astype(np.float32) for rows in (rows_a, rows_b))
    nearest, squared, back = _two_nearest(rows_a, rows_b)
    apart = squared if binary else np.sqrt(squared)
    index = np.arange(len(rows_a))
    clear = apart[:, 0] <= ratio * apart[:, 1]
    kept = (back[nearest] == index) & clear
    return np.column_stack([index[kept], nearest[kept]]).astype(np.int64)


def _two_nearest(rows_a: Array, rows_b: Array) -> tuple[Array, Array, Array]:
    """The nearest of b for each of a, (N,); its and the next one's squared distance, (N, 2); and the
    nearest of a for each of b."""
    squared = (rows_a**2).sum(axis=1)[:, None] + (rows_b**2).sum(axis=1) - 2 * (rows_a @ rows_b.T)
    nearest, back = squared.argmin(axis=1), squared.argmin(axis=0)
    first = np.take_along_axis(squared, nearest[:, None], 1)
    np.put_along_axis(squared, nearest[:, None], np.inf, 1)
    both = np.concatenate([first, squared.min(axis=1, keepdims=True)], axis=1)
    return nearest, np.maximum(both, 0), back


def _distinct(pairs: Array, a: Keypoints, b: Keypoints) -> Array:
    """`pairs` without those of the same two places: a spot with two directions is one witness."""
    places = np.column_stack([a.points_xy[pairs[:, 0]], b.points_xy[pairs[:, 1]]])
    kept = np.sort(np.unique(places.round(1), axis=0, return_index=True)[1])
    found: Array = pairs[kept]
    return found


def _reason(
    found: list[Keypoints],
    pairs: Array,
    fit: Fit | None,
    model: str,
    threshold: float,
    picture_b: Picture,
) -> str:
    """Why no map can be believed; empty if one can."""
    for which, points in zip(("first", "second"), found, strict=True):
        if not len(points):
            return f"the {which} picture has no key points of kind {points.kind}"
    needed = MAPS[model].sample
    if len(pairs) <= needed:
        return f"{len(pairs)} matches do not settle a {model}, which takes more than {needed}"
    if fit is None:
        return f"the matches lie on a line, or agree on no {model}"
    inliers = int(fit.inliers.sum())
    area = float(picture_b.shape[0] * picture_b.shape[1])
    alarms = log10_false_alarms(len(pairs), inliers, needed, np.pi * threshold**2 / area)
    if alarms > CERTAIN:
        return f"{inliers} of {len(pairs)} matches agree on a {model}, which can be chance"
    return ""
