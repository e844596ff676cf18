"""The row behind the pavement: flat-roofed town buildings with shops and windows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from striate.data.scenes.chance import jittered, stream
from striate.data.scenes.names import Rgb
from striate.data.scenes.shapes.glass import lit_window
from striate.data.scenes.shapes.plane import Plane, wall_of
from striate.data.scenes.shapes.solid import box, darker, lighter
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
Style = Literal["bands", "grid", "tall"]
Span = tuple[float, float]

# Distance between windows, their width and height, metres.
_WINDOWS: MappingProxyType[Style, tuple[float, float, float]] = MappingProxyType(
    {"bands": (2.3, 1.7, 1.2), "grid": (1.7, 0.95, 1.35), "tall": (1.45, 0.72, 1.75)}
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
    style: Style
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
            self._front(sketch, view, half)

    def _front(self, sketch: Sketch, view: View, half: float) -> None:
        wall, rng = wall_of(sketch, view, FRONT), random.Random(self.seed)
        first = 2.9 if self.shop else 0.5
        if self.shop:
            self._shop(sketch, view, half)
        else:
            wall.rect((-half, half), (0, 0.45), darker(self.wall, 0.2))
        if self.busy > 0:
            self._bricks(wall, half, first)
        for xs, (y0, y1) in self._windows(half, first):
            on, drawn, drop = rng.random() < 0.45, rng.random() < 0.5, rng.uniform(0.2, 0.6)
            pane, lit = lit_window(view, on=on)
            if view.px_per_m > 4:
                wall.rect((xs[0] - 0.09, xs[1] + 0.09), (y0 - 0.1, y1 + 0.09), self.trim)
            wall.rect(xs, (y0, y1), pane, tone=0.35 + 0.5 * wall.tone, glow=lit)
            if drawn and not on and view.px_per_m > 3:
                wall.rect(xs, (y1 - drop * (y1 - y0), y1), lighter(pane, 0.55))
        if self.busy > 0:
            self._posters(wall_of(sketch, view, FRONT, 0.04), half)

    def _windows(self, half: float, first: float) -> Iterator[tuple[Span, Span]]:
        """((x0, x1), (y0, y1)) of every window of the upper floors."""
        pitch, wide, tall = _WINDOWS[self.style]
        storey = tall + 1.05
        columns = max(1, int((2 * half - 0.5) / pitch))
        gap = (2 * half - columns * pitch) / 2
        for row in range(max(1, int((self.height - first - 0.5) / storey))):
            y = first + 0.55 + row * storey
            if y + tall > self.height - 0.4:
                return
            for column in range(columns):
                x = -half + gap + column * pitch + (pitch - wide) / 2
                yield (x, x + wide), (y, y + tall)

    def _shop(self, sketch: Sketch, view: View, half: float) -> None:
        """Shop window, door, name board and a striped awning."""
        wall, rng = wall_of(sketch, view, FRONT), random.Random(self.seed + 1)
        glass, glow = lit_window(view)
        door, name = rng.choice((-1, 1)) * half * 0.55, rng.uniform(0.25, 0.5) * half
        wall.rect((-half, half), (0, 2.75), darker(self.wall, 0.45))
        pane = (-half + 0.35, half - 0.35)
        wall.rect(pane, (0.6, 2.3), glass, tone=0.35 + 0.5 * wall.tone, glow=glow)
        wall.rect((door - 0.6, door + 0.6), (0.05, 2.3), darker(self.awning, 0.35))
        wall.rect((door - 0.42, door + 0.42), (0.5, 2.15), glass, tone=0.5, glow=glow)
        wall.rect((-half, half), (2.5, 3.0), lighter(self.awning, 0.1))
        wall.rect((-name, name), (2.66, 2.84), (250, 244, 230), tone=0.6, glow=0.6 * view.lamps)
        self._awning(sketch, view, half - 0.2)

    def _awning(self, sketch: Sketch, view: View, half: float) -> None:
        z, out = FRONT - 0.01, FRONT - 0.85
        slope, fall = view.tone(0, 0.75, -0.66), view.tone(0, 0, -1)
        whole = ((-half, 2.55, z), (half, 2.55, z), (half, 1.97, out), (-half, 1.97, out))
        sketch.face(whole, self.awning, slope)
        if view.px_per_m < 2.5:
            return
        stripes = max(4, int(2 * half / 0.75))
        step = 2 * half / stripes
        for index in range(stripes):
            x0, x1 = -half + index * step, -half + (index + 1) * step
            colour = self.awning if index % 2 else (248, 242, 232)
            flap = ((x0, 2.55, z), (x1, 2.55, z), (x1, 2.12, out), (x0, 2.12, out))
            hem = ((x0, 2.12, out), (x1, 2.12, out), (x1, 1.97, out), (x0, 1.97, out))
            sketch.face(flap, colour, slope, decal=True)
            sketch.face(hem, darker(colour, 0.12), fall, decal=True)

    def _bricks(self, wall: Plane, half: float, first: float) -> None:
        """Scattered bricks and stains: texture that means nothing."""
        rng = random.Random(self.seed + 2)
        for _ in range(26):
            x, y = rng.uniform(-half, half - 0.5), rng.uniform(first, self.height - 0.5)
            shade = rng.choice((darker(self.wall, 0.16), lighter(self.wall, 0.2)))
            if rng.random() < self.busy:
                wall.rect((x, x + 0.5), (y, y + 0.2), shade)

    def _posters(self, wall: Plane, half: float) -> None:
        """Bills and scrawls on the ground floor."""
        rng = random.Random(self.seed + 3)
        for _ in range(5):
            x, y = rng.uniform(-half + 0.1, half - 1.1), rng.uniform(0.7, 1.6)
            paper, print_ = rng.choice(_POSTERS), rng.choice(_POSTERS)
            if rng.random() < self.busy:
                wall.rect((x, x + 0.9), (y, y + 1.2), paper)
                wall.rect((x + 0.15, x + 0.75), (y + 0.5, y + 1.0), print_)
        x, ink = rng.uniform(-half, half - 2), rng.choice(_POSTERS)
        scrawl = [(x + step * 0.32, rng.uniform(0.8, 1.9)) for step in range(7)]
        if rng.random() < self.busy:
            wall.line(scrawl, 0.07, ink)


def _sized(rng: random.Random, x0: float, x1: float, busy: float) -> Building:
    wall = jittered(rng, rng.choice(_WALLS))
    trim = rng.choice(((244, 238, 226), lighter(wall, 0.4), darker(wall, 0.35)))
    style: Style = rng.choice(("bands", "grid", "tall"))
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
