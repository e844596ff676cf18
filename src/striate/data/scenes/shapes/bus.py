"""A bus: city bus, double-decker, school bus or minibus."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import PAINTS, Rgb
from striate.data.scenes.shapes.glass import LAMP, PLATE, TAIL, glare, lit_window, window_colour
from striate.data.scenes.shapes.solid import (
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

__all__ = ["Bus", "make_bus"]

# length, height, width, floor, window rows (low, high)
_BODIES: MappingProxyType[str, tuple[float, float, float, float, tuple[tuple[float, float], ...]]] = (
    MappingProxyType(
        {
            "city bus": (8.6, 2.95, 2.4, 0.34, ((1.38, 2.32),)),
            "double-decker": (8.2, 4.1, 2.4, 0.34, ((1.30, 2.05), (2.75, 3.55))),
            "coach": (9.0, 3.25, 2.4, 0.40, ((1.62, 2.66),)),
            "minibus": (5.8, 2.55, 2.1, 0.36, ((1.34, 2.08),)),
        }
    )
)


@dataclass(frozen=True, slots=True)
class Bus:
    """One bus; `size` is length, height, width in metres."""

    label: ClassVar[str] = "bus"
    solid: ClassVar[bool] = True
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    floor: float
    rows: tuple[tuple[float, float], ...]
    band: Rgb
    bay: float
    doors: int

    def draw(self, sketch: Sketch, view: View) -> None:
        """Far wheels, body, the end that is seen, the near side, near wheels."""
        side, half, reach = near_side(view), self.size[2] / 2, self.size[0] / 2
        axles = (-0.58 * reach, 0.66 * reach)
        treads(sketch, view, axles, half, 0.46, wide=0.3)
        top = self.size[1]
        outline = rounded(
            [
                (-reach, self.floor, 0.1),
                (reach, self.floor, 0.14),
                (reach, top, 0.42),
                (-reach, top, 0.26),
            ]
        )
        extrude(sketch, view, outline, lambda _: half, self.paint)
        self._end(sketch, view)
        seen = abs(view.eye[2]) > half
        if seen:
            self._flank(sketch, view, side)
        for x in axles if view.eye[0] > 0 else axles[::-1]:
            name = "front-wheel" if x > 0 else "rear-wheel"
            if seen:
                disc(
                    sketch, view, (x, 0.5, side * half), 0.58, darker(self.paint, 0.62), 0.0, decal=True
                )
                sketch.key(name, (x, 0.46, side * half))
            wheel(sketch, view, x, side * half, 0.46, part=f"wheel:{name}")

    def _bays(self, side: int) -> Iterator[tuple[float, float, bool]]:
        """(x0, x1, is a door) of every window bay, front to back; doors are on the kerb side."""
        reach = self.size[0] / 2
        count = max(3, round((self.size[0] - 0.7) / self.bay))
        width = (self.size[0] - 0.5) / count
        for index in range(count):
            x1 = reach - 0.25 - index * width
            door = side < 0 and (index == 0 or (self.doors > 1 and index == count // 2))
            yield x1 - width + 0.05, x1 - 0.05, door

    def _flank(self, sketch: Sketch, view: View, side: int) -> None:
        reach, z = self.size[0] / 2, side * (self.size[2] / 2 + 0.004)
        tone, low = view.tone(0, 0, side), self.floor

        def panel(x0: float, x1: float, y0: float, y1: float) -> tuple[Triple, Triple, Triple, Triple]:
            return (x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)

        sketch.face(
            panel(-reach + 0.05, reach - 0.05, low, low + 0.2), darker(self.paint, 0.4), tone, decal=True
        )
        sketch.face(panel(-reach + 0.02, reach - 0.02, 0.92, 1.12), self.band, tone, decal=True)
        shine = panel(-reach + 0.2, reach - 0.3, self.size[1] - 0.3, self.size[1] - 0.2)
        sketch.face(shine, lighter(self.paint, 0.4), tone, alpha=150)
        glass, lit = lit_window(view)
        pane_tone = 0.35 + 0.5 * tone
        for row, (y0, y1) in enumerate(self.rows):
            sketch.face(
                panel(-reach + 0.2, reach - 0.2, y0 - 0.05, y1 + 0.05),
                darker(self.paint, 0.5),
                tone,
                decal=True,
            )
            for index, (x0, x1, door) in enumerate(self._bays(side)):
                if door and row == 0:
                    self._door(sketch, view, x0, x1, z, tone)
                    continue
                sketch.face(
                    panel(x0, x1, y0, y1), glass, pane_tone, part=f"window:{row}.{index}", glow=lit
                )
                if index % 3 == 1 and view.px_per_m > 8:
                    streak = (
                        (x0 + 0.1, y0, z),
                        (x0 + 0.4, y0, z),
                        (x0 + 0.65, y1, z),
                        (x0 + 0.35, y1, z),
                    )
                    sketch.face(streak, glare(view), 0.8, alpha=60)
        lamp, tail = (
            panel(reach - 0.24, reach - 0.03, 0.62, 0.8),
            panel(-reach + 0.03, -reach + 0.18, 0.62, 0.86),
        )
        sketch.face(lamp, LAMP, 0.9, part=f"headlight:{side}", glow=0.7 * view.lamps)
        sketch.face(tail, TAIL, 0.8, part=f"taillight:{side}", glow=0.5 * view.lamps)

    def _door(self, sketch: Sketch, view: View, x0: float, x1: float, z: float, tone: float) -> None:
        y0, y1 = self.floor + 0.08, self.rows[0][1] + 0.03
        middle = (x0 + x1) / 2
        sketch.face(
            ((x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)),
            darker(self.paint, 0.55),
            tone,
            part=f"door:{x0:.1f}",
        )
        glass, lit = lit_window(view)
        for a, b in ((x0 + 0.06, middle - 0.03), (middle + 0.03, x1 - 0.06)):
            pane = ((a, y0 + 0.12, z), (b, y0 + 0.12, z), (b, y1 - 0.08, z), (a, y1 - 0.08, z))
            sketch.face(pane, glass, 0.4 + 0.4 * tone, glow=lit, decal=True)

    def _end(self, sketch: Sketch, view: View) -> None:
        reach, half = self.size[0] / 2, self.size[2] / 2
        if abs(view.eye[0]) <= reach:
            return
        sign = 1 if view.eye[0] > 0 else -1
        x, tone, low = sign * (reach + 0.004), view.tone(sign, 0, 0), self.floor
        glass = window_colour(view)

        def panel(z0: float, z1: float, y0: float, y1: float) -> tuple[Triple, Triple, Triple, Triple]:
            return (x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)

        sketch.face(
            panel(-half * 0.96, half * 0.96, low, low + 0.22), darker(self.paint, 0.45), tone, decal=True
        )
        name = "windscreen" if sign > 0 else "rear-window"
        for row, (y0, y1) in enumerate(self.rows):
            drop = 0.25 if sign > 0 and row == 0 else 0.0
            sketch.face(
                panel(-half * 0.86, half * 0.86, y0 - drop, y1 + 0.02),
                glass,
                0.4 + 0.4 * tone,
                part=f"{name}:{row}",
                glow=0.25 * view.lamps,
            )
            streak = (
                (x, y0, -half * 0.2),
                (x, y0, half * 0.15),
                (x, y1, half * 0.45),
                (x, y1, half * 0.1),
            )
            sketch.face(streak, glare(view), 0.8, alpha=60)
        if sign > 0:
            y = self.rows[0][1] + 0.1
            sketch.face(panel(-half * 0.6, half * 0.6, y, y + 0.24), (38, 40, 46), tone, decal=True)
            sketch.face(
                panel(-half * 0.42, half * 0.42, y + 0.07, y + 0.17),
                (255, 190, 70),
                0.9,
                glow=0.8,
                decal=True,
            )
        lamp, lamp_name = (LAMP, "headlight") if sign > 0 else (TAIL, "taillight")
        for across in (-1, 1):
            z0, z1 = across * half * 0.62, across * half * 0.92
            sketch.face(
                panel(z0, z1, 0.62, 0.82), lamp, 0.9, part=f"{lamp_name}:{across}", glow=0.8 * view.lamps
            )
        sketch.face(panel(-0.28, 0.28, low + 0.06, low + 0.2), PLATE, max(tone, 0.4), part="plate")


def make_bus(rng: random.Random) -> Bus:
    """A bus drawn by `rng`."""
    kind = rng.choice(tuple(_BODIES))
    length, height, width, floor, rows = _BODIES[kind]
    colour = rng.choice(("red", "yellow", "blue", "green", "orange", "white", "purple"))
    paint = jittered(rng, PAINTS[colour])
    band = rng.choice((lighter(paint, 0.75), darker(paint, 0.3), lighter(paint, 0.45)))
    size = (length * rng.uniform(0.95, 1.05), height, width)
    return Bus(kind, colour, paint, size, floor, rows, band, rng.uniform(0.95, 1.3), rng.randint(1, 2))
