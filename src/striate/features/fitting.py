"""The map that most pairs of points agree on: RANSAC with a seed of its own, for three kinds of map.

OpenCV draws similarities from a generator that the whole process shares, so its answers depend on what
was asked before; here the generator is an argument, and one search serves all three maps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from striate.features.opencv import cv2_module
from striate.types import Array

__all__ = ["MAPS", "Fit", "fit_map", "log10_false_alarms", "mapped"]

CONFIDENCE = 0.9999
MOST_SAMPLES, BATCH = 20_000, 500


@dataclass(frozen=True, slots=True)
class PlaneMap:
    """A kind of map of the plane. `sample`: pairs that determine it. `solve`: float64 (K, s, 2) twice
    to (K, 3, 3), one map a sample. `refine`: (N, 2) twice to the least-squares map (3, 3), or None."""

    sample: int
    solve: Callable[[Array, Array], Array]
    refine: Callable[[Array, Array], Array | None]


@dataclass(frozen=True, slots=True)
class Fit:
    """`matrix`: float64 (3, 3), of points (x, y, 1) of the first set. `inliers`: mask (N,)."""

    matrix: Array
    inliers: Array


def mapped(matrix: Array, points_xy: Array) -> Array:
    """Points (N, 2) under a map (3, 3), or under many, (K, 3, 3) to (K, N, 2); infinite ones are NaN."""
    there = points_xy @ matrix[..., :2].swapaxes(-1, -2) + matrix[..., None, :, 2]
    depth = there[..., 2:]
    found: Array = there[..., :2] / np.where(depth > 1e-9, depth, np.nan)
    return found


def fit_map(
    points_a: Array,
    points_b: Array,
    kind: str,
    *,
    threshold_px: float,
    rng: np.random.Generator,
) -> Fit | None:
    """The map of `kind` that takes most of `points_a` to within `threshold_px` of `points_b`, (N, 2).

    Samples are drawn until a better map would have been found with 99.99 % probability, at most 20 000;
    the best one of a batch is refined on its inliers (LO-RANSAC, Chum, Matas and Kittler 2003). None
    where there are too few pairs, or all of them lie on a line.
    """
    plane_map = MAPS[kind]
    if len(points_a) < plane_map.sample:
        return None
    a, b = (np.asarray(points, np.float64) for points in (points_a, points_b))
    best: Fit | None = None
    best_score, drawn, needed = math.inf, 0, float(MOST_SAMPLES)
    while drawn < min(needed, MOST_SAMPLES):
        rows = rng.integers(0, len(a), (BATCH, plane_map.sample))
        drawn += BATCH
        rows = rows[_proper(a[rows]) & _proper(b[rows]) & _same_side(a[rows], b[rows])]
        if not len(rows):
            continue
        maps = plane_map.solve(a[rows], b[rows])
        scores = _scores(maps, a, b, threshold_px)
        chosen = int(scores.argmin())
        if scores[chosen] >= best_score:
            continue
        fit, score = _polished(maps[chosen], a, b, plane_map, threshold_px)
        if score < best_score and fit.inliers.sum() >= plane_map.sample:
            best, best_score = fit, score
            share = float(fit.inliers.mean()) ** plane_map.sample
            needed = math.log(1 - CONFIDENCE) / math.log1p(-share) if share < 1 else 0.0
    return best


def log10_false_alarms(count: int, inliers: int, sample: int, chance: float) -> float:
    """log10 of how many maps with so many inliers are expected from pairs that mean nothing.

    `count` pairs, each of which a wrong map fits with probability `chance`. Below 0 it is no accident
    (Moisan and Stival, "A probabilistic criterion to detect rigid point matches", IJCV 2004, eq. 7).
    """
    if inliers <= sample:
        return math.inf
    ways = _log_choose(count, inliers) + _log_choose(inliers, sample)
    log = math.log(count - sample) + ways + (inliers - sample) * math.log(min(chance, 1.0))
    return log / math.log(10)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _polished(
    matrix: Array, a: Array, b: Array, plane_map: PlaneMap, threshold_px: float
) -> tuple[Fit, float]:
    """The map fitted to its inliers again and again, while that makes it better."""
    fit = Fit(matrix, _distances(matrix, a, b) <= threshold_px)
    score = float(_scores(matrix[None], a, b, threshold_px)[0])
    for _ in range(10):
        if fit.inliers.sum() <= plane_map.sample:
            break
        again = plane_map.refine(a[fit.inliers], b[fit.inliers])
        if again is None:
            break
        again_score = float(_scores(again[None], a, b, threshold_px)[0])
        if not again_score < score:
            break
        fit, score = Fit(again, _distances(again, a, b) <= threshold_px), again_score
    return fit, score


def _distances(maps: Array, a: Array, b: Array) -> Array:
    """How far the map takes each of `a` from its `b`; infinite where it takes it to infinity."""
    gaps = mapped(maps, a) - b
    found: Array = np.nan_to_num(np.hypot(gaps[..., 0], gaps[..., 1]), nan=np.inf)
    return found


def _scores(maps: Array, a: Array, b: Array, threshold_px: float) -> Array:
    """Squared distances, cut off at the threshold, summed (MSAC, Torr and Zisserman 2000), (K,)."""
    found: Array = np.minimum(_distances(maps, a, b) ** 2, threshold_px**2).sum(axis=1)
    return found


def _triangles(points: Array) -> Array:
    """Twice the signed area of each triple of the points of a sample, (K, triples)."""
    count = points.shape[1]
    triples = [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)] if count == 4 else [(0, 1, 2)]
    sides = [(points[:, j] - points[:, i], points[:, k] - points[:, i]) for i, j, k in triples]
    return np.stack([u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0] for u, v in sides], axis=1)


def _proper(points: Array) -> Array:
    """Whether the points of each sample are apart, and no three of them on a line, (K,)."""
    if points.shape[1] == 2:
        apart: Array = np.linalg.norm(points[:, 0] - points[:, 1], axis=1)
        return apart > 1
    found: Array = np.all(np.abs(_triangles(points)) > 1, axis=1)
    return found


def _same_side(a: Array, b: Array) -> Array:
    """Whether all triangles of each sample keep their turn: no map seen from the front mirrors, (K,)."""
    if a.shape[1] == 2:
        return np.ones(len(a), bool)
    found: Array = np.all(_triangles(a) * _triangles(b) > 0, axis=1)
    return found


def _solve_similarity(a: Array, b: Array) -> Array:
    z, w = (points[..., 0] + 1j * points[..., 1] for points in (a, b))
    factor = (w[:, 1] - w[:, 0]) / (z[:, 1] - z[:, 0])
    return _similarity_matrices(factor, w[:, 0] - factor * z[:, 0])


def _refine_similarity(a: Array, b: Array) -> Array | None:
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (a, b))
    spread = z - z.mean()
    size = float((np.abs(spread) ** 2).sum())
    if size < 1e-9:
        return None
    factor = np.atleast_1d((spread.conj() * (w - w.mean())).sum() / size)
    found: Array = _similarity_matrices(factor, w.mean() - factor * z.mean())[0]
    return found


def _similarity_matrices(factor: Array, shift: Array) -> Array:
    """Multiplication by a complex number, and a shift, as matrices (K, 3, 3)."""
    maps = np.zeros((len(factor), 3, 3))
    maps[:, 0, 0] = maps[:, 1, 1] = factor.real
    maps[:, 1, 0], maps[:, 0, 1] = factor.imag, -factor.imag
    maps[:, 0, 2], maps[:, 1, 2], maps[:, 2, 2] = shift.real, shift.imag, 1
    return maps


def _solve_affine(a: Array, b: Array) -> Array:
    known = np.concatenate([a, np.ones((*a.shape[:2], 1))], axis=2)  # (K, 3, 3)
    maps = np.zeros((len(a), 3, 3))
    maps[:, :2] = np.linalg.solve(known, b).transpose(0, 2, 1)
    maps[:, 2, 2] = 1
    return maps


def _refine_affine(a: Array, b: Array) -> Array | None:
    known = np.column_stack([a, np.ones(len(a))])
    solved, _, rank, _ = np.linalg.lstsq(known, b, rcond=1e-9)
    return np.vstack([solved.T, [0, 0, 1]]) if int(rank) == 3 else None


def _solve_homography(a: Array, b: Array) -> Array:
    """Four pairs each, (K, 4, 2): by way of the basis in which they are the axes and their sum."""
    maps: Array = _basis(b) @ np.linalg.inv(_basis(a))
    first = np.append(a[:, 0], np.ones((len(a), 1)), axis=1)
    depth = (maps[:, 2] * first).sum(axis=1)  # points in view have a positive third coordinate
    return maps / np.where(np.abs(depth) > 1e-12, depth, 1e-12)[:, None, None]


def _basis(points: Array) -> Array:
    """The first three points as columns, scaled to sum to the fourth, (K, 3, 3)."""
    whole = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=2).transpose(0, 2, 1)
    weights = np.linalg.solve(whole[:, :, :3], whole[:, :, 3:])  # (K, 3, 1)
    return whole[:, :, :3] * weights.transpose(0, 2, 1)


def _refine_homography(a: Array, b: Array) -> Array | None:
    found: Array | None = cv2_module().findHomography(a, b, 0)[0]
    return found


MAPS: Mapping[str, PlaneMap] = {
    "homography": PlaneMap(4, _solve_homography, _refine_homography),
    "affine": PlaneMap(3, _solve_affine, _refine_affine),
    "similarity": PlaneMap(2, _solve_similarity, _refine_similarity),
}
"""Name → map: any view of a plane; parallels stay parallel; turn, scale and shift only."""
