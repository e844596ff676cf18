"""A seed and settings to a scene."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from striate.data.scenes.backdrop import Backdrop, paint_backdrop
from striate.data.scenes.captions import Seen, captions_of, phrase_of
from striate.data.scenes.chance import stream
from striate.data.scenes.finish import finish, tint_of
from striate.data.scenes.layout import compose, portrait
from striate.data.scenes.names import OBJECT_NAMES, ObjectName, stuff_id
from striate.data.scenes.occluder import occluder_for
from striate.data.scenes.paint import FINE, Pens, Stroke, glow_layer, paint, soft_mask
from striate.data.scenes.settings import SceneSettings
from striate.data.scenes.sketch import FACE, Drawn, ScreenMark, Sketch, project, shadow_of
from striate.data.scenes.stage import Actor, Stage
from striate.data.scenes.trace import Layer, boxes_of_labels, layers_to_masks, silhouette_of
from striate.data.scenes.truth import Keypoint, Part, Region, Scene
from striate.data.scenes.world import view_of
from striate.errors import UnknownNameError
from striate.types import Array, Picture

__all__ = ["count_objects", "make_scene", "paint_scene", "single_object_scene"]


_ANGLES = np.arange(14) * (2 * math.pi / 14)
_UNIT = np.cos(_ANGLES), np.sin(_ANGLES)


@dataclass(slots=True)
class _Thing:
    """An actor (or an occluder) in the picture. `item`: which object, -1 for none."""

    actor: Actor | None
    sketch: Sketch
    drawn: Drawn
    semantic: int
    item: int


@dataclass(slots=True)
class _Drawing:
    things: list[_Thing]
    layers: list[Layer]


def _draw_all(stage: Stage, *, with_parts: bool) -> _Drawing:
    """Every actor projected and traced, occluders put in front of the objects."""
    settings, camera, light = stage.settings, stage.camera, stage.light
    size_hw = settings.size_hw
    found = _Drawing([], [])
    item = 0
    for actor in stage.actors:
        sketch = Sketch()
        actor.drawable.draw(sketch, view_of(actor.pose, camera, light))
        is_object = actor.shape is not None
        bending = settings.deformation if is_object else 0.0
        phase = (actor.pose.x * 0.37) % 1.0
        drawn = project(sketch, actor.pose, camera, light, bending=bending, phase=phase)
        shape = silhouette_of(drawn, size_hw, with_parts=is_object and with_parts)
        if shape is None:
            continue
        found.things.append(_Thing(actor, sketch, drawn, actor.semantic, item if is_object else -1))
        found.layers.append(Layer(shape, actor.semantic, item if is_object else -1))
        if not is_object:
            continue
        if settings.occlusion > 0:
            hiding = occluder_for(
                shape, settings.occlusion, size_hw, light, stream(stage.seed, "occluder", item)
            )
            if hiding is not None:
                cover = silhouette_of(hiding[0], size_hw, with_parts=False)
                if cover is not None:
                    found.things.append(_Thing(None, Sketch(), hiding[0], hiding[1], -1))
                    found.layers.append(Layer(cover, hiding[1], -1))
        item += 1
    return found


def _ground_light(back: Backdrop, stage: Stage, things: list[_Thing]) -> None:
    """Shadows that things throw, the dark where they touch the ground, pools under street lamps."""
    camera, light, size_hw = stage.camera, stage.light, stage.settings.size_hw
    shadows: list[Stroke] = []
    touches: list[Stroke] = []
    pools: list[Stroke] = []
    for thing in things:
        actor = thing.actor
        if actor is None or not actor.casts:
            continue
        shadow = shadow_of(thing.sketch, actor.pose, camera, light, solid=actor.solid)
        if shadow is not None:
            shadows.append((shadow, int(255 * light.shadow)))
        touches += _outline(stage, _footprint(actor), 125)
        if light.lamps > 0 and actor.lamp:
            pools += _outline(
                stage, _circle(actor.pose.x, actor.pose.z - 0.8, 2.6), int(120 * light.lamps)
            )
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


def _wet_ground(back: Backdrop, stage: Stage, things: list[_Thing]) -> None:
    """Things mirrored in the wet road and pavement."""
    height, width = stage.settings.size_hw
    mirror = back.canvas.copy()
    pens = Pens(mirror)
    for thing in things:
        if thing.actor is not None:
            paint(
                pens, project(thing.sketch, thing.actor.pose, stage.camera, stage.light, mirrored=True)
            )
    wet = (back.semantic == stuff_id("road")) | (back.semantic == stuff_id("pavement"))
    mask = Image.fromarray((wet * 88).astype(np.uint8)).resize((width * FINE, height * FINE))
    back.canvas.paste(mirror.filter(ImageFilter.BoxBlur(width / 100)), mask=mask)


def paint_scene(stage: Stage, drawing: _Drawing | None = None) -> tuple[Picture, Array]:
    """The picture uint8 (H, W, 3) of a stage, and the backdrop's stuff classes uint8 (H, W)."""
    drawing = drawing or _draw_all(stage, with_parts=False)
    back = paint_backdrop(stage.camera, stage.light, stage.seed, stage.settings.clutter)
    if stage.light.wet:
        _wet_ground(back, stage, drawing.things)
    _ground_light(back, stage, drawing.things)
    for thing in drawing.things:
        paint(back.pens, thing.drawn)
    glow = None
    if stage.light.lamps > 0.02:
        stacks = [thing.drawn for thing in drawing.things]
        glow = glow_layer(stacks, stage.settings.size_hw, 0.75 * stage.light.lamps)
    return finish(back.canvas, glow, stage.light, stage.settings, stage.seed), back.semantic


