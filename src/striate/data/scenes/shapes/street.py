"""Traffic lights and stop signs: things on a pole that face the camera's side of the street."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import Rgb
from striate.data.scenes.shapes.solid import box, darker, lighter
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["StopSign", "TrafficLight", "make_stop_sign", "make_traffic_light"]

_STEEL: Rgb = (124, 130, 138)
_LAMPS: tuple[tuple[str, Rgb], ...] = (
    ("red", (238, 60, 52)),
    ("yellow", (252, 196, 50)),
    ("green", (72, 206, 120)),
)


@dataclass(frozen=True, slots=True)
class TrafficLight:
    """One traffic light, its lamps towards +x; `colour` is the lamp that is lit."""

    label: ClassVar[str] = "traffic-light"
    solid: ClassVar[bool] = False
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    board: bool

    def draw(self, sketch: Sketch, view: View) -> None:
        """Pole, backboard, housing, three hooded lamps."""
        tall = self.size[1]
        low = tall - 1.5
        tone = view.tone(1, 0, 0)
        sketch.stroke(((0, 0.06, 0), (0, tall - 0.2, 0)), 0.085, self.paint, 0.5, part="pole")
        sketch.stroke(((0, 0.05, 0), (0, 0.34, 0)), 0.16, darker(self.paint, 0.25), 0.5, part="pole")
        front = view.eye[0] > 0
        board = (
            (0.1, low - 0.12, -0.42),
            (0.1, low - 0.12, 0.42),
            (0.1, tall, 0.42),
            (0.1, tall, -0.42),
        )
        if self.board and front:
            sketch.face(board, (236, 236, 230), tone, part="housing")
            inner = [(x, y + (0.05 if y < tall - 0.5 else -0.05), z * 0.88) for x, y, z in board]
            sketch.face(inner, (38, 42, 46), tone, part="housing")
        box(
            sketch,
            view,
            (-0.12, low - 0.04, -0.27),
            (0.16, tall - 0.06, 0.27),
            (44, 48, 52),
            part="housing",
        )
        if not front:
            return
        for index, (name, lamp) in enumerate(_LAMPS):
            y = tall - 0.34 - index * 0.47
            on = name == self.colour
            spot = [
                (0.17, y + 0.19 * math.sin(a * math.pi / 6), 0.19 * math.cos(a * math.pi / 6))
                for a in range(12)
            ]
            sketch.face(
                spot,
                lamp if on else darker(lamp, 0.74),
                0.5,
                part=f"lamp:{name}",
                glow=1.0 if on else 0.0,
            )
            if on:
                shine = [
                    (
                        0.175,
                        y + 0.07 + 0.06 * math.sin(a * math.pi / 4),
                        0.06 * math.cos(a * math.pi / 4),
                    )
                    for a in range(8)
                ]
                sketch.face(shine, lighter(lamp, 0.6), 0.9, alpha=200, glow=1.0)
            hood = (
                (0.2, y + 0.24, -0.2),
                (0.2, y + 0.24, 0.2),
                (0.3, y + 0.17, 0.2),
                (0.3, y + 0.17, -0.2),
            )
            sketch.face(hood, (30, 32, 36), 0.3, part="housing")


# Strokes of S, T, O, P in a box of 1 by 1, y up.
_LETTERS: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0.9, 0.95), (0.1, 0.95), (0.1, 0.52), (0.9, 0.48), (0.9, 0.05), (0.1, 0.05)),
    ((0.0, 0.95), (1.0, 0.95), (0.5, 0.95), (0.5, 0.0)),
    ((0.1, 0.95), (0.9, 0.95), (0.9, 0.05), (0.1, 0.05), (0.1, 0.95)),
    ((0.1, 0.0), (0.1, 0.95), (0.9, 0.95), (0.9, 0.45), (0.1, 0.45)),
)


@dataclass(frozen=True, slots=True)
class StopSign:
    """One stop sign, its face towards +x."""

    label: ClassVar[str] = "stop-sign"
    solid: ClassVar[bool] = False
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    pole: Rgb

    def draw(self, sketch: Sketch, view: View) -> None:
        """Pole, plate with a white rim, and the word where it can be read."""
        tall, radius = self.size[1], self.size[2] / 2
        y = tall - radius
        tone = 0.3 + 0.6 * view.tone(1, 0, 0)
        sketch.stroke(((0, 0.05, 0), (0, tall - 0.15, 0)), 0.06, self.pole, 0.5, part="pole")

        def plate(share: float, x: float) -> list[Triple]:
            angles = [math.pi / 8 + index * math.pi / 4 for index in range(8)]
            return [(x, y + radius * share * math.sin(a), radius * share * math.cos(a)) for a in angles]

        if view.eye[0] < 0:
            sketch.face(plate(1.08, -0.03), (176, 180, 186), 0.4, part="plate")
            return
        sketch.face(plate(1.08, 0.05), (244, 244, 240), tone, part="plate")
        sketch.face(plate(0.97, 0.06), self.paint, tone, part="plate", decal=True)
        fine = radius * view.px_per_m
        if fine > 5:
            self._word(sketch, y, radius, tone)
        else:
            bar = [
                (0.07, y + dy, dz)
                for dy, dz in ((-0.13, -0.38), (-0.13, 0.38), (0.13, 0.38), (0.13, -0.38))
            ]
            sketch.face(bar, (244, 244, 240), tone, part="plate", decal=True)

    def _word(self, sketch: Sketch, y: float, radius: float, tone: float) -> None:
        size, step = radius * 0.34, radius * 0.43
        for index, letter in enumerate(_LETTERS):
            left = (index - 2) * step + (step - size) / 2
            # +z lies to the reader's right when the plate, facing +x, is read from the front.
            points = [(0.07, y + (v - 0.5) * size * 1.7, left + u * size) for u, v in letter]
            sketch.stroke(points, radius * 0.048, (246, 246, 242), tone, part="plate", decal=True)


def make_traffic_light(rng: random.Random) -> TrafficLight:
    """A traffic light drawn by `rng`."""
    colour = rng.choice(("red", "yellow", "green"))
    paint = jittered(rng, rng.choice((_STEEL, (70, 92, 84), (62, 66, 74))))
    return TrafficLight("signal", colour, paint, (0.7, rng.uniform(3.7, 4.3), 0.84), rng.random() < 0.6)


def make_stop_sign(rng: random.Random) -> StopSign:
    """A stop sign drawn by `rng`."""
    plate = rng.uniform(1.25, 1.5)
    return StopSign(
        "octagon",
        "red",
        jittered(rng, (206, 44, 46)),
        (0.3, rng.uniform(3.0, 3.4), plate),
        jittered(rng, _STEEL),
    )
