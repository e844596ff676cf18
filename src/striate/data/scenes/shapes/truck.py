"""A lorry: box body, tipper, flatbed with crates, or tanker."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import PAINTS, Rgb
from striate.data.scenes.shapes.glass import LAMP, PLATE, TAIL, glare, window_colour
from striate.data.scenes.shapes.solid import (
    box,
    darker,
    disc,
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

_KINDS = ("box lorry", "tipper", "flatbed", "tanker")
_CRATES: tuple[Rgb, ...] = ((196, 150, 98), (176, 128, 80), (210, 168, 118))


@dataclass(frozen=True, slots=True)
class Truck:
    """One lorry; `size` is length, height, width in metres. The colour is the cab's."""

    label: ClassVar[str] = "truck"
    solid: ClassVar[bool] = True
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    cab: tuple[float, float]  # length, height
    load: Rgb
    mark: Rgb
    crates: tuple[float, ...]

    def draw(self, sketch: Sketch, view: View) -> None:
        """Far wheels and chassis, then cab and load, the one that is further away first."""
        side, half, reach = near_side(view), self.size[2] / 2, self.size[0] / 2
        axles = (-0.74 * reach, -0.42 * reach, reach - self.cab[0] * 0.52)
        treads(sketch, view, axles, half, 0.48, wide=0.3)
        box(
            sketch, view, (-reach + 0.1, 0.5, -half * 0.8), (reach - 0.3, 0.85, half * 0.8), (62, 64, 72)
        )
        parts = (self._load, self._cab) if view.eye[0] > reach - self.cab[0] else (self._cab, self._load)
        for part in parts:
            part(sketch, view, side)
        for x in axles if view.eye[0] > 0 else axles[::-1]:
            name = "front-wheel" if x > 0 else "rear-wheel"
            if abs(view.eye[2]) > half:
                if x > 0:
                    disc(
                        sketch,
                        view,
                        (x, 0.54, side * half),
                        0.6,
                        darker(self.paint, 0.6),
                        0.0,
                        decal=True,
                    )
                if x != axles[1]:
                    sketch.key(name, (x, 0.48, side * half))
            wheel(sketch, view, x, side * half, 0.48, part=f"wheel:{x:.1f}")

    def _cab(self, sketch: Sketch, view: View, side: int) -> None:
        half, x1, (length, top) = self.size[2] / 2, self.size[0] / 2, self.cab
        x0 = x1 - length
        outline = rounded(
            [
                (x0, 0.45, 0),
                (x1, 0.45, 0.1),
                (x1, top * 0.62, 0.16),
                (x1 - 0.34, top, 0.3),
                (x0, top, 0.12),
            ]
        )
        extrude(sketch, view, outline, lambda _: half * 0.98, self.paint)
        glass = window_colour(view)
        if view.eye[0] > x1:
            tone = view.tone(1, 0, 0)
            low, high, wide = top * 0.6, top * 0.92, half * 0.84
            slope = (0.0 + x1 + 0.01, x1 - 0.27)
            pane = (
                (slope[0], low, -wide),
                (slope[0], low, wide),
                (slope[1], high, wide),
                (slope[1], high, -wide),
            )
            sketch.face(pane, glass, 0.4 + 0.4 * tone, part="windscreen")
            sketch.face(
                (
                    (slope[0], low, -0.3),
                    (slope[0], low, 0.05),
                    (slope[1], high, 0.4),
                    (slope[1], high, 0.1),
                ),
                glare(view),
                0.8,
                alpha=60,
            )
            self._front(sketch, view, x1 + 0.005, tone)
        if abs(view.eye[2]) > half:
            self._cab_flank(sketch, view, side, x0, x1)

    def _cab_flank(self, sketch: Sketch, view: View, side: int, x0: float, x1: float) -> None:
        half, top, z = self.size[2] / 2, self.cab[1], side * (self.size[2] / 2 + 0.004)
        tone = view.tone(0, 0, side)
        low, high = top * 0.6, top * 0.9
        pane = (
            (x0 + self.cab[0] * 0.3, low, z),
            (x1 - 0.1, low, z),
            (x1 - 0.36, high, z),
            (x0 + self.cab[0] * 0.3, high, z),
        )
        sketch.face(pane, window_colour(view), 0.35 + 0.5 * tone, part="window")
        door = [
            (x0 + self.cab[0] * 0.24, 0.7),
            (x1 - 0.12, 0.7),
            (x1 - 0.12, low),
            (x1 - 0.34, high + 0.06),
            (x0 + self.cab[0] * 0.24, high + 0.06),
        ]
        if view.px_per_m > 12:
            sketch.stroke(
                [(x, y, z) for x, y in (*door, door[0])],
                0.014,
                darker(self.paint, 0.3),
                tone,
                part="door",
                decal=True,
            )
        sketch.face(
            ((x0 + 0.04, 0.5, z), (x1 - 0.05, 0.5, z), (x1 - 0.05, 0.66, z), (x0 + 0.04, 0.66, z)),
            darker(self.paint, 0.4),
            tone,
            decal=True,
        )
        sketch.face(
            (
                (x0 + 0.1, top * 0.52, z),
                (x1 - 0.05, top * 0.52, z),
                (x1 - 0.05, top * 0.56, z),
                (x0 + 0.1, top * 0.56, z),
            ),
            lighter(self.paint, 0.5),
            tone,
            alpha=190,
        )
        sketch.face(
            ((x1 - 0.24, 0.72, z), (x1 - 0.02, 0.72, z), (x1 - 0.02, 0.92, z), (x1 - 0.2, 0.92, z)),
            LAMP,
            0.9,
            part=f"headlight:{side}",
            glow=0.7 * view.lamps,
        )
        sketch.stroke(
            ((x1 - 0.2, high, side * (half + 0.14)), (x1 - 0.2, low + 0.1, side * (half + 0.14))),
            0.06,
            (52, 54, 60),
            tone,
        )

    def _front(self, sketch: Sketch, view: View, x: float, tone: float) -> None:
        half, top = self.size[2] / 2, self.cab[1]

        def panel(z0: float, z1: float, y0: float, y1: float) -> tuple[Triple, Triple, Triple, Triple]:
            return (x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)

        sketch.face(panel(-half * 0.6, half * 0.6, 0.98, top * 0.55), (50, 52, 60), tone, decal=True)
        for step in range(3):
            y = 1.02 + step * (top * 0.55 - 1.0) / 3
            sketch.face(panel(-half * 0.56, half * 0.56, y, y + 0.06), (150, 156, 164), tone, decal=True)
        sketch.face(
            panel(-half * 0.97, half * 0.97, 0.45, 0.7), darker(self.paint, 0.45), tone, decal=True
        )
        for across in (-1, 1):
            sketch.face(
                panel(across * half * 0.6, across * half * 0.93, 0.74, 0.94),
                LAMP,
                0.9,
                part=f"headlight:{across}",
                glow=0.85 * view.lamps,
            )
        sketch.face(panel(-0.27, 0.27, 0.5, 0.64), PLATE, max(tone, 0.4), part="plate")

    def _load(self, sketch: Sketch, view: View, side: int) -> None:
        half, x0 = self.size[2] / 2, -self.size[0] / 2
        x1 = self.size[0] / 2 - self.cab[0] - 0.14
        if self.kind == "tanker":
            self._tank(sketch, view, x0, x1)
        elif self.kind == "flatbed":
            self._crates(sketch, view, x0, x1)
        else:
            top = self.size[1]
            body = self.kind == "box lorry"
            low = (x0, 0.86, -half)
            box(
                sketch,
                view,
                low,
                (x1, top, half),
                self.load,
                top=self.load if body else (122, 96, 70),
                part="load",
            )
            if body:
                self._livery(sketch, view, side, x0, x1)
            else:
                self._ribs(sketch, view, side, x0, x1)
        self._rear(sketch, view, x0 - 0.005)

    def _livery(self, sketch: Sketch, view: View, side: int, x0: float, x1: float) -> None:
        """A band, a badge and edge rails on the side of the box."""
        if abs(view.eye[2]) <= self.size[2] / 2:
            return
        z, top, tone = side * (self.size[2] / 2 + 0.004), self.size[1], view.tone(0, 0, side)
        middle, rise = (x0 + x1) / 2, top - 0.86
        sketch.face(
            ((x0, 0.86, z), (x1, 0.86, z), (x1, 0.98, z), (x0, 0.98, z)),
            darker(self.load, 0.3),
            tone,
            decal=True,
        )
        sketch.face(
            (
                (x0, 1.2, z),
                (x1, 1.2 + rise * 0.2, z),
                (x1, 1.2 + rise * 0.36, z),
                (x0, 1.2 + rise * 0.16, z),
            ),
            self.mark,
            tone,
            part="load",
            decal=True,
        )
        disc(
            sketch,
            view,
            (middle, 0.86 + rise * 0.68, z),
            rise * 0.15,
            self.mark,
            tone,
            part="load",
            decal=True,
        )
        disc(
            sketch,
            view,
            (middle, 0.86 + rise * 0.68, z),
            rise * 0.08,
            self.load,
            tone,
            part="load",
            decal=True,
        )
        sketch.face(
            ((x0, top - 0.09, z), (x1, top - 0.09, z), (x1, top, z), (x0, top, z)),
            darker(self.load, 0.15),
            tone,
            decal=True,
        )

    def _ribs(self, sketch: Sketch, view: View, side: int, x0: float, x1: float) -> None:
        """Upright ribs of a tipper's skip and the heap in it."""
        half, top = self.size[2] / 2, self.size[1]
        heap = [
            (x0 + 0.2, top, 0.0),
            (x0 + 0.3 * (x1 - x0), top + 0.4, 0.0),
            (x0 + 0.62 * (x1 - x0), top + 0.28, 0.0),
            (x1 - 0.2, top, 0.0),
        ]
        sketch.face(heap, (140, 108, 76), 0.6)
        if abs(view.eye[2]) <= half:
            return
        z, tone = side * (half + 0.004), view.tone(0, 0, side)
        for index in range(6):
            x = x0 + 0.05 + index * (x1 - x0 - 0.25) / 5
            sketch.face(
                ((x, 0.9, z), (x + 0.15, 0.9, z), (x + 0.15, top, z), (x, top, z)),
                darker(self.load, 0.22),
                tone,
                part="load",
                decal=True,
            )
        sketch.face(
            ((x0, top - 0.14, z), (x1, top - 0.14, z), (x1, top, z), (x0, top, z)),
            darker(self.load, 0.3),
            tone,
            part="load",
            decal=True,
        )

    def _tank(self, sketch: Sketch, view: View, x0: float, x1: float) -> None:
        top, half = self.size[1], self.size[2] / 2
        middle, rise = (0.86 + top) / 2, (top - 0.86) / 2

        def across(y: float) -> float:
            return half * max(0.2, 1 - ((y - middle) / rise) ** 2) ** 0.5

        steps = [0.86 + 2 * rise * step / 6 for step in range(7)]
        side = near_side(view)
        for low, high in zip(steps, steps[1:], strict=False):
            normal = (low + high) / 2 - middle
            tone = max(view.tone(0, normal / rise, side * (1 - (normal / rise) ** 2) ** 0.5), 0.1)
            quad = (
                (x0, low, side * across(low)),
                (x1, low, side * across(low)),
                (x1, high, side * across(high)),
                (x0, high, side * across(high)),
            )
            sketch.face(quad, self.load, tone, part="load")
        x = x1 if view.eye[0] > x1 else x0
        rim = [(x, y, across(y)) for y in steps] + [(x, y, -across(y)) for y in reversed(steps)]
        sketch.face(rim, darker(self.load, 0.12), view.tone(1 if x == x1 else -1, 0, 0), part="load")
        z = side * (half + 0.01)
        for share in (0.25, 0.75):
            at = x0 + share * (x1 - x0)
            sketch.face(
                (
                    (at - 0.07, 0.9, z * 0.5),
                    (at + 0.07, 0.9, z * 0.5),
                    (at + 0.07, middle, z),
                    (at - 0.07, middle, z),
                ),
                darker(self.load, 0.3),
                0.5,
                part="load",
                decal=True,
            )
        sketch.face(
            (
                (x0, middle - 0.16, z),
                (x1, middle - 0.16, z),
                (x1, middle + 0.1, z),
                (x0, middle + 0.1, z),
            ),
            self.mark,
            view.tone(0, 0, side),
            part="load",
            decal=True,
        )

    def _crates(self, sketch: Sketch, view: View, x0: float, x1: float) -> None:
        half = self.size[2] / 2
        box(sketch, view, (x0, 0.82, -half), (x1, 1.0, half), (120, 84, 58), part="load")
        width = (x1 - x0) / len(self.crates)
        order = range(len(self.crates)) if view.eye[0] > 0 else reversed(range(len(self.crates)))
        for index in order:
            low = x0 + index * width
            tall = self.crates[index]
            box(
                sketch,
                view,
                (low + 0.06, 1.0, -half * 0.85),
                (low + width - 0.06, 1.0 + tall, half * 0.85),
                _CRATES[index % 3],
                part="load",
            )
            z = near_side(view) * half * 0.853
            y = 1.0 + tall * 0.5
            sketch.face(
                (
                    (low + 0.06, y - 0.05, z),
                    (low + width - 0.06, y - 0.05, z),
                    (low + width - 0.06, y + 0.05, z),
                    (low + 0.06, y + 0.05, z),
                ),
                (120, 84, 56),
                0.4,
                part="load",
                decal=True,
            )

    def _rear(self, sketch: Sketch, view: View, x: float) -> None:
        if view.eye[0] > x:
            return
        half, tone = self.size[2] / 2, view.tone(-1, 0, 0)

        def panel(z0: float, z1: float, y0: float, y1: float) -> tuple[Triple, Triple, Triple, Triple]:
            return (x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)

        if self.kind == "box lorry":
            for across in (-1, 1):
                sketch.face(
                    panel(across * half * 0.04, across * half * 0.92, 1.0, self.size[1] - 0.12),
                    darker(self.load, 0.12),
                    tone,
                    part=f"door:{across}",
                )
        sketch.face(panel(-half, half, 0.6, 0.86), (66, 68, 76), tone)
        for across in (-1, 1):
            sketch.face(
                panel(across * half * 0.66, across * half * 0.95, 0.65, 0.8),
                TAIL,
                0.8,
                part=f"taillight:{across}",
                glow=0.6 * view.lamps,
            )
        sketch.face(panel(-0.27, 0.27, 0.65, 0.8), PLATE, max(tone, 0.4), part="plate")


def make_truck(rng: random.Random) -> Truck:
    """A lorry drawn by `rng`."""
    kind = rng.choice(_KINDS)
    colour = rng.choice(("red", "blue", "green", "yellow", "orange", "white", "purple"))
    paint = jittered(rng, PAINTS[colour])
    load = jittered(rng, rng.choice(((236, 234, 226), (214, 218, 224), (200, 204, 210))))
    if kind == "tipper":
        load = jittered(rng, (176, 180, 186))
    height = {"box lorry": rng.uniform(2.9, 3.4), "tipper": 2.2, "flatbed": 2.5, "tanker": 2.75}[kind]
    crates = tuple(rng.uniform(0.6, 1.35) for _ in range(rng.randint(3, 4)))
    size = (rng.uniform(6.4, 7.6), height, 2.3)
    cab = (rng.uniform(1.7, 2.0), rng.uniform(2.4, 2.65))
    return (
        Truck(
            kind,
            colour,
            paint,
            (size[0], max(height, cab[1]) if kind in ("tipper", "flatbed") else height, size[2]),
            cab,
            load,
            lighter(paint, 0.15),
            crates,
        )
        if kind not in ("tipper",)
        else Truck(kind, colour, paint, size, cab, load, paint, crates)
    )
