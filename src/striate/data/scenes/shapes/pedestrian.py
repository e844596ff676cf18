"""A pedestrian in mid-stride: joints in three dimensions, so that the pose turns with the camera."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import PAINTS, Rgb
from striate.data.scenes.shapes.solid import darker, lighter, near_side
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["Pedestrian", "make_pedestrian"]

_SKIN: tuple[Rgb, ...] = (
    (248, 214, 186),
    (232, 184, 148),
    (198, 140, 100),
    (150, 98, 68),
    (104, 68, 48),
)
_HAIR: tuple[Rgb, ...] = (
    (44, 34, 32),
    (84, 54, 38),
    (150, 98, 54),
    (218, 176, 100),
    (170, 170, 174),
    (156, 70, 42),
)
_LEGS: tuple[Rgb, ...] = ((58, 70, 104), (48, 50, 60), (98, 86, 76), (120, 128, 140), (72, 88, 76))


@dataclass(frozen=True, slots=True)
class Pedestrian:
    """One person; `size` is length, height, width in metres (a little larger than life)."""

    label: ClassVar[str] = "pedestrian"
    solid: ClassVar[bool] = False
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    skin: Rgb
    hair: Rgb
    long_hair: bool
    legs: Rgb
    skirt: bool
    swing: float
    bag: Rgb | None
    hat: Rgb | None
    brolly: Rgb

    def draw(self, sketch: Sketch, view: View) -> None:
        """Far limbs, trunk, near limbs, head; then bag, hat or umbrella."""
        side, tall = near_side(view), self.size[1]
        stride = math.sin(self.swing)
        far, near = -side, side
        self._arm(sketch, view, far, -stride * far)
        self._leg(sketch, view, far, stride * far)
        self._leg(sketch, view, near, stride * near)
        self._trunk(sketch, view)
        self._head(sketch, view)
        if self.bag:
            hip = (0.02, 0.50 * tall, near * 0.13 * tall)
            sketch.stroke(
                ((-0.02, 0.80 * tall, far * 0.06 * tall), hip),
                0.011 * tall,
                darker(self.bag, 0.2),
                decal=True,
            )
            sketch.stroke(
                ((-0.05 * tall, 0.47 * tall, hip[2]), (0.04 * tall, 0.47 * tall, hip[2])),
                0.052 * tall,
                self.bag,
                part="bag",
            )
        self._arm(sketch, view, near, -stride * near)
        if view.wet:
            self._umbrella(sketch, view, near)

    def _leg(self, sketch: Sketch, view: View, side: int, stride: float) -> None:
        tall = self.size[1]
        z = side * 0.058 * tall
        hip, knee = (0.0, 0.50 * tall, z), (stride * 0.085 * tall + 0.02, 0.27 * tall, z)
        foot = (stride * 0.19 * tall, 0.045 * tall + max(0.0, -stride) * 0.02 * tall, z)
        tone = view.tone(0, 0.2, side)
        shin = self.skin if self.skirt else self.legs
        shade = shin if side == near_side(view) else darker(shin, 0.18)
        sketch.stroke((hip, knee), 0.048 * tall, self.legs if not self.skirt else shade, tone)
        sketch.stroke((knee, foot), 0.038 * tall, shade, tone)
        shoe = (foot[0], 0.032 * tall, z)
        sketch.stroke(
            (shoe, (shoe[0] + 0.07 * tall, shoe[1] - 0.008 * tall, z)),
            0.032 * tall,
            (56, 46, 48),
            tone,
            part=f"shoe:{side}",
        )
        sketch.key("left-foot" if side > 0 else "right-foot", foot)

    def _arm(self, sketch: Sketch, view: View, side: int, stride: float) -> None:
        tall = self.size[1]
        shoulder = (0.0, 0.775 * tall, side * 0.112 * tall)
        raised = bool(view.wet) and side == near_side(view)
        if raised:
            elbow, hand = (
                (0.05 * tall, 0.64 * tall, side * 0.13 * tall),
                (0.12 * tall, 0.72 * tall, side * 0.11 * tall),
            )
        else:
            elbow = (stride * 0.06 * tall - 0.01, 0.63 * tall, side * 0.135 * tall)
            hand = (
                stride * 0.15 * tall + 0.03,
                0.50 * tall + abs(stride) * 0.03 * tall,
                side * 0.135 * tall,
            )
        tone = view.tone(0, 0.3, side)
        sleeve = lighter(self.paint, 0.08) if side == near_side(view) else darker(self.paint, 0.22)
        sketch.stroke((shoulder, elbow, hand), 0.034 * tall, sleeve, tone)
        sketch.ball(hand, 0.032 * tall, self.skin, tone, part=f"hand:{side}")
        sketch.key("left-hand" if side > 0 else "right-hand", hand)

    def _trunk(self, sketch: Sketch, view: View) -> None:
        tall = self.size[1]
        tone = 0.25 + 0.6 * view.tone(0, 0, near_side(view))
        deep, wide = 0.062 * tall, 0.105 * tall
        # Width seen from the camera: shoulders from the front, chest depth from the side.
        turn = abs(view.right[1])
        half = wide * turn + deep * (1 - turn)
        at = view.billboard
        if self.skirt:
            hem = half * 1.75 + 0.02 * tall
            sketch.face(
                (
                    at(-half, 0.58 * tall),
                    at(half, 0.58 * tall),
                    at(hem, 0.34 * tall),
                    at(-hem, 0.34 * tall),
                ),
                self.legs,
                tone,
            )
        low = 0.44 if self.kind == "coat" and not self.skirt else 0.52
        shape = [
            at(-half * 0.9, low * tall),
            at(half * 0.9, low * tall),
            at(half, 0.77 * tall),
            at(half * 0.55, 0.815 * tall),
            at(-half * 0.55, 0.815 * tall),
            at(-half, 0.77 * tall),
        ]
        sketch.face(shape, self.paint, tone, part="coat")
        sketch.stroke(
            (
                at(-half * 0.8, low * tall),
                at(-half * 0.86, 0.77 * tall),
                at(half * 0.86, 0.77 * tall),
                at(half * 0.8, low * tall),
            ),
            0.026 * tall,
            self.paint,
            tone,
            part="coat",
        )
        sketch.face(
            (
                at(half * 0.35, low * tall),
                at(half, low * tall),
                at(half * 1.1, 0.76 * tall),
                at(half * 0.5, 0.79 * tall),
            ),
            darker(self.paint, 0.35),
            tone,
            alpha=90,
        )

    def _head(self, sketch: Sketch, view: View) -> None:
        tall = self.size[1]
        radius = 0.078 * tall
        centre = (0.015 * tall, 0.90 * tall, 0.0)
        tone = 0.35 + 0.5 * view.tone(0, 0, near_side(view))
        back, up = -0.028 * tall, 0.02 * tall
        sketch.stroke(
            ((0, 0.8 * tall, 0), (0.008, 0.86 * tall, 0)), 0.035 * tall, darker(self.skin, 0.15), tone
        )
        if self.long_hair:
            sketch.stroke(
                ((back, 0.92 * tall, 0), (back * 1.6, 0.80 * tall, 0)),
                radius * 0.75,
                self.hair,
                tone,
                part="head",
            )
        sketch.ball((centre[0] + back, centre[1] + up, 0), radius * 1.04, self.hair, tone, part="head")
        sketch.ball(
            (centre[0] + 0.012 * tall, centre[1] - 0.008 * tall, 0),
            radius * 0.9,
            self.skin,
            tone,
            part="head",
        )
        crown = [
            (centre[0] + back + radius * x, centre[1] + radius * y, 0.0)
            for x, y in ((-0.55, 0.5), (0.2, 1.05), (1.1, 0.75), (1.05, 0.42), (0.3, 0.5), (-0.1, 0.1))
        ]
        sketch.face(crown, self.hair, tone, part="head")
        if radius * view.px_per_m > 4:
            self._eyes(sketch, view, centre, radius)
        if self.hat:
            sketch.ball(
                (centre[0] - 0.006, centre[1] + radius * 0.62, 0),
                radius * 0.78,
                self.hat,
                tone,
                part="hat",
            )
            brim = (
                (centre[0] - radius * 0.9, centre[1] + radius * 0.42, 0),
                (centre[0] + radius * 1.5, centre[1] + radius * 0.38, 0),
            )
            sketch.stroke(brim, radius * 0.16, darker(self.hat, 0.2), tone, part="hat")
        sketch.key("head", centre)

    def _eyes(self, sketch: Sketch, view: View, centre: Triple, radius: float) -> None:
        """Eyes lie on the front of the head and are seen when they face the camera."""
        for side in (-1, 1):
            x, z = 0.80 * radius, side * 0.38 * radius
            if x * view.eye[0] + z * view.eye[2] > 0.15 * math.hypot(view.eye[0], view.eye[2]) * radius:
                eye = (centre[0] + x, centre[1] - 0.02 * radius, z)
                sketch.ball(eye, radius * 0.13, (44, 36, 36), 0.3, part="head", decal=True)

    def _umbrella(self, sketch: Sketch, view: View, side: int) -> None:
        tall = self.size[1]
        x, z = 0.12 * tall, side * 0.11 * tall
        sketch.stroke(((x, 0.68 * tall, z), (x * 0.8, 1.12 * tall, z)), 0.012 * tall, (60, 56, 60))
        rx, rz = view.right
        half, rim, top = 0.36 * tall, 1.03 * tall, 1.22 * tall
        arc = [(math.cos(math.pi * i / 10), math.sin(math.pi * i / 10)) for i in range(11)]
        dome = [(x * 0.8 + half * c * rx, rim + (top - rim) * s, z + half * c * rz) for c, s in arc]
        sketch.face(dome, self.brolly, 0.6, part="umbrella")
        inner = [
            (x * 0.8 + half * 0.35 * c * rx, rim + (top - rim) * s, z + half * 0.35 * c * rz)
            for c, s in arc
        ]
        sketch.face(inner, lighter(self.brolly, 0.25), 0.6, part="umbrella")


def make_pedestrian(rng: random.Random) -> Pedestrian:
    """A person drawn by `rng`; the colour word is that of the coat or shirt."""
    colour = rng.choice(("red", "blue", "green", "yellow", "orange", "purple", "pink", "white"))
    child = rng.random() < 0.15
    tall = rng.uniform(1.35, 1.55) if child else rng.uniform(1.85, 2.15)
    skirt = rng.random() < 0.25
    swing = rng.choice((-1, 1)) * rng.uniform(0.35, 1.25)
    return Pedestrian(
        kind=rng.choice(("coat", "shirt")),
        colour=colour,
        paint=jittered(rng, PAINTS[colour]),
        size=(0.62 * tall * 0.75, tall, 0.36 * tall),
        skin=rng.choice(_SKIN),
        hair=jittered(rng, rng.choice(_HAIR)),
        long_hair=rng.random() < 0.4,
        legs=jittered(rng, rng.choice(_LEGS)),
        skirt=skirt,
        swing=swing,
        bag=jittered(rng, rng.choice(((150, 96, 60), (60, 62, 72), (188, 70, 60))))
        if rng.random() < 0.35
        else None,
        hat=jittered(rng, rng.choice(((60, 62, 72), (200, 72, 60), (226, 190, 110))))
        if rng.random() < 0.2
        else None,
        brolly=jittered(rng, rng.choice(((200, 62, 60), (70, 96, 160), (240, 196, 80), (70, 72, 84)))),
    )
