"""A lorry: chassis and cab, with one of the loads of `freight`."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import PAINTS, Rgb
from striate.data.scenes.shapes.freight import FREIGHT, Freight, make_freight
from striate.data.scenes.shapes.glass import LAMP, PLATE, TAIL, glare, window_colour
from striate.data.scenes.shapes.plane import Plane, end_of, side_of
from striate.data.scenes.shapes.solid import (
    box,
    darker,
    extrude,
    lighter,
    near_side,
    rounded,
    treads,
    wheel,
)
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["Truck", "make_truck"]

_WHEEL = 0.48
_STEEL: Rgb = (62, 64, 72)


@dataclass(frozen=True, slots=True)
class Truck:
    """One lorry; `size` is length, height, width, `cab` length and height, all in metres.

    The colour is the cab's.
    """

    label: ClassVar[str] = "truck"
    solid: ClassVar[bool] = True
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    cab: tuple[float, float]
    freight: Freight

    def draw(self, sketch: Sketch, view: View) -> None:
        """Treads and chassis; cab and load, the one that is further away first; wheels."""
        side, half, reach = near_side(view), self.size[2] / 2, self.size[0] / 2
        axles = (-0.74 * reach, -0.42 * reach, reach - self.cab[0] * 0.52)
        treads(sketch, view, axles, half, _WHEEL)
        low, high = (-reach + 0.1, 0.5, -half * 0.8), (reach - 0.3, 0.85, half * 0.8)
        box(sketch, view, low, high, _STEEL)
        if view.eye[0] > reach - self.cab[0]:
            self._load(sketch, view)
            self._cab(sketch, view, side)
        else:
            self._cab(sketch, view, side)
            self._load(sketch, view)
        if abs(view.eye[2]) <= half:
            return
        flank = side_of(sketch, view, side, half)
        flank.disc(axles[2], _WHEEL + 0.06, _WHEEL + 0.12, darker(self.paint, 0.6), tone=0.0)
        for index in (0, 1, 2) if view.eye[0] > 0 else (2, 1, 0):
            wheel(flank, axles[index], _WHEEL, part=f"wheel:{index}")
        for name, x in (("front-wheel", axles[2]), ("rear-wheel", axles[0])):
            sketch.key(name, (x, _WHEEL, side * half))

    def _load(self, sketch: Sketch, view: View) -> None:
        reach = self.size[0] / 2
        span = (-reach, reach - self.cab[0] - 0.14)
        FREIGHT[self.kind](self.freight, sketch, view, span)
        if view.eye[0] < -reach:
            self._rear(end_of(sketch, view, -1, reach), view)

    def _cab(self, sketch: Sketch, view: View, side: int) -> None:
        half, x1, (length, top) = self.size[2] / 2, self.size[0] / 2, self.cab
        x0 = x1 - length
        roof = [(x1, top * 0.62, 0.16), (x1 - 0.34, top, 0.3), (x0, top, 0.12)]
        outline = rounded([(x0, 0.45, 0.0), (x1, 0.45, 0.1), *roof])
        extrude(sketch, view, outline, lambda _: half * 0.98, self.paint)
        if view.eye[0] > x1:
            self._windscreen(sketch, view, x1)
            self._front(end_of(sketch, view, 1, x1), view)
        if abs(view.eye[2]) > half:
            self._flank(side_of(sketch, view, side, half), view)
            mirror = (x1 - 0.2, side * (half + 0.14))
            post = ((mirror[0], top * 0.9, mirror[1]), (mirror[0], top * 0.6 + 0.1, mirror[1]))
            sketch.stroke(post, 0.06, (52, 54, 60), view.tone(0, 0, side))

    def _windscreen(self, sketch: Sketch, view: View, x1: float) -> None:
        top, half = self.cab[1], self.size[2] / 2
        low, high = top * 0.6, top * 0.92

        def at(across: float, rise: float) -> Triple:
            return x1 + 0.01 - 0.28 * rise, low + (high - low) * rise, across

        pane = Plane(sketch, at, 0.4 + 0.4 * view.tone(1, 0, 0), view.px_per_m)
        pane.rect((-half * 0.84, half * 0.84), (0, 1), window_colour(view), part="windscreen")
        pane.poly(((-0.3, 0), (0.05, 0), (0.4, 1), (0.1, 1)), glare(view), tone=0.8, alpha=60)

    def _flank(self, flank: Plane, view: View) -> None:
        """Window, door, step and lamp of the cab."""
        x1, (length, top) = self.size[0] / 2, self.cab
        x0, low, high = x1 - length, top * 0.6, top * 0.9
        back = x0 + length * 0.3
        pane = ((back, low), (x1 - 0.1, low), (x1 - 0.36, high), (back, high))
        flank.poly(pane, window_colour(view), tone=0.35 + 0.5 * flank.tone, part="window")
        if view.px_per_m > 12:
            hinge, back = x1 - 0.12, back - 0.1
            door = ((back, 0.7), (hinge, 0.7), (hinge, low), (x1 - 0.34, high + 0.06))
            path = (*door, (back, high + 0.06), door[0])
            flank.line(path, 0.014, darker(self.paint, 0.3), part="door")
        flank.rect((x0 + 0.04, x1 - 0.05), (0.5, 0.66), darker(self.paint, 0.4))
        band = (x0 + 0.1, x1 - 0.05)
        flank.rect(band, (top * 0.52, top * 0.56), lighter(self.paint, 0.5), alpha=190)
        lamp = ((x1 - 0.24, 0.72), (x1 - 0.02, 0.72), (x1 - 0.02, 0.92), (x1 - 0.2, 0.92))
        flank.poly(lamp, LAMP, tone=0.9, part="headlight:side", glow=0.7 * view.lamps)

    def _front(self, end: Plane, view: View) -> None:
        """Grille, bumper, lamps and plate."""
        half, top = self.size[2] / 2, self.cab[1]
        end.rect((-half * 0.6, half * 0.6), (0.98, top * 0.55), (50, 52, 60))
        for step in range(3):
            y = 1.02 + step * (top * 0.55 - 1.0) / 3
            end.rect((-half * 0.56, half * 0.56), (y, y + 0.06), (150, 156, 164))
        end.rect((-half * 0.97, half * 0.97), (0.45, 0.7), darker(self.paint, 0.45))
        for side in (-1, 1):
            across, glow = (side * half * 0.6, side * half * 0.93), 0.85 * view.lamps
            end.rect(across, (0.74, 0.94), LAMP, tone=0.9, part=f"headlight:{side}", glow=glow)
        end.rect((-0.27, 0.27), (0.5, 0.64), PLATE, tone=max(end.tone, 0.4), part="plate")

    def _rear(self, end: Plane, view: View) -> None:
        half = self.size[2] / 2
        if self.kind == "box lorry":
            for side in (-1, 1):
                across = (side * half * 0.04, side * half * 0.92)
                leaf = darker(self.freight.paint, 0.12)
                end.rect(across, (1.0, self.size[1] - 0.12), leaf, part=f"door:{side}")
        end.rect((-half, half), (0.6, 0.86), (66, 68, 76))
        for side in (-1, 1):
            across, glow = (side * half * 0.66, side * half * 0.95), 0.6 * view.lamps
            end.rect(across, (0.65, 0.8), TAIL, tone=0.8, part=f"taillight:{side}", glow=glow)
        end.rect((-0.27, 0.27), (0.65, 0.8), PLATE, tone=max(end.tone, 0.4), part="plate")


def make_truck(rng: random.Random) -> Truck:
    """A lorry drawn by `rng`."""
    kind = rng.choice(tuple(FREIGHT))
    colour = rng.choice(("red", "blue", "green", "yellow", "orange", "white", "purple"))
    paint = jittered(rng, PAINTS[colour])
    cab = (rng.uniform(1.7, 2.0), rng.uniform(2.4, 2.65))
    freight = make_freight(rng, kind, lighter(paint, 0.15))
    size = (rng.uniform(6.4, 7.6), max(freight.height, cab[1]), 2 * freight.half)
    return Truck(kind, colour, paint, size, cab, freight)
