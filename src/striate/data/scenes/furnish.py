"""The town around the objects: buildings, street lamps, clutter."""

from __future__ import annotations

import math

from striate.data.scenes.building import town_row
from striate.data.scenes.chance import stream
from striate.data.scenes.furniture import CLUTTER_KINDS, Furniture, make_furniture
from striate.data.scenes.names import stuff_id
from striate.data.scenes.placing import Plot
from striate.data.scenes.settings import SceneSettings
from striate.data.scenes.stage import RANKS, Actor
from striate.data.scenes.world import LANES, Camera, Lane, Pose

__all__ = ["buildings", "clutter", "street_lamps"]

_REACH_M = 75.0
_LAMP_STEP_M = 13.0
_MOST_CLUTTER = 34


def buildings(settings: SceneSettings, seed: int, plot: Plot, *, open_lot: bool) -> list[Actor]:
    """The row behind the far pavement, with gaps for houses; `open_lot`: none before the house."""
    camera = plot.camera
    # Beside a house the row opens towards the camera, so that the house can be seen past it.
    yaw = settings.viewpoint_deg
    opening = 4.5 * math.tan(math.radians(min(60.0, abs(yaw))))
    before, after = (opening, 0.0) if yaw > 0 else (0.0, opening)
    taken = [(low - 1.4 - before, high + 1.4 + after) for low, high in plot.spans.get("lot", ())]
    if open_lot:
        eye = camera.position[0]
        taken = [(min(low, eye - 3), max(high, eye + 3)) for low, high in taken]
    reach = camera.reach_at(LANES["lot"] - 3.6)
    stuff, rank = stuff_id("building"), RANKS["lot"]
    return [
        Actor(b, Pose(b.middle, LANES["lot"]), rank, (b.x1 - b.x0) / 2, stuff, casts=False)
        for b in town_row(seed, reach, taken, settings.clutter)
    ]


def _stand(plot: Plot, piece: Furniture, lane: Lane, x: float) -> list[Actor]:
    """A piece of furniture on a free and visible spot of a lane; nothing where there is none."""
    if not plot.free(lane, x, piece.half) or not _ahead(plot.camera, x, LANES[lane]):
        return []
    plot.take(lane, x, piece.half)
    # On the pavement behind the walkers, beside the buildings.
    pose = Pose(x, LANES[lane] + (0.9 if lane == "far_walk" else 0.0))
    return [
        Actor(piece, pose, RANKS[lane], piece.half, stuff_id(piece.stuff), lamp=piece.kind == "lamp")
    ]


def _ahead(camera: Camera, x: float, z: float) -> bool:
    """Whether a ground point is in front of the camera, and not too far to matter."""
    (px, py, pz), (fx, fy, fz) = camera.position, camera.rows[2]
    depth = (x - px) * fx - py * fy + (z - pz) * fz
    return 2.5 < depth < _REACH_M + 20


def street_lamps(seed: int, plot: Plot) -> list[Actor]:
    """Lamps at even distances along the far kerb."""
    start = stream(seed, "lamps").uniform(0, _LAMP_STEP_M)
    low, high = plot.camera.reach_at(LANES["far_kerb"], _REACH_M)
    lamp = make_furniture(stream(seed, "lamp"), "lamp")
    first, last = math.floor((low - start) / _LAMP_STEP_M), math.ceil((high - start) / _LAMP_STEP_M)
    return [
        actor
        for index in range(first, last + 1)
        for actor in _stand(plot, lamp, "far_kerb", start + index * _LAMP_STEP_M)
    ]


def clutter(settings: SceneSettings, seed: int, plot: Plot) -> list[Actor]:
    """Benches, bins, bushes and the like: the more, the higher the setting."""
    rng, found = stream(seed, "clutter"), []
    lanes: tuple[Lane, ...] = ("far_walk", "far_walk", "far_kerb", "near_kerb")
    middle = plot.camera.x_at(plot.camera.size_hw[1] / 2, LANES["far_walk"]) or 0.0
    for index in range(_MOST_CLUTTER):
        kind, lane = rng.choice(CLUTTER_KINDS), rng.choice(lanes)
        x, needed = middle + rng.uniform(-14, 14), rng.random()
        if lane == "near_kerb" and kind not in ("bin", "cone"):
            kind = "bollard"
        if needed < settings.clutter:
            found += _stand(plot, make_furniture(stream(seed, kind, index), kind), lane, x)
    return found
