"""Geometry of the test: points and regions under a homography, their overlap, who corresponds to whom.

Source: Mikolajczyk et al., "A comparison of affine region detectors", IJCV 65 (2005), sections 3 and 4.
A region is an ellipse {x : (x - c)ᵀ S⁻¹ (x - c) <= 1} with centre c and shape S, a symmetric positive
2 × 2 matrix; a circle of radius r is S = r² I.
"""

from __future__ import annotations

import numpy as np

from striate.types import Array, SizeHW

__all__ = [
    "NORMAL_RADIUS_PX",
    "circles",
    "in_picture",
    "local_affine",
    "most_apart",
    "near_pairs",
    "one_to_one",
    "overlap_errors",
    "overlap_pairs",
    "project",
]

NORMAL_RADIUS_PX = 30.0
"""Radius that each reference region is brought to before overlaps are taken (IJCV 2005, section 4.1)."""

_SLICES = 96
_BLOCK = 64


def project(homography: Array, points_xy: Array) -> Array:
    """`points_xy` (N, 2) under `homography` (3, 3), float64 (N, 2), pixels.

    A point beyond the horizon (denominator <= 0) becomes NaN.
    """
    points = np.asarray(points_xy, np.float64).reshape(-1, 2)
    mapped = points @ homography[:, :2].T + homography[:, 2]
    depth = np.where(mapped[:, 2:] > 1e-12, mapped[:, 2:], np.nan)
    found: Array = mapped[:, :2] / depth
    return found


def local_affine(homography: Array, points_xy: Array) -> Array:
    """The derivative of the homography at each point, float64 (N, 2, 2): how a small region deforms."""
    points = np.asarray(points_xy, np.float64).reshape(-1, 2)
    mapped = points @ homography[:, :2].T + homography[:, 2]
    depth = np.where(mapped[:, 2] > 1e-12, mapped[:, 2], np.nan)[:, None, None]
    image = mapped[:, :2, None] / depth
    found: Array = (homography[:2, :2] - image * homography[2, :2]) / depth
    return found


def in_picture(points_xy: Array, size_hw: SizeHW) -> Array:
    """bool (N,): the point lies on the picture; its pixel centres are at whole numbers. NaN does not."""
    height, width = size_hw
    x, y = points_xy[:, 0], points_xy[:, 1]
    found: Array = (x >= -0.5) & (y >= -0.5) & (x < width - 0.5) & (y < height - 0.5)
    return found


def circles(radius_px: Array) -> Array:
    """Shapes (N, 2, 2) of circles."""
    found: Array = np.asarray(radius_px, np.float64)[:, None, None] ** 2 * np.eye(2)
    return found


def overlap_errors(shape_a: Array, shape_b: Array, offset_xy: Array) -> Array:
    """1 - |A ∩ B| / |A ∪ B| of pairs of ellipses, float64 (N,), 0 (the same) to 1 (apart).

    `shape_a`, `shape_b`: (N, 2, 2). `offset_xy`: (N, 2), centre of B from that of A. The areas of the
    union's parts are exact; that of the intersection is a sum over slices (Gauss and Chebyshev, of the
    second kind) that is right to about 0.0005 of the union.
    """
    nodes = np.arange(1, _SLICES + 1) * np.pi / (_SLICES + 1)
    half_a, half_b = np.sqrt(shape_a[:, 0, 0]), np.sqrt(shape_b[:, 0, 0])
    low = np.maximum(-half_a, offset_xy[:, 0] - half_b)
    high = np.minimum(half_a, offset_xy[:, 0] + half_b)
    reach = np.maximum(high - low, 0.0) / 2
    x = ((low + high) / 2)[:, None] + reach[:, None] * np.cos(nodes)
    low_a, high_a = _chords(shape_a, x)
    low_b, high_b = _chords(shape_b, x - offset_xy[:, :1])
    shift = offset_xy[:, 1:]
    length = np.minimum(high_a, high_b + shift) - np.maximum(low_a, low_b + shift)
    weights = np.sin(nodes) * np.pi / (_SLICES + 1)
    both = reach * (np.maximum(length, 0.0) @ weights)
    area = np.pi * (np.sqrt(np.linalg.det(shape_a)) + np.sqrt(np.linalg.det(shape_b)))
    found: Array = np.clip(1.0 - both / (area - both), 0.0, 1.0)
    return found


