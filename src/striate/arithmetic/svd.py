"""M = K·S·D: a matrix as a turn, a stretch and a turn, and in which sense that is unique.

The stretches are unique; the turns are not. The sign of a column of K can be changed together with
that of its row of D, and where two stretches are equal their columns may be turned into one another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.errors import UsageError
from striate.types import Array

__all__ = ["Decomposition", "decompose", "singular_value_gradient"]

TIE = 1e-9
"""Stretches that differ by less than this share of the largest count as equal, or as zero."""


@dataclass(frozen=True, slots=True)
class Decomposition:
    """K (rows, r) with orthonormal columns, S as its r diagonal numbers in falling order, D (r, columns)
    with orthonormal rows; r the smaller side of the matrix."""

    k: Array
    s: Array
    d: Array

    @property
    def matrix(self) -> Array:
        """K·S·D."""
        found: Array = (self.k * self.s) @ self.d
        return found

    @property
    def rank(self) -> int:
        """How many stretches are not zero."""
        return int((self.s > TIE * self.s.max(initial=0.0)).sum())

    @property
    def ties(self) -> tuple[tuple[int, ...], ...]:
        """The places of equal stretches, in groups of two or more; within a group only the space that
        the columns span means something, not a single column."""
        return tuple(group for group in self._groups() if len(group) > 1)

    def truncated(self, rank: int) -> Decomposition:
        """The best matrix of at most that rank (Eckart and Young 1936)."""
        if not 1 <= rank <= len(self.s):
            raise UsageError(f"rank was given {rank}", expected=f"1 to {len(self.s)}")
        return Decomposition(self.k[:, :rank], self.s[:rank], self.d[:rank])

    def same_as(self, other: Decomposition, *, tolerance: float = 1e-7) -> bool:
        """Whether both say the same of one matrix: equal stretches, equal up to signs, and for equal
        stretches equal spaces. Columns of stretch zero say nothing of it and are not compared."""
        if self.k.shape != other.k.shape or self.d.shape != other.d.shape:
            return False
        if not np.allclose(self.s, other.s, rtol=0, atol=tolerance * self.s.max(initial=1.0)):
            return False
        return all(
            np.allclose(self._part(group), other._part(group), atol=tolerance * self.s.max(initial=1.0))
            for group in self._groups()
            if group[0] < self.rank
        )

    def _part(self, group: tuple[int, ...]) -> Array:
        """What these stretches put into the matrix: the same whatever the signs and turns."""
        places = list(group)
        found: Array = (self.k[:, places] * self.s[places]) @ self.d[places]
        return found

    def _groups(self) -> list[tuple[int, ...]]:
        near = TIE * self.s.max(initial=0.0)
        groups: list[tuple[int, ...]] = []
        for place, value in enumerate(self.s):
            if groups and self.s[groups[-1][-1]] - value <= near:
                groups[-1] = (*groups[-1], place)
            else:
                groups.append((place,))
        return groups


def decompose(matrix: Array) -> Decomposition:
    """The singular value decomposition of a (rows, columns) matrix.

    Of the two possible signs the one is taken with which the largest number of a column of K, by size
    and then by place, is positive, so that equal matrices give equal signs on every machine. A
    `UsageError` for anything but a finite matrix with at least one number.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim != 2 or matrix.size == 0 or not np.isfinite(matrix).all():
        raise UsageError(
            f"an array of shape {matrix.shape} cannot be decomposed",
            expected="rows and columns of finite numbers, at least one of each",
        )
    k, s, d = np.linalg.svd(matrix, full_matrices=False)
    sizes = np.abs(k)
    leading = (sizes >= sizes.max(axis=0) - TIE).argmax(axis=0)
    signs = np.where(k[leading, np.arange(k.shape[1])] < 0, -1.0, 1.0)
    return Decomposition(k * signs, s, d * signs[:, None])


def singular_value_gradient(matrix: Array) -> Array:
    """∂sᵢ/∂M = kᵢ dᵢ: (r, rows, columns).

    A `UsageError` where two stretches are equal or one is zero: there the derivative does not exist.
    """
    found = decompose(matrix)
    if found.ties or found.rank < len(found.s):
        raise UsageError(
            f"the singular values {np.round(found.s, 6).tolist()} have no derivative",
            expected="values that are all different and above 0",
        )
    slopes: Array = found.k.T[:, :, None] * found.d[:, None, :]
    return slopes
