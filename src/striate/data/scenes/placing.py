"""Finding a place for an object: free on its lane, in the picture, not in front of another."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from striate.data.scenes.light import Light
from striate.data.scenes.names import ObjectName
from striate.data.scenes.shapes import Shape
from striate.data.scenes.sketch import Sketch, project
from striate.data.scenes.trace import silhouette_of
from striate.data.scenes.world import LANES, NEAR_M, Camera, Lane, Pose, view_of

__all__ = ["HOMES", "Outside", "Place", "Plot", "half_of", "place", "place_main"]

Box = tuple[float, float, float, float]

HOMES: MappingProxyType[ObjectName, tuple[Lane, ...]] = MappingProxyType(
    {
        "car": ("near_lane", "far_lane"),
        "bus": ("near_lane", "far_lane", "far_lane"),
        "truck": ("near_lane", "far_lane"),
        "bicycle": ("near_walk", "near_lane", "far_walk"),
        "pedestrian": ("near_walk", "near_walk", "far_walk", "far_lane"),
        "traffic-light": ("far_kerb", "near_kerb"),
        "stop-sign": ("far_kerb", "near_kerb"),
        "tree": ("far_kerb", "far_kerb", "verge"),
        "house": ("lot",),
        "dog": ("near_walk", "near_walk", "far_walk"),
    }
)
"""The lanes where a class may stand; a lane named twice is chosen twice as often."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object stands, and the box of its corners in the picture."""

    lane: Lane
    pose: Pose
    box: Box


@dataclass(frozen=True, slots=True)
class Plot:
    """The street as seen by a level camera, and what has been placed on it so far."""

    camera: Camera
    boxes: list[Box] = field(default_factory=list)
    spans: dict[Lane, list[tuple[float, float]]] = field(default_factory=dict)

    def free(self, lane: Lane, x: float, half: float) -> bool:
        """Whether nothing stands on `lane` within `half` metres of x, and a little more."""
        reach = half + (0.5 if lane != "lot" else 1.0)
        return all(x + reach < low or x - reach > high for low, high in self.spans.get(lane, ()))

    def take(self, lane: Lane, x: float, half: float) -> None:
        """Reserve a span of a lane."""
        self.spans.setdefault(lane, []).append((x - half, x + half))

    def settle(self, shape: Shape, place: Place) -> None:
        """Reserve what an object takes, on the ground and in the picture."""
        self.take(place.lane, place.pose.x, half_of(shape))
        self.boxes.append(place.box)


def half_of(shape: Shape) -> float:
    """Half the length of an object along the street, metres."""
    return max(shape.size[0], 0.4) / 2


def box_of(shape: Shape, pose: Pose, camera: Camera) -> tuple[Box, float]:
    """The picture box of the object's corners, pixels, and the depth of the nearest, metres."""
    long, tall, deep = shape.size[0] / 2, shape.size[1], shape.size[2] / 2
    angle = math.radians(pose.heading_deg)
    c, s = math.cos(angle), math.sin(angle)
    (rx, ry, rz), (ux, uy, uz), (fx, fy, fz) = camera.rows
    px, py, pz = camera.position
    height, width = camera.size_hw
    us, vs, depths = [], [], []
    for x, z in ((-long, -deep), (-long, deep), (long, -deep), (long, deep)):
        dx, dz = pose.x + c * x - s * z - px, pose.z + s * x + c * z - pz
        for dy in (-py, tall - py):
            depth = dx * fx + dy * fy + dz * fz
            scale = camera.focal_px / max(depth, NEAR_M)
            us.append(width / 2 + (dx * rx + dy * ry + dz * rz) * scale)
            vs.append(height / 2 - (dx * ux + dy * uy + dz * uz) * scale)
            depths.append(depth)
    return (min(us), min(vs), max(us), max(vs)), min(depths)


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _shared(a: Box, b: Box) -> float:
    """Area that two boxes share."""
    return _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def _heading(name: str, lane: Lane, x: float, camera: Camera, rng: random.Random) -> float:
    """Right-hand traffic; signs and lights are turned towards the camera's side."""
    if name in ("traffic-light", "stop-sign"):
        dx, dz = camera.position[0] - x, camera.position[2] - LANES[lane]
        return math.degrees(math.atan2(dz, dx)) + rng.uniform(-24, 24)
    if name in ("tree", "house"):
        return 0.0
    if lane in ("near_lane", "far_lane") and name != "pedestrian":
        return (0.0 if lane == "near_lane" else 180.0) + rng.uniform(-2.5, 2.5)
    return rng.choice((0.0, 180.0)) + rng.uniform(-22, 22)


