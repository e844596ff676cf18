"""The street as a place: lanes, poses, and the camera that looks at it.

World axes, metres: x along the street (right), y up, z across it (away from a camera that looks
straight across). The camera always stands on the near side of every lane, so lanes painted from
far to near, and inside a lane from the ends towards the camera, are in exact painter's order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from striate.data.scenes.light import Light, Triple
from striate.types import Array, SizeHW

__all__ = ["LANES", "NEAR_M", "Camera", "Lane", "Pose", "View", "look_at", "view_of"]

NEAR_M = 0.4
Lane = Literal["lot", "far_walk", "far_kerb", "far_lane", "near_lane", "near_kerb", "near_walk", "verge"]
LANES: MappingProxyType[Lane, float] = MappingProxyType(
    {
        "lot": 12.2,
        "far_walk": 6.5,
        "far_kerb": 4.7,
        "far_lane": 2.0,
        "near_lane": -2.0,
        "near_kerb": -4.6,
        "near_walk": -5.9,
        "verge": -8.2,
    }
)
"""Centre line z of every lane, metres, from far to near."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a thing stands on the ground: x, z in metres, heading (0 faces +x), size factor."""

    x: float
    z: float
    heading_deg: float = 0.0
    size: float = 1.0

    def rotation(self) -> Array:
        """(3, 3) float64: thing axes to world axes, size included."""
        angle = math.radians(self.heading_deg)
        c, s = math.cos(angle) * self.size, math.sin(angle) * self.size
        return np.array([[c, 0.0, -s], [0.0, self.size, 0.0], [s, 0.0, c]])


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A pinhole: `basis` (3, 3) rows right, up, forward; `focal_px`; the centre is the picture's."""

    position: Triple
    basis: Array
    focal_px: float
    size_hw: SizeHW

    @property
    def rows(self) -> tuple[Triple, Triple, Triple]:
        """`basis` as plain numbers, for the places where a single point is projected."""
        (a, b, c), (d, e, f), (g, h, i) = self.basis.tolist()
        return (a, b, c), (d, e, f), (g, h, i)

    def project(self, points_xyz: Array) -> tuple[Array, Array]:
        """World points (N, 3) to picture points (N, 2) in pixels and depths (N,) in metres."""
        seen = (points_xyz - np.array(self.position)) @ self.basis.T
        return self.to_picture(seen), seen[:, 2]

    def to_picture(self, seen: Array) -> Array:
        """Camera-frame points (N, 3) to pixels (N, 2); depth is held at `NEAR_M` or more."""
        scale = self.focal_px / np.maximum(seen[:, 2], NEAR_M)
        height, width = self.size_hw
        return np.stack([width / 2 + seen[:, 0] * scale, height / 2 - seen[:, 1] * scale], axis=1)

    def rolled(self, degrees: float) -> Camera:
        """The same camera turned about its axis, the picture turning clockwise."""
        if degrees == 0:
            return self
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        right, up, forward = self.basis
        return replace(self, basis=np.stack([c * right + s * up, c * up - s * right, forward]))

    def x_at(self, column: float, z: float) -> float | None:
        """x of the ground point on line `z` seen at picture column `column`; None if not ahead.

        Holds for a camera that is not rolled.
        """
        (right, _, forward), (px, py, pz) = self.basis, self.position
        k = (column - self.size_hw[1] / 2) / self.focal_px
        slope = right[0] - k * forward[0]
        if abs(slope) < 1e-6:
            return None
        dx = (k * (-py * forward[1] + (z - pz) * forward[2]) - (z - pz) * right[2]) / slope
        depth = dx * forward[0] - py * forward[1] + (z - pz) * forward[2]
        return float(px + dx) if depth > 1.0 else None

    def reach_at(self, z: float, most: float = 140.0) -> tuple[float, float]:
        """The span of x on the upright plane `z` that can be in view, metres, at most ±`most`."""
        height, width = self.size_hw
        px, _, pz = self.position
        ends = []
        for u, v in ((-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)):
            ray = self.basis.T @ np.array((u * width / 2, -v * height / 2, self.focal_px))
            if ray[2] > 1e-6:
                ends.append(px + ray[0] / ray[2] * (z - pz))
            else:
                ends.append(math.copysign(most, ray[0]))
        return max(-most, min(ends)), min(most, max(ends))

    def tilt(self) -> tuple[float, float, float]:
        """The horizon: unit vector (x, y) that points up in the picture, and how many pixels above
        the picture's centre, along it, the horizon lies."""
        up_x, up_y = float(self.basis[0][1]), -float(self.basis[1][1])
        size = math.hypot(up_x, up_y) or 1.0
        down = -float(self.basis[2][1])
        return up_x / size, up_y / size, self.focal_px * down / math.sqrt(max(1e-9, 1 - down * down))


def look_at(
    target: Triple,
    *,
    distance: float,
    yaw_deg: float,
    pitch_deg: float,
    focal_px: float,
    size_hw: SizeHW,
) -> Camera:
    """A camera `distance` metres from `target`, circling it by yaw, raised by pitch."""
    yaw, pitch = math.radians(yaw_deg), math.radians(pitch_deg)
    forward = np.array(
        [math.sin(yaw) * math.cos(pitch), -math.sin(pitch), math.cos(yaw) * math.cos(pitch)]
    )
    right = np.array([math.cos(yaw), 0.0, -math.sin(yaw)])
    up = np.cross(forward, right)
    x, y, z = (float(t - distance * f) for t, f in zip(target, forward, strict=True))
    return Camera((x, max(y, 0.3), z), np.stack([right, up, forward]), focal_px, size_hw)


@dataclass(frozen=True, slots=True)
class View:
    """What a thing must know to draw itself, in its own axes.

    `eye`: the camera. `sun`: unit vector to the sun. `right`: horizontal unit vector (x, z) to the
    right of the picture. `px_per_m`: how fine to draw. `lamps`: 0..1, lights are on.
    """

    eye: Triple
    sun: Triple
    right: tuple[float, float]
    px_per_m: float
    lamps: float
    wet: float
    snow: float

    def tone(self, x: float, y: float, z: float) -> float:
        """Sunlight on a face with unit normal (x, y, z), 0..1."""
        return max(0.0, x * self.sun[0] + y * self.sun[1] + z * self.sun[2])

    def billboard(self, across: float, up: float, towards: float = 0.0) -> Triple:
        """A point of the upright plane that faces the camera; `towards` metres nearer to it."""
        rx, rz = self.right
        return across * rx + towards * rz, up, across * rz - towards * rx


def view_of(pose: Pose, camera: Camera, light: Light) -> View:
    """`View` of a thing at `pose`."""
    angle = math.radians(pose.heading_deg)
    c, s = math.cos(angle), math.sin(angle)
    dx, dy, dz = (p - o for p, o in zip(camera.position, (pose.x, 0.0, pose.z), strict=True))
    sx, sy, sz = light.sun_xyz
    ex, ez = (c * dx + s * dz) / pose.size, (c * dz - s * dx) / pose.size
    flat = math.hypot(ex, ez) or 1.0
    return View(
        eye=(ex, dy / pose.size, ez),
        sun=(c * sx + s * sz, sy, c * sz - s * sx),
        right=(-ez / flat, ex / flat),
        px_per_m=camera.focal_px * pose.size / max(1.0, math.sqrt(dx * dx + dy * dy + dz * dz)),
        lamps=light.lamps,
        wet=light.wet,
        snow=light.snow,
    )
