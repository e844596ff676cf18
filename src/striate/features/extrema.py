"""Local maxima of a response, and where between the pixels each of them lies."""

from __future__ import annotations

import itertools

import numpy as np

from striate.features.opencv import cv2_module
from striate.types import Array

__all__ = ["between_pixels", "peaks_2d", "peaks_3d", "refined"]

NEAR = 0.6
"""A top this near, pixels, is the pixel's own. With 0.5, one midway between two would go to and fro."""


def peaks_2d(response: Array, *, threshold: float, radius: int) -> Array:
    """Pixels (N, 2) as (row, column) that are above `threshold` and not below any other within
    `radius`; the outermost pixels are left out. `response`: float32 (H, W)."""
    cv2 = cv2_module()
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    found = (response == cv2.dilate(response, window)) & (response > threshold)
    return np.argwhere(_inner(found))


def peaks_3d(responses: Array, *, threshold: float) -> Array:
    """Places (N, 3) as (level, row, column) above `threshold` and above their 26 neighbours.

    `responses`: float32 (levels, H, W). The first and last level, and outermost pixels, are left out.
    """
    cv2 = cv2_module()
    window = np.ones((3, 3), np.uint8)
    around = [cv2.dilate(one, window) for one in responses]
    found = []
    for level in range(1, len(responses) - 1):
        here = responses[level]
        best = np.maximum(around[level - 1], around[level + 1])
        mask = (here == around[level]) & (here > best) & (here > threshold)
        rows = np.argwhere(_inner(mask))
        found.append(np.column_stack([np.full(len(rows), level), rows]))
    return np.concatenate(found) if found else np.zeros((0, 3), np.int64)


def _inner(mask: Array) -> Array:
    kept = np.zeros_like(mask)
    kept[1:-1, 1:-1] = mask[1:-1, 1:-1]
    return kept


def between_pixels(response: Array, places: Array) -> tuple[Array, Array, Array]:
    """Peaks between the pixels, by a parabola along each axis by itself: at most half a pixel away.

    `response`: (H, W). `places`: pixels (N, 2) as (row, column), none on the border and each a maximum
    of its neighbours. Returns positions (M, 2) float64, the response there (M,), and which rows of
    `places` they come from (M,): equal pixels around one peak are one.
    """
    row, column = places.T
    here = response[row, column].astype(np.float64)
    offsets, value = np.zeros(places.shape), here.copy()
    for axis, (down, right) in enumerate(((1, 0), (0, 1))):
        after = response[row + down, column + right].astype(np.float64)
        before = response[row - down, column - right].astype(np.float64)
        bend = 2 * here - before - after
        curved = bend > 0
        slope = (after - before) / 2
        offsets[curved, axis] = slope[curved] / bend[curved]
        value[curved] += slope[curved] ** 2 / (2 * bend[curved])
    single = _single(places + offsets)
    return (places + offsets)[single], value[single], single


def refined(response: Array, places: Array, *, rounds: int = 5) -> tuple[Array, Array, Array]:
    """Peaks between the pixels: one parabola in all axes for each (Brown & Lowe 2002).

    `response`: (d1, …, dn). `places`: whole indices (N, n), none on the border. Returns positions
    (M, n) float64, the response there (M,), and which rows of `places` they come from (M,): a peak
    that walks out of the response, or on and on, is none, and two that arrive at one place are one.
    """
    at, rows = places.copy(), np.arange(len(places))
    limits = np.array(response.shape) - 2
    done: list[tuple[Array, Array, Array]] = []
    for _ in range(rounds):
        if not len(at):
            break
        offsets, values = _parabola(response, at)
        settled = (np.abs(offsets) <= NEAR).all(axis=1)
        done.append((at[settled] + offsets[settled], values[settled], rows[settled]))
        at, rows = at[~settled] + np.clip(np.rint(offsets[~settled]), -1, 1).astype(int), rows[~settled]
        inside = ((at >= 1) & (at <= limits)).all(axis=1)
        at, rows = at[inside], rows[inside]
    if not done:
        return np.zeros(places.shape), np.zeros(len(places)), rows
    positions, values, origin = (np.concatenate(parts) for parts in zip(*done, strict=True))
    single = _single(positions)
    return positions[single], values[single], origin[single]


def _single(positions: Array) -> Array:
    """The first row of each place."""
    found: Array = np.sort(np.unique(positions.round(1), axis=0, return_index=True)[1])
    return found


def _parabola(response: Array, places: Array) -> tuple[Array, Array]:
    """Offset (N, n) to the top of the parabola at each place, and the response there (N,)."""
    axes = places.shape[1]
    steps = np.eye(axes, dtype=int)

    def value(*moves: Array) -> Array:
        found: Array = response[tuple((places + sum(moves)).T)].astype(np.float64)
        return found

    here = value(np.zeros(axes, int))
    slope = np.stack([(value(e) - value(-e)) / 2 for e in steps], axis=1)  # (N, n)
    bend = np.empty((len(places), axes, axes))
    for i, e in enumerate(steps):
        bend[:, i, i] = value(e) - 2 * here + value(-e)
    for i, j in itertools.combinations(range(axes), 2):
        e, f = steps[i], steps[j]
        mixed = (value(e, f) - value(e, -f) - value(-e, f) + value(-e, -f)) / 4
        bend[:, i, j] = bend[:, j, i] = mixed
    firm = np.abs(np.linalg.det(bend)) > 1e-12
    bend[~firm] = -np.eye(axes)  # a flat top: the whole pixel is as good as any
    slope[~firm] = 0
    offsets = -np.linalg.solve(bend, slope[..., None])[..., 0]
    return offsets, here + np.einsum("ni,ni->n", slope, offsets) / 2