def _assemble(stage: Stage) -> Scene:
    drawing = _draw_all(stage, with_parts=True)
    picture, stuff = paint_scene(stage, drawing)
    size_hw = stage.settings.size_hw
    tracing = layers_to_masks(drawing.layers, stuff)
    objects = [
        (t, layer) for t, layer in zip(drawing.things, drawing.layers, strict=True) if t.item >= 0
    ]
    boxes, pixels = boxes_of_labels(tracing.instances, len(objects))
    # Painter's order is far to near; truth lists what can be seen, near to far.
    kept = [index for index in reversed(range(len(objects))) if pixels[index] > 0]
    number = np.zeros(len(objects) + 1, dtype=np.uint16)
    for new, old in enumerate(kept):
        number[old + 1] = new + 1
    renamed = {old: new for new, old in enumerate(kept)}
    amodal = np.zeros((len(kept), *size_hw), dtype=np.bool_)
    inside, whole = np.ones(len(kept)), np.ones(len(kept))
    full = np.zeros((len(kept), 4), dtype=np.float32)
    depths = np.zeros(len(kept), dtype=np.float32)
    for new, old in enumerate(kept):
        thing, layer = objects[old]
        to, own = layer.silhouette.inside(size_hw)
        amodal[new][to] = layer.silhouette.whole[own]
        inside[new], whole[new] = np.count_nonzero(amodal[new]), np.count_nonzero(layer.silhouette.whole)
        box, _ = boxes_of_labels(layer.silhouette.whole.astype(np.uint8), 1)
        shift = (layer.silhouette.left, layer.silhouette.top) * 2
        full[new] = box[0] + np.array(shift, dtype=np.float32)
        assert thing.actor is not None
        depths[new] = _depth(stage, thing.actor)
    instances = number[tracing.instances]
    actors = [objects[old][0].actor for old in kept]
    shapes = [actor.shape for actor in actors if actor is not None and actor.shape is not None]
    visible = (pixels[kept] / inside).astype(np.float32) if kept else np.zeros(0, np.float32)
    boxes = boxes[kept]
    seen = [
        Seen(s.label, s.colour, _box(boxes[i]), float(depths[i]), float(visible[i]))
        for i, s in enumerate(shapes)
    ]
    main = next((i for i, actor in enumerate(actors) if actor is stage.main), None)
    return Scene(
        picture=picture,
        semantic=tracing.semantic,
        instances=instances,
        amodal=amodal,
        boxes_xyxy=boxes,
        full_boxes_xyxy=full,
        labels=np.array([_label(s.label) for s in shapes], dtype=np.int64),
        visible_fraction=visible,
        truncated_fraction=(1 - inside / whole).astype(np.float32),
        depths_m=depths,
        colours=tuple(s.colour for s in shapes),
        kinds=tuple(s.kind for s in shapes),
        parts=_parts(tracing.parts, tracing.part_names, renamed),
        keypoints=_keypoints(drawing, renamed, instances),
        captions=captions_of(seen, main, stage.settings, size_hw, stream(stage.seed, "captions")),
        regions=tuple(Region(i, s.box_xyxy, phrase_of(s, size_hw)) for i, s in enumerate(seen)),
        factors=stage.settings.factors(),
        settings=stage.settings,
        seed=stage.seed,
        main=main,
    )


