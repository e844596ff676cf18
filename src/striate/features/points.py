"""Key points: places in a picture, each with the radius it stands for, direction and strength."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from striate.types import Array

__all__ = ["Keypoints"]


@dataclass(frozen=True, slots=True)
class Keypoints:
    """What a detector found in one picture, in the original picture's pixels.

    `points_xy`: float32 (N, 2); (0, 0) is the centre of the first pixel. `scale_px`: float32 (N,), the
    radius of the blob, corner window or region that the point stands for. `angle_deg`: float32 (N,),
    its direction in [0, 360), clockwise from the x axis as it is seen (y points down); NaN where the
    detector gives none. `response`: float32 (N,), its strength; only comparable within one kind.
    `kind`: the detector. A `ValueError` where shapes, types or ranges are others.
    """

    points_xy: Array
    scale_px: Array
    angle_deg: Array
    response: Array
    kind: str

    def __post_init__(self) -> None:
        count = len(self.points_xy)
        wanted = {"points_xy": (count, 2)} | dict.fromkeys(
            ("scale_px", "angle_deg", "response"), (count,)
        )
        for name, shape in wanted.items():
            given: Array = getattr(self, name)
            if given.dtype != np.float32 or given.shape != shape:
                raise ValueError(f"{name} is {given.dtype} {given.shape}; expected float32 {shape}")
            if name != "angle_deg" and not np.isfinite(given).all():
                raise ValueError(f"{name} holds a number that is not finite")
        if (self.scale_px <= 0).any():
            raise ValueError(f"scale_px holds {self.scale_px.min()}; expected radii above 0")
        told = self.angle_deg[~np.isnan(self.angle_deg)]
        if ((told < 0) | (told >= 360)).any():
            raise ValueError("angle_deg holds an angle outside of [0, 360)")
        if not self.kind:
            raise ValueError("kind is empty; expected the name of the detector")

    @classmethod
    def empty(cls, kind: str) -> Self:
        """No points."""
        none = np.zeros(0, np.float32)
        return cls(np.zeros((0, 2), np.float32), none, none, none, kind)

    def __len__(self) -> int:
        return len(self.points_xy)

    def take(self, rows: Array) -> Self:
        """The points that `rows` (indices, or a mask) picks, in its order."""
        return type(self)(
            self.points_xy[rows],
            self.scale_px[rows],
            self.angle_deg[rows],
            self.response[rows],
            self.kind,
        )

    def strongest(self, n: int) -> Self:
        """The `n` points of the highest response, strongest first; equal ones from the upper left."""
        if n < 0:
            raise ValueError(f"asked for the {n} strongest points; expected a number from 0")
        x, y = self.points_xy.T
        order = np.lexsort((self.angle_deg, self.scale_px, x, y, -self.response))
        return self.take(order[:n])

    def to_dict(self) -> dict[str, object]:
        """For `--json`: a column each; an angle that is not known is None."""
        angles = [None if math.isnan(angle) else round(angle, 2) for angle in self.angle_deg.tolist()]
        return {
            "kind": self.kind,
            "count": len(self),
            "points_xy": [[round(x, 2), round(y, 2)] for x, y in self.points_xy.tolist()],
            "scale_px": [round(radius, 2) for radius in self.scale_px.tolist()],
            "angle_deg": angles,
            "response": [float(f"{value:.5g}") for value in self.response.tolist()],
        }
