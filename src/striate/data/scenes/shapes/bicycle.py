"""A bicycle: city bike or racing bike, with an optional basket."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import PAINTS, Rgb
from striate.data.scenes.shapes.solid import near_side, ring
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["Bicycle", "make_bicycle"]

_RUBBER: Rgb = (44, 46, 52)
_STEEL: Rgb = (150, 154, 162)


@dataclass(frozen=True, slots=True)
class Bicycle:
    """One bicycle; `size` is length, height, width in metres (a third larger than life)."""

    label: ClassVar[str] = "bicycle"
    solid: ClassVar[bool] = False
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    basket: bool
    step_through: bool

    def draw(self, sketch: Sketch, view: View) -> None:
        """Wheels, frame, then what sits on the frame; all lie near the plane z = 0."""
        reach = self.size[0] / 2
        radius = reach * 0.37
        rear, front = (-reach + radius, radius), (reach - radius, radius)
        for name, (x, y) in (("rear-wheel", rear), ("front-wheel", front)):
            self._wheel(sketch, view, (x, y), radius, part=f"wheel:{name}")
            sketch.key(name, (x, y, 0.0))
        self._frame(sketch, view, rear, front, radius)

    def _wheel(
        self, sketch: Sketch, view: View, hub: tuple[float, float], radius: float, *, part: str
    ) -> None:
        x, y = hub
        fine = radius * view.px_per_m
        circle = ring(x, y, 0.0, radius, 14 if fine < 8 else 26)
        if fine > 7:
            for index in range(5):
                angle = index * math.pi / 5 + 0.2
                dx, dy = radius * 0.9 * math.cos(angle), radius * 0.9 * math.sin(angle)
                sketch.stroke(((x - dx, y - dy, 0.0), (x + dx, y + dy, 0.0)), 0.008, _STEEL, part=part)
        sketch.stroke((*circle, circle[0], circle[1]), 0.045, _RUBBER, 0.4, part=part)
        sketch.ball((x, y, 0.0), 0.06, _STEEL, part=part)

    def _frame(
        self,
        sketch: Sketch,
        view: View,
        rear: tuple[float, float],
        front: tuple[float, float],
        radius: float,
    ) -> None:
        side, tone = near_side(view), view.tone(0, 0, near_side(view))
        crank = (rear[0] * 0.18 + front[0] * 0.04, radius * 0.86)
        seat = (crank[0] - radius * 0.42, radius * 2.15)
        head = (front[0] - radius * 0.42, radius * 2.1)
        neck = (front[0] - radius * 0.5, radius * 2.42)
        wide = 0.05

        def tube(*points: tuple[float, float], radius: float = wide, colour: Rgb = self.paint) -> None:
            sketch.stroke([(x, y, 0.0) for x, y in points], radius, colour, tone, part="frame")

        tube(rear, crank, radius=wide * 0.8)
        tube(rear, (seat[0] + 0.03, seat[1] - 0.12), radius=wide * 0.8)
        tube(front, head, neck)
        tube(crank, head)
        tube(crank, seat)
        top = (
            (crank[0] - radius * 0.2, radius * 1.5)
            if self.step_through
            else (seat[0] + 0.02, seat[1] - 0.1)
        )
        tube(top, (head[0] - 0.02, head[1] - 0.06))
        saddle = (seat[0], seat[1] + 0.1)
        tube(seat, saddle, radius=wide * 0.6, colour=_STEEL)
        sketch.stroke(
            ((saddle[0] - 0.16, saddle[1] + 0.03, 0), (saddle[0] + 0.14, saddle[1], 0)),
            0.06,
            (60, 44, 40),
            part="saddle",
        )
        sketch.key("saddle", (saddle[0], saddle[1], 0.0))
        bar = (neck[0] - 0.05, neck[1] + 0.06)
        tube(neck, bar, radius=wide * 0.6, colour=_STEEL)
        for across in (-side, side):
            drop = -0.12 if self.kind == "racing bike" else 0.03
            forward = 0.14 if self.kind == "racing bike" else -0.16
            sketch.stroke(
                (
                    (*bar, 0.0),
                    (bar[0] + 0.03, bar[1], across * 0.28),
                    (bar[0] + forward, bar[1] + drop, across * 0.28),
                ),
                0.035,
                _RUBBER,
                part="handlebar",
            )
        sketch.key("handlebar", (bar[0], bar[1], 0.0))
        sketch.ball((*crank, side * 0.04), 0.12, _STEEL, tone, part="frame")
        sketch.stroke(
            (
                (*crank, side * 0.08),
                (crank[0] + 0.1, crank[1] - 0.17, side * 0.08),
                (crank[0] + 0.2, crank[1] - 0.17, side * 0.1),
            ),
            0.03,
            _RUBBER,
            tone,
            part="pedal",
        )
        if self.basket:
            x, y = front[0] - radius * 0.05, radius * 1.98
            basket = (
                (x - 0.12, y, 0),
                (x + 0.22, y, 0),
                (x + 0.3, y + 0.32, 0),
                (x - 0.18, y + 0.32, 0),
            )
            sketch.face(basket, (176, 130, 84), tone, part="basket")
            for step in (0.1, 0.21):
                sketch.stroke(
                    ((x - 0.15, y + step, 0), (x + 0.25, y + step, 0)),
                    0.014,
                    (130, 92, 58),
                    part="basket",
                    decal=True,
                )
        lamp = (front[0] - radius * 0.28, radius * 1.95)
        sketch.ball((*lamp, 0.0), 0.06, (255, 244, 206), 0.9, part="headlight", glow=0.8 * view.lamps)


def make_bicycle(rng: random.Random) -> Bicycle:
    """A bicycle drawn by `rng`."""
    kind = rng.choice(("city bike", "racing bike"))
    colour = rng.choice(("red", "blue", "green", "yellow", "orange", "purple", "pink"))
    length = rng.uniform(2.2, 2.45)
    size = (length, length * 0.60, 0.62)
    city = kind == "city bike"
    return Bicycle(
        kind,
        colour,
        jittered(rng, PAINTS[colour]),
        size,
        city and rng.random() < 0.6,
        city and rng.random() < 0.6,
    )
