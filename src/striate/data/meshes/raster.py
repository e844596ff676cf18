"""Which triangle is in front at each pixel: a z-buffer, all triangles at once.

Triangles become rows, rows become pixels, and of all that fall on a pixel the nearest stays. A pixel is
covered when its middle lies inside; a middle on the edge between two triangles belongs to exactly one,
so that surfaces have neither cracks nor doubles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.types import Array, SizeHW

__all__ = ["Hits", "rasterise"]

_MOST_AT_ONCE = 2_000_000
"""Pixels of triangles that are held at a time."""
_LOW = np.int64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """The pixels that something covers, (P,) each.

    `pixel`: row · width + column. `face`: the nearest triangle. `nearness`: 1 / depth.
    """

    pixel: Array
    face: Array
    nearness: Array


def rasterise(corners_xy: Array, nearness: Array, size_hw: SizeHW) -> Hits:
    """The nearest of triangles at each pixel of a picture of `size_hw`.

    `corners_xy` float64 (F, 3, 2): pixels, (x, y), any size, also outside. `nearness` float64 (F, 3):
    1 / depth at the corners, above 0; linear in the picture (perspective). Of equal ones the later wins.
    """
    height, width = size_hw
    buffer = np.full(height * width, -1, np.int64)
    plane = _planes(corners_xy, nearness)
    low, high = corners_xy.min(axis=1), corners_xy.max(axis=1)
    seen = (high > 0).all(axis=1) & (low[:, 0] < width) & (low[:, 1] < height)
    seen &= np.isfinite(plane).all(axis=1)
    which = np.flatnonzero(seen)
    spread = np.clip(high[which], 0, (width, height)) - np.clip(low[which], 0, (width, height))
    upto = np.cumsum((spread + 1).prod(axis=1))
    for start, stop in _portions(upto):
        rows = which[start:stop]
        _paint(buffer, rows, corners_xy[rows], plane[rows], size_hw)
    pixel = np.flatnonzero(buffer >= 0)
    keys = buffer[pixel]
    nearest = (keys >> 32).astype(np.int32).view(np.float32).astype(np.float64)
    return Hits(pixel, keys & _LOW, nearest)


def _portions(upto: Array) -> list[tuple[int, int]]:
    """Ranges of triangles whose boxes hold about `_MOST_AT_ONCE` pixels together, one at least."""
    found, start, done = [], 0, 0.0
    while start < len(upto):
        stop = max(start + 1, int(np.searchsorted(upto, done + _MOST_AT_ONCE, side="right")))
        found.append((start, stop))
        done, start = float(upto[stop - 1]), stop
    return found


def _planes(corners_xy: Array, values: Array) -> Array:
    """a, b, c (F, 3) with values = a + b x + c y at the corners; b, c = 0 without area."""
    x, y = corners_xy[..., 0], corners_xy[..., 1]
    x1, y1, x2, y2 = x[:, 1] - x[:, 0], y[:, 1] - y[:, 0], x[:, 2] - x[:, 0], y[:, 2] - y[:, 0]
    v1, v2 = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    area = x1 * y2 - x2 * y1
    safe = np.where(area == 0, 1.0, area)
    by_x = np.where(area == 0, 0.0, (v1 * y2 - v2 * y1) / safe)
    by_y = np.where(area == 0, 0.0, (x1 * v2 - x2 * v1) / safe)
    return np.stack([values[:, 0] - by_x * x[:, 0] - by_y * y[:, 0], by_x, by_y], axis=1)


def _paint(buffer: Array, faces: Array, corners_xy: Array, plane: Array, size_hw: SizeHW) -> None:
    """Enter into `buffer` what these triangles cover: nearness in the high bits, face in the low."""
    height, width = size_hw
    order = np.argsort(corners_xy[..., 1], axis=1, kind="stable")
    (ax, ay), (bx, by), (cx, cy) = (
        np.take_along_axis(corners_xy, order[:, k, None, None], axis=1)[:, 0].T for k in range(3)
    )
    # rows whose middle lies between the highest and the lowest corner
    first, last = (np.clip(np.ceil(one - 0.5), 0, height).astype(np.int64) for one in (ay, cy))
    owner, step = _expanded(last - first)
    if not len(owner):
        return
    row = first[owner] + step
    y = row + 0.5
    # an edge is always followed downwards: two triangles find the same place on the edge they share
    along = ax[owner] + (y - ay[owner]) * _slope(ax, ay, cx, cy)[owner]
    upper = ax[owner] + (y - ay[owner]) * _slope(ax, ay, bx, by)[owner]
    lower = bx[owner] + (y - by[owner]) * _slope(bx, by, cx, cy)[owner]
    beside = np.where(y < by[owner], upper, lower)
    left = np.clip(np.ceil(np.minimum(along, beside) - 0.5), 0, width).astype(np.int64)
    right = np.clip(np.ceil(np.maximum(along, beside) - 0.5), 0, width).astype(np.int64)
    span, across = _expanded(right - left)
    start = plane[owner, 0] + plane[owner, 1] * (left + 0.5) + plane[owner, 2] * y
    near = (start[span] + plane[owner, 1][span] * across).astype(np.float32)
    bits = np.maximum(near, np.float32(1e-30)).view(np.int32).astype(np.int64)
    keys = (bits << 32) | faces[owner][span]
    np.maximum.at(buffer, (row * width + left)[span] + across, keys)


def _slope(x0: Array, y0: Array, x1: Array, y1: Array) -> Array:
    """x per row of an edge; 0 where it lies level."""
    rise = y1 - y0
    found: Array = np.divide(x1 - x0, rise, out=np.zeros_like(rise), where=rise > 0)
    return found


def _expanded(counts: Array) -> tuple[Array, Array]:
    """For counts (2, 0, 3): owners (0, 0, 2, 2, 2) and steps (0, 1, 0, 1, 2)."""
    counts = np.maximum(counts, 0)
    owner = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    return owner, np.arange(len(owner)) - np.repeat(ends - counts, counts)
