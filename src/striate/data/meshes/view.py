"""How an object is looked at: its pose, how large and where in the picture, and the light on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from striate.data.meshes.mesh import Mesh
from striate.data.meshes.rotation import angles_to_matrix
from striate.types import Array, SizeHW

__all__ = ["Camera", "Light", "View", "camera_for"]

_DISTANCE = 4.0
"""Of the camera from the object, in radii: perspective as in a photograph of a thing that fills it."""


@dataclass(frozen=True, slots=True)
class Light:
    """A far lamp and light from all around.

    `azimuth_deg`: 0 from behind the camera, 90 from the right. `height_deg`: above the horizon.
    `lamp`, `ambient`: how bright, 1 shows a white face that looks into the lamp as white.
    """

    azimuth_deg: float = 35.0
    height_deg: float = 45.0
    lamp: float = 0.62
    ambient: float = 0.48

    @property
    def direction(self) -> Array:
        """Unit vector towards the lamp, (3,), in the camera's axes."""
        azimuth, height = math.radians(self.azimuth_deg), math.radians(self.height_deg)
        level = math.cos(height)
        return np.array([level * math.sin(azimuth), math.sin(height), level * math.cos(azimuth)])


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One look at an object.

    `turn` (3, 3): its rotation (see `rotation`). `scale`: diameter of the sphere around the object as a
    share of the picture's shorter side. `shift_xy`: how far its middle lies right of and below the
    picture's, as shares of that side. `elevation_deg`: how steeply the camera looks down on it.
    """

    turn: Array = field(default_factory=lambda: np.eye(3))
    scale: float = 0.9
    shift_xy: tuple[float, float] = (0.0, 0.0)
    elevation_deg: float = 0.0
    light: Light = Light()

    @classmethod
    def at(
        cls,
        yaw_deg: float = 0.0,
        pitch_deg: float = 0.0,
        roll_deg: float = 0.0,
        *,
        scale: float = 0.9,
        shift_xy: tuple[float, float] = (0.0, 0.0),
        elevation_deg: float = 0.0,
        light: Light | None = None,
    ) -> View:
        """The view of an object turned by these angles."""
        turn = angles_to_matrix(yaw_deg, pitch_deg, roll_deg)
        return cls(turn, scale, shift_xy, elevation_deg, light or Light())


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """Perspective: a point at p = `turn` · (vertex − `middle`), x right, y up, z towards the camera, has
    depth `distance` − z, and is seen at column `centre_xy[0]` + `focal_px` · x / depth and row
    `centre_xy[1]` − `focal_px` · y / depth. Lengths are metres, rows and columns continuous pixels.
    """

    focal_px: float
    centre_xy: tuple[float, float]
    distance: float
    turn: Array = field(default_factory=lambda: np.eye(3))
    middle: Array = field(default_factory=lambda: np.zeros(3))

    def points(self, vertices: Array) -> Array:
        """Vertices (V, 3) in the camera's axes, float64 (V, 3): x, y, depth."""
        turned = (vertices - self.middle) @ self.turn.T
        turned[:, 2] = self.distance - turned[:, 2]
        return turned

    def project(self, points: Array) -> Array:
        """Where points (…, 3), x, y and depth > 0, are seen: float64 (…, 2), pixels (x, y)."""
        by = self.focal_px / points[..., 2]
        across = self.centre_xy[0] + points[..., 0] * by
        down = self.centre_xy[1] - points[..., 1] * by
        return np.stack([across, down], axis=-1)


def camera_for(mesh: Mesh, view: View, size_hw: SizeHW) -> Camera:
    """The camera that sees `mesh` as `view` says, in a picture of `size_hw`."""
    height, width = size_hw
    side, radius = min(size_hw), mesh.radius
    tilt = angles_to_matrix(0.0, -view.elevation_deg, 0.0)
    return Camera(
        # a sphere of one radius, seen from `_DISTANCE` radii, shows as a disc of scale · side
        focal_px=view.scale * side / 2 * math.sqrt(_DISTANCE**2 - 1),
        centre_xy=(width / 2 + view.shift_xy[0] * side, height / 2 + view.shift_xy[1] * side),
        distance=_DISTANCE * radius,
        turn=tilt @ view.turn,
        middle=mesh.centre,
    )
