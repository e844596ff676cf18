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


@dataclass(frozen=True, slots=True)
class Dog:
    """One dog; `size` is length, height, width in metres (half as large again as life)."""

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

    def draw(self, sketch: Sketch, view: View) -> None:
        """Far legs, tail, body, near legs, head."""
        side, reach, tall = near_side(view), self.size[0] / 2, self.size[1]
        tone = view.tone(0, 0.3, side)
        girth = (1 - self.leg) * tall * 0.36
        back = tall * 0.68 - girth
        rump, chest = (-0.42 * reach, back, 0.0), (0.40 * reach, back + 0.02, 0.0)
        self._legs(sketch, view, -side, rump, chest, darker(self.paint, 0.25), girth)
        tail = math.radians(self.tail_up)
        tip = (
            rump[0] - girth * 0.6 - reach * 0.4 * math.cos(tail),
            back + girth * 0.5 + reach * 0.44 * math.sin(tail),
            0.0,
        )
        bow = ((rump[0] + tip[0]) / 2 - 0.06, (back + girth * 0.4 + tip[1]) / 2 - 0.03, 0.0)
        sketch.stroke(
            ((rump[0] - girth * 0.4, back + girth * 0.4, 0.0), bow, tip),
            girth * 0.24,
            self.paint,
            tone,
            part="tail",
        )
        sketch.key("tail", tip)
        sketch.stroke((rump, chest), girth, self.paint, tone, part="body")
        sketch.ball(
            (chest[0], chest[1] + girth * 0.04, 0.0), girth * 1.14, self.paint, tone, part="body"
        )
        sketch.stroke(
            ((rump[0], back - girth * 0.52, 0), (chest[0], back - girth * 0.56, 0)),
            girth * 0.42,
            darker(self.paint, 0.1),
            tone,
            part="body",
            decal=True,
        )
        sketch.stroke(
            ((rump[0] + 0.02, back + girth * 0.5, 0), (chest[0] - 0.05, back + girth * 0.52, 0)),
            girth * 0.2,
            lighter(self.paint, 0.12),
            tone,
            part="body",
            decal=True,
        )
        if self.patch:
            sketch.stroke(
                (
                    (rump[0] + 0.1, back + girth * 0.2, 0),
                    (rump[0] + 0.3 * reach, back + girth * 0.28, 0),
                ),
                girth * 0.6,
                self.patch,
                tone,
                part="body",
                decal=True,
            )
        self._legs(sketch, view, side, rump, chest, self.paint, girth)
        self._head(sketch, view, chest, girth, tone)

    def _legs(
        self,
        sketch: Sketch,
        view: View,
        side: int,
        rump: Triple,
        chest: Triple,
        colour: Rgb,
        girth: float,
    ) -> None:
        stride = math.sin(self.swing) * side
        thick, z = girth * 0.30, side * self.size[2] * 0.32
        tone = view.tone(0, 0.1, side)
        for name, (x, y, _), step in (("rear", rump, -stride), ("front", chest, stride)):
            bend = -0.09 if name == "rear" else 0.03
            top = (x, y - girth * 0.2, z)
            knee = (x + bend + step * 0.08, y * 0.5, z)
            paw = (x + step * 0.17, thick * 0.8, z)
            sketch.stroke((top, knee, paw), thick, colour, tone)
            foot = lighter(colour, 0.35) if self.patch else colour
            sketch.stroke(
                (paw, (paw[0] + thick * 0.9, thick * 0.7, z)),
                thick * 0.8,
                foot,
                tone,
                part=f"paw:{name}{side}",
            )
            left = "left" if side > 0 else "right"
            sketch.key(f"{left}-{name}-paw", paw)

    def _head(self, sketch: Sketch, view: View, chest: Triple, girth: float, tone: float) -> None:
        reach, tall = self.size[0] / 2, self.size[1]
        radius = girth * 0.80
        head = (min(0.72 * reach, reach - radius), tall - radius * 1.15, 0.0)
        sketch.stroke(
            ((chest[0] + girth * 0.3, chest[1] + girth * 0.3, 0), head),
            radius * 0.74,
            self.paint,
            tone,
            part="neck",
        )
        middle = (
            (chest[0] + girth * 0.3 + head[0]) / 2,
            (chest[1] + girth * 0.3 + head[1]) / 2 - 0.01,
            0.0,
        )
        # The collar crosses the neck: a short bar at a right angle to it.
        dx, dy = head[0] - chest[0], head[1] - chest[1]
        size = math.hypot(dx, dy) or 1.0
        nx, ny = -dy / size * radius * 0.62, dx / size * radius * 0.62
        sketch.stroke(
            ((middle[0] - nx, middle[1] - ny, 0), (middle[0] + nx, middle[1] + ny, 0)),
            radius * 0.17,
            self.collar,
            tone,
            part="collar",
        )
        far, near = -near_side(view), near_side(view)
        self._ear(sketch, head, radius, far, darker(self.paint, 0.35), tone)
        sketch.ball(head, radius, self.paint, tone, part="head")
        nose = (head[0] + radius * 1.35, head[1] - radius * 0.28, 0.0)
        muzzle = lighter(self.paint, 0.3) if self.patch else self.paint
        sketch.stroke(
            ((head[0] + radius * 0.4, head[1] - radius * 0.28, 0), nose),
            radius * 0.42,
            muzzle,
            tone,
            part="head",
        )
        sketch.ball(
            (nose[0] + radius * 0.28, nose[1] + radius * 0.14, 0),
            radius * 0.2,
            (36, 32, 34),
            0.3,
            part="head",
        )
        if radius * view.px_per_m > 2:
            sketch.ball(
                (head[0] + radius * 0.42, head[1] + radius * 0.24, near * 0.02),
                radius * 0.15,
                (30, 26, 28),
                0.3,
                part="head",
                decal=True,
            )
        self._ear(
            sketch,
            head,
            radius,
            near,
            darker(self.paint, 0.22) if self.colour != "black" else lighter(self.paint, 0.1),
            tone,
        )
        sketch.key("nose", nose)

    def _ear(
        self, sketch: Sketch, head: Triple, radius: float, side: int, colour: Rgb, tone: float
    ) -> None:
        x, y, z = head[0] - radius * 0.35, head[1] + radius * 0.5, side * radius * 0.55
        if self.prick:
            ear = (
                (x - radius * 0.4, y, z),
                (x + radius * 0.35, y + radius * 0.12, z),
                (x - radius * 0.15, y + radius * 1.1, z),
            )
            sketch.face(ear, colour, tone, part="ear")
        else:
            sketch.stroke(
                ((x, y, z), (x - radius * 0.35, y - radius * 0.8, z)),
                radius * 0.34,
                colour,
                tone,
                part="ear",
            )


def make_dog(rng: random.Random) -> Dog:
    """A dog drawn by `rng`."""
    colour = rng.choice(tuple(_COATS))
    paint = jittered(rng, _COATS[colour])
    leg = rng.uniform(0.30, 0.52)
    tall = rng.uniform(0.95, 1.25) * (0.75 + 0.5 * leg)
    patched = rng.random() < 0.3 and colour != "white"
    return Dog(
        kind=rng.choice(("hound", "terrier")),
        colour=colour,
        paint=paint,
        size=(rng.uniform(1.5, 1.75), tall, 0.4),
        leg=leg,
        prick=rng.random() < 0.5,
        patch=lighter(paint, 0.6) if patched else None,
        swing=rng.choice((-1, 1)) * rng.uniform(0.3, 1.2),
        collar=rng.choice(((214, 60, 58), (52, 110, 204), (246, 196, 52))),
        tail_up=rng.uniform(5, 65),
    )
