"""Solids whose shape stays and whose paint changes: built once, coloured quickly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from striate.data.meshes.mesh import Mesh
from striate.types import Array

__all__ = ["Tinted", "tinted"]


@dataclass(frozen=True, slots=True, eq=False)
class Tinted:
    """A mesh whose colours are a black one's plus `slopes` (K, F, 3) times K paints."""

    black: Mesh
    slopes: Array

    def painted(self, *paints: Sequence[int]) -> Mesh:
        """The mesh in these paints, sRGB 0 to 255."""
        shares = np.asarray(paints, np.float64) / 255  # (K, 3)
        colours = self.black.colours + np.einsum("kfc,kc->fc", self.slopes, shares)
        return replace(self.black, colours=np.rint(colours).clip(0, 255).astype(np.uint8))


def tinted(make: Callable[..., Mesh], paints: int) -> Tinted:
    """`make`, which takes so many paints and mixes them with white and black at most, taken apart."""
    black, white = (0, 0, 0), (255, 255, 255)
    plain = make(*[black] * paints)
    slopes = [
        make(*[white if one == other else black for other in range(paints)]).colours.astype(np.float64)
        - plain.colours
        for one in range(paints)
    ]
    return Tinted(plain, np.stack(slopes))
