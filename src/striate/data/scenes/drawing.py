"""A stage drawn: every actor projected and traced, with what is put in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from striate.data.scenes.chance import stream
from striate.data.scenes.occluder import occluder_for
from striate.data.scenes.sketch import Drawn, Sketch, project
from striate.data.scenes.stage import Actor, Stage
from striate.data.scenes.trace import Layer, silhouette_of
from striate.data.scenes.world import view_of

__all__ = ["Thing", "draw_stage"]


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """One layer of the picture: an actor with its sketch, or an occluder that has neither.

    `layer.item` numbers the objects from far to near, -1 for what is no object.
    """

    drawn: Drawn
    layer: Layer
    actor: Actor | None = None
    sketch: Sketch | None = None


def draw_stage(stage: Stage, *, counting: bool = False) -> list[Thing]:
    """Everything that touches the picture, far to near.

    `counting`: only what decides whether an object can be seen, without parts.
    """
    found: list[Thing] = []
    item = 0
    for index, actor in enumerate(stage.actors):
        if counting and actor.shape is None and not found:
            continue
        thing = _drawn(stage, actor, index, item, with_parts=not counting)
        if thing is None:
            continue
        found.append(thing)
        if actor.shape is not None:
            found.extend(_hidden(stage, thing))
            item += 1
    return found


def _drawn(stage: Stage, actor: Actor, index: int, item: int, *, with_parts: bool) -> Thing | None:
    settings, camera, light = stage.settings, stage.camera, stage.light
    sketch, is_object = Sketch(), actor.shape is not None
    actor.drawable.draw(sketch, view_of(actor.pose, camera, light))
    bending = settings.deformation if is_object else 0.0
    phase = stream(stage.seed, "bend", index).random() if bending else 0.0
    drawn = project(sketch, actor.pose, camera, light, bending=bending, phase=phase)
    shape = silhouette_of(drawn, settings.size_hw, with_parts=is_object and with_parts)
    if shape is None:
        return None
    return Thing(drawn, Layer(shape, actor.semantic, item if is_object else -1), actor, sketch)


def _hidden(stage: Stage, thing: Thing) -> Iterator[Thing]:
    """The occluder of an object, where the settings ask for one."""
    settings = stage.settings
    if settings.occlusion <= 0:
        return
    rng = stream(stage.seed, "occluder", thing.layer.item)
    shape = thing.layer.silhouette
    hiding = occluder_for(shape, settings.occlusion, settings.size_hw, stage.light, rng)
    if hiding is not None:
        drawn, semantic = hiding
        cover = silhouette_of(drawn, settings.size_hw, with_parts=False)
        if cover is not None:
            yield Thing(drawn, Layer(cover, semantic, -1))