def _label(name: str) -> int:
    return next(index for index, known in enumerate(OBJECT_NAMES) if known == name)


def _box(row: Array) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in row)
    return x0, y0, x1, y1


def _depth(stage: Stage, actor: Actor) -> float:
    px, py, pz = stage.camera.position
    fx, fy, fz = stage.camera.basis[2]
    return float((actor.pose.x - px) * fx - py * fy + (actor.pose.z - pz) * fz)


def _parts(mask: Array, names: list[tuple[int, str]], renamed: dict[int, int]) -> tuple[Part, ...]:
    boxes, pixels = boxes_of_labels(mask, len(names))
    found = [
        Part(renamed[item], name.split(":")[0], _box(boxes[index]), int(pixels[index]))
        for index, (item, name) in enumerate(names)
        if pixels[index] > 0 and item in renamed
    ]
    return tuple(sorted(found, key=lambda part: part.item))


def _keypoints(drawing: _Drawing, renamed: dict[int, int], instances: Array) -> tuple[Keypoint, ...]:
    height, width = instances.shape
    found = []
    for thing in drawing.things:
        if thing.item not in renamed:
            continue
        item = renamed[thing.item]
        for name, x, y in thing.drawn.keys:
            column, row = math.floor(x), math.floor(y)
            seen = 0 <= column < width and 0 <= row < height and int(instances[row, column]) == item + 1
            found.append(Keypoint(item, name, x, y, seen))
    return tuple(sorted(found, key=lambda key: key.item))


def make_scene(settings: SceneSettings | None = None, *, seed: int) -> Scene:
    """The street of `seed`: same seed and settings, same bytes, in whatever order it is asked for."""
    return _assemble(compose(settings or SceneSettings(), seed))


def single_object_scene(name: str, settings: SceneSettings | None = None, *, seed: int) -> Scene:
    """One object of class `name` that fills most of the picture, with no other object beside it."""
    return _assemble(portrait(settings or SceneSettings(), seed, check_name(name)))


def check_name(name: str) -> ObjectName:
    """`name` if it is one of `OBJECT_NAMES`; otherwise an `UnknownNameError`."""
    for known in OBJECT_NAMES:
        if known == name:
            return known
    raise UnknownNameError("object class", name, OBJECT_NAMES)


def count_objects(settings: SceneSettings, seed: int) -> int:
    """How many objects can be seen, without painting."""
    stage = compose(settings, seed)
    drawing = _draw_all(stage, with_parts=False)
    tracing = layers_to_masks(drawing.layers, np.zeros(settings.size_hw, dtype=np.uint8))
    return len(np.unique(tracing.instances[tracing.instances > 0]))
