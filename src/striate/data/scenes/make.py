"""A seed and settings to a scene."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from striate.data.boxes.truth import Box, Boxes
from striate.data.scenes.captions import Seen, captions_of, phrase_of
from striate.data.scenes.chance import stream
from striate.data.scenes.drawing import Thing, draw_stage
from striate.data.scenes.layout import compose, portrait
from striate.data.scenes.names import OBJECT_IDS, OBJECT_NAMES, ObjectName
from striate.data.scenes.render import paint_stage
from striate.data.scenes.settings import SceneSettings
from striate.data.scenes.stage import Stage
from striate.data.scenes.trace import Tracing, boxes_of_labels, layers_to_masks
from striate.data.scenes.truth import Keypoint, Part, Region, Scene
from striate.errors import UnknownNameError
from striate.types import Array

__all__ = ["count_objects", "find_boxes", "make_scene", "single_object_scene"]

_SMALLEST_SIDE, _LEAST_SEEN = 5, 0.1


def make_scene(settings: SceneSettings | None = None, *, seed: int) -> Scene:
    """The street of `seed`: same seed and settings, same bytes, in whatever order it is asked for."""
    return _assemble(compose(settings or SceneSettings(), seed))


def single_object_scene(name: str, settings: SceneSettings | None = None, *, seed: int) -> Scene:
    """One object of class `name` that fills most of the picture, with no other object beside it.

    `UnknownNameError` if `name` is not one of `OBJECT_NAMES`. `settings.objects` and `.classes` are
    of no consequence here.
    """
    return _assemble(portrait(settings or SceneSettings(), seed, _checked(name)))


def count_objects(settings: SceneSettings, seed: int) -> int:
    """How many objects can be seen in the street of `seed`, found without painting it."""
    _, masks = _traced(settings, seed)
    return int(np.count_nonzero(np.bincount(masks.instances.ravel())[1:]))


def find_boxes(settings: SceneSettings, seed: int) -> Boxes:
    """A box around what can be seen of each object, near to far, found without painting it.

    Objects of which less than a tenth, or than 5 pixels a side, can be seen are marked difficult.
    """
    things, masks = _traced(settings, seed)
    objects = [thing for thing in things if thing.layer.item >= 0]
    boxes, pixels = boxes_of_labels(masks.instances, len(objects))
    found = []
    for thing, row, seen in zip(reversed(objects), boxes[::-1], pixels[::-1], strict=True):
        if not seen:
            continue
        assert thing.actor is not None
        assert thing.actor.shape is not None
        x0, y0, x1, y1 = _box(row)
        whole = np.count_nonzero(thing.layer.silhouette.whole)
        hard = min(x1 - x0, y1 - y0) < _SMALLEST_SIDE or seen < _LEAST_SEEN * whole
        found.append(Box(thing.actor.shape.label, (x0, y0, x1, y1), difficult=bool(hard)))
    return tuple(found)


def _traced(settings: SceneSettings, seed: int) -> tuple[list[Thing], Tracing]:
    """What is in the street of `seed` and which pixels it has, unpainted."""
    things = draw_stage(compose(settings, seed), counting=True)
    layers = [thing.layer for thing in things]
    return things, layers_to_masks(layers, np.zeros(settings.size_hw, dtype=np.uint8))


def _checked(name: str) -> ObjectName:
    for known in OBJECT_NAMES:
        if known == name:
            return known
    raise UnknownNameError("object class", name, OBJECT_NAMES)


def _assemble(stage: Stage) -> Scene:
    things = draw_stage(stage)
    picture, stuff = paint_stage(stage, things)
    tracing = layers_to_masks([thing.layer for thing in things], stuff)
    objects = [thing for thing in things if thing.layer.item >= 0]
    boxes, pixels = boxes_of_labels(tracing.instances, len(objects))
    # Painter's order is far to near; truth lists what can be seen, near to far.
    kept = [index for index in reversed(range(len(objects))) if pixels[index] > 0]
    shown = [objects[index] for index in kept]
    shapes = [thing.actor.shape for thing in shown if thing.actor and thing.actor.shape]
    number = np.zeros(len(objects) + 1, dtype=np.uint16)
    number[[index + 1 for index in kept]] = np.arange(1, len(kept) + 1)
    amodal, full, truncated = _wholes(shown, stage.settings)
    depths = np.array([_depth(stage, thing) for thing in shown], dtype=np.float32)
    visible = (pixels[kept] / np.maximum(amodal.sum(axis=(1, 2)), 1)).astype(np.float32)
    rows = [_box(boxes[index]) for index in kept]
    seen = [
        Seen(shape.label, shape.colour, row, float(depth), float(share))
        for shape, row, depth, share in zip(shapes, rows, depths, visible, strict=True)
    ]
    main = next((i for i, thing in enumerate(shown) if thing.actor is stage.main), None)
    width, rng = stage.settings.size_hw[1], stream(stage.seed, "captions")
    return Scene(
        picture=picture,
        semantic=tracing.semantic,
        instances=number[tracing.instances],
        amodal=amodal,
        boxes_xyxy=boxes[kept],
        full_boxes_xyxy=full,
        labels=np.array([OBJECT_IDS[shape.label] for shape in shapes], dtype=np.int64),
        visible_fraction=visible,
        truncated_fraction=truncated,
        depths_m=depths,
        colours=tuple(shape.colour for shape in shapes),
        kinds=tuple(shape.kind for shape in shapes),
        parts=_parts(tracing, number),
        keypoints=_keypoints(shown, number[tracing.instances]),
        captions=captions_of(seen, main, stage.settings, width, rng),
        regions=tuple(Region(i, s.box_xyxy, phrase_of(s, width)) for i, s in enumerate(seen)),
        factors=stage.settings.factors(),
        settings=stage.settings,
        seed=stage.seed,
        main=main,
    )


def _wholes(shown: Sequence[Thing], settings: SceneSettings) -> tuple[Array, Array, Array]:
    """Whole silhouettes (N, H, W) in the picture, their boxes (N, 4), shares outside (N,)."""
    amodal = np.zeros((len(shown), *settings.size_hw), dtype=np.bool_)
    full = np.zeros((len(shown), 4), dtype=np.float32)
    outside = np.zeros(len(shown), dtype=np.float32)
    for index, thing in enumerate(shown):
        shape = thing.layer.silhouette
        picture, own = shape.inside(settings.size_hw)
        amodal[index][picture] = shape.whole[own]
        box, pixels = boxes_of_labels(shape.whole.astype(np.uint8), 1)
        full[index] = box[0] + (shape.left, shape.top, shape.left, shape.top)
        outside[index] = 1 - np.count_nonzero(amodal[index]) / pixels[0]
    return amodal, full, outside


def _box(row: Array) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in row)
    return x0, y0, x1, y1


def _depth(stage: Stage, thing: Thing) -> float:
    """Metres from the camera along its axis to where the thing stands."""
    assert thing.actor is not None
    pose, (px, py, pz), (fx, fy, fz) = thing.actor.pose, stage.camera.position, stage.camera.rows[2]
    return (pose.x - px) * fx - py * fy + (pose.z - pz) * fz


def _parts(tracing: Tracing, number: Array) -> tuple[Part, ...]:
    """The visible parts of all objects, renumbered by `number`."""
    boxes, pixels = boxes_of_labels(tracing.parts, len(tracing.part_names))
    found = [
        Part(int(number[item + 1]) - 1, name.split(":")[0], _box(boxes[index]), int(pixels[index]))
        for index, (item, name) in enumerate(tracing.part_names)
        if pixels[index] > 0
    ]
    return tuple(sorted(found, key=lambda part: part.item))


def _keypoints(shown: Sequence[Thing], instances: Array) -> tuple[Keypoint, ...]:
    height, width = instances.shape
    found = []
    for item, thing in enumerate(shown):
        for name, x, y in thing.drawn.keys:
            column, row = math.floor(x), math.floor(y)
            inside = 0 <= column < width and 0 <= row < height
            visible = inside and int(instances[row, column]) == item + 1
            found.append(Keypoint(item, name, x, y, visible))
    return tuple(found)
