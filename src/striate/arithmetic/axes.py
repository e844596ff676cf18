"""Where the rows and columns of the picture lie in a tensor, while it is permuted and reshaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.types import SizeHW

__all__ = ["Axes", "Shape"]

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Axes:
    """The dimensions that run over rows and over columns; equal where both are merged, row by row.

    `places_hw`: how many rows and columns.
    """

    rows: int
    columns: int
    places_hw: SizeHW

    @property
    def merged(self) -> bool:
        """Whether one dimension runs over all places, as in the tokens of a transformer."""
        return self.rows == self.columns

    def permuted(self, order: Sequence[int]) -> Axes:
        """After a permutation that puts dimension `order[i]` at i."""
        return replace(self, rows=order.index(self.rows), columns=order.index(self.columns))

    def without(self, dims: Sequence[int]) -> Axes | None:
        """After dimensions other than its own were dropped; None if one of them is its own."""
        if self.rows in dims or self.columns in dims:
            return None
        return replace(
            self,
            rows=self.rows - sum(dim < self.rows for dim in dims),
            columns=self.columns - sum(dim < self.columns for dim in dims),
        )

    def shifted(self, by: int) -> Axes:
        """After `by` dimensions were put in front."""
        return replace(self, rows=self.rows + by, columns=self.columns + by)

    def reshaped(self, old: Shape, new: Shape) -> Axes | None:
        """After a reshape from `old` to `new`; None where rows or columns were cut or mixed."""
        height, width = self.places_hw
        if self.merged:
            return self._from_merged(prod(old[: self.rows]), new)
        rows = _find(new, prod(old[: self.rows]), height)
        columns = _find(new, prod(old[: self.columns]), width)
        if rows is not None and columns is not None and rows != columns:
            return replace(self, rows=rows, columns=columns)
        if self.columns == self.rows + 1:
            both = _find(new, prod(old[: self.rows]), height * width)
            return None if both is None else replace(self, rows=both, columns=both)
        return None

    def _from_merged(self, before: int, new: Shape) -> Axes | None:
        height, width = self.places_hw
        both = _find(new, before, height * width)
        if both is not None:
            return replace(self, rows=both, columns=both)
        rows = _find(new, before, height)
        if rows is not None and rows + 1 < len(new) and new[rows + 1] == width:
            return replace(self, rows=rows, columns=rows + 1)
        return None


def _find(shape: Shape, before: int, size: int) -> int | None:
    """The dimension of `size` with `before` values of dimensions in front of it."""
    for dim, found in enumerate(shape):
        if found == size and prod(shape[:dim]) == before:
            return dim
    return None