def _chords(shape: Array, x: Array) -> tuple[Array, Array]:
    """Lowest and highest y (N, K) of each centred ellipse at `x` (N, K)."""
    across, slope = shape[:, 0, 0, None], shape[:, 0, 1, None]
    middle = slope / across * x
    spread = np.linalg.det(shape)[:, None] / across
    half = np.sqrt(np.maximum(spread * (1.0 - x * x / across), 0.0))
    return middle - half, middle + half


def near_pairs(points_a: Array, points_b: Array, radius_px: float) -> tuple[Array, Array, Array]:
    """All pairs (i, j) of points at most `radius_px` apart, int64 both, and their distances."""
    rows, columns, gaps = [], [], []
    for start in range(0, len(points_a), _BLOCK):
        apart = points_a[start : start + _BLOCK, None] - points_b[None]
        square = apart[..., 0] ** 2 + apart[..., 1] ** 2
        row, column = np.nonzero(square <= radius_px * radius_px)
        rows.append(row + start)
        columns.append(column)
        gaps.append(np.sqrt(square[row, column]))
    if not rows:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(gaps)


def overlap_pairs(
    points_a: Array, shape_a: Array, points_b: Array, shape_b: Array, most: float
) -> tuple[Array, Array, Array]:
    """Pairs (i, j) whose overlap error is below `most`, and the errors: int64, int64, float64.

    Both regions of a pair are scaled alike until the first, the reference, has the area of a circle of
    `NORMAL_RADIUS_PX`; the distance of their centres stays as it is. (To scale that too would change
    nothing: an overlap has no unit. Without it large regions would correspond more easily than small
    ones at the same error of place.)
    """
    size_a, size_b = (np.linalg.det(shape) ** 0.25 for shape in (shape_a, shape_b))
    round_a = shape_a / (size_a * size_a)[:, None, None]  # of area π
    far = most_apart(most)
    longest = np.sqrt(np.linalg.eigvalsh(round_a)[:, 1].max(initial=1.0))
    rows, columns, _ = near_pairs(points_a, points_b, far * NORMAL_RADIUS_PX * longest)
    ratio = size_b[columns] / size_a[rows]
    apart = (points_b[columns] - points_a[rows]) / NORMAL_RADIUS_PX
    seen = (apart[:, None] @ np.linalg.inv(round_a[rows]) @ apart[..., None])[:, 0, 0]
    close = (np.minimum(ratio, 1.0 / ratio) ** 2 > 1.0 - most) & (seen < far * far)
    rows, columns = rows[close], columns[close]
    scale = (NORMAL_RADIUS_PX / size_a[rows])[:, None, None] ** 2
    offset = points_b[columns] - points_a[rows]
    errors = overlap_errors(shape_a[rows] * scale, shape_b[columns] * scale, offset)
    kept = errors < most
    return rows[kept], columns[kept], errors[kept]


def most_apart(most: float) -> float:
    """How far apart, in radii of the first, the centres of a circle and an ellipse can be at most when
    their overlap error is below `most`, at most 0.5.

    Half of the second lies beyond its centre, where the first has only a cap: |A∩B| <= |B| / 2 + cap.
    With |B| <= |A| / (1 - most) that asks for a cap of at least the share `least` of the first.
    (What is affine changes no ratio of areas, so that this holds of two ellipses too.)
    """
    share = (1.0 - most) / (2.0 - most)
    least = share - (0.5 - share) / (1.0 - most)
    gaps = np.linspace(0.0, 1.0, 1001)
    caps = (np.arccos(gaps) - gaps * np.sqrt(1.0 - gaps * gaps)) / np.pi
    return float(gaps[caps >= max(least, 0.0)][-1] + 0.001)


def one_to_one(rows: Array, columns: Array, costs: Array) -> Array:
    """Indices of the pairs that are kept, the cheapest first, each row and column at most once.

    Greedy, as in the authors' own program; ties go to the lower row, then the lower column.
    """
    order = np.lexsort((columns, rows, costs))
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    kept = []
    for index, row, column in zip(
        order.tolist(), rows[order].tolist(), columns[order].tolist(), strict=True
    ):
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            kept.append(index)
    return np.array(kept, np.int64)
