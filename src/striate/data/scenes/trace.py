"""Marks to truth: silhouettes, who hides whom, and boxes that fit the masks exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from striate.data.scenes.paint import FINE, flat_of, put
from striate.data.scenes.sketch import Drawn
from striate.types import Array, SizeHW

__all__ = ["Layer", "Silhouette", "Tracing", "boxes_of_labels", "layers_to_masks", "silhouette_of"]

_MAX_PARTS = 250


@dataclass(frozen=True, slots=True, eq=False)
class Silhouette:
    """The whole shape of a thing, also outside the picture.

    `top`, `left`: where the arrays begin, pixels, negative outside. `whole`: bool (h, w), a pixel
    is the thing's if it covers half of it. `parts`: uint8 (h, w), 0 none, else index + 1 into
    `names`, to be read where `whole`; (1, 1) if parts were not asked for.
    """

    top: int
    left: int
    whole: Array
    parts: Array
    names: tuple[str, ...]

    def inside(self, size_hw: SizeHW) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Slices of the picture, and the same pixels of the arrays."""
        height, width = size_hw
        y0, x0 = max(0, self.top), max(0, self.left)
        y1 = max(y0, min(height, self.top + self.whole.shape[0]))
        x1 = max(x0, min(width, self.left + self.whole.shape[1]))
        picture = (slice(y0, y1), slice(x0, x1))
        own = (slice(y0 - self.top, y1 - self.top), slice(x0 - self.left, x1 - self.left))
        return picture, own


def silhouette_of(drawn: Drawn, size_hw: SizeHW, *, with_parts: bool) -> Silhouette | None:
    """The silhouette of a drawn thing, followed up to one picture beyond each edge; None if empty."""
    height, width = size_hw
    x0, y0 = max(-width, math.floor(drawn.bounds[0]) - 1), max(-height, math.floor(drawn.bounds[1]) - 1)
    x1 = min(2 * width, math.ceil(drawn.bounds[2]) + 1)
    y1 = min(2 * height, math.ceil(drawn.bounds[3]) + 1)
    if x1 <= max(x0, 0) or y1 <= max(y0, 0) or x0 >= width or y0 >= height:
        return None
    sheet = Image.new("L", ((x1 - x0) * FINE, (y1 - y0) * FINE), 0)
    names = _fill(sheet, drawn, (x0, y0), with_parts=with_parts)
    fine = np.asarray(sheet)
    corners = (fine[::2, ::2], fine[1::2, ::2], fine[::2, 1::2], fine[1::2, 1::2])
    a, b, c, d = (corner > 0 for corner in corners)
    # At least two of the four quarters of a pixel.
    whole = (a & b) | (c & d) | ((a | b) & (c | d))
    if not with_parts:
        return Silhouette(y0, x0, whole, np.zeros((1, 1), dtype=np.uint8), ())
    parts = np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3]))
    return Silhouette(y0, x0, whole, np.maximum(parts, 1) - 1, names)


def _fill(
    sheet: Image.Image, drawn: Drawn, corner: tuple[int, int], *, with_parts: bool
) -> tuple[str, ...]:
    """Fill `sheet` with 1 for the body and 2, 3 … for parts; the names of the parts."""
    pen = ImageDraw.Draw(sheet)
    flat = flat_of(drawn, FINE, *corner)
    numbers: dict[str, int] = {}
    for kind, start, stop, radius, _, part, decal, _ in drawn.marks:
        value = 1
        if decal and not part:
            continue
        if part and with_parts and (part in numbers or len(numbers) < _MAX_PARTS):
            value = numbers.setdefault(part, len(numbers)) + 2
        put(pen, kind, flat[2 * start : 2 * stop], radius * FINE, value)
    return tuple(numbers)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One thing of the painter's stack: what it is (`semantic`), and which object (-1: none)."""

    silhouette: Silhouette
    semantic: int
    item: int


@dataclass(slots=True)
class Tracing:
    """The masks of a whole scene, and of each part its object and name."""

    semantic: Array
    instances: Array
    parts: Array
    part_names: list[tuple[int, str]]


def layers_to_masks(layers: Sequence[Layer], semantic: Array) -> Tracing:
    """Stack `layers`, far to near, on the backdrop's `semantic` uint8 (H, W).

    `instances` and `parts` hold index + 1; an object's index is `Layer.item`.
    """
    size_hw: SizeHW = (semantic.shape[0], semantic.shape[1])
    semantic = semantic.copy()
    instances = np.zeros(size_hw, dtype=np.uint16)
    parts = np.zeros(size_hw, dtype=np.int32)
    names: list[tuple[int, str]] = []
    for layer in layers:
        shape = layer.silhouette
        picture, own = shape.inside(size_hw)
        mask = shape.whole[own]
        np.copyto(semantic[picture], layer.semantic, where=mask)
        np.copyto(instances[picture], layer.item + 1, where=mask)
        if layer.item < 0:
            np.copyto(parts[picture], 0, where=mask)
        elif shape.names:
            own_parts = shape.parts[own].astype(np.int32)
            own_parts[own_parts > 0] += len(names)
            np.copyto(parts[picture], own_parts, where=mask)
            names.extend((layer.item, name) for name in shape.names)
    return Tracing(semantic, instances, parts, names)


def boxes_of_labels(labels: Array, count: int) -> tuple[Array, Array]:
    """For labels 1..count in an integer mask (H, W): boxes (count, 4) float32 xyxy and pixel counts.

    A box is [first column, first row, last column + 1, last row + 1]; all 0 where a label is absent.
    """
    boxes = np.zeros((count, 4), dtype=np.float32)
    found = np.flatnonzero(labels)
    pixels = np.zeros(count, dtype=np.int64)
    if not len(found):
        return boxes, pixels
    values = labels.ravel()[found]
    order = np.argsort(values, kind="stable")
    values, found = values[order], found[order]
    starts = np.flatnonzero(np.diff(values, prepend=0))
    rows, columns = np.divmod(found, labels.shape[1])
    where = values[starts].astype(np.int64) - 1
    boxes[where, 0] = np.minimum.reduceat(columns, starts)
    boxes[where, 1] = np.minimum.reduceat(rows, starts)
    boxes[where, 2] = np.maximum.reduceat(columns, starts) + 1
    boxes[where, 3] = np.maximum.reduceat(rows, starts) + 1
    pixels[where] = np.diff(starts, append=len(found))
    return boxes, pixels
