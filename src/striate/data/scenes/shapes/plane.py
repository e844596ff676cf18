"""A flat side of a thing to draw on: its own two axes, its own light."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from striate.data.scenes.light import Triple
from striate.data.scenes.names import Rgb
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["Plane", "end_of", "side_of", "wall_of"]

_OUT_M = 0.005
"""What is drawn on a plane lies this far in front of it."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Draws in axes u, v (v is up) through `at`; `tone` is the sunlight on the plane.

    Everything is a decal: it lies inside the silhouette that the plane belongs to.
    """

    sketch: Sketch
    at: Callable[[float, float], Triple]
    tone: float
    px_per_m: float

    def poly(
        self,
        points: Iterable[tuple[float, float]],
        colour: Rgb,
        *,
        tone: float | None = None,
        part: str = "",
        alpha: int = 255,
        glow: float = 0.0,
    ) -> None:
        """A filled polygon of (u, v)."""
        light = self.tone if tone is None else tone
        face = [self.at(u, v) for u, v in points]
        self.sketch.face(face, colour, light, part=part, alpha=alpha, glow=glow, decal=True)

    def rect(
        self,
        us: tuple[float, float],
        vs: tuple[float, float],
        colour: Rgb,
        *,
        tone: float | None = None,
        part: str = "",
        alpha: int = 255,
        glow: float = 0.0,
    ) -> None:
        """A filled rectangle."""
        (u0, u1), (v0, v1) = us, vs
        corners = ((u0, v0), (u1, v0), (u1, v1), (u0, v1))
        self.poly(corners, colour, tone=tone, part=part, alpha=alpha, glow=glow)

    def line(
        self, points: Iterable[tuple[float, float]], radius: float, colour: Rgb, *, part: str = ""
    ) -> None:
        """A line `radius` metres to each side."""
        path = [self.at(u, v) for u, v in points]
        self.sketch.stroke(path, radius, colour, self.tone, part=part, decal=True)

    def disc(
        self,
        u: float,
        v: float,
        radius: float,
        colour: Rgb,
        *,
        tone: float | None = None,
        part: str = "",
    ) -> None:
        """A filled circle."""
        count = 10 if radius * self.px_per_m < 3 else 18 if radius * self.px_per_m < 30 else 36
        step = 2 * math.pi / count
        ring = [(u + radius * math.cos(i * step), v + radius * math.sin(i * step)) for i in range(count)]
        self.poly(ring, colour, tone=tone, part=part)


def side_of(sketch: Sketch, view: View, side: int, half: float) -> Plane:
    """The long side z = `side` * `half`: u runs along x."""
    z = side * (half + _OUT_M)
    return Plane(sketch, lambda u, v: (u, v, z), view.tone(0, 0, side), view.px_per_m)


def end_of(sketch: Sketch, view: View, sign: int, reach: float) -> Plane:
    """The end x = `sign` * `reach`: u runs along z."""
    x = sign * (reach + _OUT_M)
    return Plane(sketch, lambda u, v: (x, v, u), view.tone(sign, 0, 0), view.px_per_m)


def wall_of(sketch: Sketch, view: View, z: float, out: float = 0.01) -> Plane:
    """The street front at z, `out` metres before it: u runs along x."""
    return Plane(sketch, lambda u, v: (u, v, z - out), view.tone(0, 0, -1), view.px_per_m)
