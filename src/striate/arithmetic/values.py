"""A tensor on its way: which layer made it, and where the places of the picture lie in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from striate.arithmetic.axes import Axes, Shape
from striate.arithmetic.layers import Source
from striate.arithmetic.reach import ITSELF, ONLY, Reach, everything

if TYPE_CHECKING:
    from striate.types import SizeHW

__all__ = ["Value", "common_axes", "shown"]


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor that depends on the picture.

    `shape`: with the batch. `places_hw`: rows and columns of the layer that made it. `axes`: where
    they lie in the tensor, None where that is lost. `scattered`: it was lost by cutting the map into
    windows, so that an operation over a whole dimension may still see only a part. `exact`: what the
    layer is said to see is no more than it does.
    """

    layer: int
    shape: Shape
    axes: Axes | None
    places_hw: SizeHW
    exact: bool = True
    scattered: bool = False

    @property
    def count(self) -> int:
        """Places of its layer."""
        return prod(self.places_hw)

    # -- views: the same numbers --------------------------------------------------------------

    def reshaped(self, shape: Shape) -> Value:
        """In another shape."""
        axes = self.axes.reshaped(self.shape, shape) if self.axes else None
        cut = self.axes is not None and axes is None and self.count > 1
        flat = max(shape, default=1) == prod(shape)  # one vector: all places side by side
        return replace(self, shape=shape, axes=axes, scattered=self.scattered or (cut and not flat))

    def permuted(self, order: Sequence[int]) -> Value:
        """Dimensions in another order."""
        axes = self.axes.permuted(order) if self.axes else None
        return replace(self, shape=tuple(self.shape[dim] for dim in order), axes=axes)

    def expanded(self, shape: Shape) -> Value:
        """Broadcast to a larger shape."""
        return replace(self, shape=shape, axes=common_axes([self], shape))

    def dropped(self, dims: Sequence[int], shape: Shape) -> Value:
        """Without some dimensions, of each of which one index is taken."""
        axes = self.axes.without(dims) if self.axes else None
        lost = self.axes is not None and axes is None and self.count > 1
        return replace(self, shape=shape, axes=axes, scattered=self.scattered or lost)

    # -- how a layer reads it -----------------------------------------------------------------

    def all_of(self) -> Source:
        """All places."""
        rows, columns = (everything(side) if side > 1 else ONLY for side in self.places_hw)
        return Source(self.layer, rows, columns)

    def through(self, reaches: tuple[Reach, Reach]) -> tuple[Source, bool]:
        """By rows and columns, where they are known; and whether that is exact."""
        if self.axes is None or self.axes.merged:
            return self.all_of(), self.exact and self.count == 1
        return Source(self.layer, *reaches), self.exact

    def aligned(self, axes: Axes | None, dims: int) -> tuple[Source, bool]:
        """Number by number into a result of `dims` dimensions whose places lie at `axes`."""
        if self.count == 1:
            return Source(self.layer, ONLY, ONLY), self.exact
        own = self.axes.shifted(dims - len(self.shape)) if self.axes else None
        if own is None or axes is None or (own.rows, own.columns) != (axes.rows, axes.columns):
            return self.all_of(), False
        rows, columns = (
            ITSELF if mine == whole else ONLY
            for mine, whole in zip(own.places_hw, axes.places_hw, strict=True)
        )
        return Source(self.layer, rows, columns), self.exact

    def mixed(self, dims: Sequence[int], shape: Shape) -> tuple[Source, Axes | None]:
        """All along `dims`, into a result of `shape`; and where places lie in that."""
        if self.axes is None:
            return self.all_of(), None
        height, width = self.places_hw
        by_row, by_column = self.axes.rows in dims, self.axes.columns in dims
        source = Source(
            self.layer,
            everything(height) if by_row else ITSELF,
            everything(width) if by_column else ITSELF,
        )
        if shape == self.shape:
            return source, self.axes
        if by_row and by_column:
            return source, None
        if len(shape) < len(self.shape):
            axes = self.axes.without(dims)
            return (self.all_of() if axes is None else source), axes
        return source, replace(self.axes, places_hw=(1 if by_row else height, 1 if by_column else width))


def common_axes(values: Sequence[Value], shape: Shape) -> Axes | None:
    """Where places lie in a result of `shape`: as in the value that has most of them."""
    known = [
        value.axes.shifted(len(shape) - len(value.shape)) for value in values if value.axes is not None
    ]
    best = max(known, key=lambda axes: prod(axes.places_hw), default=None)
    if best is None or best.rows < 0:
        return None
    if best.merged:
        return best if shape[best.rows] == prod(best.places_hw) else None
    return best if (shape[best.rows], shape[best.columns]) == best.places_hw else None


def shown(shape: Shape, axes: Axes | None) -> Shape:
    """(H, W, C) of maps, (N,) of a vector, else the shape without a batch of one."""
    if axes is not None and not axes.merged:
        return (*axes.places_hw, prod(shape) // max(1, prod(axes.places_hw)))
    if prod(shape) == max(shape, default=1):
        return (prod(shape),)
    return shape[1:] if shape[0] == 1 else shape
