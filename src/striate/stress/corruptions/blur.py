"""Blurs: Gaussian, defocus (a disc), glass (pixels moved about), motion (a line) and zoom (a burst)."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from striate.features.opencv import cv2_module
from striate.stress.corruptions.chance import Chance
from striate.stress.corruptions.finish import floored
from striate.stress.corruptions.tables import Parameters
from striate.types import Array, PictureArray

__all__ = [
    "defocus_blur",
    "disc",
    "gaussian_blur",
    "gaussian_taps",
    "glass_blur",
    "motion_blur",
    "motion_kernel",
    "trail",
    "zoom_blur",
    "zoom_map",
]

_FEW = 40  # weights of a filter, up to which adding shifted pictures is faster


def gaussian_blur(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """Parameters: sigma in pixels."""
    return floored(_smoothed(pictures, parameters[0]))


def defocus_blur(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """A lens out of focus: every point becomes a disc. Parameters: its radius, and sigma of its rim."""
    kernel = disc(parameters[0], parameters[1])
    cv2 = cv2_module()
    few = np.count_nonzero(kernel) <= _FEW
    values = np.zeros(pictures.shape, np.float32)
    for picture, into in zip(pictures.astype(np.float32), values, strict=True):
        if few:
            middle = kernel.shape[1] // 2, kernel.shape[0] // 2
            _add_shifted(picture, kernel, middle, into, cv2.BORDER_REFLECT_101)
        else:
            cv2.filter2D(picture, cv2.CV_32F, kernel, into)  # the edge is mirrored
    return floored(values)


def motion_blur(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """A trail towards one side, at an angle of -45 … 45°. Parameters: its half length, and sigma."""
    values = np.zeros(pictures.shape, np.float32)
    for picture, one, into in zip(pictures, chance, values, strict=True):
        trail(picture, int(parameters[0]), parameters[1], one.uniform(-45.0, 45.0), into)
    return floored(values)


def zoom_blur(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """The mean of the picture and of it enlarged by 1, 1 + step … Parameters: below what, and step."""
    cv2 = cv2_module()
    count, height, width, _ = pictures.shape
    factors = np.arange(1.0, *parameters)
    stacked = np.ascontiguousarray(pictures).reshape(count * height, width, 3)
    total = stacked.astype(np.float32)
    layer = np.empty_like(stacked)
    for factor in factors:
        if factor == 1.0:
            total += stacked
            continue
        maps = zoom_map((height, width), float(factor), count)
        cv2.remap(stacked, *maps, cv2.INTER_LINEAR, layer)
        cv2.accumulate(layer, total)
    total *= 1.0 / (len(factors) + 1)
    return floored(total.reshape(pictures.shape))


def glass_blur(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """Frosted glass: blur, move pixels about, blur. Parameters: sigma, how far, how often.

    The published code means to swap two pixels, from the last to the first, but swaps views of one
    array, so that the first becomes a copy of the second; the data sets are made so, and so is this.
    """
    sigma, far, times = parameters[0], int(parameters[1]), int(parameters[2])
    blurred = floored(_smoothed(pictures, sigma))
    for _ in range(times):
        steps = np.stack([one.integers(-far, far, (*pictures.shape[1:3], 2), np.int8) for one in chance])
        blurred = _moved_about(blurred, steps, far)
    return floored(_smoothed(blurred, sigma))


@cache
def gaussian_taps(sigma: float, truncate: float = 4.0) -> NDArray[np.float32]:
    """The taps of a sampled Gaussian, cut off at `truncate` sigmas, as SciPy takes them."""
    reach = int(truncate * sigma + 0.5)
    if reach == 0:
        return np.ones(1, np.float32)
    taps: NDArray[np.float64] = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(taps / taps.sum(), np.float32)


@cache
def disc(radius: float, rim: float) -> NDArray[np.float32]:
    """A disc of weights, its rim softened by a Gaussian of sigma `rim` (3 or 5 taps).

    A disc that reaches the edge of its table (radius 8, 10) is softened against a mirror there and sums
    to 1.01: so in the published code, whose pictures are 1 % brighter for it.
    """
    cv2 = cv2_module()
    reach = 8 if radius <= 8 else int(radius)
    across = np.arange(-reach, reach + 1)
    inside = (across[:, None] ** 2 + across**2 <= radius**2).astype(np.float32)
    side = 3 if radius <= 8 else 5
    kernel: NDArray[np.float32] = cv2.GaussianBlur(inside / inside.sum(), (side, side), rim)
    kernel[kernel < 1e-9] = 0.0  # no weight that matters, and slow to reckon with
    used = reach + 1 - int(np.nonzero(kernel.any(axis=0))[0][0])  # most of a small disc's table is 0
    return np.ascontiguousarray(kernel[reach - used + 1 : reach + used, reach - used + 1 : reach + used])


def trail(layer: Array, radius: int, sigma: float, angle_deg: float, into: NDArray[np.float32]) -> None:
    """Add `layer` (h, w) or (h, w, 3), drawn out as `motion_kernel` weighs a line, to `into`."""
    kernel, anchor_xy = motion_kernel(radius, sigma, angle_deg)
    _add_shifted(layer.astype(np.float32), kernel, anchor_xy, into, cv2_module().BORDER_REPLICATE)


def _add_shifted(
    layer: NDArray[np.float32],
    kernel: Array,
    anchor_xy: tuple[int, int],
    into: NDArray[np.float32],
    border: int,
) -> None:
    """A filter as a sum of shifted layers: for few weights several times faster than OpenCV's."""
    cv2 = cv2_module()
    (left, top), (height, width) = anchor_xy, layer.shape[:2]
    beyond = (top, kernel.shape[0] - 1 - top, left, kernel.shape[1] - 1 - left)
    wider = cv2.copyMakeBorder(layer, *beyond, border)
    for row, column in np.argwhere(kernel).tolist():
        part = wider[row : row + height, column : column + width]
        cv2.scaleAdd(part, float(kernel[row, column]), into, into)


