"""Whether two thumbs show the same picture, one perhaps a cut-out of the other.

The first is laid over the second by shifting and stretching it along both axes, the way that leaves
the least difference (Lucas & Kanade, "An Iterative Image Registration Technique", IJCAI 1981; here
Gauss-Newton in four parameters). Then two numbers tell: the correlation of grey levels, and that of
fine detail, what is left when each thumb's own blur is taken away. Different things before the same
background agree in the first, not in the second.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from striate.cores import usable_cores
from striate.data.neighbours import Candidates, smoothed
from striate.types import Array

__all__ = ["Agreement", "agreement"]

BLOCK = 128
COARSE_STEPS, FINE_STEPS = 7, 4
WORTH_REFINING = 0.90
CLEAR_DETAIL = 0.95
FARTHEST = 0.3
"""Largest shift or stretch, in half widths: cut-outs that lost over 15 % of a side are not sought."""


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Correlations float32 (P,), -1 to 1: of grey levels, and of detail; 0 where a thumb is blank."""

    grey: Array
    detail: Array


def agreement(thumbs: Array, pairs: Candidates, align: Array) -> Agreement:
    """How the `pairs` of thumbs (N, h, w), uint8, h and w even, agree.

    `align`, bool (P,): where a pair does not agree as it lies, lay the first over the second.
    """

    def block(start: int) -> Agreement:
        rows = slice(start, start + BLOCK)
        first, second = smoothed(thumbs[pairs.first[rows]]), smoothed(thumbs[pairs.second[rows]])
        mirrored = pairs.mirrored[rows]
        second[mirrored] = second[mirrored][:, :, ::-1]
        return _compared(first, second, align[rows])

    with ThreadPoolExecutor(usable_cores(), "striate-align") as pool:
        parts = list(pool.map(block, range(0, len(pairs), BLOCK)))
    if not parts:
        return Agreement(np.empty(0, np.float32), np.empty(0, np.float32))
    return Agreement(
        np.concatenate([part.grey for part in parts]), np.concatenate([part.detail for part in parts])
    )


def _compared(first: Array, second: Array, align: Array) -> Agreement:
    whole = np.ones((1, 1, 1), np.float32)
    grey = _correlation(first, second, whole)
    detail = _correlation(_detail(first), _detail(second), whole)
    unclear = np.flatnonzero(align & (detail < CLEAR_DETAIL))
    if len(unclear):
        laid = _aligned(first[unclear], second[unclear])
        better = laid.detail > detail[unclear]
        grey[unclear[better]], detail[unclear[better]] = laid.grey[better], laid.detail[better]
    return Agreement(grey, detail)


def _aligned(first: Array, second: Array) -> Agreement:
    """One block: at half size for all, at full size for those that look promising."""
    grey, detail = (np.zeros(len(first), np.float32) for _ in range(2))
    warp, coarse = _register(_halved(first), _halved(second), np.zeros((len(first), 4)), COARSE_STEPS)
    worth = np.flatnonzero(coarse >= WORTH_REFINING)
    if len(worth):
        first, second = first[worth], second[worth]
        warp, grey[worth] = _register(first, second, warp[worth], FINE_STEPS)
        rows, columns, inside = _warp_matrices(warp, first.shape[1], first.shape[2])
        moved = rows @ _detail(first) @ columns
        detail[worth] = _correlation(moved, _detail(second), inside)
    return Agreement(grey, detail)


