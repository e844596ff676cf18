"""Polygons cut into triangles."""

from __future__ import annotations

import numpy as np

from striate.types import Array

__all__ = ["flattened", "triangles_of", "triangulate"]

_MOST_CLIPPED = 512
"""Corners up to which a hollow polygon is cut exactly; a larger one becomes a fan."""


def flattened(points: Array) -> Array:
    """Points (K, 3) of a polygon in its own plane, (K, 2); wound counter-clockwise there."""
    following = np.roll(points, -1, axis=0)
    # Newell's normal: also right for polygons that are a little bent
    normal = np.cross(points - points.mean(axis=0), following - points.mean(axis=0)).sum(axis=0)
    length = float(np.linalg.norm(normal))
    if length == 0:
        return np.ascontiguousarray(points[:, :2])
    normal = normal / length
    axis = np.eye(3)[np.abs(normal).argmin()]
    across = np.cross(axis, normal)
    across /= np.linalg.norm(across)
    return np.stack([points @ across, points @ np.cross(normal, across)], axis=1)


def triangulate(outline_xy: Array) -> Array:
    """Corners int64 (K − 2, 3) of triangles that fill a simple polygon (K, 2), wound as it is.

    Ear clipping; a polygon that crosses itself, or has more than 512 corners, is cut into a fan.
    """
    count = len(outline_xy)
    if count == 3:
        return np.array([[0, 1, 2]])
    x, y = outline_xy.T
    area = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    points = outline_xy if area >= 0 else outline_xy * (1, -1)
    left = list(range(count))
    found: list[tuple[int, int, int]] = []
    if count <= _MOST_CLIPPED and not _is_convex(points):
        while len(left) > 3:
            ear = next((at for at in range(len(left)) if _is_ear(points, left, at)), None)
            if ear is None:
                break
            found.append((left[ear - 1], left[ear], left[(ear + 1) % len(left)]))
            del left[ear]
    found += [(left[0], left[k], left[k + 1]) for k in range(1, len(left) - 1)]
    return np.array(found, np.int64)


def triangles_of(corners: Array, sizes: Array) -> Array:
    """Triangles of polygons in space, int64 (T, 3): rows of `corners` (C, 3), where the corners of all
    polygons stand one after another, `sizes` (P,) of each. Their order is that of the polygons.

    Triangles and quadrilaterals that are surely convex, most of any mesh, are cut all at once.
    """
    starts, first = np.cumsum(sizes) - sizes, np.cumsum(sizes - 2) - (sizes - 2)
    found = np.empty((int((sizes - 2).sum()), 3), np.int64)
    three, four = np.flatnonzero(sizes == 3), np.flatnonzero(sizes == 4)
    four = four[_surely_convex(corners[starts[four][:, None] + np.arange(4)])]
    for rows, fan in ((three, [[0, 1, 2]]), (four, [[0, 1, 2], [0, 2, 3]])):
        found[first[rows][:, None] + np.arange(len(fan))] = starts[rows][:, None, None] + fan
    left = np.ones(len(sizes), bool)
    left[three] = left[four] = False
    for row in np.flatnonzero(left).tolist():
        start, size, at = starts[row], sizes[row], first[row]
        found[at : at + size - 2] = start + triangulate(flattened(corners[start : start + size]))
    return found


def _surely_convex(quads: Array) -> Array:
    """Of (K, 4, 3), bool (K,): whether every corner turns the same way, by more than rounding.

    In their own plane; underflow makes nothing sure.
    """
    ahead = np.roll(quads, -1, axis=1) - quads
    turns = np.cross(np.roll(ahead, 1, axis=1), ahead)  # (K, 4, 3), normal to each corner
    whole = turns.sum(axis=1)  # along Newell's normal: four times the area
    found: Array = np.einsum("kij,kj->ki", turns, whole).min(axis=1) > 1e-6 * (whole**2).sum(axis=1)
    return found


def _is_convex(points: Array) -> bool:
    ahead, behind = np.roll(points, -1, axis=0) - points, points - np.roll(points, 1, axis=0)
    return bool((behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0] >= 0).all())


def _is_ear(points: Array, left: list[int], at: int) -> bool:
    """Whether the corner at place `at` sticks out, with no other corner in its triangle."""
    one, tip, two = left[at - 1], left[at], left[(at + 1) % len(left)]
    a, b, c = points[one], points[tip], points[two]
    if _cross(a, b, c) <= 0:
        return False
    rest = points[[k for k in left if k not in (one, tip, two)]]
    inside = (_cross(a, b, rest) >= 0) & (_cross(b, c, rest) >= 0) & (_cross(c, a, rest) >= 0)
    # a corner that lies on a corner of the ear is the same point met twice, not an obstacle
    apart = (rest != a).any(axis=1) & (rest != b).any(axis=1) & (rest != c).any(axis=1)
    return not bool((inside & apart).any())


def _cross(a: Array, b: Array, c: Array) -> Array:
    found: Array = (b[0] - a[0]) * (c[..., 1] - a[1]) - (b[1] - a[1]) * (c[..., 0] - a[0])
    return found
