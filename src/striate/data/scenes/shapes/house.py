"""A detached house with a pitched roof: the front looks towards -z, the street."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import Rgb
from striate.data.scenes.shapes.glass import lit_window
from striate.data.scenes.shapes.plane import Plane, end_of, wall_of
from striate.data.scenes.shapes.solid import box, darker, lighter
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["House", "make_house"]

_WALLS: MappingProxyType[str, Rgb] = MappingProxyType(
    {
        "white": (242, 236, 224),
        "yellow": (244, 208, 120),
        "blue": (138, 178, 214),
        "pink": (240, 182, 178),
        "green": (158, 196, 148),
        "red": (196, 88, 72),
    }
)
_ROOFS: tuple[Rgb, ...] = ((168, 82, 62), (92, 84, 92), (128, 96, 74), (74, 92, 112))
_SNOW: Rgb = (244, 247, 250)
_FRAME: Rgb = (246, 244, 238)
_OVER = 0.3
"""How far the roof juts out, metres."""


@dataclass(frozen=True, slots=True)
class House:
    """One house; `size` is width, height, depth in metres. `kind`: what is in front."""

    label: ClassVar[str] = "house"
    solid: ClassVar[bool] = True
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    eaves: float
    roof: Rgb
    door: Rgb
    door_at: float
    lit: tuple[bool, ...]
    shutters: Rgb | None
    chimney: float

    def draw(self, sketch: Sketch, view: View) -> None:
        """Walls, roof and chimney, then doors and windows."""
        half, front = self.size[0] / 2, -self.size[2] / 2
        box(sketch, view, (-half, 0, front), (half, self.eaves, -front), self.paint, part="wall")
        if abs(view.eye[0]) > half:
            self._side(end_of(sketch, view, 1 if view.eye[0] > 0 else -1, half), view)
        if self.kind == "gable":
            self._gable(sketch, view)
        else:
            self._eaves(sketch, view)
        if view.eye[2] < front:
            self._front(sketch, view)

    def _cover(self, view: View) -> Rgb:
        return _SNOW if view.snow else self.roof

    def _stack(self, sketch: Sketch, view: View, x: float, z: float) -> None:
        foot, tall = self.eaves + 0.45 * (self.size[1] - self.eaves), self.size[1]
        low, high = (x - 0.28, foot, z - 0.28), (x + 0.28, tall + 0.35, z + 0.28)
        box(sketch, view, low, high, darker(self.roof, 0.12), part="chimney")
        low, high = (x - 0.34, tall + 0.27, z - 0.34), (x + 0.34, tall + 0.4, z + 0.34)
        box(sketch, view, low, high, darker(self.roof, 0.35), part="chimney")

    def _gable(self, sketch: Sketch, view: View) -> None:
        """Ridge along z: slopes to the sides, the triangle and its boards in front."""
        half, front, tall = self.size[0] / 2, -self.size[2] / 2, self.size[1]
        first = 1 if view.eye[0] < 0 else -1
        self._slope(sketch, view, first)
        self._stack(sketch, view, self.chimney * half * 0.4, front * 0.2)
        self._slope(sketch, view, -first)
        if view.eye[2] >= front:
            return
        tone, cover = view.tone(0, 0, -1), self._cover(view)
        wall = ((-half, self.eaves, front), (half, self.eaves, front), (0, tall, front))
        sketch.face(wall, self.paint, tone, part="wall")
        low = self.eaves - _OVER * (tall - self.eaves) / half
        edge = lighter(cover, 0.25) if not view.snow else cover
        for side in (-1, 1):
            x, z = side * (half + _OVER), front - _OVER
            board = ((0, tall, z), (x, low, z), (x, low - 0.2, z), (0, tall - 0.24, z))
            sketch.face(board, edge, tone, part="roof")

    def _slope(self, sketch: Sketch, view: View, side: int) -> None:
        """One slope of a roof whose ridge runs along z, if the eye is above its plane."""
        half, back, tall = self.size[0] / 2, self.size[2] / 2 - _OVER, self.size[1]
        rise = tall - self.eaves
        if (view.eye[0] - side * half) * side * rise + (view.eye[1] - self.eaves) * half <= 0:
            return
        size = math.hypot(rise, half)
        x, y, z = side * (half + _OVER), self.eaves - _OVER * rise / half, -self.size[2] / 2 - _OVER
        quad = ((0, tall, z), (x, y, z), (x, y, back), (0, tall, back))
        tone = view.tone(side * rise / size, half / size, 0)
        sketch.face(quad, self._cover(view), tone, part="roof")

    def _eaves(self, sketch: Sketch, view: View) -> None:
        """Ridge along x: one slope in front, a triangle at each end."""
        half, front, tall = self.size[0] / 2, -self.size[2] / 2, self.size[1]
        rise = tall - self.eaves
        if abs(view.eye[0]) > half:
            side = 1 if view.eye[0] > 0 else -1
            x = side * half
            end = ((x, self.eaves, front), (x, self.eaves, -front), (x, tall, 0))
            sketch.face(end, self.paint, view.tone(side, 0, 0), part="wall")
        self._stack(sketch, view, self.chimney * half * 0.6, 0.25)
        low, z, wide = self.eaves + _OVER * rise / front, front - _OVER, half + _OVER
        size = math.hypot(rise, front)
        tone = view.tone(0, -front / size, -rise / size)
        slope = ((-wide, low, z), (wide, low, z), (wide, tall, 0), (-wide, tall, 0))
        sketch.face(slope, self._cover(view), tone, part="roof")
        for step in range(1, 5) if view.px_per_m > 5 and not view.snow else ():
            y, depth = low + (tall - low) * step / 5, z * (1 - step / 5)
            row = ((-wide, y, depth), (wide, y, depth))
            sketch.stroke(row, 0.025, darker(self.roof, 0.18), tone, part="roof", decal=True)
        gutter = ((-wide, low, z), (wide, low, z), (wide, low - 0.14, z), (-wide, low - 0.14, z))
        sketch.face(gutter, (236, 234, 228), 0.5, part="roof")

    def _floors(self) -> list[float]:
        """Sill heights of the full storeys."""
        return [0.95] if self.eaves < 3.6 else [0.95, 3.35]

    def _front(self, sketch: Sketch, view: View) -> None:
        half, front = self.size[0] / 2, -self.size[2] / 2
        wall = wall_of(sketch, view, front)
        wall.rect((-half, half), (0, 0.4), darker(self.paint, 0.22))
        door = self.door_at * half * 0.6
        self._door(wall, view, door)
        self._canopy(sketch, view, door, front)
        for row, y in enumerate(self._floors()):
            for column, share in enumerate((-0.62, 0.0, 0.62)):
                if row or abs(share * half - door) > 1.3:
                    self._window(wall, view, (share * half, y), row * 3 + column)
        if self.kind == "gable":
            self._window(wall, view, (0.0, self.eaves + 0.2), 6)

    def _door(self, wall: Plane, view: View, x: float) -> None:
        wall.rect((x - 0.62, x + 0.62), (0, 2.25), (244, 242, 236))
        wall.rect((x - 0.5, x + 0.5), (0.06, 2.14), self.door, part="door")
        pane, glow = lit_window(view)
        wall.rect((x - 0.3, x + 0.3), (1.5, 1.95), pane, tone=0.5, part="door", glow=glow)
        wall.rect((x + 0.32, x + 0.42), (0.98, 1.08), (236, 214, 150), part="door")

    def _canopy(self, sketch: Sketch, view: View, x: float, front: float) -> None:
        """The small roof over the door and the step before it."""
        low, high = (x - 0.9, 2.3, front - 0.45), (x + 0.9, 2.44, front)
        box(sketch, view, low, high, darker(self.roof, 0.1))
        low, high = (x - 0.8, 0.0, front - 0.5), (x + 0.8, 0.14, front)
        box(sketch, view, low, high, (186, 182, 174))

    def _side(self, wall: Plane, view: View) -> None:
        """The windows of a side wall."""
        wall.rect((-self.size[2] / 2, self.size[2] / 2), (0, 0.4), darker(self.paint, 0.22))
        for row, y in enumerate(self._floors()):
            for column, z in enumerate((-1.3, 1.2)):
                self._window(wall, view, (z, y), 4 + row * 2 + column)

    def _window(self, wall: Plane, view: View, at: tuple[float, float], number: int) -> None:
        """A window with its lower middle `at`; shutters, frame, pane, bars."""
        (x, y), part = at, f"window:{number}.{wall.tone:.3f}"
        glass, glow = lit_window(view, on=self.lit[number % len(self.lit)])
        for side in (-1, 1) if self.shutters else ():
            assert self.shutters is not None
            wall.rect((x + side * 0.56, x + side * 0.92), (y, y + 1.2), self.shutters)
        wall.rect((x - 0.58, x + 0.58), (y - 0.08, y + 1.28), _FRAME)
        tone = 0.35 + 0.5 * wall.tone
        wall.rect((x - 0.48, x + 0.48), (y, y + 1.2), glass, tone=tone, part=part, glow=glow)
        if view.px_per_m > 7:
            wall.rect((x - 0.04, x + 0.04), (y, y + 1.2), _FRAME, part=part)
            wall.rect((x - 0.48, x + 0.48), (y + 0.62, y + 0.7), _FRAME, part=part)


def make_house(rng: random.Random) -> House:
    """A house drawn by `rng`; the colour word is that of its walls."""
    colour = rng.choice(tuple(_WALLS))
    eaves = rng.uniform(4.9, 5.3) if rng.random() < 0.5 else rng.uniform(2.8, 3.2)
    shutters: Rgb = rng.choice(((70, 112, 120), (96, 124, 88), (150, 72, 62)))
    return House(
        kind=rng.choice(("gable", "eaves")),
        colour=colour,
        paint=jittered(rng, _WALLS[colour], 6),
        size=(rng.uniform(5.6, 7.0), eaves + rng.uniform(1.7, 2.4), 5.4),
        eaves=eaves,
        roof=jittered(rng, rng.choice(_ROOFS)),
        door=jittered(rng, rng.choice(((176, 62, 54), (54, 96, 140), (70, 120, 90), (110, 74, 52)))),
        door_at=rng.choice((-1.0, 0.0, 1.0)),
        lit=tuple(rng.random() < 0.6 for _ in range(9)),
        shutters=jittered(rng, shutters) if rng.random() < 0.45 else None,
        chimney=rng.choice((-1.0, 1.0)),
    )
