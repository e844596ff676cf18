"""A drawn stage painted: ground with its shadows and reflections, things, light that spreads."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from striate.data.scenes.backdrop import Backdrop, paint_backdrop
from striate.data.scenes.drawing import Thing
from striate.data.scenes.finish import finish, tint_of
from striate.data.scenes.names import stuff_id
from striate.data.scenes.paint import FINE, Pens, Stroke, glow_layer, paint, soft_mask
from striate.data.scenes.sketch import FACE, Drawn, ScreenMark, project, shadow_of
from striate.data.scenes.stage import Actor, Stage
from striate.types import Array, Picture

__all__ = ["paint_stage"]

_ANGLES = np.arange(14) * (2 * math.pi / 14)
_UNIT = np.cos(_ANGLES), np.sin(_ANGLES)


def _ground_light(back: Backdrop, stage: Stage, things: Sequence[Thing]) -> None:
    """Shadows that things throw, the dark where they touch the ground, pools under street lamps."""
    camera, light, size_hw = stage.camera, stage.light, stage.settings.size_hw
    shadows: list[Stroke] = []
    touches: list[Stroke] = []
    pools: list[Stroke] = []
    for thing in things:
        actor = thing.actor
        if actor is None or thing.sketch is None or not actor.casts:
            continue
        shadow = shadow_of(thing.sketch, actor.pose, camera, light, solid=actor.solid)
        if shadow is not None:
            shadows.append((shadow, int(255 * light.shadow)))
        touches += _outline(stage, _footprint(actor), 125)
        if light.lamps > 0 and actor.lamp:
            pool = _circle(actor.pose.x, actor.pose.z - 0.8, 2.6)
            pools += _outline(stage, pool, int(120 * light.lamps))
    unit = size_hw[1] / 160
    dark = soft_mask([*shadows, *touches], size_hw, blur=0.8 * unit)
    back.canvas.paste(tint_of(light), mask=dark)
    if pools:
        back.canvas.paste((214, 168, 108), mask=soft_mask(pools, size_hw, blur=4.0 * unit))


def _outline(stage: Stage, ground: Array, value: int) -> list[Stroke]:
    """A polygon (N, 3) on the ground as a stroke of strength `value`; none if it is behind."""
    xy, depths = stage.camera.project(ground)
    if float(depths.min()) < 0.5:
        return []
    mark = ScreenMark(FACE, 0, len(xy), 0.0, (0, 0, 0, 255), "", False, 0.0)
    return [(Drawn(xy, (mark,), (), (0.0, 0.0, 0.0, 0.0)), value)]


def _footprint(actor: Actor) -> Array:
    """The outline (N, 3) on the ground that a thing stands on, world axes."""
    shape = actor.shape
    if shape is None or not shape.solid:
        narrow = shape is None or shape.label in ("tree", "traffic-light", "stop-sign")
        long, deep = (min(actor.half, 0.35), 0.3) if narrow else (actor.half * 0.8, 0.25)
        corners = np.stack([long * _UNIT[0], np.zeros(14), deep * _UNIT[1]], axis=1)
    else:
        long, deep = shape.size[0] / 2, shape.size[2] / 2
        corners = np.array([(-long, 0, -deep), (long, 0, -deep), (long, 0, deep), (-long, 0, deep)])
    found: Array = corners @ actor.pose.rotation().T + (actor.pose.x, 0.0, actor.pose.z)
    return found


def _circle(x: float, z: float, radius: float) -> Array:
    return np.stack([x + radius * _UNIT[0], np.zeros(14), z + radius * _UNIT[1]], axis=1)


def _wet_ground(back: Backdrop, stage: Stage, things: Sequence[Thing]) -> None:
    """Things mirrored in the wet road and pavement."""
    height, width = stage.settings.size_hw
    mirror = back.canvas.copy()
    pens = Pens(mirror)
    for thing in things:
        if thing.actor is not None and thing.sketch is not None:
            pose = thing.actor.pose
            paint(pens, project(thing.sketch, pose, stage.camera, stage.light, mirrored=True))
    wet = (back.semantic == stuff_id("road")) | (back.semantic == stuff_id("pavement"))
    mask = Image.fromarray((wet * 88).astype(np.uint8)).resize((width * FINE, height * FINE))
    back.canvas.paste(mirror.filter(ImageFilter.BoxBlur(width / 100)), mask=mask)


def paint_stage(stage: Stage, things: Sequence[Thing]) -> tuple[Picture, Array]:
    """The picture uint8 (H, W, 3) of a stage, and the backdrop's stuff classes uint8 (H, W)."""
    back = paint_backdrop(stage.camera, stage.light, stage.seed, stage.settings.clutter)
    if stage.light.wet:
        _wet_ground(back, stage, things)
    _ground_light(back, stage, things)
    for thing in things:
        paint(back.pens, thing.drawn)
    glow = None
    if stage.light.lamps > 0.02:
        glow = glow_layer(
            (thing.drawn for thing in things), stage.settings.size_hw, 0.75 * stage.light.lamps
        )
    return finish(back.canvas, glow, stage.light, stage.settings, stage.seed), back.semantic