def motion_kernel(radius: int, sigma: float, angle_deg: float) -> tuple[Array, tuple[int, int]]:
    """(weights float32, anchor xy) of a trail of 2·radius + 1 points, as ImageMagick lays them."""
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-0.5 * (steps / sigma) ** 2)
    angle = math.radians(angle_deg)
    rows = np.ceil(steps * math.sin(angle) - 0.5).astype(np.int64)
    columns = np.ceil(steps * math.cos(angle) - 0.5).astype(np.int64)
    top, left = -min(0, rows.min()), -min(0, columns.min())
    kernel = np.zeros((rows.max() + top + 1, columns.max() + left + 1), np.float32)
    np.add.at(kernel, (rows + top, columns + left), weights / weights.sum())
    return kernel, (int(left), int(top))


@cache
def _zoom_lines(size: int, factor: float) -> NDArray[np.float32]:
    """Where the pixels of a line enlarged from its middle by `factor` come from."""
    kept = math.ceil(size / factor)
    enlarged = max(round(kept * factor), 1)
    trim = max((enlarged - size) // 2, 0)
    places = np.minimum(np.arange(size) + trim, enlarged - 1)
    step = (kept - 1) / (enlarged - 1) if enlarged > 1 else 0.0
    return ((size - kept) // 2 + places * step).astype(np.float32)


@cache
def zoom_map(size_hw: tuple[int, int], factor: float, count: int) -> tuple[Array, Array]:
    """Maps for `cv2.remap` that enlarge each of `count` pictures lying under one another."""
    cv2 = cv2_module()
    rows, columns = _zoom_lines(size_hw[0], factor), _zoom_lines(size_hw[1], factor)
    tops = np.arange(count, dtype=np.float32) * size_hw[0]
    down = (tops[:, None] + rows).reshape(-1, 1)
    shape = (count * size_hw[0], size_hw[1])
    maps = (np.broadcast_to(columns, shape), np.broadcast_to(down, shape))
    fixed: tuple[Array, Array] = cv2.convertMaps(
        np.ascontiguousarray(maps[0]), np.ascontiguousarray(maps[1]), cv2.CV_16SC2
    )
    return fixed


def _smoothed(pictures: PictureArray, sigma: float) -> NDArray[np.float32]:
    cv2 = cv2_module()
    taps = gaussian_taps(sigma)
    if len(taps) == 1:
        return pictures.astype(np.float32)
    values = np.empty(pictures.shape, np.float32)
    for picture, into in zip(pictures, values, strict=True):
        cv2.sepFilter2D(picture, cv2.CV_32F, taps, taps, into, (-1, -1), 0.0, cv2.BORDER_REPLICATE)
    return values


def _moved_about(pictures: PictureArray, steps_xy: Array, far: int) -> PictureArray:
    """Each pixel replaced by the one `steps_xy` int8 (B, h, w, 2) away, from the last to the first.

    A pixel further on was replaced before, so its own source is meant. Chains of such references are
    followed for all pixels at once, by doubling.
    """
    count, height, width, _ = pictures.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)
    moving = (rows > far) & (rows <= height - far) & (columns > far) & (columns <= width - far)
    size = height * width
    step = steps_xy[..., 1].astype(np.int32) * width + steps_xy[..., 0]
    step *= moving
    here = np.arange(count * size, dtype=np.int32).reshape(count, height, width)
    target = here + step
    ends = (step <= 0) | ~moving.reshape(-1)[target % size].reshape(target.shape)
    source = target.reshape(-1)
    open_ = np.flatnonzero(~ends.reshape(-1))
    if len(open_):
        # a pixel that ends at t is told apart from one that goes on from t by an offset
        chain = np.where(ends.reshape(-1), source + count * size, source)
        while len(open_):
            chain[open_] = chain[chain[open_]]
            open_ = open_[chain[open_] < count * size]
        source = chain - count * size
    found: PictureArray = pictures.reshape(-1, 3)[source].reshape(pictures.shape)
    return found