def _candidate(plot: Plot, shape: Shape, lane: Lane, column: float, rng: random.Random) -> Place | None:
    """The object on `lane` at a picture column, if it stands free and ahead of the camera."""
    camera, z = plot.camera, LANES[lane]
    x = camera.x_at(column, z)
    if x is None or abs(x) > 110 or not plot.free(lane, x, half_of(shape)):
        return None
    pose = Pose(x, z, _heading(shape.label, lane, x, camera, rng))
    box, depth = box_of(shape, pose, camera)
    return Place(lane, pose, box) if depth > 2.0 else None


def _open(plot: Plot, lane: Lane) -> bool:
    """Whether the camera stands well on the near side of `lane`."""
    return LANES[lane] - plot.camera.position[2] > 2.5


def _cost(plot: Plot, box: Box) -> float:
    """0 for a box inside the picture, apart from all others and of moderate size."""
    height, width = plot.camera.size_hw
    frame, area = (0.0, 0.0, float(width), float(height)), max(_area(box), 1e-6)
    outside = 1 - _shared(box, frame) / area
    overlap = max((_shared(box, b) / min(area, max(_area(b), 1e-6)) for b in plot.boxes), default=0.0)
    return 2.5 * outside + overlap + 2 * max(0.0, area / _area(frame) - 0.45)


def place(plot: Plot, shape: Shape, name: ObjectName, rng: random.Random) -> Place | None:
    """The best of several places; None when the street is too full."""
    width = plot.camera.size_hw[1]
    best: tuple[float, Place] | None = None
    for _ in range(12):
        lane, column = rng.choice(HOMES[name]), rng.uniform(0.06, 0.94) * width
        found = _candidate(plot, shape, lane, column, rng) if _open(plot, lane) else None
        if found is None:
            continue
        cost = _cost(plot, found.box)
        if best is None or cost < best[0]:
            best = (cost, found)
        if cost < 0.03:
            break
    return best[1] if best is not None and best[0] < 0.55 else None


def place_main(
    plot: Plot, shape: Shape, lane: Lane, outside: Outside | None, rng: random.Random
) -> Place | None:
    """The object in the middle, or slid over an edge as far as `outside` allows."""
    height, width = plot.camera.size_hw
    # In a very wide picture a share of its width would be a turn of the head.
    shift = rng.uniform(-0.04, 0.04) * min(width, 1.25 * height)
    column, side = width / 2 + shift, rng.choice((-1, 1))
    state = rng.getstate()
    best = _candidate(plot, shape, lane, column, rng)
    if best is None or outside is None:
        return best
    low, high = 0.0, 1.6
    for _ in range(11):
        share = (low + high) / 2
        rng.setstate(state)
        found = _candidate(plot, shape, lane, column + side * share * width, rng)
        if found is not None and outside.share(shape, found.pose) <= outside.most:
            low, best = share, found
        else:
            high = share
    return best


@dataclass(frozen=True, slots=True)
class Outside:
    """How much of an object may lie outside the picture: at most the share `most`.

    `camera` is the one that takes the picture, rolled as it is.
    """

    most: float
    camera: Camera
    light: Light

    def share(self, shape: Shape, pose: Pose) -> float:
        """The share of the silhouette that is outside, 0..1."""
        sketch, size_hw = Sketch(), self.camera.size_hw
        shape.draw(sketch, view_of(pose, self.camera, self.light))
        drawn = project(sketch, pose, self.camera, self.light)
        whole = silhouette_of(drawn, size_hw, with_parts=False)
        if whole is None:
            return 1.0
        _, own = whole.inside(size_hw)
        total, inside = int(np.count_nonzero(whole.whole)), int(np.count_nonzero(whole.whole[own]))
        return 1 - inside / max(1, total)
