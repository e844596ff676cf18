"""The row behind the pavement: flat-roofed town buildings with shops and windows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from striate.data.scenes.chance import jittered, stream
from striate.data.scenes.names import Rgb
from striate.data.scenes.shapes.glass import lit_window
from striate.data.scenes.shapes.solid import box, darker, lighter, side_panel
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["Building", "town_row"]

FRONT, BACK = -3.6, 3.0
"""z of a building's front and back from the middle of the lot, metres."""

_WALLS: tuple[Rgb, ...] = (
    (226, 190, 130),
    (214, 138, 108),
    (176, 194, 186),
    (146, 164, 184),
    (222, 202, 176),
    (188, 122, 104),
    (232, 220, 198),
    (206, 178, 170),
    (160, 180, 150),
    (236, 206, 150),
)
_AWNINGS: tuple[Rgb, ...] = (
    (206, 74, 66),
    (64, 128, 120),
    (232, 176, 72),
    (78, 102, 158),
    (170, 96, 128),
)
_POSTERS: tuple[Rgb, ...] = (*_AWNINGS, (250, 240, 220), (60, 62, 72), (240, 130, 160))


@dataclass(frozen=True, slots=True)
class Building:
    """One building from x0 to x1, metres along the street; `busy` is the clutter on its front."""

    x0: float
    x1: float
    height: float
    wall: Rgb
    trim: Rgb
    awning: Rgb
    style: Literal["bands", "grid", "tall"]
    shop: bool
    busy: float
    seed: int

    @property
    def middle(self) -> float:
        """x of its middle."""
        return (self.x0 + self.x1) / 2

    def draw(self, sketch: Sketch, view: View) -> None:
        """Walls and parapet, then the front."""
        half = (self.x1 - self.x0) / 2
        low, high = (-half, 0.0, FRONT), (half, self.height, BACK)
        roof: Rgb = (240, 244, 248) if view.snow else darker(self.trim, 0.3)
        box(sketch, view, low, high, self.wall, top=roof)
        ledge = self.height
        box(
            sketch,
            view,
            (-half - 0.06, ledge - 0.32, FRONT - 0.16),
            (half + 0.06, ledge, FRONT + 0.1),
            roof if view.snow else self.trim,
        )
        if view.eye[2] < FRONT:
            self._front(sketch, view, half, random.Random(self.seed))

    def _front(self, sketch: Sketch, view: View, half: float, rng: random.Random) -> None:
        z, tone = FRONT - 0.01, view.tone(0, 0, -1)
        first = 2.9 if self.shop else 0.5
        if self.shop:
            self._shop(sketch, view, half, rng)
        else:
            sketch.face(side_panel(-half, half, 0, 0.45, z), darker(self.wall, 0.2), tone, decal=True)
        if self.busy > 0.15:
            self._bricks(sketch, half, first, tone, rng)
        for x0, x1, y0, y1 in self._windows(half, first):
            pane, lit = lit_window(view, on=rng.random() < 0.45)
            if view.px_per_m > 4:
                frame = side_panel(x0 - 0.09, x1 + 0.09, y0 - 0.1, y1 + 0.09, z)
                sketch.face(frame, self.trim, tone, decal=True)
            sketch.face(side_panel(x0, x1, y0, y1, z), pane, 0.35 + 0.5 * tone, glow=lit, decal=True)
            if rng.random() < 0.5 and not lit:
                blind = y1 - rng.uniform(0.2, 0.6) * (y1 - y0)
                sketch.face(side_panel(x0, x1, blind, y1, z), lighter(pane, 0.55), tone, decal=True)
        self._posters(sketch, half, tone, rng)

    def _windows(self, half: float, first: float) -> Iterator[tuple[float, float, float, float]]:
        """(x0, x1, y0, y1) of every window of the upper floors."""
        pitch, wide, tall = {
            "bands": (2.3, 1.7, 1.2),
            "grid": (1.7, 0.95, 1.35),
            "tall": (1.45, 0.72, 1.75),
        }[self.style]
        storey = tall + 1.05
        columns = max(1, int((2 * half - 0.5) / pitch))
        rows = max(1, int((self.height - first - 0.5) / storey))
        gap = (2 * half - columns * pitch) / 2
        for row in range(rows):
            y = first + 0.55 + row * storey
            if y + tall > self.height - 0.4:
                return
            for column in range(columns):
                x = -half + gap + column * pitch + (pitch - wide) / 2
                yield x, x + wide, y, y + tall

    def _shop(self, sketch: Sketch, view: View, half: float, rng: random.Random) -> None:
        z, tone = FRONT - 0.01, view.tone(0, 0, -1)
        sketch.face(side_panel(-half, half, 0, 2.75, z), darker(self.wall, 0.45), tone, decal=True)
        glass, glow = lit_window(view)
        door = rng.choice((-1, 1)) * half * 0.55
        sketch.face(
            side_panel(-half + 0.35, half - 0.35, 0.6, 2.3, z),
            glass,
            0.35 + 0.5 * tone,
            glow=glow,
            decal=True,
        )
        sketch.face(
            side_panel(door - 0.6, door + 0.6, 0.05, 2.3, z), darker(self.awning, 0.35), tone, decal=True
        )
        sketch.face(
            side_panel(door - 0.42, door + 0.42, 0.5, 2.15, z), glass, 0.5, glow=glow, decal=True
        )
        sketch.face(
            side_panel(-half, half, 2.5, 3.0, z - 0.05), lighter(self.awning, 0.1), tone, decal=True
        )
        name = rng.uniform(0.25, 0.5) * half
        sketch.face(
            side_panel(-name, name, 2.66, 2.84, z - 0.06),
            (250, 244, 230),
            0.6,
            glow=0.6 * view.lamps,
            decal=True,
        )
        whole = (
            (-half + 0.2, 2.55, z),
            (half - 0.2, 2.55, z),
            (half - 0.2, 1.97, z - 0.85),
            (-half + 0.2, 1.97, z - 0.85),
        )
        sketch.face(whole, self.awning, view.tone(0, 0.75, -0.66))
        stripes = max(4, int(2 * half / 0.75))
        step = 2 * (half - 0.2) / stripes
        for index in range(stripes):
            x = -half + 0.2 + index * step
            colour = self.awning if index % 2 else (248, 242, 232)
            flap = ((x, 2.55, z), (x + step, 2.55, z), (x + step, 2.12, z - 0.85), (x, 2.12, z - 0.85))
            sketch.face(flap, colour, view.tone(0, 0.75, -0.66), decal=True)
            hem = (
                (x, 2.12, z - 0.85),
                (x + step, 2.12, z - 0.85),
                (x + step, 1.97, z - 0.85),
                (x, 1.97, z - 0.85),
            )
            sketch.face(hem, darker(colour, 0.12), tone, decal=True)

    def _bricks(
        self, sketch: Sketch, half: float, first: float, tone: float, rng: random.Random
    ) -> None:
        """Scattered bricks and stains: texture that means nothing."""
        for _ in range(int(26 * self.busy)):
            x, y = rng.uniform(-half, half - 0.5), rng.uniform(first, self.height - 0.5)
            shade = rng.choice((darker(self.wall, 0.16), lighter(self.wall, 0.2)))
            sketch.face(side_panel(x, x + 0.5, y, y + 0.2, FRONT - 0.01), shade, tone, decal=True)

    def _posters(self, sketch: Sketch, half: float, tone: float, rng: random.Random) -> None:
        for _ in range(int(5 * self.busy + rng.random() * self.busy)):
            x, y = rng.uniform(-half + 0.1, half - 1.1), rng.uniform(0.7, 1.6)
            colour = rng.choice(_POSTERS)
            sketch.face(side_panel(x, x + 0.9, y, y + 1.2, FRONT - 0.03), colour, tone, decal=True)
            other = rng.choice(_POSTERS)
            sketch.face(
                side_panel(x + 0.15, x + 0.75, y + 0.5, y + 1.0, FRONT - 0.04), other, tone, decal=True
            )
        if rng.random() < self.busy:
            x = rng.uniform(-half, half - 2)
            scrawl = [(x + step * 0.32, rng.uniform(0.8, 1.9), FRONT - 0.05) for step in range(7)]
            sketch.stroke(scrawl, 0.07, rng.choice(_POSTERS), 0.6, decal=True)


