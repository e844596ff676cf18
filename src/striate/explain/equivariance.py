"""Do the maps of a network move with the picture, and from where on do its numbers stay?

A convolution is equivariant: when the picture moves, its map moves along. Invariance is another thing:
the numbers stay where they are. Both are measured for each layer as a correlation: of the map of the
moved picture with the moved map of the picture, and with the map that has not moved. Pixels are moved
to the right; what comes in at the left edge is not compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.explain.inside import Inside, Layer
from striate.explain.moves import Border, shifted
from striate.metrics.plain import plain, plain_list
from striate.types import Array, PictureArray

__all__ = ["LayerMotion", "measure_motion", "motion_shifts"]


@dataclass(frozen=True, slots=True)
class LayerMotion:
    """One layer. `stride`: input pixels for which its map moves on by one place, measured; None without
    a map. `along`: correlation with the moved map, at each of `shifts` (pixels); `still`: with the
    unmoved one. NaN where nothing is left to compare, or nothing varies.
    """

    layer: Layer
    stride: int | None
    shifts: tuple[int, ...]
    along: tuple[float, ...]
    still: tuple[float, ...]

    @property
    def along_at_stride(self) -> float | None:
        """The correlation after a shift by the layer's own step: equivariance as such."""
        return plain(self.along[self.shifts.index(self.stride)]) if self.stride is not None else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            **self.layer.to_dict(),
            "stride": self.stride,
            "shifts_px": list(self.shifts),
            "moves_along": plain_list(self.along),
            "stays": plain_list(self.still),
            "moves_along_at_stride": self.along_at_stride,
        }


def motion_shifts(width: int) -> tuple[int, ...]:
    """Shifts in pixels: powers of two up to half the width; at least one.

    >>> motion_shifts(32), motion_shifts(3)
    ((1, 2, 4, 8, 16), (1,))
    """
    found = [1]
    while 2 * found[-1] <= width // 2:
        found.append(2 * found[-1])
    return tuple(found)


def measure_motion(
    inside: Inside, layers: Sequence[Layer], pixels: PictureArray, *, border: Border = "reflect"
) -> list[LayerMotion]:
    """`layers` while `pixels` uint8 (N, h, w, 3) move to the right; a few pictures at a time."""
    shifts = motion_shifts(pixels.shape[2])
    watch = inside.watch(layers)
    steps = {one.name: shifts if one.is_map and one.places_hw[1] > 1 else () for one in layers}
    along = {
        (one.name, shift, step): _Sums()
        for one in layers
        for shift in shifts
        for step in steps[one.name]
    }
    still = {(one.name, shift): _Sums() for one in layers for shift in shifts}
    for rows, before in watch.each(pixels):
        for shift in shifts:
            after = watch(shifted(pixels[rows], 0, shift, border=border))
            for name, values in after.items():
                still[name, shift].add(before[name], values)
                for step in steps[name]:
                    along[name, shift, step].add(*_overlap(before[name], values, shift / step))
    return [
        _motion(
            one,
            shifts,
            [still[one.name, shift].correlation() for shift in shifts],
            {
                step: [along[one.name, shift, step].correlation() for shift in shifts]
                for step in steps[one.name]
            },
        )
        for one in layers
    ]


def _motion(
    layer: Layer, shifts: tuple[int, ...], still: list[float], along: dict[int, list[float]]
) -> LayerMotion:
    """The stride is the step at which the map that moves on by one place fits best."""
    if not along:
        return LayerMotion(layer, None, shifts, (float("nan"),) * len(shifts), tuple(still))
    fits = {step: found[shifts.index(step)] for step, found in along.items()}
    known = {step: fit for step, fit in fits.items() if np.isfinite(fit)}
    stride = max(known, key=lambda step: known[step]) if known else shifts[0]
    return LayerMotion(layer, stride, shifts, tuple(along[stride]), tuple(still))


def _overlap(before: Array, after: Array, places: float) -> tuple[Array, Array]:
    """Columns of both maps (B, C, h, w) that show the same after a move of `places`, between columns
    as a weighed mean of two; empty where nothing is left."""
    width = before.shape[3]
    first = int(np.ceil(places))
    if first >= width:
        return before[..., :0], after[..., :0]
    low = first - places  # how far beyond the left column the source lies, 0 ≤ low < 1
    kept = width - first
    source = before[..., :kept]
    if low > 0:
        source = (1 - low) * source + low * before[..., 1 : kept + 1]
    return source, after[..., first:]


@dataclass(slots=True)
class _Sums:
    """Correlation over all pictures and places, each channel taken from its own mean; in one pass."""

    count: int = 0
    sums: Array = field(default_factory=lambda: np.zeros((5, 1)))

    def add(self, one: Array, other: Array) -> None:
        """Values (B, C) or (B, C, h, w), of equal shape."""
        if not one.size:
            return
        axes = tuple(axis for axis in range(one.ndim) if axis != 1)
        x, y = one.astype(np.float64), other.astype(np.float64)
        parts = (x, y, x * y, x * x, y * y)
        self.sums = self.sums + np.stack([part.sum(axis=axes) for part in parts])  # (5, C)
        self.count += one.size // one.shape[1]

    def correlation(self) -> float:
        """Pearson's; NaN where one of both does not vary."""
        if self.count < 2:
            return float("nan")
        x, y, xy, xx, yy = self.sums
        shared = float((xy - x * y / self.count).sum())
        spread = float((xx - x * x / self.count).sum()) * float((yy - y * y / self.count).sum())
        scale = float(xx.sum()) * float(yy.sum())
        return shared / spread**0.5 if spread > 1e-18 * scale else float("nan")
