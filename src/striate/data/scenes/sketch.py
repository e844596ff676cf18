"""A thing as a list of marks in its own axes, and the same marks as a camera sees them.

Three marks are enough for everything in a scene: a face (flat polygon), a stroke (a line with a
width, such as a limb or a pole) and a ball (a disc that always faces the camera).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from striate.data.scenes.light import Light, Triple
from striate.data.scenes.names import Rgb
from striate.data.scenes.world import NEAR_M, Camera, Pose
from striate.types import Array

__all__ = ["BALL", "FACE", "STROKE", "Drawn", "Mark", "ScreenMark", "Sketch", "project", "shadow_of"]

FACE, STROKE, BALL = 0, 1, 2
Bounds = tuple[float, float, float, float]


class Mark(NamedTuple):
    """A mark in thing axes: points `start` to `stop` of its sketch, `radius` in metres.

    `tone`: sunlight on it, 0..1. `glow`: light of its own, 0..1. `part`: "" for the body, otherwise
    "name" or "name:which". `decal`: lies inside the silhouette of earlier marks.
    """

    kind: int
    start: int
    stop: int
    radius: float
    colour: Rgb
    tone: float
    glow: float
    alpha: int
    part: str
    decal: bool


class ScreenMark(NamedTuple):
    """A mark in the picture: points `start` to `stop` of its `Drawn.xy`, `radius` in pixels."""

    kind: int
    start: int
    stop: int
    radius: float
    rgba: tuple[int, int, int, int]
    part: str
    decal: bool
    glow: float


class Sketch:
    """Collects marks in painter's order. Points are (x, y, z) in metres, thing axes.

    The options of the three marks: `tone`, `part`, `alpha` 0..255, `glow`, `decal` (see `Mark`;
    what is translucent is a decal).
    """

    __slots__ = ("keys", "marks", "points")

    def __init__(self) -> None:
        self.points: list[Triple] = []
        self.marks: list[Mark] = []
        self.keys: list[tuple[str, int]] = []

    def face(
        self,
        points: Iterable[Triple],
        colour: Rgb,
        tone: float = 0.5,
        *,
        part: str = "",
        alpha: int = 255,
        glow: float = 0.0,
        decal: bool = False,
    ) -> None:
        """A filled polygon."""
        start = len(self.points)
        self.points.extend(points)
        decal = decal or alpha < 255
        self.marks.append(
            Mark(FACE, start, len(self.points), 0.0, colour, tone, glow, alpha, part, decal)
        )

    def stroke(
        self,
        points: Iterable[Triple],
        radius: float,
        colour: Rgb,
        tone: float = 0.5,
        *,
        part: str = "",
        alpha: int = 255,
        decal: bool = False,
    ) -> None:
        """A line through `points` with round ends, `radius` metres to each side."""
        start = len(self.points)
        self.points.extend(points)
        decal = decal or alpha < 255
        self.marks.append(
            Mark(STROKE, start, len(self.points), radius, colour, tone, 0.0, alpha, part, decal)
        )

    def ball(
        self,
        centre: Triple,
        radius: float,
        colour: Rgb,
        tone: float = 0.5,
        *,
        part: str = "",
        alpha: int = 255,
        glow: float = 0.0,
        decal: bool = False,
    ) -> None:
        """A disc of `radius` metres that faces the camera."""
        start = len(self.points)
        self.points.append(centre)
        decal = decal or alpha < 255
        self.marks.append(Mark(BALL, start, start + 1, radius, colour, tone, glow, alpha, part, decal))

    def key(self, name: str, point: Triple) -> None:
        """A named point (keypoint) that truth will report."""
        self.keys.append((name, len(self.points)))
        self.points.append(point)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A thing in the picture: marks in painter's order over points `xy` (N, 2), and named points.

    All in pixels; `bounds` (x0, y0, x1, y1) encloses everything.
    """

    xy: Array
    marks: tuple[ScreenMark, ...]
    keys: tuple[tuple[str, float, float], ...]
    bounds: Bounds


def bend(xy: Array, bounds: Bounds, amount: float, phase: float) -> Array:
    """Points (N, 2) bent smoothly inside `bounds`: the S-curve of a non-rigid thing."""
    x0, y0, x1, y1 = bounds
    width, height = max(1.0, x1 - x0), max(1.0, y1 - y0)
    u, v = (xy[:, 0] - x0) / width, (xy[:, 1] - y0) / height
    side = amount * 0.16 * min(width, height)
    dx = side * np.sin(2 * math.pi * (0.9 * v + phase))
    dy = side * np.sin(2 * math.pi * (0.9 * u + 1.7 * phase))
    return np.stack([xy[:, 0] + dx, xy[:, 1] + dy], axis=1)


