"""A car: hatchback, saloon, estate, off-roader or coupé."""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import PAINTS, Rgb
from striate.data.scenes.shapes.glass import LAMP, PLATE, TAIL, glare, window_colour
from striate.data.scenes.shapes.solid import (
    Point,
    darker,
    disc,
    extrude,
    lighter,
    near_side,
    rounded,
    treads,
    wheel,
)
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["Car", "make_car"]

CAR_PAINTS = ("red", "blue", "green", "yellow", "white", "black", "grey", "orange", "purple")


@dataclass(frozen=True, slots=True)
class _Body:
    """Proportions, metres: cabin corners are x as shares of the half length."""

    length: float
    height: float
    belt: float
    bonnet: float
    boot: float
    cabin: tuple[float, float, float, float]  # rear foot, rear roof, front roof, front foot
    clearance: float
    wheel: float


_BODIES: MappingProxyType[str, _Body] = MappingProxyType(
    {
        "hatchback": _Body(4.0, 1.52, 0.95, 0.84, 0.93, (-0.97, -0.72, 0.16, 0.52), 0.26, 0.34),
        "saloon": _Body(4.6, 1.46, 0.92, 0.82, 0.90, (-0.66, -0.36, 0.14, 0.48), 0.24, 0.34),
        "estate": _Body(4.7, 1.52, 0.94, 0.83, 0.94, (-0.98, -0.84, 0.14, 0.48), 0.25, 0.34),
        "off-roader": _Body(4.5, 1.82, 1.12, 1.04, 1.10, (-0.97, -0.88, 0.20, 0.46), 0.38, 0.42),
        "coupé": _Body(4.4, 1.30, 0.84, 0.74, 0.86, (-0.82, -0.28, 0.06, 0.42), 0.20, 0.34),
    }
)


