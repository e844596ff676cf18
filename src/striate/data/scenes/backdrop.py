"""What lies behind everything, painted: sky, hills, ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from striate.data.scenes.ground import paint_ground, sketch_markings
from striate.data.scenes.heaven import sketch_heaven, sketch_hills, sky_canvas
from striate.data.scenes.light import Light
from striate.data.scenes.names import stuff_id
from striate.data.scenes.paint import Pens, flat_of, paint, put
from striate.data.scenes.sketch import Sketch, project
from striate.data.scenes.world import Camera, Pose
from striate.types import Array

__all__ = ["Backdrop", "paint_backdrop"]

_ORIGIN = Pose(0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """The canvas with its pens, and the stuff classes uint8 (H, W) at the picture's own size."""

    canvas: Image.Image
    pens: Pens
    semantic: Array


def paint_backdrop(camera: Camera, light: Light, seed: int, clutter: float) -> Backdrop:
    """Sky, hills and ground on a canvas `FINE` times the picture, and their stuff classes."""
    height, width = camera.size_hw
    canvas = sky_canvas(camera, light)
    stuff = Image.new("L", (width, height), stuff_id("sky"))
    pens, sheet = Pens(canvas), ImageDraw.Draw(stuff)
    heaven, hills, lines = Sketch(), Sketch(), Sketch()
    sketch_heaven(heaven, camera, light, seed)
    paint(pens, project(heaven, _ORIGIN, camera, light))
    sketch_hills(hills, camera, seed, light.snow)
    ranges = project(hills, _ORIGIN, camera, light)
    paint(pens, ranges)
    flat = flat_of(ranges, 1)
    for mark in ranges.marks:
        put(sheet, mark.kind, flat[2 * mark.start : 2 * mark.stop], 0.0, stuff_id("vegetation"))
    paint_ground(pens.cover, camera, light, sheet)
    sketch_markings(lines, camera, light, seed, clutter)
    if lines.marks:
        paint(pens, project(lines, _ORIGIN, camera, light))
    return Backdrop(canvas, pens, np.asarray(stuff).copy())