def _register(first: Array, second: Array, warp: Array, steps: int) -> tuple[Array, Array]:
    """The best of `steps` Gauss-Newton steps from `warp` (P, 4), and its correlation (P,).

    A warp is stretch and shift of y, then of x: position p of `second` shows `first` at p(1 + s) + t,
    where both run from -1 to 1.
    """
    height, width = first.shape[1:]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)
    slope_y = np.gradient(first, axis=1) * ((height - 1) / 2)
    slope_x = np.gradient(first, axis=2) * ((width - 1) / 2)
    warp = warp.astype(np.float32)
    best, best_warp = np.full(len(first), -1, np.float32), warp
    for step in range(steps + 1):
        rows, columns, inside = _warp_matrices(warp, height, width)
        moved = _centred(rows @ first @ columns, inside)
        target = _centred(second, inside)
        power = np.maximum((moved * moved).sum((1, 2)), 1e-6)
        shared = (moved * target).sum((1, 2))
        found = shared / np.sqrt(power * np.maximum((target * target).sum((1, 2)), 1e-6))
        better = found > best
        best = np.where(better, found, best)
        best_warp = np.where(better[:, None], warp, best_warp)
        if step == steps:
            break
        gain = (shared / power)[:, None, None]
        down, across = gain * (rows @ slope_y @ columns), gain * (rows @ slope_x @ columns)
        slopes = np.stack([down * y, down, across * x, across], axis=1)  # (P, 4, h, w)
        slopes = _centred(slopes, inside[:, None]).reshape(len(first), 4, -1)
        error = (target - gain * moved).reshape(len(first), -1, 1)
        normal = slopes @ slopes.transpose(0, 2, 1)
        damping = 1e-3 * np.trace(normal, axis1=1, axis2=2)[:, None, None] / 4 + 1e-6
        change = np.linalg.solve(normal + damping * np.eye(4, dtype=np.float32), slopes @ error)
        warp = np.clip(warp + change[:, :, 0], -FARTHEST, FARTHEST)
    return best_warp, best


def _warp_matrices(warp: Array, height: int, width: int) -> tuple[Array, Array, Array]:
    """Matrices that warp by linear interpolation, (P, h, h) from the left and (P, w, w) from the right.

    Third: 1 where the warped position lies inside the thumb, else 0, (P, h, w).
    """
    y = np.linspace(-1, 1, height, dtype=np.float32) * (1 + warp[:, 0:1]) + warp[:, 1:2]  # (P, h)
    x = np.linspace(-1, 1, width, dtype=np.float32) * (1 + warp[:, 2:3]) + warp[:, 3:4]  # (P, w)
    inside = (np.abs(y) <= 1)[:, :, None] & (np.abs(x) <= 1)[:, None, :]
    rows = _interpolation(y, height)
    columns = _interpolation(x, width).transpose(0, 2, 1)
    return rows, columns, inside.astype(np.float32)


def _interpolation(positions: Array, count: int) -> Array:
    """Weights (P, n, count) that interpolate linearly at `positions` (P, n) from -1 to 1."""
    index = (np.clip(positions, -1, 1) + 1) * ((count - 1) / 2)
    distance = np.abs(index[:, :, None] - np.arange(count, dtype=np.float32))
    weights: Array = np.maximum(1 - distance, 0)
    return weights


def _correlation(first: Array, second: Array, inside: Array) -> Array:
    one, other = _centred(first, inside), _centred(second, inside)
    power = (one * one).sum((1, 2)) * (other * other).sum((1, 2))
    found: Array = (one * other).sum((1, 2)) / np.sqrt(np.maximum(power, 1e-6))
    return found


def _centred(values: Array, inside: Array) -> Array:
    """`values` without their mean over `inside` (last two axes), and 0 elsewhere."""
    shape = np.broadcast_shapes(values.shape, inside.shape)
    share = np.broadcast_to(inside, shape)
    count = np.maximum(share.sum((-2, -1), keepdims=True), 1)
    found: Array = (values - (values * share).sum((-2, -1), keepdims=True) / count) * share
    return found


def _detail(thumbs: Array) -> Array:
    """What the mean of each pixel's 3 × 3 neighbourhood does not explain, (P, h, w)."""
    padded = np.pad(thumbs, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    found: Array = thumbs - (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 9
    return found


def _halved(thumbs: Array) -> Array:
    """The mean of each 2 × 2 pixels, (P, h / 2, w / 2)."""
    rows = thumbs[:, ::2] + thumbs[:, 1::2]
    found: Array = (rows[:, :, ::2] + rows[:, :, 1::2]) / 4
    return found
