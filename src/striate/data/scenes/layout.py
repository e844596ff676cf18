"""A seed to a stage: the camera, the objects that find a place, the town around them."""

from __future__ import annotations

import math
import random
from types import MappingProxyType

from striate.data.scenes.chance import stream
from striate.data.scenes.furnish import buildings, clutter, street_lamps
from striate.data.scenes.light import make_light
from striate.data.scenes.names import SEMANTIC_NAMES, ObjectName
from striate.data.scenes.placing import HOMES, Outside, Place, Plot, half_of, place, place_main
from striate.data.scenes.settings import SceneSettings
from striate.data.scenes.shapes import SHAPES, Shape
from striate.data.scenes.stage import RANKS, Actor, Stage, by_depth
from striate.data.scenes.world import LANES, Camera, Lane, look_at
from striate.types import SizeHW

__all__ = ["compose", "portrait"]

_SHARES: MappingProxyType[ObjectName, float] = MappingProxyType(
    {
        "car": 4.0,
        "bus": 1.3,
        "truck": 1.3,
        "bicycle": 1.6,
        "pedestrian": 3.0,
        "traffic-light": 1.0,
        "stop-sign": 0.9,
        "tree": 2.0,
        "house": 1.0,
        "dog": 1.3,
    }
)
_STREET_M = 14.5
_PORTRAIT_M = 7.5
_FILL = 0.76


def _focal_px(size_hw: SizeHW) -> float:
    """Focal length: about 55° across for a picture of ordinary proportions."""
    height, width = size_hw
    return 0.95 * min(width, 1.25 * height)


def _street_camera(settings: SceneSettings, rng: random.Random) -> Camera:
    return look_at(
        (rng.uniform(-4, 4), 1.7, 0.8),
        distance=_STREET_M / min(1.0, settings.scale) * rng.uniform(0.96, 1.06),
        yaw_deg=settings.viewpoint_deg,
        pitch_deg=settings.elevation_deg,
        focal_px=_focal_px(settings.size_hw) * max(1.0, settings.scale),
        size_hw=settings.size_hw,
    )


def _portrait_camera(settings: SceneSettings, rng: random.Random, shape: Shape, lane: Lane) -> Camera:
    """A camera that makes one object fill most of the picture."""
    (height, width), (long, tall, deep) = settings.size_hw, shape.size
    yaw = math.radians(settings.viewpoint_deg)
    c, s = abs(math.cos(yaw)), abs(math.sin(yaw))
    across, depth = long * c + deep * s, long * s + deep * c
    if shape.label in ("tree", "traffic-light", "stop-sign"):
        across, depth = max(long, deep), deep
    fill = _FILL * settings.scale * rng.uniform(0.94, 1.06)
    # Pixels per metre at which the side that fills the picture first fills its share.
    px_per_m = min(fill * width / across, fill * height / tall)
    distance = max(_PORTRAIT_M, _focal_px(settings.size_hw) / px_per_m)
    return look_at(
        (rng.uniform(-4, 4), tall * 0.5, LANES[lane]),
        distance=distance + depth / 2,
        yaw_deg=settings.viewpoint_deg,
        pitch_deg=settings.elevation_deg,
        focal_px=px_per_m * distance,
        size_hw=settings.size_hw,
    )


def _actor(shape: Shape, place: Place) -> Actor:
    semantic = SEMANTIC_NAMES.index(shape.label)
    rank = RANKS[place.lane]
    return Actor(shape, place.pose, rank, half_of(shape), semantic, shape, shape.solid)


def _outside(settings: SceneSettings, seed: int, camera: Camera) -> Outside | None:
    """How far the main object may leave the picture; None if it is to stay inside."""
    if settings.truncation <= 0:
        return None
    seen_by = camera.rolled(settings.rotation_deg)
    return Outside(settings.truncation, seen_by, make_light(settings, seed))


def _main_place(
    plot: Plot, shape: Shape, name: ObjectName, outside: Outside, rng: random.Random
) -> Place | None:
    """The main object cut off at an edge, on the first of its lanes where that can be."""
    lanes = list(HOMES[name])
    rng.shuffle(lanes)
    for lane in lanes:
        if LANES[lane] - plot.camera.position[2] > 2.5:
            found = place_main(plot, shape, lane, outside, rng)
            if found is not None:
                return found
    return None


def _objects(settings: SceneSettings, seed: int, plot: Plot) -> list[Actor]:
    """The objects that found a place; the first is the main one."""
    count = stream(seed, "count").randint(*settings.objects)
    weights = [_SHARES[name] for name in settings.classes]
    names = stream(seed, "names").choices(settings.classes, weights, k=count)
    outside = _outside(settings, seed, plot.camera)
    found: list[Actor] = []
    for index, name in enumerate(names):
        shape, rng = SHAPES[name](stream(seed, "shape", name, index)), stream(seed, "place", index)
        if index == 0 and outside is not None:
            spot = _main_place(plot, shape, name, outside, rng)
        else:
            spot = place(plot, shape, name, rng)
        if spot is not None:
            plot.settle(shape, spot)
            found.append(_actor(shape, spot))
    return found


def _stage(
    settings: SceneSettings, seed: int, camera: Camera, objects: list[Actor], others: list[Actor]
) -> Stage:
    return Stage(
        settings,
        seed,
        camera.rolled(settings.rotation_deg),
        make_light(settings, seed),
        by_depth([*objects, *others], camera),
        objects[0] if objects else None,
    )


def compose(settings: SceneSettings, seed: int) -> Stage:
    """The street of a seed."""
    plot = Plot(_street_camera(settings, stream(seed, "camera")))
    objects = _objects(settings, seed, plot)
    others = buildings(settings, seed, plot, open_lot=False)
    others += street_lamps(seed, plot) + clutter(settings, seed, plot)
    return _stage(settings, seed, plot.camera, objects, others)


def portrait(settings: SceneSettings, seed: int, name: ObjectName) -> Stage:
    """One object of class `name` that fills most of the picture; nothing stands before it."""
    shape = SHAPES[name](stream(seed, "shape", name, 0))
    # Trees on the verge would have the whole street behind a camera in the meadow.
    lane = stream(seed, "lane").choice([lane for lane in HOMES[name] if lane != "verge"])
    plot = Plot(_portrait_camera(settings, stream(seed, "camera"), shape, lane))
    outside = _outside(settings, seed, plot.camera)
    spot = place_main(plot, shape, lane, outside, stream(seed, "place", 0))
    assert spot is not None, "a portrait camera always sees its object"
    plot.settle(shape, spot)
    main = _actor(shape, spot)
    others = buildings(settings, seed, plot, open_lot=name == "house")
    others += street_lamps(seed, plot) + clutter(settings, seed, plot)
    behind = [actor for actor in others if actor.rank < main.rank or actor.rank == RANKS["lot"]]
    return _stage(settings, seed, plot.camera, [main], behind)
