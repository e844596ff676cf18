"""A detached house with a gabled roof: the front looks towards -z, the street."""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import Rgb
from striate.data.scenes.shapes.glass import lit_window
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


@dataclass(frozen=True, slots=True)
class House:
    """One house; `size` is width, height, depth in metres. `gable` in front, or the eaves."""

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
        """Side wall, front wall, roof, chimney, then doors and windows."""
        half, front = self.size[0] / 2, -self.size[2] / 2
        box(sketch, view, (-half, 0, front), (half, self.eaves, -front), self.paint, part="wall")
        if self.kind == "gable":
            self._gable(sketch, view, half, front)
        else:
            self._eaves(sketch, view, half, front)
        if view.eye[2] < front:
            self._front(sketch, view, front - 0.01)

    def _roof_colour(self, view: View) -> Rgb:
        return _SNOW if view.snow else self.roof

    def _stack(self, sketch: Sketch, view: View, x: float, z: float, foot: float) -> None:
        tall = self.size[1]
        box(
            sketch,
            view,
            (x - 0.28, foot, z - 0.28),
            (x + 0.28, tall + 0.35, z + 0.28),
            darker(self.roof, 0.12),
            part="chimney",
        )
        box(
            sketch,
            view,
            (x - 0.34, tall + 0.27, z - 0.34),
            (x + 0.34, tall + 0.4, z + 0.34),
            darker(self.roof, 0.35),
            part="chimney",
        )

    def _gable(self, sketch: Sketch, view: View, half: float, front: float) -> None:
        """Ridge along z: the triangle in front, both slopes to the sides."""
        tall, over = self.size[1], 0.3
        colour = self._roof_colour(view)
        rise = tall - self.eaves
        drop = over * rise / half
        first = 1 if view.eye[0] < 0 else -1

        def slope(side: int) -> None:
            eave = (side * (half + over), self.eaves - drop)
            normal = rise / (rise * rise + half * half) ** 0.5
            tone = view.tone(side * normal, half / (rise * rise + half * half) ** 0.5, 0)
            # Seen only if the eye is above the plane of the slope.
            if (view.eye[0] - side * half) * side * rise + (view.eye[1] - self.eaves) * half > 0:
                quad = (
                    (0, tall, front - over),
                    (*eave, front - over),
                    (*eave, -front + over),
                    (0, tall, -front + over),
                )
                sketch.face(quad, colour, tone, part="roof")

        slope(first)
        self._stack(sketch, view, self.chimney * half * 0.5, front * 0.2, self.eaves + rise * 0.4)
        slope(-first)
        if view.eye[2] < front:
            tone = view.tone(0, 0, -1)
            sketch.face(
                ((-half, self.eaves, front), (half, self.eaves, front), (0, tall, front)),
                self.paint,
                tone,
                part="wall",
            )
            for side in (-1, 1):
                board = (
                    (0, tall, front - over),
                    (side * (half + over), self.eaves - drop, front - over),
                    (side * (half + over), self.eaves - drop - 0.2, front - over),
                    (0, tall - 0.24, front - over),
                )
                sketch.face(board, lighter(colour, 0.25) if not view.snow else colour, tone, part="roof")

    def _eaves(self, sketch: Sketch, view: View, half: float, front: float) -> None:
        """Ridge along x: one slope in front, a gable at each end."""
        tall, over = self.size[1], 0.3
        rise, deep = tall - self.eaves, -front
        tone = view.tone(
            0, deep / (rise * rise + deep * deep) ** 0.5, -rise / (rise * rise + deep * deep) ** 0.5
        )
        side = 1 if view.eye[0] > half else -1 if view.eye[0] < -half else 0
        if side:
            end = (
                (side * half, self.eaves, front),
                (side * half, self.eaves, -front),
                (side * half, tall, 0),
            )
            sketch.face(end, self.paint, view.tone(side, 0, 0), part="wall")
        drop = over * rise / deep
        self._stack(sketch, view, self.chimney * half * 0.7, 0.3, self.eaves + rise * 0.5)
        low = self.eaves - drop
        colour = self._roof_colour(view)
        slope = (
            (-half - over, low, front - over),
            (half + over, low, front - over),
            (half + over, tall, 0),
            (-half - over, tall, 0),
        )
        sketch.face(slope, colour, tone, part="roof")
        if view.px_per_m > 5 and not view.snow:
            for step in range(1, 5):
                t = step / 5
                y, z = low + (tall - low) * t, (front - over) * (1 - t)
                sketch.stroke(
                    ((-half - over, y, z), (half + over, y, z)),
                    0.025,
                    darker(self.roof, 0.18),
                    tone,
                    decal=True,
                )
        gutter = (
            (-half - over, low, front - over),
            (half + over, low, front - over),
            (half + over, low - 0.14, front - over),
            (-half - over, low - 0.14, front - over),
        )
        sketch.face(gutter, (236, 234, 228), 0.5, part="roof")

    def _front(self, sketch: Sketch, view: View, z: float) -> None:
        half, tone = self.size[0] / 2, view.tone(0, 0, -1)

        def panel(
            x0: float, x1: float, y0: float, y1: float, out: float = 0.0
        ) -> tuple[Triple, Triple, Triple, Triple]:
            return (x0, y0, z - out), (x1, y0, z - out), (x1, y1, z - out), (x0, y1, z - out)

        sketch.face(panel(-half, half, 0, 0.4), darker(self.paint, 0.22), tone, decal=True)
        x = self.door_at * half * 0.6
        sketch.face(panel(x - 0.62, x + 0.62, 0, 2.25), (244, 242, 236), tone, decal=True)
        sketch.face(panel(x - 0.5, x + 0.5, 0.06, 2.14), self.door, tone, part="door")
        pane, glow = lit_window(view)
        sketch.face(panel(x - 0.3, x + 0.3, 1.5, 1.95), pane, 0.5, part="door", glow=glow, decal=True)
        sketch.face(panel(x - 0.9, x + 0.9, 2.3, 2.46, 0.3), darker(self.roof, 0.1), tone)
        sketch.face(panel(x - 0.8, x + 0.8, 0, 0.14, 0.5), (176, 172, 166), tone)
        floors = [0.95] if self.eaves < 3.6 else [0.95, 3.35]
        if self.kind == "gable":
            floors.append(self.eaves + 0.25 if self.eaves < 3.6 else self.eaves + 0.1)
        for row, y in enumerate(floors):
            attic = self.kind == "gable" and row == len(floors) - 1
            for index, at in enumerate((0.0,) if attic else (-0.62, 0.0, 0.62)):
                middle = at * half
                if row == 0 and abs(middle - x) < 1.3:
                    continue
                self._window(
                    sketch,
                    view,
                    panel,
                    middle,
                    y,
                    f"window:{row}.{index}",
                    self.lit[(row * 3 + index) % len(self.lit)],
                )

    def _window(
        self, sketch: Sketch, view: View, panel, x: float, y: float, part: str, lit: bool
    ) -> None:  # type: ignore[no-untyped-def]
        tone = view.tone(0, 0, -1)
        glass, glow = lit_window(view, on=lit)
        if self.shutters:
            for side in (-1, 1):
                sketch.face(
                    panel(x + side * 0.56, x + side * 0.92, y, y + 1.2), self.shutters, tone, decal=True
                )
        sketch.face(panel(x - 0.58, x + 0.58, y - 0.08, y + 1.28), (246, 244, 238), tone, decal=True)
        sketch.face(
            panel(x - 0.48, x + 0.48, y, y + 1.2), glass, 0.35 + 0.5 * tone, part=part, glow=glow
        )
        if view.px_per_m > 7:
            sketch.face(
                panel(x - 0.04, x + 0.04, y, y + 1.2), (246, 244, 238), tone, part=part, decal=True
            )
            sketch.face(
                panel(x - 0.48, x + 0.48, y + 0.62, y + 0.7),
                (246, 244, 238),
                tone,
                part=part,
                decal=True,
            )


def make_house(rng: random.Random) -> House:
    """A house drawn by `rng`; the colour word is that of its walls."""
    colour = rng.choice(tuple(_WALLS))
    two = rng.random() < 0.5
    eaves = rng.uniform(4.9, 5.3) if two else rng.uniform(2.8, 3.2)
    wide, deep = rng.uniform(5.6, 7.0), 5.4
    roof = jittered(rng, rng.choice(_ROOFS))
    shutters = (
        jittered(rng, rng.choice(((70, 112, 120), (96, 124, 88), (150, 72, 62))))
        if rng.random() < 0.45
        else None
    )
    return House(
        kind=rng.choice(("gable", "eaves")),
        colour=colour,
        paint=jittered(rng, _WALLS[colour], 6),
        size=(wide, eaves + rng.uniform(1.7, 2.4), deep),
        eaves=eaves,
        roof=roof,
        door=jittered(rng, rng.choice(((176, 62, 54), (54, 96, 140), (70, 120, 90), (110, 74, 52)))),
        door_at=rng.choice((-1.0, 0.0, 1.0)),
        lit=tuple(rng.random() < 0.6 for _ in range(9)),
        shutters=shutters,
        chimney=rng.choice((-1.0, 1.0)),
    )