@dataclass(frozen=True, slots=True)
class Car:
    """One car; `size` is length, height, width in metres."""

    label: ClassVar[str] = "car"
    solid: ClassVar[bool] = True
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    body: _Body
    roof: Rgb
    rim: Rgb
    stripe: bool

    def draw(self, sketch: Sketch, view: View) -> None:
        """Far wheels, body, cabin, near side, near wheels."""
        side, half = near_side(view), self.size[2] / 2
        reach = self.size[0] / 2
        axles = (-0.60 * reach, 0.62 * reach)
        treads(sketch, view, axles, half, self.body.wheel)
        self._hull(sketch, view)
        self._cabin(sketch, view, side, half)
        self._ends(sketch, view)
        if abs(view.eye[2]) > half:
            self._flank(sketch, view, side, half)
        order = axles if view.eye[0] > 0 else axles[::-1]
        for x in order:
            name = "front-wheel" if x > 0 else "rear-wheel"
            if abs(view.eye[2]) > half:
                disc(
                    sketch,
                    view,
                    (x, self.body.wheel * 1.04, side * half),
                    self.body.wheel * 1.2,
                    darker(self.paint, 0.62),
                    0.0,
                    decal=True,
                )
                sketch.key(name, (x, self.body.wheel, side * half))
            wheel(sketch, view, x, side * half, self.body.wheel, part=f"wheel:{name}", rim=self.rim)

    def _outline(self) -> list[Point]:
        body, reach = self.body, self.size[0] / 2
        foot = body.cabin[3] * reach
        return rounded(
            [
                (-reach, body.clearance, 0.08),
                (reach, body.clearance, 0.1),
                (reach, body.bonnet - 0.12, 0.22),
                (foot, body.belt, 0.2),
                (body.cabin[0] * reach, body.belt, 0.1),
                (-reach, body.boot - 0.06, 0.16),
            ]
        )

    def _hull(self, sketch: Sketch, view: View) -> None:
        half = self.size[2] / 2
        extrude(sketch, view, self._outline(), lambda _: half, self.paint)

    def _half_at(self, y: float) -> float:
        """Half the cabin's width at height y: it leans inwards."""
        rise = max(0.0, (y - self.body.belt) / (self.body.height - self.body.belt))
        return self.size[2] / 2 * (0.97 - 0.17 * rise)

    def _cabin(self, sketch: Sketch, view: View, side: int, half: float) -> None:
        body, reach = self.body, self.size[0] / 2
        rear, back, front, foot = (share * reach for share in body.cabin)
        top, belt = body.height, body.belt - 0.02
        outline = rounded([(rear, belt, 0), (foot, belt, 0), (front, top, 0.16), (back, top, 0.16)], 2)
        extrude(sketch, view, outline, self._half_at, self.roof, side_colour=self.paint)
        glass = window_colour(view)
        for name, low, high, sign in (("windscreen", foot, front, 1), ("rear-window", rear, back, -1)):
            # The pane's plane faces the camera when the eye is in front of it.
            nx, ny = (top - belt) * sign, (low - high) * sign
            if nx * (view.eye[0] - low) + ny * (view.eye[1] - belt) > 0:
                self._pane(sketch, view, low, high, glass, part=name)
        if abs(view.eye[2]) > half:
            self._windows(sketch, view, side, glass)

    def _pane(
        self, sketch: Sketch, view: View, low: float, high: float, glass: Rgb, *, part: str
    ) -> None:
        belt, top = self.body.belt, self.body.height

        def at(t: float, across: float) -> Triple:
            y = belt + (top - belt) * t
            return low + (high - low) * t, y, across * self._half_at(y)

        tone = 0.5 + 0.4 * view.tone(1 if low > high else -1, 0, 0)
        pane = (at(0.06, -0.92), at(0.06, 0.92), at(0.88, 0.86), at(0.88, -0.86))
        sketch.face(pane, glass, tone, part=part)
        streak = (at(0.1, -0.4), at(0.1, -0.05), at(0.85, 0.3), at(0.85, 0.05))
        sketch.face(streak, glare(view), 0.8, alpha=70)

    def _windows(self, sketch: Sketch, view: View, side: int, glass: Rgb) -> None:
        body, reach = self.body, self.size[0] / 2
        rear, back, front, foot = (share * reach for share in body.cabin)
        low, high = body.belt + 0.03, body.height - 0.1
        share = (high - low) / (body.height - low)
        post = (rear + back) * 0.08 + (front + foot) * 0.14

        def at(x: float, y: float) -> Triple:
            return x, y, side * self._half_at(y)

        tone = 0.35 + 0.5 * view.tone(0, 0, side)
        rear_top, front_top = rear + (back - rear) * share + 0.06, foot + (front - foot) * share - 0.06
        panes = {
            "window:rear": (
                (rear + 0.14, low),
                (post - 0.05, low),
                (post - 0.05, high),
                (rear_top + 0.08, high),
            ),
            "window:front": (
                (post + 0.05, low),
                (foot - 0.14, low),
                (front_top - 0.06, high),
                (post + 0.05, high),
            ),
        }
        for part, pane in panes.items():
            sketch.face([at(x, y) for x, y in pane], glass, tone, part=part)
        a, b = post + 0.2, post + 0.42
        sketch.face(
            (at(a, low), at(b, low), at(b + 0.2, high), at(a + 0.2, high)), glare(view), 0.8, alpha=60
        )

    def _flank(self, sketch: Sketch, view: View, side: int, half: float) -> None:
        """Sill, door lines, handles, and the corners of the lamps that wrap round."""
        body, reach, z = self.body, self.size[0] / 2, side * (half + 0.004)
        tone = view.tone(0, 0, side)
        shade, shine = darker(self.paint, 0.28), lighter(self.paint, 0.3)
        low = body.clearance
        sketch.face(
            (
                (-reach + 0.08, low, z),
                (reach - 0.1, low, z),
                (reach - 0.04, low + 0.15, z),
                (-reach + 0.03, low + 0.15, z),
            ),
            shade,
            tone,
            decal=True,
        )
        crease = body.belt - 0.16
        sketch.face(
            (
                (-reach + 0.1, crease, z),
                (reach - 0.45, crease - 0.06, z),
                (reach - 0.45, crease - 0.02, z),
                (-reach + 0.1, crease + 0.05, z),
            ),
            shine,
            tone,
            alpha=150,
        )
        post = (body.cabin[0] + body.cabin[1]) * reach * 0.08 + (
            body.cabin[2] + body.cabin[3]
        ) * reach * 0.14
        door = (
            (post - 0.02, low + 0.16),
            (body.cabin[3] * reach - 0.06, low + 0.16),
            (body.cabin[3] * reach - 0.1, body.belt - 0.03),
            (post - 0.02, body.belt - 0.03),
        )
        if view.px_per_m > 12:
            sketch.stroke(
                [(x, y, z) for x, y in (*door, door[0])], 0.012, shade, tone, part="door", decal=True
            )
            for x in (post + 0.14, post - 0.62):
                sketch.face(
                    (
                        (x, crease + 0.06, z),
                        (x + 0.2, crease + 0.06, z),
                        (x + 0.2, crease + 0.11, z),
                        (x, crease + 0.11, z),
                    ),
                    darker(self.paint, 0.45),
                    tone,
                    decal=True,
                )
        if self.stripe:
            sketch.face(
                (
                    (-reach + 0.06, 0.58, z),
                    (reach - 0.06, 0.5, z),
                    (reach - 0.06, 0.57, z),
                    (-reach + 0.06, 0.65, z),
                ),
                lighter(self.paint, 0.75),
                tone,
                alpha=220,
            )
        y = body.bonnet - 0.2
        sketch.face(
            (
                (reach - 0.36, y, z),
                (reach - 0.03, y - 0.06, z),
                (reach - 0.05, y + 0.1, z),
                (reach - 0.3, y + 0.13, z),
            ),
            LAMP,
            0.9,
            part=f"headlight:{side}",
            glow=0.75 * view.lamps,
        )
        y = body.boot - 0.22
        sketch.face(
            (
                (-reach + 0.02, y, z),
                (-reach + 0.22, y + 0.03, z),
                (-reach + 0.2, y + 0.15, z),
                (-reach + 0.04, y + 0.14, z),
            ),
            TAIL,
            0.8,
            part=f"taillight:{side}",
            glow=0.6 * view.lamps,
        )
        mirror = body.cabin[3] * reach - 0.3
        sketch.ball(
            (mirror, body.belt + 0.07, side * (half + 0.08)), 0.085, darker(self.paint, 0.1), tone
        )

    def _ends(self, sketch: Sketch, view: View) -> None:
        """Grille, lamps and plate of whichever end is turned to the camera."""
        reach, half, body = self.size[0] / 2, self.size[2] / 2, self.body
        if abs(view.eye[0]) <= reach:
            return
        sign = 1 if view.eye[0] > 0 else -1
        x = sign * (reach + 0.004)
        tone = view.tone(sign, 0, 0)

        def panel(z0: float, z1: float, y0: float, y1: float) -> tuple[Triple, Triple, Triple, Triple]:
            return (x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)

        low = body.clearance
        bumper = panel(-half * 0.94, half * 0.94, low + 0.02, low + 0.16)
        sketch.face(bumper, darker(self.paint, 0.45), tone, decal=True)
        lamp, top = (LAMP, body.bonnet - 0.18) if sign > 0 else (TAIL, body.boot - 0.12)
        name = "headlight" if sign > 0 else "taillight"
        if sign > 0:
            sketch.face(
                panel(-half * 0.5, half * 0.5, top - 0.17, top - 0.02), (44, 46, 54), tone, decal=True
            )
        for across in (-1, 1):
            z0, z1 = across * half * 0.56, across * half * 0.93
            sketch.face(
                panel(z0, z1, top - 0.17, top),
                lamp,
                0.9,
                part=f"{name}:{across}",
                glow=0.85 * view.lamps,
            )
        sketch.face(panel(-0.26, 0.26, low + 0.1, low + 0.22), PLATE, max(tone, 0.4), part="plate")


def make_car(rng: random.Random) -> Car:
    """A car drawn by `rng`."""
    kind = rng.choice(tuple(_BODIES))
    body = _BODIES[kind]
    colour = rng.choice(CAR_PAINTS)
    paint = jittered(rng, PAINTS[colour])
    stretch = rng.uniform(0.95, 1.06)
    two_tone = rng.random() < 0.16
    roof = jittered(rng, (52, 54, 60)) if two_tone and colour != "black" else paint
    rim = rng.choice(((206, 210, 216), (176, 180, 188), (228, 228, 226), (120, 124, 134)))
    size = (body.length * stretch, body.height, rng.uniform(1.74, 1.88))
    return Car(kind, colour, paint, size, body, roof, rim, rng.random() < 0.1)
