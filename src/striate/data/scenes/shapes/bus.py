"""A bus: city bus, double-decker, coach or minibus."""

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
from striate.data.scenes.shapes.plane import Plane, end_of, side_of
from striate.data.scenes.shapes.solid import darker, extrude, lighter, near_side, rounded, treads, wheel
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["Bus", "make_bus"]

Rows = tuple[tuple[float, float], ...]

# Length, height, width, floor, and the window rows from y to y, metres.
_BODIES: MappingProxyType[str, tuple[float, float, float, float, Rows]] = MappingProxyType(
    {
        "city bus": (8.6, 2.95, 2.4, 0.34, ((1.38, 2.32),)),
        "double-decker": (8.2, 4.1, 2.4, 0.34, ((1.30, 2.05), (2.75, 3.55))),
        "coach": (9.0, 3.25, 2.4, 0.40, ((1.62, 2.66),)),
        "minibus": (5.8, 2.55, 2.1, 0.36, ((1.34, 2.08),)),
    }
)
_WHEEL = 0.46


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
    rows: Rows
    band: Rgb
    bay: float
    doors: int

    def draw(self, sketch: Sketch, view: View) -> None:
        """Treads, body, the end that is seen, the near side, its wheels."""
        (long, top, wide), side = self.size, near_side(view)
        reach, half = long / 2, wide / 2
        axles = (-0.58 * reach, 0.66 * reach)
        treads(sketch, view, axles, half, _WHEEL)
        bottom = [(-reach, self.floor, 0.1), (reach, self.floor, 0.14)]
        outline = rounded([*bottom, (reach, top, 0.42), (-reach, top, 0.26)])
        extrude(sketch, view, outline, lambda _: half, self.paint)
        if abs(view.eye[0]) > reach:
            self._end(end_of(sketch, view, 1 if view.eye[0] > 0 else -1, reach), view)
        if abs(view.eye[2]) <= half:
            return
        flank = side_of(sketch, view, side, half)
        self._flank(flank, view, side)
        for x in axles if view.eye[0] > 0 else axles[::-1]:
            name = "front-wheel" if x > 0 else "rear-wheel"
            flank.disc(x, _WHEEL + 0.04, _WHEEL + 0.12, darker(self.paint, 0.62), tone=0.0)
            wheel(flank, x, _WHEEL, part=f"wheel:{name}")
            sketch.key(name, (x, _WHEEL, side * half))

    def _bays(self, side: int) -> Iterator[tuple[tuple[float, float], bool]]:
        """((x0, x1), is a door) of every window bay, front to back; doors are on the kerb side."""
        reach = self.size[0] / 2
        count = max(3, round((self.size[0] - 0.7) / self.bay))
        width = (self.size[0] - 0.5) / count
        for index in range(count):
            x1 = reach - 0.25 - index * width
            door = side < 0 and (index == 0 or (self.doors > 1 and index == count // 2))
            yield (x1 - width + 0.05, x1 - 0.05), door

    def _flank(self, flank: Plane, view: View, side: int) -> None:
        reach, low, top = self.size[0] / 2, self.floor, self.size[1]
        flank.rect((-reach + 0.05, reach - 0.05), (low, low + 0.2), darker(self.paint, 0.4))
        flank.rect((-reach + 0.02, reach - 0.02), (0.92, 1.12), self.band)
        shine = (-reach + 0.2, reach - 0.3)
        flank.rect(shine, (top - 0.3, top - 0.2), lighter(self.paint, 0.4), alpha=150)
        for row, (y0, y1) in enumerate(self.rows):
            strip = (-reach + 0.2, reach - 0.2)
            flank.rect(strip, (y0 - 0.05, y1 + 0.05), darker(self.paint, 0.5))
            for index, (xs, door) in enumerate(self._bays(side)):
                if door and row == 0:
                    self._door(flank, view, xs)
                else:
                    self._window(flank, view, xs, (y0, y1), part=f"window:{row}.{index}")
        lamp, tail = (reach - 0.24, reach - 0.03), (-reach + 0.03, -reach + 0.18)
        glow = 0.7 * view.lamps
        flank.rect(lamp, (0.62, 0.8), LAMP, tone=0.9, part="headlight:side", glow=glow)
        flank.rect(tail, (0.62, 0.86), TAIL, tone=0.8, part="taillight:side", glow=0.7 * glow)

    def _window(
        self, flank: Plane, view: View, xs: tuple[float, float], ys: tuple[float, float], *, part: str
    ) -> None:
        glass, lit = lit_window(view)
        flank.rect(xs, ys, glass, tone=0.35 + 0.5 * flank.tone, part=part, glow=lit)
        if part.endswith((".1", ".4", ".7")) and view.px_per_m > 8:
            (x, _), (y0, y1) = xs, ys
            streak = ((x + 0.1, y0), (x + 0.4, y0), (x + 0.65, y1), (x + 0.35, y1))
            flank.poly(streak, glare(view), tone=0.8, alpha=60)

    def _door(self, flank: Plane, view: View, xs: tuple[float, float]) -> None:
        (x0, x1), y0, y1 = xs, self.floor + 0.08, self.rows[0][1] + 0.03
        flank.rect(xs, (y0, y1), darker(self.paint, 0.55), part=f"door:{x0:.1f}")
        glass, lit = lit_window(view)
        middle = (x0 + x1) / 2
        for leaf in ((x0 + 0.06, middle - 0.03), (middle + 0.03, x1 - 0.06)):
            flank.rect(leaf, (y0 + 0.12, y1 - 0.08), glass, tone=0.4 + 0.4 * flank.tone, glow=lit)

    def _end(self, end: Plane, view: View) -> None:
        """Bumper, panes, destination board, lamps and plate."""
        half, low, front = self.size[2] / 2, self.floor, view.eye[0] > 0
        end.rect((-half * 0.96, half * 0.96), (low, low + 0.22), darker(self.paint, 0.45))
        name, glass = "windscreen" if front else "rear-window", window_colour(view)
        for row, (y0, y1) in enumerate(self.rows):
            foot = y0 - 0.25 if front and row == 0 else y0
            pane, tone = (-half * 0.86, half * 0.86), 0.4 + 0.4 * end.tone
            glow = 0.25 * view.lamps
            end.rect(pane, (foot, y1 + 0.02), glass, tone=tone, part=f"{name}:{row}", glow=glow)
            streak = ((-half * 0.2, y0), (half * 0.15, y0), (half * 0.45, y1), (half * 0.1, y1))
            end.poly(streak, glare(view), tone=0.8, alpha=60)
        if front:
            y = self.rows[0][1] + 0.1
            end.rect((-half * 0.6, half * 0.6), (y, y + 0.24), (38, 40, 46))
            board = (-half * 0.42, half * 0.42)
            end.rect(board, (y + 0.07, y + 0.17), (255, 190, 70), tone=0.9, glow=0.8)
        lamp, name = (LAMP, "headlight") if front else (TAIL, "taillight")
        for side in (-1, 1):
            across, glow = (side * half * 0.62, side * half * 0.92), 0.8 * view.lamps
            end.rect(across, (0.62, 0.82), lamp, tone=0.9, part=f"{name}:{side}", glow=glow)
        end.rect((-0.28, 0.28), (low + 0.06, low + 0.2), PLATE, tone=max(end.tone, 0.4), part="plate")


def make_bus(rng: random.Random) -> Bus:
    """A bus drawn by `rng`."""
    kind = rng.choice(tuple(_BODIES))
    length, height, width, floor, rows = _BODIES[kind]
    colour = rng.choice(("red", "yellow", "blue", "green", "orange", "white", "purple"))
    paint = jittered(rng, PAINTS[colour])
    return Bus(
        kind=kind,
        colour=colour,
        paint=paint,
        size=(length * rng.uniform(0.95, 1.05), height, width),
        floor=floor,
        rows=rows,
        band=rng.choice((lighter(paint, 0.75), darker(paint, 0.3), lighter(paint, 0.45))),
        bay=rng.uniform(0.95, 1.3),
        doors=rng.randint(1, 2),
    )
