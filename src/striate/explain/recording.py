"""Record units while pictures are played, and find out which part of the picture they see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from striate.explain.inside import Inside, Layer, Watch
from striate.types import Array, PictureArray, SizeHW

__all__ = ["Extent", "Recorder", "extents"]

_NOTICED = 1e-3
"""A change of a layer's largest value by less than this share is none."""
_STRIPS = 32
_BASES = 4


class Recorder:
    """All channels of some layers, each at one place of its map.

    `places`: row and column by layer name; the middle by default.
    """

    def __init__(
        self,
        inside: Inside,
        layers: Sequence[Layer],
        places: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self.size_hw = inside.size_hw
        self.layers = tuple(layers)
        self._watch: Watch = inside.watch(layers)
        self._places = {one.name: (places or {}).get(one.name, one.centre) for one in layers}

    def __call__(self, pixels: PictureArray) -> dict[str, Array]:
        """Responses float32 (B, C) by layer name to `pixels` uint8 (B, h, w, 3)."""
        found = {one.name: np.empty((len(pixels), one.channels), np.float32) for one in self.layers}
        for rows, values in self._watch.each(pixels):
            for name, array in values.items():
                row, column = self._places[name]
                found[name][rows] = array[:, :, row, column] if array.ndim == 4 else array
        return found


@dataclass(frozen=True, slots=True)
class Extent:
    """Rows `top` to `bottom` and columns `left` to `right` of the picture, ends not included."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def centre_yx(self) -> tuple[float, float]:
        """Its middle, pixels."""
        return (self.top + self.bottom) / 2, (self.left + self.right) / 2

    @property
    def size_hw(self) -> SizeHW:
        """Height and width, pixels."""
        return self.bottom - self.top, self.right - self.left

    def to_dict(self) -> dict[str, int]:
        """JSON-ready."""
        return {"top": self.top, "left": self.left, "bottom": self.bottom, "right": self.right}


def extents(record: Recorder, *, seed: int = 0) -> dict[str, Extent]:
    """What part of the picture each layer's recorded units see, measured.

    Strips of a noise picture are replaced by other noise; where any channel changes by more than a
    thousandth of the layer's largest value, the strip is seen: what lies within is sure, faint edges may
    be missed. A unit that nothing moves sees all.
    """
    rng = np.random.default_rng(seed)
    height, width = record.size_hw
    base, other = rng.integers(0, 256, (2, _BASES, height, width, 3), dtype=np.uint8)
    rows, columns = (_ends(record, base, other, axis) for axis in (1, 2))
    return {
        one.name: Extent(
            rows[one.name][0], columns[one.name][0], rows[one.name][1], columns[one.name][1]
        )
        for one in record.layers
    }


def _ends(
    record: Recorder, base: PictureArray, other: PictureArray, axis: int
) -> dict[str, tuple[int, int]]:
    """First and last line seen along an axis: strips first, then the lines of the strips at the ends."""
    side = base.shape[axis]
    edges = np.unique(np.linspace(0, side, min(side, _STRIPS) + 1).astype(int))
    strips = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    at_rest = record(base)
    seen = _seen(record, at_rest, base, other, axis, strips)
    ends = {name: [strips[at] for at in np.flatnonzero(found)[[0, -1]]] for name, found in seen.items()}
    lines = sorted({line for pair in ends.values() for strip in pair for line in range(*strip)})
    if len(strips) < side:
        noticed = _seen(record, at_rest, base, other, axis, [(line, line + 1) for line in lines])
    else:
        noticed = {name: np.isin(lines, np.flatnonzero(found)) for name, found in seen.items()}
    return {name: _exact(ends[name], lines, noticed[name]) for name in ends}


def _exact(ends: Sequence[tuple[int, int]], lines: Sequence[int], noticed: Array) -> tuple[int, int]:
    first, last = ends
    known = [line for line, one in zip(lines, noticed, strict=True) if one]
    start = min((line for line in known if first[0] <= line < first[1]), default=first[0])
    stop = max((line + 1 for line in known if last[0] <= line < last[1]), default=last[1])
    return start, stop


def _seen(
    record: Recorder,
    at_rest: Mapping[str, Array],
    base: PictureArray,
    other: PictureArray,
    axis: int,
    strips: Sequence[tuple[int, int]],
) -> dict[str, Array]:
    """Whether any channel notices each strip, bool (S,) by layer; all, where none is noticed."""
    found = {name: np.zeros(len(strips), bool) for name in at_rest}
    for at, (start, stop) in enumerate(strips):
        changed = base.copy()
        part = (
            (slice(None), slice(start, stop))
            if axis == 1
            else (slice(None), slice(None), slice(start, stop))
        )
        changed[part] = other[part]
        for name, values in record(changed).items():
            most = float(np.abs(at_rest[name]).max())
            found[name][at] = np.abs(values - at_rest[name]).max() > _NOTICED * max(most, 1e-12)
    return {name: one if one.any() else np.ones_like(one) for name, one in found.items()}
