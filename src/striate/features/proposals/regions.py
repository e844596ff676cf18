"""Selective search, first part: a picture cut into small regions, and what each of them looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from striate.features.opencv import cv2_module
from striate.types import Array, Picture

__all__ = ["ColourSpace", "Regions", "Space", "cut", "in_space"]

Space = Literal["hsv", "lab", "rgi", "hue", "grey"]

COLOUR_BINS, TEXTURE_BINS, DIRECTIONS = 25, 10, 8
"""Uijlings et al., section 3.2."""

SMOOTHING = 0.8
"""Standard deviation, pixels, of the blur before the picture is cut (Felzenszwalb & Huttenlocher)."""

LEAST_PIXELS = 50
"""Smaller regions are joined to a neighbour."""


@dataclass(frozen=True, slots=True)
class ColourSpace:
    """A picture in a colour space. `planes`: uint8 (H, W, C). `colours`: which colour bin each pixel
    falls into, int64 (C, H·W), `textures`: which texture bin, int64 (C · 8, H·W); bins count on from
    plane to plane."""

    planes: Array
    colours: Array
    textures: Array


@dataclass(frozen=True, slots=True)
class Regions:
    """N regions that cover a picture.

    `labels`: int32 (H, W), 0 … N−1. `pixels`: float64 (N,). `boxes_xyxy`: float64 (N, 4). `pairs`: int64
    (P, 2), regions that touch, the smaller number first. `colours`, `textures`: float32 (N, bins),
    shares that add up to 1.
    """

    labels: Array
    pixels: Array
    boxes_xyxy: Array
    pairs: Array
    colours: Array
    textures: Array

    def __len__(self) -> int:
        return len(self.pixels)


def in_space(picture: Picture, space: Space) -> ColourSpace:
    """`picture`, uint8 (H, W, 3), in a colour space, with the bins of its pixels."""
    planes = _planes(picture, space)
    count = planes.shape[2]
    flat = planes.reshape(-1, count).T.astype(np.int64)  # (C, H·W)
    colours = flat * COLOUR_BINS // 256 + COLOUR_BINS * np.arange(count)[:, None]
    return ColourSpace(planes, colours, _texture_bins(planes))


def cut(space: ColourSpace, threshold: float) -> Regions:
    """The picture cut into regions by Felzenszwalb and Huttenlocher (IJCV 2004).

    `threshold`: their k, the larger the larger the regions.
    """
    segmentation = cv2_module().ximgproc.segmentation
    cutter = segmentation.createGraphSegmentation(SMOOTHING, threshold, LEAST_PIXELS)
    labels = cutter.processImage(space.planes)
    flat = labels.ravel().astype(np.int64)
    pixels = np.bincount(flat).astype(np.float64)
    return Regions(
        labels,
        pixels,
        _boxes(labels, len(pixels)),
        _touching(labels, len(pixels)),
        _shares(flat, len(pixels), space.colours),
        _shares(flat, len(pixels), space.textures),
    )


def _planes(picture: Picture, space: Space) -> Array:
    cv2 = cv2_module()
    rgb = np.ascontiguousarray(picture)
    if space == "lab":
        found: Array = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
        return found
    if space == "grey":
        return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))[..., None]
    if space in ("hsv", "hue"):
        hsv: Array = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV_FULL)
        return hsv if space == "hsv" else np.ascontiguousarray(hsv[..., :1])
    total = rgb.sum(axis=2, dtype=np.int64)  # r and g as shares of the light, and the light
    shares = rgb[..., :2].astype(np.int64) * 255 // np.maximum(total, 1)[..., None]
    return np.concatenate([shares, total[..., None] // 3], axis=2).astype(np.uint8)


def _texture_bins(planes: Array) -> Array:
    """Gaussian derivatives (σ = 1) in eight directions, each in ten bins from 0 to its greatest."""
    cv2 = cv2_module()
    soft = cv2.GaussianBlur(planes.astype(np.float32), (0, 0), 1.0).reshape(planes.shape)
    found = []
    for plane in np.moveaxis(soft, 2, 0):
        slopes = [cv2.Sobel(plane, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1))]
        for half_turn in range(DIRECTIONS // 2):
            angle = np.pi * half_turn / (DIRECTIONS // 2)
            along = slopes[0] * np.float32(np.cos(angle)) + slopes[1] * np.float32(np.sin(angle))
            found += [_binned(along), _binned(-along)]
    return np.stack(found) + TEXTURE_BINS * np.arange(len(found))[:, None]


def _binned(slope: Array) -> Array:
    """Bins 0 to 9 of what is positive, int64 (H·W,)."""
    top = max(float(slope.max()), 1e-6)
    bins: Array = np.clip(slope.ravel() * (TEXTURE_BINS / top), 0, TEXTURE_BINS - 1).astype(np.int64)
    return bins


def _shares(labels: Array, count: int, bins: Array) -> Array:
    """Histogram of each region over `bins` (maps, H·W), float32 (count, bins)."""
    width = int(bins.shape[0]) * (TEXTURE_BINS if len(bins) >= DIRECTIONS else COLOUR_BINS)
    base = labels * width
    table = np.zeros(count * width, np.int64)
    for one in bins:
        table += np.bincount(base + one, minlength=count * width)
    shares = table.reshape(count, width)
    found: Array = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return found


def _boxes(labels: Array, count: int) -> Array:
    """The boxes around regions, (count, 4): of repeated places the last write counts."""
    height, width = labels.shape
    boxes = np.empty((count, 4))
    for column, names, length in ((1, labels, height), (0, labels.T, width)):
        flat = names.ravel()
        lines = np.repeat(np.arange(length), flat.size // length)
        boxes[flat[::-1], column] = lines[::-1]
        boxes[flat, column + 2] = lines + 1
    return boxes


def _touching(labels: Array, count: int) -> Array:
    """Pairs of regions with a side in common, (P, 2), sorted."""
    codes = []
    for one, other in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        apart = one != other
        a, b = one[apart].astype(np.int64), other[apart].astype(np.int64)
        codes.append(np.minimum(a, b) * count + np.maximum(a, b))
    found = np.unique(np.concatenate(codes))
    return np.stack(np.divmod(found, count), axis=1)