def _sized(rng: random.Random, x0: float, x1: float, busy: float) -> Building:
    wall = jittered(rng, rng.choice(_WALLS))
    trim = rng.choice(((244, 238, 226), lighter(wall, 0.4), darker(wall, 0.35)))
    style: Literal["bands", "grid", "tall"] = rng.choice(("bands", "grid", "tall"))
    height = rng.uniform(5.4, 8.8)
    return Building(
        x0,
        x1,
        height,
        wall,
        trim,
        rng.choice(_AWNINGS),
        style,
        rng.random() < 0.6,
        busy,
        rng.getrandbits(32),
    )


def town_row(
    seed: int, reach: tuple[float, float], taken: Sequence[tuple[float, float]], busy: float
) -> list[Building]:
    """The buildings in view between x = reach[0] and reach[1], none on a `taken` span.

    The row grows from x = 0 to both sides, so it is the same town from wherever it is seen.
    """
    found: list[Building] = []
    for side in (-1, 1):
        rng = stream(seed, "row", side)
        edge = 0.0
        while edge < (reach[1] if side > 0 else -reach[0]) + 1:
            wide, gap = rng.uniform(5.0, 9.0), (rng.uniform(1.6, 3.0) if rng.random() < 0.22 else 0.0)
            x0, x1 = (edge, edge + wide) if side > 0 else (-edge - wide, -edge)
            building = _sized(rng, max(x0, reach[0] - 2), min(x1, reach[1] + 2), busy)
            edge += wide + gap
            for low, high in _without((building.x0, building.x1), taken):
                if high - low > 2.6:
                    found.append(_trimmed(building, low, high))
    return found


def _trimmed(building: Building, low: float, high: float) -> Building:
    b = building
    return Building(low, high, b.height, b.wall, b.trim, b.awning, b.style, b.shop, b.busy, b.seed)


def _without(
    span: tuple[float, float], taken: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """What is left of `span` when the `taken` spans are cut out."""
    left = [span]
    for low, high in taken:
        left = [
            piece
            for a, b in left
            for piece in ((a, min(b, low)), (max(a, high), b))
            if piece[1] > piece[0]
        ]
    return left
