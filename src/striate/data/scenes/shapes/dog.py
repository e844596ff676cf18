"""A dog: drop-eared or prick-eared, long or short in the leg, plain or patched."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import Rgb
from striate.data.scenes.shapes.solid import darker, lighter, near_side
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["Dog", "make_dog"]

_COATS: MappingProxyType[str, Rgb] = MappingProxyType(
    {
        "brown": (150, 98, 60),
        "black": (56, 54, 58),
        "white": (238, 232, 222),
        "grey": (146, 146, 150),
        "orange": (218, 142, 70),
    }
)
_NOSE: Rgb = (36, 32, 34)


@dataclass(frozen=True, slots=True)
class Dog:
    """One dog; `size` is length, height, width in metres (half as large again as life).

    `leg`: share of the height that is leg. `swing`: phase of the stride. `tail_up`: degrees.
    """

    label: ClassVar[str] = "dog"
    solid: ClassVar[bool] = False
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    leg: float
    prick: bool
    patch: Rgb | None
    swing: float
    collar: Rgb
    tail_up: float

    @property
    def girth(self) -> float:
        """Half the thickness of the body, metres."""
        return (1 - self.leg) * self.size[1] * 0.36

    @property
    def spine(self) -> tuple[Triple, Triple]:
        """The middle of the hindquarters and of the chest."""
        reach, back = self.size[0] / 2, self.size[1] * 0.68 - self.girth
        return (-0.42 * reach, back, 0.0), (0.40 * reach, back + 0.02, 0.0)

    def draw(self, sketch: Sketch, view: View) -> None:
        """Far legs, tail, body, near legs, head."""
        side = near_side(view)
        tone = view.tone(0, 0.3, side)
        self._legs(sketch, view, -side, darker(self.paint, 0.25))
        self._tail(sketch, tone)
        self._body(sketch, tone)
        self._legs(sketch, view, side, self.paint)
        self._head(sketch, view, tone)

    def _tail(self, sketch: Sketch, tone: float) -> None:
        (x, back, _), girth, reach = self.spine[0], self.girth, self.size[0] / 2
        up = math.radians(self.tail_up)
        tip_x = x - girth * 0.6 - reach * 0.4 * math.cos(up)
        tip_y = back + girth * 0.5 + reach * 0.44 * math.sin(up)
        bow = ((x + tip_x) / 2 - 0.06, (back + girth * 0.4 + tip_y) / 2 - 0.03, 0.0)
        root = (x - girth * 0.4, back + girth * 0.4, 0.0)
        sketch.stroke((root, bow, (tip_x, tip_y, 0.0)), girth * 0.24, self.paint, tone, part="tail")
        sketch.key("tail", (tip_x, tip_y, 0.0))

    def _body(self, sketch: Sketch, tone: float) -> None:
        (rump, chest), girth = self.spine, self.girth
        sketch.stroke((rump, chest), girth, self.paint, tone, part="body")
        breast = (chest[0], chest[1] + girth * 0.04, 0.0)
        sketch.ball(breast, girth * 1.14, self.paint, tone, part="body")
        belly = (rump[0], rump[1] - 0.54 * girth, 0.0), (chest[0], rump[1] - 0.54 * girth, 0.0)
        sketch.stroke(belly, 0.42 * girth, darker(self.paint, 0.08), tone, part="body", decal=True)
        if self.patch:
            spot = (rump[0] + 0.1, rump[1] + girth * 0.2, 0.0)
            end = (rump[0] + 0.15 * self.size[0], rump[1] + girth * 0.28, 0.0)
            sketch.stroke((spot, end), girth * 0.6, self.patch, tone, part="body", decal=True)

    def _legs(self, sketch: Sketch, view: View, side: int, colour: Rgb) -> None:
        girth, (rump, chest) = self.girth, self.spine
        stride = math.sin(self.swing) * side
        thick, z, tone = girth * 0.30, side * self.size[2] * 0.32, view.tone(0, 0.1, side)
        foot, word = lighter(colour, 0.35) if self.patch else colour, "left" if side > 0 else "right"
        for name, (x, y, _), step in (("rear", rump, -stride), ("front", chest, stride)):
            bend = -0.09 if name == "rear" else 0.03
            knee, paw = (x + bend + step * 0.08, y * 0.5, z), (x + step * 0.17, thick * 0.8, z)
            sketch.stroke(((x, y - girth * 0.2, z), knee, paw), thick, colour, tone)
            toe = (paw[0] + thick * 0.9, thick * 0.7, z)
            sketch.stroke((paw, toe), thick * 0.8, foot, tone, part=f"paw:{name}{side}")
            sketch.key(f"{word}-{name}-paw", paw)

    def _head(self, sketch: Sketch, view: View, tone: float) -> None:
        chest, girth, near = self.spine[1], self.girth, near_side(view)
        radius = girth * 0.80
        x, y = min(0.36 * self.size[0], self.size[0] / 2 - radius), self.size[1] - radius * 1.15
        nape = (chest[0] + girth * 0.3, chest[1] + girth * 0.3, 0.0)
        sketch.stroke((nape, (x, y, 0.0)), radius * 0.74, self.paint, tone, part="neck")
        self._collar(sketch, nape, (x, y, 0.0), radius)
        dark = self.colour == "black"
        self._ear(sketch, (x, y, -near * radius * 0.55), radius, darker(self.paint, 0.35))
        sketch.ball((x, y, 0.0), radius, self.paint, tone, part="head")
        muzzle, low = lighter(self.paint, 0.3) if self.patch else self.paint, y - radius * 0.28
        snout = ((x + radius * 0.4, low, 0.0), (x + radius * 1.35, low, 0.0))
        sketch.stroke(snout, radius * 0.42, muzzle, tone, part="head")
        tip = (x + radius * 1.63, low + radius * 0.14, 0.0)
        sketch.ball(tip, radius * 0.2, _NOSE, 0.3, part="head")
        if radius * view.px_per_m > 2:
            eye = (x + radius * 0.42, y + radius * 0.24, near * 0.02)
            sketch.ball(eye, radius * 0.15, (20, 18, 22), 0.3, part="head", decal=True)
        ear = lighter(self.paint, 0.12) if dark else darker(self.paint, 0.22)
        self._ear(sketch, (x, y, near * radius * 0.55), radius, ear)
        sketch.key("nose", tip)

    def _collar(self, sketch: Sketch, nape: Triple, head: Triple, radius: float) -> None:
        """A short bar across the neck, at a right angle to it."""
        x, y = (nape[0] + head[0]) / 2, (nape[1] + head[1]) / 2 - 0.01
        dx, dy = head[0] - nape[0], head[1] - nape[1]
        size = math.hypot(dx, dy) or 1.0
        nx, ny = -dy / size * radius * 0.62, dx / size * radius * 0.62
        band = ((x - nx, y - ny, 0.0), (x + nx, y + ny, 0.0))
        sketch.stroke(band, radius * 0.17, self.collar, part="collar")

    def _ear(self, sketch: Sketch, head: Triple, radius: float, colour: Rgb) -> None:
        x, y, z = head[0] - radius * 0.35, head[1] + radius * 0.5, head[2]
        if self.prick:
            foot = (x - radius * 0.4, y, z), (x + radius * 0.35, y + radius * 0.12, z)
            sketch.face((*foot, (x - radius * 0.15, y + radius * 1.1, z)), colour, part="ear")
        else:
            flap = ((x, y, z), (x - radius * 0.35, y - radius * 0.8, z))
            sketch.stroke(flap, radius * 0.34, colour, part="ear")


def make_dog(rng: random.Random) -> Dog:
    """A dog drawn by `rng`."""
    colour = rng.choice(tuple(_COATS))
    paint = jittered(rng, _COATS[colour])
    leg, patched = rng.uniform(0.30, 0.52), rng.random() < 0.3
    prick = rng.random() < 0.5
    return Dog(
        kind="prick-eared" if prick else "drop-eared",
        colour=colour,
        paint=paint,
        size=(rng.uniform(1.5, 1.75), rng.uniform(0.95, 1.25) * (0.75 + 0.5 * leg), 0.4),
        leg=leg,
        prick=prick,
        patch=lighter(paint, 0.6) if patched and colour != "white" else None,
        swing=rng.choice((-1, 1)) * rng.uniform(0.3, 1.2),
        collar=rng.choice(((214, 60, 58), (52, 110, 204), (246, 196, 52))),
        tail_up=rng.uniform(5, 65),
    )
