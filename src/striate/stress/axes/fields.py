"""Smooth random fields: white noise through a Gaussian, known at every place, not at pixels only.

A field is a sum of Gaussian bumps on a lattice with a normal weight each. Bumps are a standard
deviation apart, so that their sum is even to 1e-8 and the lattice cannot be seen; its size does not
depend on the number of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.randomness import normals
from striate.types import Array, SizeHW

__all__ = ["Field", "draw_fields"]

_BEYOND = 2.5
"""Bumps stand so many standard deviations beyond the edge, too."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """B fields of C values each. `weights` float64 (B, C, n, m) on the lattice `y` (n,), `x` (m,);
    `sigma`: standard deviation of a bump. All in pixels."""

    weights: Array
    y: Array
    x: Array
    sigma: float

    def times(self, factors: Array) -> Field:
        """Each field (B, …) `factors` (B,) times as strong."""
        return Field(self.weights * factors[:, None, None, None], self.y, self.x, self.sigma)

    def rows(self, rows: slice | int) -> Field:
        """Some of the fields, or one alone (as B = 1)."""
        chosen = slice(rows, rows + 1) if isinstance(rows, int) else rows
        return Field(self.weights[chosen], self.y, self.x, self.sigma)

    def on_grid(self, y: Array, x: Array) -> Array:
        """Values at all pairs of `y` (h,) and `x` (w,), (B, C, h, w)."""
        found: Array = self._bumps(y, self.y) @ self.weights @ self._bumps(x, self.x).T
        return found

    def slopes_on_lattice(self) -> Array:
        """Derivatives by y and x at every half of the lattice's spacing, (B, C, 2, h, w)."""
        y, x = (np.linspace(at[0], at[-1], 2 * len(at) - 1) for at in (self.y, self.x))
        by_y = self._slopes(y, self.y) @ self.weights @ self._bumps(x, self.x).T
        by_x = self._bumps(y, self.y) @ self.weights @ self._slopes(x, self.x).T
        return np.stack([by_y, by_x], axis=2)

    def at(self, points_xy: Array) -> Array:
        """Values of the first field at points (N, 2), (N, C)."""
        beside_y = self._bumps(points_xy[:, 1], self.y)
        beside_x = self._bumps(points_xy[:, 0], self.x)
        found: Array = np.einsum("pn,cnm,pm->pc", beside_y, self.weights[0], beside_x, optimize=True)
        return found

    def _bumps(self, at: Array, nodes: Array) -> Array:
        found: Array = np.exp(-0.5 * np.square((at[:, None] - nodes) / self.sigma))
        return found

    def _slopes(self, at: Array, nodes: Array) -> Array:
        found: Array = self._bumps(at, nodes) * (nodes - at[:, None]) / self.sigma**2
        return found


def draw_fields(seeds: Array, values: int, size_hw: SizeHW, sigma: float, *, stream: str) -> Field:
    """Fields of `values` numbers a place over pictures of this size, one for each of `seeds` (B,)."""
    y, x = (_lattice(side, sigma) for side in size_hw)
    drawn = normals(0, 0, seeds, values * len(y) * len(x), stream=stream)
    return Field(drawn.reshape(len(seeds), values, len(y), len(x)), y, x, sigma)


def _lattice(side: int, sigma: float) -> Array:
    steps = int(np.ceil((side + 2 * _BEYOND * sigma) / sigma))
    return side / 2 + (np.arange(steps + 1) - steps / 2) * sigma