def _bounds(xy: Array, marks: Sequence[ScreenMark]) -> Bounds:
    x0, y0 = xy.min(axis=0).tolist()
    x1, y1 = xy.max(axis=0).tolist()
    pad = max((mark.radius for mark in marks), default=0.0)
    return x0 - pad, y0 - pad, x1 + pad, y1 + pad


def _colours(marks: Sequence[Mark], depths: Array, light: Light) -> list[list[int]]:
    """Lit and fogged sRGB of every mark, 0..255."""
    table = np.array([(*mark.colour, mark.tone, mark.glow) for mark in marks])
    base, tone, glow = table[:, :3], table[:, 3:4], table[:, 4:]
    lit = base * (np.array(light.ambient) + tone * np.array(light.sun))
    lit += (base - lit) * glow
    veil = 1 - np.exp(-light.fog_per_m * np.maximum(depths - 4.0, 0.0))
    lit += (np.array(light.fog) - lit) * (veil[:, None] * (1 - 0.6 * glow))
    found: list[list[int]] = np.minimum(lit, 255).astype(np.uint8).tolist()
    return found


def project(
    sketch: Sketch,
    pose: Pose,
    camera: Camera,
    light: Light,
    *,
    bending: float = 0.0,
    phase: float = 0.0,
    mirrored: bool = False,
) -> Drawn:
    """The marks of `sketch` at `pose` as `camera` sees them, coloured by `light`.

    `mirrored`: as seen in a wet road, that is, turned over the ground plane.
    """
    local = np.array(sketch.points, dtype=np.float64)
    if mirrored:
        local[:, 1] *= -1
    turned = camera.basis @ pose.rotation()
    offset = camera.basis @ np.subtract((pose.x, 0.0, pose.z), camera.position)
    seen = local @ turned.T + offset
    xy = camera.to_picture(seen)
    depths = np.maximum(seen[[mark.start for mark in sketch.marks], 2], NEAR_M)
    sizes = (pose.size * camera.focal_px / depths).tolist()
    colours = _colours(sketch.marks, depths, light)
    marks = tuple(
        ScreenMark(m.kind, m.start, m.stop, m.radius * size, (*rgb, m.alpha), m.part, m.decal, m.glow)  # type: ignore[arg-type]
        for m, size, rgb in zip(sketch.marks, sizes, colours, strict=True)
    )
    bounds = _bounds(xy, marks)
    if bending:
        xy = bend(xy, bounds, bending, phase)
        bounds = _bounds(xy, marks)
    keys = tuple((name, float(xy[at, 0]), float(xy[at, 1])) for name, at in sketch.keys)
    return Drawn(xy, marks, keys, bounds)


_AROUND = np.array([(math.cos(a * math.pi / 12), math.sin(a * math.pi / 12)) for a in range(24)]).T


def shadow_of(sketch: Sketch, pose: Pose, camera: Camera, light: Light, *, solid: bool) -> Drawn | None:
    """What the thing throws on the ground, colours unset; one convex outline if it is `solid`.

    None if a part of it would lie behind the camera.
    """
    ground = np.array(sketch.points, dtype=np.float64) @ pose.rotation().T
    sx, sy, sz = light.sun_xyz
    reach = np.clip(ground[:, 1], 0.0, 7.0) / max(sy, 0.3)
    ground[:, 0] += pose.x - reach * sx
    ground[:, 2] += pose.z - reach * sz
    ground[:, 1] = 0.0
    xy, depths = camera.project(ground)
    if float(depths.min()) < NEAR_M:
        return None
    black = (0, 0, 0, 255)
    if solid:
        # The farthest point in each of 24 directions: the hull, near enough, already in order.
        xy = xy[np.argmax(xy @ _AROUND, axis=0)]
        marks: tuple[ScreenMark, ...] = (ScreenMark(FACE, 0, len(xy), 0.0, black, "", False, 0.0),)
    else:
        scale = pose.size * camera.focal_px / float(depths[0])
        marks = tuple(
            ScreenMark(m.kind, m.start, m.stop, m.radius * scale, black, "", False, 0.0)
            for m in sketch.marks
            if not m.decal
        )
    return Drawn(xy, marks, (), _bounds(xy, marks)) if marks else None
